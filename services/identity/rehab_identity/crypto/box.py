"""What this service's key file seals."""

from __future__ import annotations

from rehab_runtime import box

FORMAT = box.FORMAT
NONCE_BYTES = box.NONCE_BYTES
joined = box.joined


class Box(box.Box):
    of = "rehab identity"
