"""How bodies are kept: the one place where an event's body turns into what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

from rehab_eventstore.domain.commands import NewEvent, Sealed

FINGERPRINT_BYTES = 16


class Sealer(Protocol):
    async def seal(self, stream: str, events: Sequence[NewEvent]) -> Sequence[Sealed]:
        """The stored form of each event's body, with its fingerprint, in order.

        The fingerprint is keyed, of the event as it was sent: equal for a repeat, and of no use to
        one who guesses at bodies without the key. Raises Unavailable when a key cannot be had.
        """
        ...


class PlainSealer:
    """Keeps bodies in the clear."""

    def __init__(self, fingerprint_key: bytes) -> None:
        self._key = fingerprint_key

    async def seal(self, stream: str, events: Sequence[NewEvent]) -> Sequence[Sealed]:  # noqa: ARG002
        return [Sealed(event.body, "", fingerprint(self._key, event)) for event in events]


def fingerprint(key: bytes, event: NewEvent) -> bytes:
    # the length keeps content and body apart; the content names the stream
    content = event.content
    told = b"%d:%b%b" % (len(content), content, event.body)
    return blake2b(told, key=key, digest_size=FINGERPRINT_BYTES).digest()
