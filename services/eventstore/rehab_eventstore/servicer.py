"""gRPC in: message to command, result to message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1 import eventstore_service_pb2_grpc as pb_grpc
from rehab_eventstore.access import require_service
from rehab_eventstore.domain.commands import Command
from rehab_eventstore.domain.decide import Verdict
from rehab_eventstore.domain.head import Head
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
from rehab_eventstore.storage.read import LAST, Page, Reader
from rehab_eventstore.subscriptions import CaughtUp, Step, Subscriptions
from rehab_eventstore.watch import HeadWatch
from rehab_eventstore.writer import Writer
from rehab_runtime.errors import IncarnationChanged, InvalidArgument, RehabError, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
SHARDS = 1


class EventStoreServicer(pb_grpc.EventStoreServiceServicer):
    def __init__(
        self,
        *,
        shard: int,
        writer: Writer,
        reader: Reader,
        watch: HeadWatch,
        subscriptions: Subscriptions,
        published: Callable[[], Awaitable[int]],
    ) -> None:
        self._shard = shard
        self._writer = writer
        self._reader = reader
        self._watch = watch
        self._subscriptions = subscriptions
        self._published = published

    async def Append(
        self,
        request: pb.AppendRequest,
        context: Context,
    ) -> pb.AppendResponse:
        require_service()
        require_valid(request)
        command, priority = append_command(request), priority_of(request)
        (appended,) = await self._writer.append(command, priority)
        return pb.AppendResponse(appended=appended_message(appended, self._shard))

    async def BatchAppend(
        self,
        request: pb.BatchAppendRequest,
        context: Context,
    ) -> pb.BatchAppendResponse:
        require_service()
        require_valid(request)
        commands = [_command_or_error(append) for append in request.appends]
        sent = [one for one in commands if not isinstance(one, RehabError)]
        answered = iter(await self._writer.append_all(sent))
        verdicts: list[Verdict] = [
            one if isinstance(one, RehabError) else next(answered) for one in commands
        ]
        return pb.BatchAppendResponse(
            verdicts=[verdict_message(verdict, self._shard) for verdict in verdicts]
        )

    async def AppendAtomic(
        self,
        request: pb.AppendAtomicRequest,
        context: Context,
    ) -> pb.AppendAtomicResponse:
        require_service()
        require_valid(request)
        command = atomic_command(request)
        bulk = all(priority_of(append) is Priority.IMPORT for append in request.appends)
        appended = await self._writer.append(command, Priority.IMPORT if bulk else Priority.LIVE)
        return pb.AppendAtomicResponse(
            appended=[appended_message(one, self._shard) for one in appended]
        )

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
        head = await self._head_of(request.shard, request.incarnation)
        chosen = filter_of(request.filter)
        reached, left = bounded(request.after_position), request.limit or LAST
        until = min(head.position, request.until_position or LAST)
        silent = True
        while reached < until and left > 0:
            page = (
                await self._reader.filtered(self._shard, reached, until, chosen, left)
                if chosen
                else await self._reader.page(self._shard, reached, until, left)
            )
            reached, left = page.reached, left - len(page.events)
            if page.events:
                silent = False
                yield self._page(page, head)
        if silent:
            yield self._page(Page((), reached), head)

    async def Subscribe(
        self,
        request: pb.SubscribeRequest,
        context: Context,
    ) -> AsyncIterator[pb.SubscribeResponse]:
        require_service()
        require_valid(request)
        head = await self._head_of(request.shard, request.incarnation)
        after = head.position if request.from_head else request.after_position
        if after > head.position:
            raise IncarnationChanged("the log ends before the cursor")
        steps = self._subscriptions.steps(after, head, filter_of(request.filter))
        async for step in steps:
            yield self._step(step, head)

    async def GetHead(
        self,
        request: pb.GetHeadRequest,
        context: Context,
    ) -> pb.GetHeadResponse:
        require_service()
        head = await self._head_of(request.shard)
        return pb.GetHeadResponse(
            position=head.position,
            incarnation=head.incarnation,
            published=await self._published(),
            shards=SHARDS,
        )

    async def _head_of(self, shard: int, incarnation: str = "") -> Head:
        if shard != self._shard:
            rule = Violation("shard", "shard.known", f"must be below {SHARDS}")
            raise InvalidArgument(violations=[rule])
        head = await self._reader.head(shard)
        self._watch.see(head)
        if incarnation not in ("", head.incarnation):
            raise IncarnationChanged(metadata={"cursor": incarnation, "log": head.incarnation})
        return head

    def _page(self, page: Page, head: Head) -> pb.ReadAllResponse:
        newest = max(head.position, self._watch.position)
        return pb.ReadAllResponse(events=page.events, head=newest, incarnation=head.incarnation)

    def _step(self, step: Step, head: Head) -> pb.SubscribeResponse:
        if isinstance(step, Page):
            return pb.SubscribeResponse(page=self._page(step, head))
        if isinstance(step, CaughtUp):
            return pb.SubscribeResponse(caught_up=pb.CaughtUp(position=step.position))
        checkpoint = pb.Checkpoint(position=step.position, incarnation=head.incarnation)
        return pb.SubscribeResponse(checkpoint=checkpoint)


def _command_or_error(request: pb.AppendRequest) -> tuple[Command, Priority] | RehabError:
    try:
        require_valid(request)
        return append_command(request), priority_of(request)
    except RehabError as error:
        return error
