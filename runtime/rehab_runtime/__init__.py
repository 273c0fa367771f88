"""What every service of RehabTrack stands on, one subject a module."""

import os

# gRPC's core writes lines of its own to standard error when a peer sends what it cannot
# read: no JSON, and not through our list of keys. It looks here when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
