"""One device's stream, as ingest has it: hello, batches, acknowledgements, refusals."""

from __future__ import annotations

import hashlib
import hmac
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_sdk.testing.door import MAX_EVENT_BYTES
from rehab_sdk.testing.log import Place
from rehab_sdk.testing.refusals import Refusal, broken

MAX_BATCH_EVENTS = 500
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
Response = pb.StreamObservationsResponse
Judge = Callable[[Event], Place | Refusal]


@dataclass
class Cursor:
    """How far a device came. Its lock is held while one of its events is judged."""

    epoch: int = 0
    seq: int = 0
    owner: object = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Conversation:
    """`run` is the stream's answers; everything else may be called from other threads."""

    def __init__(
        self,
        hello: pb.Hello,
        cursor: Cursor,
        *,
        key: bytes,
        window: int,
        judge: Judge,
        pause: Callable[[], None],
    ) -> None:
        self.hello = hello
        self.cursor = cursor
        self._key = key
        self._window = window
        self._judge = judge
        self._pause = pause
        self._received = cursor.seq
        self._position = 0
        self._leaving = False
        self._todo: queue.SimpleQueue[Any] = queue.SimpleQueue()

    # from other threads

    def say(self, response: Response) -> None:
        self._todo.put(response)

    def abort(self, refusal: Refusal | None) -> None:
        """End it with an error; None is a link that is cut."""
        self._todo.put(refusal or ConnectionResetError())

    def reconnect(self, after_s: float) -> None:
        leave = pb.Reconnect(resume_token=self.token)
        leave.after.FromMilliseconds(int(1000 * after_s))
        self._todo.put(leave)

    def read(self, requests: Iterator[pb.StreamObservationsRequest]) -> None:
        """Take what the device sends until it ends."""
        try:
            for request in requests:
                self._todo.put(request)
        except Exception:
            self._todo.put(ConnectionResetError())
        self._todo.put(None)

    # the stream's own thread

    @property
    def token(self) -> str:
        return resume_token(self._key, self.hello, self.cursor.seq)

    def run(self, context: grpc.ServicerContext) -> Iterator[Response]:
        yield Response(welcome=self._welcome())
        while True:
            item = self._todo.get()
            match item:
                case None:
                    return
                case Refusal():
                    item.abort(context)
                case ConnectionResetError():
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the link was cut")
                case pb.Reconnect():
                    self._leaving = True
                    yield Response(reconnect=item)
                case Response():
                    yield item
                case _ if self._leaving:
                    pass  # what comes after is sent again elsewhere
                case _:
                    try:
                        yield from self._batch(item)
                    except Refusal as refusal:
                        refusal.abort(context)

    def _welcome(self) -> pb.Welcome:
        welcome = pb.Welcome(
            acked_seq=self.cursor.seq,
            window=self._window,
            limits=pb.Limits(
                max_batch_events=MAX_BATCH_EVENTS,
                max_event_bytes=MAX_EVENT_BYTES,
                max_message_bytes=MAX_MESSAGE_BYTES,
            ),
            resume_token=self.token,
        )
        welcome.server_time.GetCurrentTime()
        return welcome

    def _batch(self, request: pb.StreamObservationsRequest) -> Iterator[Response]:
        """Raises Refusal."""
        if request.WhichOneof("content") != "batch":
            raise broken("PROTOCOL", "content", "protocol.batch", "must be a batch after hello")
        batch = request.batch
        repeated = self._receive(batch)
        self._pause()
        for seq, event in enumerate(batch.events, batch.first_seq):
            if seq < batch.first_seq + repeated:
                continue
            with self.cursor.lock:
                if self.cursor.owner is not self:
                    return
                event.envelope.device_epoch, event.envelope.device_seq = self.hello.epoch, seq
                verdict = self._judge(event)
                self.cursor.seq = seq
            if isinstance(verdict, Refusal):
                refused = pb.Reject(
                    seq=seq, event_id=event.envelope.event_id, failure=verdict.failure()
                )
                yield Response(reject=refused)
            else:
                self._position = max(self._position, verdict.position)
        ack = pb.Ack(seq=self.cursor.seq, position=self._position, resume_token=self.token)
        yield Response(ack=ack)

    def _receive(self, batch: pb.Batch) -> int:
        """How many of its first events came before. Raises Refusal."""
        count, first = len(batch.events), batch.first_seq
        if not (1 <= count <= MAX_BATCH_EVENTS and first):
            field = "batch.events" if first else "batch.first_seq"
            size = f"a batch has 1 to {MAX_BATCH_EVENTS} events and a first_seq from 1"
            raise broken("INVALID_ARGUMENT", field, "batch.size", size)
        expected = self._received + 1
        if first > expected:
            raise broken(
                "SEQUENCE_GAP",
                "batch.first_seq",
                "seq.contiguous",
                f"must be at most {expected}",
                expected_seq=str(expected),
            )
        last = first + count - 1
        if last - self.cursor.seq > self._window:
            most = f"at most {self._window} may be unacknowledged"
            raise broken("WINDOW_EXCEEDED", "batch.events", "window", most)
        repeated = max(0, min(count, self._received - first + 1))
        self._received = max(self._received, last)
        return repeated


def resume_token(key: bytes, hello: pb.Hello, seq: int) -> str:
    """Proof that a sequence number of the device and epoch was acknowledged."""
    text = "\n".join((hello.clinic_id, hello.device_id, str(hello.epoch), str(seq)))
    return f"{seq}.{hmac.digest(key, text.encode(), hashlib.sha256).hex()}"


def proved_seq(key: bytes, hello: pb.Hello) -> int | None:
    """The number that the resume token proves; None when it is not one of ours."""
    number = hello.resume_token.partition(".")[0]
    if not (number.isascii() and number.isdigit()):
        return None
    genuine = resume_token(key, hello, int(number))
    same = hmac.compare_digest(genuine.encode(), hello.resume_token.encode())
    return int(number) if same else None
