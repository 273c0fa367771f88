"""The read models: what therapists see.

Reads the log: live from JetStream, holes and the past from the event store. Writes its own
PostgreSQL database: patients, sessions, sets, vitals, billing evidence, and the position that they
reflect, in one transaction. Answers over gRPC how much and how well was exercised, what bills rest
on, and who needs a therapist, always as of a time and with the position of the log that the answer
stands for.
"""

import rehab_runtime  # noqa: F401 - before gRPC: see there
