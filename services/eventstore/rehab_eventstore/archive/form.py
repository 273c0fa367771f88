"""The form of an archived segment, version 1. Numbers are big-endian.

    object   = "rehab archive 1\\n"  frame…  index  trailer
    frame    = seal(deflate(row…))                          about FRAME_BYTES of rows before
    row      = length u32 ‖ hash 32 B ‖ occurred i64 ‖ canonical envelope and body
    index    = seal(deflate(entry…)), one entry a frame, in the order of positions
    entry    = offset u64 ‖ length u32 ‖ first position u64 ‖ last position u64 ‖ rows u32
    trailer  = offset of the index u64 ‖ length of the index u32 ‖ frames u32 ‖ the first 16 bytes

`hash` is the chain's at the row's position, `occurred` the microseconds since 2000 that the column
holds, and the canonical form is the chain's own (`domain.chain`): a whole row of the table. A body
with patient data stays sealed by its patient's key inside.

    seal(plain) = nonce (12 bytes, random) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes)

The key is the segment's alone. The associated data bind what a frame is part of and its number, the
index being number 2³²-1; so no part can be changed, moved, or taken from another segment. What is
compressed is compressed before it is sealed.
"""

from __future__ import annotations

import os
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_eventstore.domain.chain import Link, canonical, parsed

MAGIC = b"rehab archive 1\n"
KEY_BYTES = 32
NONCE_BYTES = 12
FRAME_BYTES = 262_144
INDEX = 2**32 - 1
_ROW = struct.Struct(">I32sq")
_ENTRY = struct.Struct(">QIQQI")
_TRAILER = struct.Struct(">QII16s")
TRAILER_BYTES = _TRAILER.size


