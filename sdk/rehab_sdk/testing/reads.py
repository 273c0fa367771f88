"""The fake's read models: each answers as told, reflecting all that was written."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rehab.projections.v1 import (
    billing_service_pb2,
    progress_service_pb2,
    projections_service_pb2,
    vitals_service_pb2,
    work_service_pb2,
)
from rehab_sdk.testing.log import Log
from rehab_sdk.testing.refusals import Refusal

Answer: TypeAlias = Message | Callable[[Any], Message]
MODULES = (
    projections_service_pb2,
    vitals_service_pb2,
    billing_service_pb2,
    progress_service_pb2,
    work_service_pb2,
)
METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
_BY_INPUT = {
    method.input_type.full_name: method
    for method in METHODS.values()
    if not method.server_streaming
}


class FakeReads:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._watchers: dict[queue.SimpleQueue[Any], str] = {}

    def answer(self, rpc: str, answer: Answer) -> None:
        """What a read answers from now on; those who watch it are told."""
        if rpc not in METHODS:
            raise KeyError(rpc)
        with self._lock:
            self._answers[rpc] = answer
            for watcher in self._watchers:
                watcher.put(None)

    def tell(self, rpc: str, message: Message) -> None:
        """One more message for everybody who is in this server-streaming call."""
        with self._lock:
            for watcher, watched in self._watchers.items():
                if watched == rpc:
                    watcher.put(message)

    def end(self, refusal: Refusal | None) -> None:
        """End every watch with an error; None is a link that is cut."""
        with self._lock:
            for watcher in self._watchers:
                watcher.put(refusal or ConnectionResetError())

    def read(self, method: MethodDescriptor, request: Any) -> Message:
        """Raises Refusal."""
        with self._lock:
            told = self._answers.get(method.name)
        kind = GetMessageClass(method.output_type)
        answer = kind()
        if told is not None:
            answer.CopyFrom(_told(method, told, request))
        if "freshness" in method.output_type.fields_by_name:
            answer.freshness.position = len(self._log.events)
        return answer

    def watch(
        self, method: MethodDescriptor, request: Any, context: grpc.ServicerContext
    ) -> Iterator[Message]:
        mine: queue.SimpleQueue[Any] = queue.SimpleQueue()
        context.add_callback(lambda: mine.put(ConnectionResetError()))
        with self._lock:
            self._watchers[mine] = method.name
        try:
            yield from self._first(method, request)
            while True:
                item = mine.get()
                if isinstance(item, Refusal):
                    item.abort(context)
                if isinstance(item, ConnectionResetError):
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the link was cut")
                if item is not None:
                    yield item
                elif "asked" in method.input_type.fields_by_name:
                    yield from self._first(method, request)
        finally:
            with self._lock:
                del self._watchers[mine]

    def _first(self, method: MethodDescriptor, request: Any) -> Iterator[Message]:
        """What a watch begins with: the list and that it is complete, or the read's answer."""
        kind: Any = GetMessageClass(method.output_type)
        if "asked" in method.input_type.fields_by_name:
            read = _BY_INPUT[request.asked.DESCRIPTOR.full_name]
            yield kind(answer=self.read(read, request.asked))
            return
        listed = self.read(METHODS["ListWorkQueue"], request)
        for item in listed.items:  # type: ignore[attr-defined]
            yield kind(upserted=item)
        yield kind(listed=listed.freshness)  # type: ignore[attr-defined]


def _told(method: MethodDescriptor, told: Answer, request: Any) -> Message:
    """Raises Refusal: a test's own fault is told at once, and not tried again."""
    if not callable(told):
        return told
    try:
        return told(request)
    except Refusal:
        raise
    except Exception as fault:
        raise Refusal("INTERNAL", f"the answer of {method.name} failed: {fault!r}") from fault
