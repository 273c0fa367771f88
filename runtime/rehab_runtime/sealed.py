"""A sealed body's form: AES-256-GCM (NIST SP 800-38D), bound to the event's place in the log.

A sealed body is `version (1 byte) | nonce (12 bytes) | ciphertext | tag (16 bytes)`. The nonce is
random. One data key seals at most 2^32 bodies (SP 800-38D, section 8.3, for random nonces of 96
bits); every attempt counts, also one whose append was then refused, and so do snapshots.
"""

from __future__ import annotations

import struct
from os import urandom
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime.errors import Internal

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
"""What a sealed body is longer than the body."""
MAX_SEALS = 2**32
"""Bodies that one data key may seal."""
ROTATE_AFTER_SEALS = 2**30
"""Bodies after which a data key should be rotated: events are counted, failed attempts are not."""
_VERSION = bytes([VERSION])
_PLACE = struct.Struct(">BHHHI")
_UINT16, _UINT32 = 2**16 - 1, 2**32 - 1


class CannotOpen(Internal):
    """A sealed body was changed, cut, moved to another place, or is of another key."""

    def __init__(self, detail: str, *, event_id: str, key_id: str) -> None:
        super().__init__(f"{detail} (event {event_id}, key {key_id})")
        self.event_id = event_id
        self.key_id = key_id


class Bound(NamedTuple):
    """The place a body is bound to. Texts are at most 65,535 bytes."""

    event_id: str
    stream: str
    kind: str
    schema_version: int

    def associated(self) -> bytes:
        """One unambiguous form: format, lengths and schema version, then the texts.

        ValueError names the field that is too large.
        """
        event_id, stream, kind = self.event_id.encode(), self.stream.encode(), self.kind.encode()
        try:
            head = _PLACE.pack(VERSION, len(event_id), len(stream), len(kind), self.schema_version)
        except struct.error:
            raise ValueError(self._too_large()) from None
        return head + event_id + stream + kind

    def _too_large(self) -> str:
        for field, text in zip(("event_id", "stream", "kind"), self[:3], strict=True):
            if len(str(text).encode()) > _UINT16:
                return f"{field} must be at most {_UINT16} bytes"
        return f"schema_version must be from 0 to {_UINT32}"


def seal(cipher: AESGCM, plaintext: bytes, bound: Bound) -> bytes:
    nonce = urandom(NONCE_BYTES)
    return b"".join((_VERSION, nonce, cipher.encrypt(nonce, plaintext, bound.associated())))


def open_(cipher: AESGCM, key_id: str, sealed: bytes, bound: Bound) -> bytes:
    """The body. Raises CannotOpen, which says nothing of what the body holds."""
    if len(sealed) < OVERHEAD_BYTES:
        raise _cannot("a sealed body is too short", key_id, bound)
    if sealed[0] != VERSION:
        raise _cannot("a sealed body has a format that is not known here", key_id, bound)
    nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, rest, bound.associated())
    except InvalidTag:
        raise _cannot("a sealed body is not what this key sealed here", key_id, bound) from None


def _cannot(detail: str, key_id: str, bound: Bound) -> CannotOpen:
    return CannotOpen(detail, event_id=bound.event_id, key_id=key_id)
