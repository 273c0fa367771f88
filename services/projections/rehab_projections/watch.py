"""Tells watchers what a read answers, and again when that changed. One for all reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rehab_projections.consent import Consents
from rehab_projections.news import News
from rehab_projections.pace import Pace
from rehab_projections.storage.read import Reader
from rehab_runtime.errors import Erased, InvalidArgument, NotFound, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
Read = Callable[[Any, Context], Awaitable[Any]]
Servicer = TypeVar("Servicer", bound=type)


class Watches:
    """A watch asks its read as any caller would, rights included, so an answer of a watch is one
    of the read. It looks after news and every `heartbeat_s`, for time changes answers too, and not
    while its reader has not taken what it was told: what came between is never made. `consents`
    are looked at where no gate decides."""

    def __init__(self, reader: Reader, news: News, pace: Pace, consents: Consents | None) -> None:
        self._reader = reader
        self._news = news
        self._pace = pace
        self._consents = consents

    async def answers(
        self,
        read: Read,
        request: Any,
        context: Context,
        told_as: type[Message],
        allowed: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[Message]:
        """What the read answers to `request.asked`, for ever. Raises what the read raises, Erased,
        ConsentNotInForce, Draining, Overloaded."""
        asked = _checked(request)
        loop = asyncio.get_running_loop()
        heartbeat_s = self._pace.times.heartbeat_s
        async with AsyncExitStack() as stack:
            stack.enter_context(self._pace.watching())
            if "patient_id" in asked.DESCRIPTOR.fields_by_name:
                news = await stack.enter_async_context(self._news.of_patient(asked.patient_id))
            else:
                news = stack.enter_context(self._news.of_clinic(asked.clinic_id))
            turns = self._pace.turns(news)
            answer = await self._first(read, asked, context)
            asked.ClearField("consistency")
            told: bytes | None = None
            told_at = 0.0
            while True:
                content = _content(answer)
                if content != told:
                    told, told_at = content, loop.time()
                    yield told_as(answer=answer)
                elif loop.time() - told_at >= heartbeat_s:
                    told_at = loop.time()
                    yield told_as(unchanged=answer.freshness)
                await turns.rest(told_at + heartbeat_s)
                answer = await turns.look(lambda: self._again(read, asked, context, allowed))

    async def _first(self, read: Read, asked: Any, context: Context) -> Any:
        """May wait for a position, and keeps no other watch waiting meanwhile."""
        answer = await read(asked, context)
        await self._require_consent(asked)
        return answer

    async def _again(
        self, read: Read, asked: Any, context: Context, allowed: Callable[[], Awaitable[None]]
    ) -> Any:
        try:
            # what was allowed when it began may have been withdrawn
            await allowed()
            answer = await read(asked, context)
        except NotFound:
            # whoever saw the patient a moment ago may know what became of it
            if "patient_id" in asked.DESCRIPTOR.fields_by_name and await self._reader.is_erased(
                asked.patient_id
            ):
                raise Erased("erased while it was watched") from None
            raise
        await self._require_consent(asked)
        return answer

    async def _require_consent(self, asked: Any) -> None:
        if self._consents is not None and "patient_id" in asked.DESCRIPTOR.fields_by_name:
            await self._consents.require(asked.patient_id)


def watching(service: ServiceDescriptor) -> Callable[[Servicer], Servicer]:
    """Gives a servicer, which has its Watches as `watches`, the service's calls that watch: of
    each the read is the one with the request that it is asked."""

    def give(servicer: Servicer) -> Servicer:
        reads = {method.input_type.full_name: method.name for method in service.methods}
        for method in service.methods:
            asked = method.input_type.fields_by_name.get("asked")
            if asked is not None:
                setattr(servicer, method.name, _call(method, reads[asked.message_type.full_name]))
        return servicer

    return give


def _call(method: MethodDescriptor, read: str) -> Callable[..., AsyncIterator[Message]]:
    told_as = GetMessageClass(method.output_type)
    name = f"/{method.containing_service.full_name}/{method.name}"

    def watch(self: Any, request: Any, context: Context) -> AsyncIterator[Message]:
        watches: Watches = self.watches
        allowed = partial(self.asked.again, name, request)
        return watches.answers(getattr(self, read), request, context, told_as, allowed)

    return watch


def _checked(request: Any) -> Any:
    """What is asked. Raises InvalidArgument."""
    require_valid(request)
    asked = request.asked
    if getattr(asked, "page_token", ""):
        rule = Violation("asked.page_token", "watch.first_page", "must be empty: no page is turned")
        raise InvalidArgument(violations=[rule])
    return asked


def _content(answer: Any) -> bytes:
    """What makes an answer another one: not how fresh it is, nor the time in a page's token."""
    plain = type(answer)()
    plain.CopyFrom(answer)
    plain.ClearField("freshness")
    if getattr(plain, "next_page_token", ""):
        plain.next_page_token = "more"  # noqa: S105 - that there is one
    content: bytes = plain.SerializeToString(deterministic=True)
    return content
