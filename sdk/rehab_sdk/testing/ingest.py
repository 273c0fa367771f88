"""The fake's side of IngestService."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_sdk.testing.accounts import Who
from rehab_sdk.testing.conversation import Conversation, Cursor, proved_seq
from rehab_sdk.testing.door import refusal, violations
from rehab_sdk.testing.log import Log, Place
from rehab_sdk.testing.refusals import Refusal, broken
from rehab_sdk.testing.rights import unsayable


@dataclass
class Rule:
    """Refuses the events it is for, so many times; for ever when None."""

    refusal: Refusal
    kind: str
    event_id: str
    left: int | None

    def takes(self, event: Event) -> bool:
        envelope = event.envelope
        told = self.event_id in ("", envelope.event_id) and self.kind in ("", envelope.kind)
        if not told or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FakeIngest:
    def __init__(self, log: Log, pause: Callable[[], None]) -> None:
        self.window = 1000
        self.rules: list[Rule] = []
        self.streams = 0
        """How many streams were welcomed."""
        self._log = log
        self._pause = pause
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
        self._cursors: dict[tuple[str, str], Cursor] = {}
        self._open: dict[tuple[str, str], Conversation] = {}

    @property
    def open(self) -> list[Conversation]:
        with self._lock:
            return list(self._open.values())

    def log_event(self, request: pb.LogEventRequest, who: Who) -> pb.LogEventResponse:
        """Raises Refusal."""
        found = violations(request)
        if found:
            raise Refusal("INVALID_ARGUMENT", violations=found)
        verdict = self._judge(request.event, who)
        if isinstance(verdict, Refusal):
            raise verdict.within("event")
        return _stored(verdict)

    def log_events(self, request: pb.LogEventsRequest, who: Who) -> pb.LogEventsResponse:
        """Raises Refusal."""
        found = violations(request)
        if found:
            raise Refusal("INVALID_ARGUMENT", violations=found)
        answer = pb.LogEventsResponse()
        for event in request.events:
            verdict = self._judge(event, who)
            if isinstance(verdict, Refusal):
                answer.verdicts.add(failure=verdict.failure())
            else:
                answer.verdicts.add(stored=_stored(verdict))
        return answer

    def stream(
        self,
        requests: Iterator[pb.StreamObservationsRequest],
        who: Who,
        context: grpc.ServicerContext,
    ) -> Iterator[pb.StreamObservationsResponse]:
        """Raises Refusal before it begins."""
        conversation, refused = self._opened(next(requests, None), who)
        context.add_callback(lambda: conversation.abort(None))  # wakes it when the call is over
        reader = threading.Thread(target=conversation.read, args=(requests,), daemon=True)
        reader.start()
        try:
            if refused is not None:
                rejected = pb.Reject(failure=refused.failure())
                yield pb.StreamObservationsResponse(reject=rejected)
            yield from conversation.run(context)
        finally:
            with self._lock:
                key = conversation.hello.clinic_id, conversation.hello.device_id
                if self._open.get(key) is conversation:
                    del self._open[key]

    def _opened(
        self, first: pb.StreamObservationsRequest | None, who: Who
    ) -> tuple[Conversation, Refusal | None]:
        if first is None or first.WhichOneof("content") != "hello":
            hello_first = "the first message must be hello"
            raise broken("PROTOCOL", "content", "protocol.hello", hello_first)
        hello = first.hello
        found = violations(hello)
        if found:
            raise Refusal("INVALID_ARGUMENT", violations=found).within("hello")
        if hello.clinic_id != who.clinic_id:
            own = "must be the caller's clinic"
            raise broken("PERMISSION_DENIED", "hello.clinic_id", "clinic.own", own)
        proved = proved_seq(self._key, hello) if hello.resume_token else hello.last_seq
        refused = None
        if proved is None:
            issued = "must be one issued to this device"
            refused = broken(
                "RESUME_TOKEN_INVALID", "hello.resume_token", "resume_token.issued", issued
            )
        return self._claimed(hello, who, proved or 0), refused

    def _claimed(self, hello: pb.Hello, who: Who, acked: int) -> Conversation:
        """The device's conversation, taken over from whoever had it. Raises Refusal."""
        key = hello.clinic_id, hello.device_id
        with self._lock:
            cursor = self._cursors.setdefault(key, Cursor())
            older = self._open.pop(key, None)
            with cursor.lock:
                if hello.epoch < cursor.epoch:
                    newest = "must not be lower than the newest epoch of the device"
                    raise broken("PROTOCOL", "hello.epoch", "epoch.newest", newest)
                known = cursor.seq if hello.epoch == cursor.epoch else 0
                cursor.epoch, cursor.seq = hello.epoch, max(known, acked)
                conversation = Conversation(
                    hello,
                    cursor,
                    key=self._key,
                    window=self.window,
                    judge=lambda event: self._judge(event, who),
                    pause=self._pause,
                )
                cursor.owner = self._open[key] = conversation
            self.streams += 1
        if older is not None:
            one = "one stream per device and epoch at a time"
            older.abort(broken("STREAM_SUPERSEDED", "hello.epoch", "epoch.one_stream", one))
        return conversation

    def _judge(self, event: Event, who: Who) -> Place | Refusal:
        with self._lock:
            for rule in self.rules:
                if rule.takes(event):
                    return rule.refusal
        refused = refusal(event, who.clinic_id) or unsayable(event, who)
        if refused is not None:
            return refused
        try:
            return self._log.append(event)
        except Refusal as reused:
            return reused


def _stored(place: Place) -> pb.LogEventResponse:
    return pb.LogEventResponse(
        position=place.position, stream_version=place.stream_version, duplicate=place.duplicate
    )
