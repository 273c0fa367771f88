"""Real PostgreSQL, NATS and Valkey from their wheels, as processes of ours, without Docker.

Each server listens on loopback, keeps its data in a folder, and can be killed and started again
on the same folder and port. None outlives the process that started it.
"""

from rehab_runtime.embedded.nats import Nats
from rehab_runtime.embedded.ports import answers, free_port, port_in_use
from rehab_runtime.embedded.postgres import Postgres
from rehab_runtime.embedded.server import EmbeddedError, Server
from rehab_runtime.embedded.together import Embedded
from rehab_runtime.embedded.valkey import Valkey

__all__ = [
    "Embedded",
    "EmbeddedError",
    "Nats",
    "Postgres",
    "Server",
    "Valkey",
    "answers",
    "free_port",
    "port_in_use",
]