class Damaged(Exception):
    """What was read is not what was written there; `what` in words without patient data."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Span:
    """What a segment holds: so many events of a run of slices of one shard, from its first to its
    last position."""

    name: str
    shard: int
    incarnation: str
    first_slice: int
    last_slice: int
    first_position: int
    last_position: int
    events: int

    @property
    def path(self) -> str:
        """Where its object is in the archive."""
        return f"{self.incarnation}/{self.name}"

    def bound(self, number: int) -> bytes:
        """What a sealed part is bound to."""
        told = (
            self.name,
            self.shard,
            self.incarnation,
            *(self.first_slice, self.last_slice),
            *(self.first_position, self.last_position, self.events),
            number,
        )
        return MAGIC + "\0".join(map(str, told)).encode()


class Kept(NamedTuple):
    """An archived event. `stored` is the whole row in its canonical form."""

    hash: bytes
    occurred: int
    stored: bytes

    @property
    def link(self) -> Link:
        return parsed(self.stored)


def kept_of(link: Link, occurred: int, chained: bytes) -> Kept:
    return Kept(chained, occurred, canonical(link))


class Entry(NamedTuple):
    """Where a frame is, and which positions are in it."""

    offset: int
    length: int
    first_position: int
    last_position: int
    rows: int


class Writer:
    """Makes an object of rows that come in the order of positions."""

    def __init__(self, span: Span, key: bytes) -> None:
        self._span = span
        self._cipher = AESGCM(key)
        self._parts = [MAGIC]
        self._size = len(MAGIC)
        self._entries: list[Entry] = []
        self._rows: list[bytes] = []
        self._positions: list[int] = []
        self._pending = 0

    def add(self, position: int, kept: Kept) -> None:
        row = _ROW.pack(len(kept.stored), kept.hash, kept.occurred) + kept.stored
        if self._rows and self._pending + len(row) > FRAME_BYTES:
            self._end_frame()
        self._rows.append(row)
        self._positions.append(position)
        self._pending += len(row)

    def finish(self) -> bytes:
        if self._rows:
            self._end_frame()
        index = b"".join(_ENTRY.pack(*entry) for entry in self._entries)
        at, length = self._seal(INDEX, index)
        self._parts.append(_TRAILER.pack(at, length, len(self._entries), MAGIC))
        return b"".join(self._parts)

    def _end_frame(self) -> None:
        at, length = self._seal(len(self._entries), b"".join(self._rows))
        self._entries.append(
            Entry(at, length, self._positions[0], self._positions[-1], len(self._rows))
        )
        self._rows, self._positions, self._pending = [], [], 0

    def _seal(self, number: int, plain: bytes) -> tuple[int, int]:
        nonce = os.urandom(NONCE_BYTES)
        bound = self._span.bound(number)
        part = nonce + self._cipher.encrypt(nonce, zlib.compress(plain), bound)
        at = self._size
        self._parts.append(part)
        self._size += len(part)
        return at, len(part)


class Segment:
    """A segment whose parts can be opened. `index` is read once, before the first frame."""

    def __init__(self, span: Span, key: bytes, size: int) -> None:
        self.span = span
        self.size = size
        self.index: Sequence[Entry] = ()
        self._cipher = AESGCM(key)
        self._lasts: list[int] = []

    def index_range(self, trailer: bytes) -> tuple[int, int, int]:
        """Where the trailer says that the index is: offset, length, frames. Raises Damaged."""
        if len(trailer) != TRAILER_BYTES:
            raise Damaged("it is cut off")
        at, length, frames, magic = _TRAILER.unpack(trailer)
        if magic != MAGIC or at + length + TRAILER_BYTES != self.size:
            raise Damaged("its end is not that of a segment")
        return at, length, frames

    def open_index(self, part: bytes, frames: int) -> None:
        """Raises Damaged."""
        told = self._open(INDEX, part)
        entries = [Entry(*one) for one in _ENTRY.iter_unpack(told)]
        if len(entries) != frames or sum(one.rows for one in entries) != self.span.events:
            raise Damaged("its index is of another segment")
        self.index = entries
        self._lasts = [one.last_position for one in entries]

    def frame_of(self, position: int) -> int:
        """The frame that holds a position. Raises Damaged when none does."""
        number = bisect_left(self._lasts, position)
        if number == len(self.index) or position < self.index[number].first_position:
            raise Damaged(f"it does not hold position {position}")
        return number

    def open_frame(self, number: int, part: bytes) -> dict[int, Kept]:
        """The rows of a frame by position. Raises Damaged."""
        rows = dict(_rows(self._open(number, part)))
        if len(rows) != self.index[number].rows:
            raise Damaged("a frame holds other rows than its index says")
        return rows

    def open_all(self, whole: bytes) -> Iterator[tuple[int, Kept]]:
        """Every row of the whole object, in order. Raises Damaged."""
        if len(whole) != self.size or not whole.startswith(MAGIC):
            raise Damaged("it is no segment")
        at, length, frames = self.index_range(whole[-TRAILER_BYTES:])
        self.open_index(whole[at : at + length], frames)
        for number, entry in enumerate(self.index):
            part = whole[entry.offset : entry.offset + entry.length]
            yield from self.open_frame(number, part).items()

    def _open(self, number: int, part: bytes) -> bytes:
        nonce, rest = part[:NONCE_BYTES], part[NONCE_BYTES:]
        try:
            return zlib.decompress(self._cipher.decrypt(nonce, rest, self.span.bound(number)))
        except (InvalidTag, ValueError, zlib.error):  # ValueError: shorter than a nonce
            raise Damaged("a part of it was changed, moved, or is of another segment") from None


def _rows(told: bytes) -> Iterable[tuple[int, Kept]]:
    at = 0
    while at < len(told):
        try:
            length, chained, occurred = _ROW.unpack_from(told, at)
            stored = told[at + _ROW.size : at + _ROW.size + length]
            yield parsed(stored).position, Kept(chained, occurred, stored)
        except (struct.error, ValueError):
            raise Damaged("a frame holds what is no row") from None
        at += _ROW.size + length
