"""Messages made wrong, from a seed: the bytes as a broken or hostile client would send them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.support.hostile import CANARY, TEXTS

DEEP = 150
"""Levels of nesting; protobuf reads 100."""
LONGEST = 200_000
"""Bytes: what is larger is cut."""
NUMBERS = (
    *(0, 1, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53),
    *(2**63 - 1, 2**63, 2**64 - 1, 2**70 - 1),
)
BROKEN_TEXT = (b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80")
"""No UTF-8: a wrong byte, an overlong NUL, half a surrogate pair, beyond Unicode, a lost rest."""

VARINT, FIXED64, CHUNK, OPEN, CLOSE, FIXED32 = range(6)
Part = tuple[int, int, bytes]
"""Number, wire type and content of a field."""


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def chunk(number: int, content: bytes) -> bytes:
    return varint(number << 3 | CHUNK) + varint(len(content)) + content


def parts(raw: bytes) -> list[Part] | None:
    """The fields of a message; None for bytes that are none."""
    found: list[Part] = []
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if tag < 8 or at > len(raw):
            return None
        kind = tag & 7
        if kind == VARINT:
            value, end = _varint(raw, at)
            found.append((tag >> 3, kind, varint(value)))
        elif kind in (FIXED64, FIXED32):
            end = at + (8 if kind == FIXED64 else 4)
            found.append((tag >> 3, kind, raw[at:end]))
        elif kind == CHUNK:
            size, at = _varint(raw, at)
            end = at + size
            found.append((tag >> 3, kind, raw[at:end]))
        else:
            return None
        if end > len(raw):
            return None
        at = end
    return found


def joined(told: Sequence[Part]) -> bytes:
    return b"".join(
        chunk(number, content) if kind == CHUNK else varint(number << 3 | kind) + content
        for number, kind, content in told
    )


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number, and where it ends: behind the end of what is cut off."""
    value = shift = 0
    while at < len(raw):
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 70:
            break
    return 0, len(raw) + 1


