"""Signed checkpoints of the log, as the event store makes them and anybody may verify them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_MARK = b"rehab checkpoint 1"
_NUMBERS = struct.Struct(">HQQ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def key_id_of(public_key: bytes) -> str:
    """Sixteen hexadecimal digits by which people compare keys."""
    return sha256(b"rehab signing key 1" + public_key).hexdigest()[:16]


def checkpoint_message(
    shard: int, incarnation: str, position: int, chained: bytes, signed_at: datetime
) -> bytes:
    """What is signed: a mark, then shard (16 bits), position and microseconds since 1970 (64 bits
    each) big-endian, the incarnation's 16 bytes and the 32 of the hash at the position."""
    numbers = _NUMBERS.pack(shard, position, (signed_at - _EPOCH) // timedelta(microseconds=1))
    return b"".join((_MARK, numbers, UUID(incarnation).bytes, chained))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
