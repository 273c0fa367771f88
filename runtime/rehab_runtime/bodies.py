"""Sealed bodies, opened for a service that may read them: keys come from the event store and are
kept briefly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        self._forget_erased(events)
        closed = [event for event in events if event.key_id and not event.erased]
        if closed:
            await self._open_all(closed)
        UPCASTERS.bring_forward(events)

    async def _open_all(self, closed: Sequence[RecordedEvent]) -> None:
        now = self._clock.monotonic()
        wanted = {event.key_id for event in closed}
        await self._fetch([key_id for key_id in wanted if not self._has(key_id, now)], now)
        for event in closed:
            self._open(event)

    def _has(self, key_id: str, now: float) -> bool:
        key = self._keys.get(key_id)
        return key is not None and key.until > now

    async def _fetch(self, key_ids: Sequence[str], now: float) -> None:
        if len(self._keys) + len(key_ids) > MAX_KEYS:
            self._keys = {name: key for name, key in self._keys.items() if key.until > now}
            if len(self._keys) > MAX_KEYS // 2:
                self._keys.clear()
        for first in range(0, len(key_ids), KEYS_AT_ONCE):
            request = GetDataKeysRequest(key_ids=key_ids[first : first + KEYS_AT_ONCE])
            try:
                answer = await self._stub.GetDataKeys(
                    request, metadata=self._metadata, timeout=TIMEOUT_S
                )
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            until = now + answer.ttl_s
            for key in answer.keys:
                cipher = AESGCM(key.key) if key.key else None
                self._keys[key.key_id] = _Key(key.subject_id, cipher, key.destroyed, until)

    def _open(self, event: RecordedEvent) -> None:
        key, envelope = self._keys.get(event.key_id), event.envelope
        if key is not None and key.destroyed:
            event.body, event.erased = b"", True
            return
        if key is None or key.cipher is None:
            log.error("a body's key is not to be had", key_id=event.key_id)
            return
        bound = sealed.Bound(
            envelope.event_id, envelope.subject_id, envelope.kind, envelope.schema_version
        )
        try:
            event.body = sealed.open_(key.cipher, event.key_id, event.body, bound)
        except sealed.CannotOpen as error:
            log.error(
                "a body cannot be opened",
                error_type=type(error).__qualname__,
                position=envelope.position,
                remedy="verify the log: rehab log verify",
            )
        else:
            event.key_id = ""

    def _forget_erased(self, events: Iterable[RecordedEvent]) -> None:
        """Where an erasure is told, the subject's keys go at once, and what is here of its events
        stays closed."""
        for event in events:
            if event.envelope.kind != "erasure":
                continue
            if Body.FromString(event.body).erasure.stage != ERASURE_STAGE_DONE:
                continue
            subject = event.envelope.subject_id
            mine = [key_id for key_id, key in self._keys.items() if key.subject == subject]
            for key_id in mine:
                del self._keys[key_id]
