"""Who there is, who may do what, and on which consent.

Keeps accounts, sessions, devices and API keys in its own PostgreSQL database. Reads the log for
consents, care teams, emergency access and erasures; what changes those is appended to the log.
"""

import rehab_runtime  # noqa: F401 - before gRPC: see there
