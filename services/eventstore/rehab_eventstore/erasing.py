"""Erasure by destroying keys: the stream is closed, the log tells of it, and the keys go. Every
step may be repeated; one that was begun is finished by whichever replica lives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import ROLE_SERVICE, Body
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.archive.telling import is_own
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.domain.confirmation import Confirmation, Intent, NotConfirmed
from rehab_eventstore.domain.decide import ERASURE
from rehab_eventstore.messages import own_command
from rehab_eventstore.queue import Priority
from rehab_eventstore.shard import Shards
from rehab_eventstore.storage.erasures import Erasure, Erasures, Reach
from rehab_runtime.access.streams import is_audit
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import Erased, InvalidArgument, RehabError, Unavailable, Violation
from rehab_runtime.logging import get_logger

LOOK_S = 10.0
MAX_KEY_IDS = 1000
"""As rehab.events.v1.Erasure says."""

log = get_logger("erasure")


@dataclass(frozen=True)
class Prepared:
    """What an erasure would reach, and the token that confirms it until it expires."""

    token: str
    expires_at: datetime
    reach: Reach


@dataclass(frozen=True)
class Done:
    """Where the log tells of it, and how many keys are gone."""

    position: int
    keys: int


class Eraser:
    def __init__(
        self,
        shards: Shards,
        erasures: Erasures,
        cache: KeyCache,
        confirmation: Confirmation,
        clock: Clock,
        *,
        token_s: float,
    ) -> None:
        self._shards = shards
        self._erasures = erasures
        self._cache = cache
        self._confirmation = confirmation
        self._clock = clock
        self._token_s = token_s

    async def prepare(self, intent: Intent) -> Prepared:
        """Changes nothing. Raises NotFound, LegalHold, Erased, InvalidArgument for what is nobody's
        stream."""
        if is_own(intent.stream) or is_audit(intent.stream):
            message = "must be a subject: the log tells of itself there"
            broken = Violation("subject_id", "stream.of_the_log", message)
            raise InvalidArgument(violations=[broken])
        if await self._erasures.find(intent.stream) is not None:
            raise Erased
        reach = await self._erasures.reach(intent.stream)
        until = self._clock.now() + timedelta(seconds=self._token_s)
        return Prepared(self._confirmation.token(intent, until), until, reach)

    async def erase(self, stream: str, token: str, by: str) -> Done:
        """Raises InvalidArgument for a token that confirms nothing, NotFound, LegalHold, and
        Unavailable when it has begun but could not be finished yet."""
        try:
            reason = self._confirmation.reason(token, stream, by, self._clock.now())
        except NotConfirmed as error:
            broken = Violation("token", error.rule, error.message)
            raise InvalidArgument(violations=[broken]) from None
        intent = Intent(stream, reason, by)
        begun = await self._erasures.begin(stream, reason, by, partial(self._event, intent))
        if begun.ended:
            return Done(begun.position or 0, begun.keys or 0)
        return await self._finish(begun)

    def begun(self, stream: str) -> None:
        """An erasure has begun, here or at another replica: nothing that is known of the stream is
        used any more."""
        self._cache.forget(stream)
        shard = self._shards.of(stream)
        shard.memory.doubt(stream)
        shard.tail.blank(stream)

    async def run(self) -> None:
        """Go on with erasures that somebody began and did not finish, for ever."""
        while True:
            try:
                # of some of them this replica may not have been told
                for stream in await self._erasures.recent():
                    self.begun(stream)
                for erasure in await self._erasures.unfinished():
                    await self._finish(erasure)
            except RehabError as error:
                log.warning("an erasure waits", reason=error.detail)
            await asyncio.sleep(LOOK_S)

    async def _finish(self, erasure: Erasure) -> Done:
        """What is appended first is told to consumers first: once the keys are gone, a consumer
        that has not heard of it would take noise for damage."""
        self.begun(erasure.stream)
        shard = self._shards.of(erasure.stream)
        try:
            (told,) = await shard.writer.append(own_command(erasure.event), Priority.LIVE)
        except RehabError as error:
            detail = f"the erasure has begun and is finished when the log answers: {error.detail}"
            raise Unavailable(detail, retry_after_s=LOOK_S) from None
        keys = await self._erasures.end(erasure.stream, told.first_position)
        # what was under way when it began stands before it, and is closed like the rest
        self.begun(erasure.stream)
        log.info("a subject was erased", position=told.first_position, keys=keys)
        return Done(told.first_position, keys)

    def _event(self, intent: Intent, reach: Reach) -> pb.NewEvent:
        told = admin_pb2.Erasure(
            stage=admin_pb2.ERASURE_STAGE_DONE,
            reason=intent.reason,
            key_ids=reach.key_ids[:MAX_KEY_IDS],
        )
        event = pb.NewEvent(body=Body(erasure=told).SerializeToString(deterministic=True))
        envelope = event.envelope
        envelope.event_id = str(uuid7())
        envelope.clinic_id = reach.clinic_id
        envelope.subject_id = intent.stream
        envelope.kind = ERASURE
        envelope.schema_version = KINDS[ERASURE].schema_version
        envelope.occurred_at.FromDatetime(self._clock.now())
        envelope.actor.id = intent.by
        envelope.actor.role = ROLE_SERVICE
        return event
