"""The front door for observations.

Takes devices' streams and single events over gRPC, checks each event by the contract's rules, and
acknowledges what the event store has committed. Keeps how far each device's stream is settled.
"""

import rehab_runtime  # noqa: F401 - before gRPC: see there
