"""gRPC in: message to command, result to message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import grpc

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1 import eventstore_service_pb2_grpc as pb_grpc
from rehab_eventstore.audit_streams import require_writer
from rehab_eventstore.domain.commands import Command
from rehab_eventstore.domain.decide import Verdict
from rehab_eventstore.domain.head import Head
from rehab_eventstore.forwarding import Forwarding
from rehab_eventstore.messages import (
    append_command,
    appended_message,
    atomic_command,
    bounded,
    filter_of,
    priority_of,
    range_of,
    verdict_message,
)
from rehab_eventstore.queue import Priority
from rehab_eventstore.shard import Shard, Shards
from rehab_eventstore.storage.read import LAST, Page, Reader
from rehab_eventstore.subscriptions import CaughtUp, Step, Subscribers
from rehab_runtime.auth import require_service
from rehab_runtime.errors import IncarnationChanged, InvalidArgument, RehabError, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext


class EventStoreServicer(pb_grpc.EventStoreServiceServicer):
    def __init__(
        self, shards: Shards, reader: Reader, forwarding: Forwarding, subscribers: Subscribers
    ) -> None:
        self._shards = shards
        self._forwarding = forwarding
        self._subscribers = subscribers
        self._reader = reader

    async def send_away(self) -> None:
        """Subscribers go on at another replica."""
        self._shards.close_subscriptions()
        await self._subscribers.cut()

    async def Append(
        self,
        request: pb.AppendRequest,
        context: Context,
    ) -> pb.AppendResponse:
        caller = require_service()
        require_valid(request)
        require_writer(request.stream, caller)
        shard = self._shards.of(request.stream)
        answer = await self._forwarding.ask(shard.leadership, "Append", request, context)
        if answer is not None:
            return cast("pb.AppendResponse", answer)
        command, priority = append_command(request), priority_of(request)
        (appended,) = await shard.writer.append(command, priority)
        return pb.AppendResponse(appended=appended_message(appended, shard.number))

    async def BatchAppend(
        self,
        request: pb.BatchAppendRequest,
        context: Context,
    ) -> pb.BatchAppendResponse:
        require_service()
        require_valid(request)
        places: dict[int, list[int]] = {}
        for place, append in enumerate(request.appends):
            places.setdefault(self._shards.of(append.stream).number, []).append(place)
        if len(places) == 1:
            shard = self._shards.numbered(*places)
            return pb.BatchAppendResponse(verdicts=await self._settled(shard, request, context))
        verdicts = [pb.AppendVerdict()] * len(request.appends)

        async def settle(shard: Shard) -> None:
            mine = places[shard.number]
            part = pb.BatchAppendRequest(appends=[request.appends[place] for place in mine])
            for place, verdict in zip(mine, await self._settled(shard, part, context), strict=True):
                verdicts[place] = verdict

        await asyncio.gather(*(settle(self._shards.numbered(number)) for number in places))
        return pb.BatchAppendResponse(verdicts=verdicts)

    async def _settled(
        self, shard: Shard, request: pb.BatchAppendRequest, context: Context
    ) -> Sequence[pb.AppendVerdict]:
        """A verdict on each append to one shard."""
        answer = await self._forwarding.ask(shard.leadership, "BatchAppend", request, context)
        if answer is not None:
            return cast("pb.BatchAppendResponse", answer).verdicts
        caller = require_service()
        commands = [_command_or_error(append, caller) for append in request.appends]
        sent = [one for one in commands if not isinstance(one, RehabError)]
        answered = iter(await shard.writer.append_all(sent))
        verdicts: list[Verdict] = [
            one if isinstance(one, RehabError) else next(answered) for one in commands
        ]
        return [verdict_message(verdict, shard.number) for verdict in verdicts]

    async def AppendAtomic(
        self,
        request: pb.AppendAtomicRequest,
        context: Context,
    ) -> pb.AppendAtomicResponse:
        caller = require_service()
        require_valid(request)
        for append in request.appends:
            require_writer(append.stream, caller)
        shard = self._shard_of_all(request)
        answer = await self._forwarding.ask(shard.leadership, "AppendAtomic", request, context)
        if answer is not None:
            return cast("pb.AppendAtomicResponse", answer)
        command = atomic_command(request)
        bulk = all(priority_of(append) is Priority.IMPORT for append in request.appends)
        appended = await shard.writer.append(command, Priority.IMPORT if bulk else Priority.LIVE)
        return pb.AppendAtomicResponse(
            appended=[appended_message(one, shard.number) for one in appended]
        )

    def _shard_of_all(self, request: pb.AppendAtomicRequest) -> Shard:
        """The one shard of all streams written and guarded: there is no transaction beyond it."""
        shard = self._shards.of(request.appends[0].stream)
        named = [(f"appends[{i}].stream", one.stream) for i, one in enumerate(request.appends)]
        named += [(f"guards[{i}].stream", one.stream) for i, one in enumerate(request.guards)]
        apart = [field for field, stream in named if self._shards.of(stream) is not shard]
        if apart:
            message = "must be in the same shard as appends[0].stream"
            raise InvalidArgument(
                violations=[Violation(field, "streams.same_shard", message) for field in apart]
            )
        return shard

    async def ReadStream(
        self,
        request: pb.ReadStreamRequest,
        context: Context,
    ) -> AsyncIterator[pb.ReadStreamResponse]:
        require_service()
        require_valid(request)
        async for events in self._reader.stream(range_of(request)):
            yield pb.ReadStreamResponse(events=events)

    async def ReadAll(
        self,
        request: pb.ReadAllRequest,
        context: Context,
    ) -> AsyncIterator[pb.ReadAllResponse]:
        require_service()
        require_valid(request)
        shard = self._shards.numbered(request.shard)
        head = await self._head_of(shard, request.incarnation)
        chosen = filter_of(request.filter)
        reached, left = bounded(request.after_position), request.limit or LAST
        until = min(head.position, request.until_position or LAST)
        silent = True
        while reached < until and left > 0:
            page = (
                await self._reader.filtered(shard.number, reached, until, chosen, left)
                if chosen
                else await self._reader.page(shard.number, reached, until, left)
            )
            reached, left = page.reached, left - len(page.events)
            if page.events:
                silent = False
                yield _page(page, head, shard)
        if silent:
            yield _page(Page((), reached), head, shard)

    async def Subscribe(
        self,
        request: pb.SubscribeRequest,
        context: Context,
    ) -> AsyncIterator[pb.SubscribeResponse]:
        require_service()
        require_valid(request)
        shard = self._shards.numbered(request.shard)
        head = await self._head_of(shard, request.incarnation)
        after = head.position if request.from_head else request.after_position
        if after > head.position:
            raise IncarnationChanged("the log ends before the cursor")
        with self._subscribers.one():
            steps = shard.subscriptions.steps(after, head, filter_of(request.filter))
            async for step in steps:
                yield _step(step, head, shard)

    async def GetHead(
        self,
        request: pb.GetHeadRequest,
        context: Context,
    ) -> pb.GetHeadResponse:
        require_service()
        shard = self._shards.numbered(request.shard)
        head = await self._head_of(shard)
        return pb.GetHeadResponse(
            position=head.position,
            incarnation=head.incarnation,
            published=await shard.relay.published(),
            shards=len(self._shards),
        )

    async def _head_of(self, shard: Shard, incarnation: str = "") -> Head:
        head = await self._reader.head(shard.number)
        shard.watch.see(head)
        if incarnation not in ("", head.incarnation):
            raise IncarnationChanged(metadata={"cursor": incarnation, "log": head.incarnation})
        return head


def _page(page: Page, head: Head, shard: Shard) -> pb.ReadAllResponse:
    newest = max(head.position, shard.watch.position)
    if page.message is None:
        return pb.ReadAllResponse(events=page.events, head=newest, incarnation=head.incarnation)
    page.message.head, page.message.incarnation = newest, head.incarnation
    return page.message


def _step(step: Step, head: Head, shard: Shard) -> pb.SubscribeResponse:
    if isinstance(step, Page):
        return pb.SubscribeResponse(page=_page(step, head, shard))
    if isinstance(step, CaughtUp):
        return pb.SubscribeResponse(caught_up=pb.CaughtUp(position=step.position))
    checkpoint = pb.Checkpoint(position=step.position, incarnation=head.incarnation)
    return pb.SubscribeResponse(checkpoint=checkpoint)


def _command_or_error(
    request: pb.AppendRequest, caller: str
) -> tuple[Command, Priority] | RehabError:
    try:
        require_valid(request)
        require_writer(request.stream, caller)
        return append_command(request), priority_of(request)
    except RehabError as error:
        return error
