"""A server of the suite in this process, for tests of programs that use the SDK."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import grpc
from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2
from rehab_sdk.errors import CORRELATION_KEY
from rehab_sdk.events import RoleName
from rehab_sdk.testing.accounts import Accounts, Who
from rehab_sdk.testing.handlers import Handlers
from rehab_sdk.testing.ingest import FakeIngest, Rule
from rehab_sdk.testing.log import Log
from rehab_sdk.testing.reads import Answer, FakeReads
from rehab_sdk.testing.refusals import Refusal

THREADS = 64
"""Each stream and each watch that is open takes one."""


@dataclass
class RefusedCall:
    """Refuses calls of an RPC, so many times; for ever when None."""

    refusal: Refusal
    rpc: str
    left: int | None

    def takes(self, rpc: str) -> bool:
        if self.rpc not in ("", rpc) or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FakeRehab:
    """Use it as `with` or `async with`, and connect to its addresses. It takes and checks events as
    ingest does, keeps them in memory, lets in whom identity would, and answers reads as told.
    Everything may be called while clients are connected, from any thread."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        """How long every call, and every batch of a stream, waits before it is answered."""
        self.accounts = Accounts()
        self.calls: Counter[str] = Counter()
        """How often each RPC was called."""
        self._lock = threading.Lock()
        self._refusing: list[RefusedCall] = []
        self._log = Log()
        self._ingest = FakeIngest(self._log, self.pause)
        self._reads = FakeReads(self._log)
        self._offline = False
        self._closed = threading.Event()
        self._server: grpc.Server | None = None
        self._address = ""

    # where it is

    @property
    def addresses(self) -> dict[str, str]:
        """For `connect(**fake.addresses, token=...)`."""
        return dict.fromkeys(("ingest", "projections", "identity"), self._address)

    # what came

    @property
    def events(self) -> list[Event]:
        """Everything stored, in the order of the log."""
        return self._log.events

    def events_of(self, patient: str) -> list[Event]:
        return [event for event in self.events if event.envelope.subject_id == patient]

    def wait_for(self, count: int, timeout_s: float = 10) -> list[Event]:
        """The events, once there are so many. Raises TimeoutError."""
        with self._log.changed:
            if not self._log.changed.wait_for(lambda: len(self._log.events) >= count, timeout_s):
                raise TimeoutError(f"{len(self._log.events)} of {count} events in {timeout_s} s")
            return self._log.events

    @property
    def streams(self) -> int:
        """How many streams were welcomed so far."""
        return self._ingest.streams

    # what it does

    def answer(self, rpc: str, answer: Answer) -> None:
        """What a read such as "GetAdherence" answers from now on: a message, or a function of the
        request. Its freshness is set by the fake. Without it reads answer empty messages."""
        self._reads.answer(rpc, answer)

    def reject(
        self,
        refusal: Refusal | None = None,
        *,
        kind: str = "",
        event_id: str = "",
        times: int | None = None,
    ) -> None:
        """Refuse events, INVALID_ARGUMENT unless told otherwise: those of a kind, one, or all; so
        many times, or for ever. The others are taken."""
        refusal = refusal or Refusal("INVALID_ARGUMENT")
        self._ingest.rules.append(Rule(refusal, kind, event_id, times))

    def refuse(self, refusal: Refusal, *, rpc: str = "", times: int | None = None) -> None:
        """Refuse calls of an RPC such as "GetAdherence", or all; so many times, or for ever."""
        self._refusing.append(RefusedCall(refusal, rpc, times))

    def accept(self) -> None:
        """Refuse no more than the suite does."""
        self._ingest.rules.clear()
        self._refusing.clear()

    def tell(self, rpc: str, message: Message) -> None:
        """One more message for everybody who is in a server-streaming call such as
        "WatchWorkQueue"."""
        self._reads.tell(rpc, message)

    def set_window(self, events: int) -> None:
        """How many events a stream may have unacknowledged, from its next welcome."""
        self._ingest.window = events

    def cut(self) -> None:
        """Break every open stream and watch."""
        for conversation in self._ingest.open:
            conversation.abort(None)
        self._reads.end(None)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Answer nobody, and break what is open."""
        self._offline = True
        self.cut()
        try:
            yield
        finally:
            self._offline = False

    def reconnect(self, after_s: float = 0.0) -> None:
        """Ask every stream to end in good order and to come again."""
        for conversation in self._ingest.open:
            conversation.reconnect(after_s)

    def feedback(self, session_id: str, cue: str, text: str = "") -> None:
        """Live coaching for a session."""
        for conversation in self._ingest.open:
            if conversation.hello.session_id == session_id:
                said = ingest_service_pb2.LiveFeedback(session_id=session_id, cue=cue, text=text)
                conversation.say(ingest_service_pb2.StreamObservationsResponse(feedback=said))

    def add_account(
        self, clinic_id: str, email: str, password: str, *, principal_id: str, role: RoleName
    ) -> None:
        patient = principal_id if role == "patient" else ""
        self.accounts.add(email, password, Who(principal_id, role, clinic_id, patient))

    def add_api_key(self, clinic_id: str, *, principal_id: str, role: RoleName) -> str:
        patient = principal_id if role == "patient" else ""
        return self.accounts.add_api_key(Who(principal_id, role, clinic_id, patient))

    def enrolment_code(self, clinic_id: str, patient: str) -> str:
        return self.accounts.add_code(patient, clinic_id)

    def set_token_life(self, seconds: float) -> None:
        """Of access tokens made from now on."""
        self.accounts.access_life_s = seconds

    def expire_tokens(self) -> None:
        """Refuse every access token so far, and break what is open; sessions can be refreshed."""
        self.accounts.expire_tokens()
        for conversation in self._ingest.open:
            conversation.abort(Refusal("UNAUTHENTICATED"))
        self._reads.end(Refusal("UNAUTHENTICATED"))

    def end_sessions(self) -> None:
        """Refuse every refresh token so far as well."""
        self.accounts.end_sessions()
        self.expire_tokens()

    # life

    def pause(self) -> None:
        self._closed.wait(self.delay_s)

    def caller(self, context: grpc.ServicerContext) -> Who:
        """Raises Refusal."""
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        return self.accounts.caller(metadata.get("authorization", ""))

    def admit(self, rpc: str, context: grpc.ServicerContext) -> None:
        """What every call begins with: it waits, or is turned away. Raises Refusal."""
        with self._lock:
            self.calls[rpc] += 1
            refused = next((one for one in self._refusing if one.takes(rpc)), None)
        for key, value in context.invocation_metadata():
            if key == CORRELATION_KEY:
                context.set_trailing_metadata(((key, value),))
        if self._offline:
            context.abort(grpc.StatusCode.UNAVAILABLE, "offline")
        self.pause()
        if refused is not None:
            raise refused.refusal

    def __enter__(self) -> Self:
        self._server = grpc.server(
            ThreadPoolExecutor(THREADS, thread_name_prefix="fake-rehab"),
            handlers=Handlers(self, self._ingest, self._reads).all(),
        )
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._address = f"127.0.0.1:{port}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        if self._server is not None:
            self.cut()
            self._server.stop(grace=0).wait()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)
