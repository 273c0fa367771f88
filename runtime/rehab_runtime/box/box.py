"""Seals small secrets of a service, each bound to its place.

`format (1 byte) | version of the key (4) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM. The
associated data binds the purpose, the id of the box, the version and the context.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime.errors import Internal

FORMAT = 1
NONCE_BYTES = 12
_HEAD = struct.Struct(">BI")
_LENGTH = struct.Struct(">I")


def joined(*parts: str) -> bytes:
    """Parts with their lengths, so that no two lists of parts look alike."""
    told = [part.encode() for part in parts]
    return b"".join(_LENGTH.pack(len(part)) + part for part in told)


@dataclass(frozen=True, slots=True)
class BoxKeys:
    """All versions, 32 bytes each; `newest` seals. `id` tells boxes apart."""

    id: str
    newest: int
    versions: Mapping[int, bytes] = field(repr=False)


class Versions(Protocol):
    """Where a box has its keys from."""

    def current(self) -> BoxKeys:
        """What is known now; the same object as long as nothing changes."""
        ...

    def again(self) -> BoxKeys:
        """The same after another look: somebody else may have made a version. Raises Internal."""
        ...

    async def rotate(self) -> int:
        """A new version, which seals from now on."""
        ...

    async def destroy_older(self) -> int:
        """Drop all versions but the newest, which is returned."""
        ...

    async def rewrap(self) -> None:
        """Have the versions themselves wrapped by the newest key of who keeps them."""
        ...


class Box:
    """Seals with the newest version; opens with any that there is. What is sealed for one `purpose`
    opens for no other."""

    def __init__(self, versions: Versions, purpose: str) -> None:
        self._versions = versions
        self._purpose = purpose
        self._take(versions.current())

    async def rotate(self) -> int:
        """A new version, which seals from now on. Raises what its keeper raises."""
        return await self._versions.rotate()

    async def destroy_older(self) -> int:
        """Drop all versions but the newest, which is returned. Raises what its keeper raises."""
        return await self._versions.destroy_older()

    async def rewrap(self) -> None:
        """The versions under their keeper's newest key. Raises what its keeper raises."""
        await self._versions.rewrap()

    def seal(self, secret: bytes, *context: str) -> bytes:
        keys = self._current()
        head = _HEAD.pack(FORMAT, keys.newest)
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[keys.newest]
        return head + nonce + cipher.encrypt(nonce, secret, self._bound(head, context))

    def open(self, sealed: bytes, *context: str) -> bytes:
        """Raises Internal for what was changed or moved, or sealed by a key that is not here."""
        head, rest = sealed[: _HEAD.size], sealed[_HEAD.size :]
        if len(head) < _HEAD.size or head[0] != FORMAT:
            raise Internal("a sealed secret has no known format")
        version = self.version(sealed)
        if version not in self._ciphers:
            self._take(self._versions.again())
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise Internal(f"there is no version {version} of the box: restore it from its backup")
        try:
            nonce, text = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
            return cipher.decrypt(nonce, text, self._bound(head, context))
        except (InvalidTag, ValueError):
            raise Internal("a sealed secret was changed or moved") from None

    @staticmethod
    def version(sealed: bytes) -> int:
        """Of the key that sealed it."""
        return int(_HEAD.unpack_from(sealed)[1])

    @property
    def id(self) -> str:
        return self._keys.id

    @property
    def versions(self) -> Sequence[int]:
        return sorted(self._current().versions)

    @property
    def newest(self) -> int:
        return self._current().newest

    def _current(self) -> BoxKeys:
        keys = self._versions.current()
        if keys is not self._keys:
            self._take(keys)
        return keys

    def _take(self, keys: BoxKeys) -> None:
        self._keys = keys
        self._ciphers = {number: AESGCM(key) for number, key in keys.versions.items()}

    def _bound(self, head: bytes, context: tuple[str, ...]) -> bytes:
        return head + joined(self._purpose, self._keys.id, *context)

    def __repr__(self) -> str:
        return f"Box({self._keys.id})"
