"""Bodies sealed, opened and compared with a patient's data key; their form is that of
`rehab_runtime.sealed`."""

from __future__ import annotations

from rehab_eventstore.crypto.keys import DataKey
from rehab_runtime import sealed as form
from rehab_runtime.sealed import Bound

FINGERPRINT_BYTES = 16


def seal(key: DataKey, plaintext: bytes, bound: Bound) -> bytes:
    return form.seal(key.cipher, plaintext, bound)


def open_(key: DataKey, sealed: bytes, bound: Bound) -> bytes:
    """The body. Raises CannotOpen."""
    return form.open_(key.cipher, key.key_id, sealed, bound)


def fingerprint(key: DataKey, plaintext: bytes) -> bytes:
    """HMAC-SHA-256 cut to 16 bytes: equal for equal plaintexts of one patient, whichever of the
    patient's keys is used, and of no use to one who guesses at plaintexts without the keys."""
    mac = key.mac.copy()
    mac.update(plaintext)
    return mac.finalize()[:FINGERPRINT_BYTES]
