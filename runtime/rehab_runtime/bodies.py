"""Sealed bodies, opened for a service that may read them: keys come from the event store and are
kept briefly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import grpc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.eventstore.v1.key_service_pb2 import GetDataKeysRequest
from rehab.eventstore.v1.key_service_pb2_grpc import KeyServiceStub
from rehab_runtime import sealed
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.errors import from_rpc_error
from rehab_runtime.logging import get_logger
from rehab_runtime.upcasting import UPCASTERS

TIMEOUT_S = 5.0
KEYS_AT_ONCE = 1000
MAX_KEYS = 50_000

log = get_logger("bodies")


class _Key:
    """A key as the event store gave it; no cipher when it was destroyed or is not for us."""

    __slots__ = ("cipher", "destroyed", "subject", "until")

    def __init__(self, subject: str, cipher: AESGCM | None, destroyed: bool, until: float) -> None:
        self.subject = subject
        self.cipher = cipher
        self.destroyed = destroyed
        self.until = until


class Bodies:
    """Opens what one principal may read. A body that cannot be opened stays as it is, with its
    key's id; one whose key was destroyed is told by `erased`."""

    def __init__(
        self, channel: grpc.aio.Channel, principal: Principal, clock: Clock | None = None
    ) -> None:
        self._stub = KeyServiceStub(channel)
        self._metadata = (bearer(principal),)
        self._clock = clock or SystemClock()
        self._keys: dict[str, _Key] = {}

    async def open(self, events: Sequence[RecordedEvent]) -> None:
        """Open the events' bodies in place, in today's form. Raises what the event store answers,
        or Unavailable."""
        closed: list[RecordedEvent] = []
        for event in events:
            if event.key_id:
                if not event.erased:
                    closed.append(event)
            elif event.envelope.kind == "erasure":
                self._forget_erased(event)
        if closed:
            await self._open_all(closed)
        UPCASTERS.bring_forward(events)

    async def _open_all(self, closed: Sequence[RecordedEvent]) -> None:
        keys = await self._keys_named({event.key_id for event in closed})
        for event in closed:
            self._open(event, keys.get(event.key_id))

    async def _keys_named(self, wanted: Set[str]) -> Mapping[str, _Key]:
        """Those that are to be had. They are the caller's own: what is kept may change while the
        event store is asked."""
        now = self._clock.monotonic()
        kept = {key_id: self._keys[key_id] for key_id in wanted & self._keys.keys()}
        found = {key_id: key for key_id, key in kept.items() if key.until > now}
        self._make_room(len(wanted), now)
        missing = [key_id for key_id in wanted if key_id not in found]
        for first in range(0, len(missing), KEYS_AT_ONCE):
            lent = await self._lent(missing[first : first + KEYS_AT_ONCE], now)
            self._keys.update(lent)
            found.update(lent)
        return found

    def _make_room(self, wanted: int, now: float) -> None:
        if len(self._keys) + wanted > MAX_KEYS:
            self._keys = {name: key for name, key in self._keys.items() if key.until > now}
            if len(self._keys) + wanted > MAX_KEYS:
                self._keys.clear()

    async def _lent(self, key_ids: Sequence[str], now: float) -> dict[str, _Key]:
        request = GetDataKeysRequest(key_ids=key_ids)
        try:
            answer = await self._stub.GetDataKeys(
                request, metadata=self._metadata, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        until = now + answer.ttl_s
        return {
            key.key_id: _Key(
                key.subject_id, AESGCM(key.key) if key.key else None, key.destroyed, until
            )
            for key in answer.keys
        }

    def _open(self, event: RecordedEvent, key: _Key | None) -> None:
        if key is not None and key.destroyed:
            event.body, event.erased = b"", True
            return
        key_id = event.key_id
        if key is None or key.cipher is None:
            log.error("a body's key is not to be had", key_id=key_id)
            return
        envelope = event.envelope
        bound = sealed.Bound(
            envelope.event_id, envelope.subject_id, envelope.kind, envelope.schema_version
        )
        try:
            event.body = sealed.open_(key.cipher, key_id, event.body, bound)
        except sealed.CannotOpen as error:
            log.error(
                "a body cannot be opened",
                error_type=type(error).__qualname__,
                position=envelope.position,
                remedy="verify the log: rehab log verify",
            )
        else:
            event.key_id = ""

    def _forget_erased(self, event: RecordedEvent) -> None:
        """Where an erasure is told, which is in the clear, the subject's keys go at once, and what
        is here of its events stays closed."""
        if Body.FromString(event.body).erasure.stage != ERASURE_STAGE_DONE:
            return
        subject = event.envelope.subject_id
        mine = [key_id for key_id, key in self._keys.items() if key.subject == subject]
        for key_id in mine:
            del self._keys[key_id]
