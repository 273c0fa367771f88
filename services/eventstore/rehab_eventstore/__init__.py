"""The event store: one immutable stream of events per subject, in one gapless order.

Takes appends over gRPC, commits many of them at once to PostgreSQL, which is the truth, and hands
what is committed to JetStream, which is the transport. Reads by stream or by position, and
subscriptions, come from PostgreSQL. It never looks into an event's body.
"""

import rehab_runtime  # noqa: F401 - before gRPC: see there
