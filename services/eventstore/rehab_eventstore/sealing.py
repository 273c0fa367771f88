"""How bodies are kept: the one place where an event's body turns into what is stored."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Protocol

from rehab_eventstore.crypto import bodies
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.crypto.keys import Keyring
from rehab_eventstore.domain.commands import NewEvent, Sealed
from rehab_eventstore.rotation import Rotation
from rehab_eventstore.storage.keys import KeyStore
from rehab_runtime.errors import Erased, RehabError
from rehab_runtime.sealed import Bound

FINGERPRINT_BYTES = 16


class Sealer(Protocol):
    async def prepare(self, streams: Collection[str]) -> None:
        """Have the keys of these streams at hand, fetched in one go."""
        ...

    async def seal(self, stream: str, events: Sequence[NewEvent]) -> Sequence[Sealed]:
        """The stored form of each event's body, with its fingerprint, in order.

        The fingerprint is keyed, of the event as it was sent: equal for a repeat, and of no use to
        one who guesses at bodies without the key. Raises Unavailable when a key cannot be had,
        Erased when the stream's subject was erased.
        """
        ...


class KeySealer:
    """Seals bodies with patient data under the patient's own key, made when it is first needed.

    What holds no patient data stays in the clear, and its fingerprint is keyed by the log's key.
    """

    def __init__(
        self,
        keys: KeyStore,
        cache: KeyCache,
        rotation: Rotation,
        fingerprint_key: bytes,
    ) -> None:
        self._keys = keys
        self._cache = cache
        self._rotation = rotation
        self._plain = PlainSealer(fingerprint_key)

    async def prepare(self, streams: Collection[str]) -> None:
        # who seals is told of trouble, each for its own stream
        with contextlib.suppress(RehabError):
            await self._fetch(streams)

    async def _fetch(self, streams: Collection[str]) -> None:
        absent = [stream for stream in streams if self._at_hand(stream) is None]
        if not absent:
            return
        found = await self._cache.get_many(absent)
        keyless = [stream for stream in absent if stream not in found]
        if keyless:
            await self._keys.make(keyless)
            await self._cache.get_many(keyless)
        due = [keyring for keyring in found.values() if self._rotation.is_due(keyring)]
        if due:
            await self._rotation.renew(due)
            await self._cache.get_many([keyring.patient for keyring in due])

    def _at_hand(self, stream: str) -> Keyring | None:
        """The subject's keys, unless they are to be fetched or to be renewed."""
        keyring = self._cache.peek(stream)
        return None if keyring is None or self._rotation.is_due(keyring) else keyring

    async def seal(self, stream: str, events: Sequence[NewEvent]) -> Sequence[Sealed]:
        if not any(event.phi for event in events):
            return await self._plain.seal(stream, events)
        keyring = await self.keyring(stream)
        return [
            _sealed(keyring, stream, event) if event.phi else self._plain.keep(event)
            for event in events
        ]

    async def keyring(self, stream: str) -> Keyring:
        """The subject's keys, made if there are none, renewed if they are due. Raises Erased,
        Unavailable."""
        if at_hand := self._at_hand(stream):
            return at_hand
        await self._fetch([stream])
        keyring = await self._cache.get(stream)
        if keyring is None:
            raise Erased
        return keyring


def _sealed(keyring: Keyring, stream: str, event: NewEvent) -> Sealed:
    bound = Bound(event.event_id, stream, event.kind, event.schema_version)
    return Sealed(
        bodies.seal(keyring.newest, event.body, bound),
        keyring.newest.key_id,
        bodies.fingerprint(keyring.newest, _told(event)),
    )


class PlainSealer:
    """Keeps bodies in the clear."""

    def __init__(self, fingerprint_key: bytes) -> None:
        self._key = fingerprint_key

    async def prepare(self, streams: Collection[str]) -> None:
        """There is nothing to fetch."""

    async def seal(self, stream: str, events: Sequence[NewEvent]) -> Sequence[Sealed]:  # noqa: ARG002
        return [self.keep(event) for event in events]

    def keep(self, event: NewEvent) -> Sealed:
        digest = blake2b(_told(event), key=self._key, digest_size=FINGERPRINT_BYTES)
        return Sealed(event.body, "", digest.digest())


def _told(event: NewEvent) -> bytes:
    """All that the producer said; the length keeps content and body apart, the content names the
    stream."""
    return b"%d:%b%b" % (len(event.content), event.content, event.body)