class Mutator:
    """The same seed makes the same of the same message."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed)

    def mutated(self, raw: bytes) -> bytes:
        """One time in twelve as it was: what is right is said in between, too."""
        chosen = self.random.random()
        if chosen < 1 / 12:
            return raw
        if chosen < 2 / 12:
            return self.random.randbytes(self.random.randrange(1, 200))
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            told = parts(raw) if self.random.random() < 0.75 else None
            raw = self._inside(told, 0) if told else self._bytes(raw)
        return raw[:LONGEST]

    def text(self, value: str) -> str:
        """A token, id or number as text, made wrong."""
        raw = list(value)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            at = self.random.randrange(len(raw) + 1)
            match self.random.randrange(6):
                case 0:
                    raw[at:at] = self.random.choice(tuple(TEXTS.values()))[:300]
                case 1:
                    del raw[at : at + self.random.randrange(1, 9)]
                case 2:
                    raw[at : at + 1] = chr(self.random.choice((0, 10, 46, 95, 0x661, 0x1F600)))
                case 3:
                    raw[at:at] = raw[: self.random.randrange(len(raw) + 1)]
                case 4:
                    raw[at : at + 1] = self.random.choice("._-=:0aA{[\"'\\ ")
                case _:
                    raw[at:at] = str(self.random.choice(NUMBERS))
        return "".join(raw)

    def _bytes(self, raw: bytes) -> bytes:
        """Whatever the message means."""
        pick, size = self.random, len(raw)
        at = pick.randrange(size + 1)
        match pick.randrange(6):
            case 0 if size:
                flipped = bytearray(raw)
                for _ in range(pick.randrange(1, 5)):
                    flipped[pick.randrange(size)] ^= 1 << pick.randrange(8)
                return bytes(flipped)
            case 1:
                return raw[:at]
            case 2:
                return raw[:at] + raw[at + pick.randrange(1, 9) :]
            case 3:
                return raw[:at] + pick.randbytes(pick.randrange(1, 9)) + raw[at:]
            case 4:
                return raw[:at] + varint(pick.choice(NUMBERS)) + raw[at:]
        return raw[at:] + raw[:at]

    def _inside(self, told: list[Part], depth: int) -> bytes:
        """Something of the fields, or of those of a message within."""
        messages = [
            place
            for place, (_, kind, content) in enumerate(told)
            if kind == CHUNK and content and parts(content)
        ]
        if messages and depth < 12 and self.random.random() < 0.7:
            place = self.random.choice(messages)
            number, kind, content = told[place]
            told[place] = number, kind, self._inside(parts(content) or [], depth + 1)
            return joined(told)
        change: Callable[[list[Part]], bytes] = self.random.choice(
            (
                *(self._value, self._value, self._value, self._size, self._moved, self._twice),
                *(self._dropped, self._unknown, self._nested, self._kind),
            )
        )
        return change(told)

    def _place(self, told: list[Part]) -> int:
        return self.random.randrange(len(told))

    def _value(self, told: list[Part]) -> bytes:
        place = self._place(told)
        number, kind, content = told[place]
        if kind == CHUNK:
            told[place] = number, kind, self._content(content)
        elif kind == VARINT:
            told[place] = number, kind, varint(self.random.choice(NUMBERS))
        else:
            wild = (b"\xff" * 8, b"\x00" * 8, b"\x00" * 6 + b"\xf0\x7f", b"\x00\x00\xc0\x7f" * 2)
            told[place] = number, kind, self.random.choice(wild)[-len(content) :]
        return joined(told)

    def _content(self, content: bytes) -> bytes:
        pick = self.random
        match pick.randrange(5):
            case 0:
                return content + pick.choice(BROKEN_TEXT)
            case 1:
                return content[: pick.randrange(len(content) + 1)]
            case 2:
                return CANARY.encode() + pick.randbytes(pick.randrange(40))
        return pick.choice(tuple(TEXTS.values())).encode()

    def _size(self, told: list[Part]) -> bytes:
        """A length that is not the content's."""
        place = self._place(told)
        number, kind, content = told[place]
        if kind != CHUNK:
            return joined(told)
        wrong = self.random.choice((0, len(content) + 1, max(0, len(content) - 1), *NUMBERS))
        own = varint(number << 3 | CHUNK) + varint(wrong) + content
        return joined(told[:place]) + own + joined(told[place + 1 :])

    def _moved(self, told: list[Part]) -> bytes:
        self.random.shuffle(told)
        return joined(told)

    def _twice(self, told: list[Part]) -> bytes:
        again = told[self._place(told)]
        return joined(told + [again] * self.random.choice((1, 2, 100)))

    def _dropped(self, told: list[Part]) -> bytes:
        del told[self._place(told)]
        return joined(told)

    def _unknown(self, told: list[Part]) -> bytes:
        number = self.random.choice((1, 15, 16, 100, 19_000, 2**29 - 1, 2**29))
        return joined(told) + chunk(number, self.random.randbytes(self.random.randrange(20)))

    def _nested(self, told: list[Part]) -> bytes:
        """A message in a message in a message, or a group in a group."""
        number, _, content = told[self._place(told)]
        if self.random.random() < 0.3:
            return joined(told) + varint(number << 3 | OPEN) * DEEP * 10
        for _ in range(self.random.choice((3, DEEP, DEEP))):
            content = chunk(number, content)
        return joined(told) + content

    def _kind(self, told: list[Part]) -> bytes:
        """A field of another wire type than its own."""
        place = self._place(told)
        number, kind, content = told[place]
        other = self.random.choice([one for one in (0, 1, 2, 3, 4, 5, 6, 7) if one != kind])
        own = varint(number << 3 | other) + content
        return joined(told[:place]) + own + joined(told[place + 1 :])
