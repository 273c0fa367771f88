"""Events that wait on disk: an outbox that outlives the process, the power and the network.

A file of SQLite (WAL), bounded, for one device, optionally encrypted. What stood in it when the
process died is sent when the next one opens it, through the same conversation as ever.
"""

from rehab_sdk.spool.aside import DroppedEvent, RefusedEvent
from rehab_sdk.spool.policy import Limits, Rank, rank_of
from rehab_sdk.spool.spool import Spool
from rehab_sdk.spool.storage import SpoolError

__all__ = ["DroppedEvent", "Limits", "Rank", "RefusedEvent", "Spool", "SpoolError", "rank_of"]
