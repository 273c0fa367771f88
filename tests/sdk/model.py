"""A model of ingest for the client's state machine: a link that may be cut at any time, a log that
takes every event id once, and a memory of sequence numbers that may be lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rehab.events.v1.event_pb2 import Event, LogPosition
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_sdk.machine import Acked, Verdict
from tests.sdk.given import REFUSAL

Request = pb.StreamObservationsRequest
Response = pb.StreamObservationsResponse
MAX_BATCH = 4


class Server:
    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refuses: set[str] = set()
        self.window = 5
        self.cursors: dict[int, int] = {}

    def judge(self, event_id: str) -> Verdict:
        if event_id in self.refuses:
            return REFUSAL
        if event_id not in self.stored:
            self.stored.append(event_id)
        return self.place(event_id)

    def place(self, event_id: str) -> Acked:
        """Two shards, each with positions of its own."""
        shard = _shard(event_id)
        of_shard = [one for one in self.stored if _shard(one) == shard]
        return Acked(of_shard.index(event_id) + 1, shard)

    def asked(self, events: Sequence[bytes]) -> list[Verdict]:
        """LogEvents."""
        return [self.judge(Event.FromString(data).envelope.event_id) for data in events]


def _shard(event_id: str) -> int:
    return sum(event_id.encode()) % 2


class Link:
    """One call: what is under way in either direction, and the server's side of it."""

    def __init__(self, server: Server) -> None:
        self.up: deque[Request] = deque()
        self.down: deque[Response] = deque()
        self.leaving = False
        self._server = server
        self._epoch = 0
        self._received: deque[tuple[int, Event]] = deque()
        self._last_received = self._judged = 0
        self._places: list[LogPosition] = []
        self._allowed = server.window

    def deliver_up(self) -> None:
        message = self.up.popleft()
        if message.HasField("hello"):
            self._greet(message.hello)
            return
        batch = message.batch
        assert batch.first_seq == self._last_received + 1, "sequence numbers are contiguous"
        assert 1 <= len(batch.events) <= MAX_BATCH
        self._received.extend(enumerate(batch.events, batch.first_seq))
        self._last_received += len(batch.events)
        in_flight = self._last_received - self._server.cursors[self._epoch]
        assert in_flight <= self._allowed, "the window holds"

    def _greet(self, hello: pb.Hello) -> None:
        self._epoch = hello.epoch
        acked = self._server.cursors.setdefault(hello.epoch, 0)
        self._last_received = self._judged = acked
        welcome = pb.Welcome(acked_seq=acked, window=self._server.window, resume_token="token")
        welcome.limits.max_batch_events = MAX_BATCH
        self.down.append(Response(welcome=welcome))

    def commit(self, count: int) -> None:
        """Judge events that have come; refusals are told at once."""
        for _ in range(min(count, len(self._received))):
            seq, event = self._received.popleft()
            verdict = self._server.judge(event.envelope.event_id)
            if isinstance(verdict, Acked):
                self._places.append(LogPosition(shard=verdict.shard, position=verdict.position))
            else:
                self._places.append(LogPosition())
                refusal = pb.Reject(seq=seq, event_id=event.envelope.event_id, failure=verdict)
                self.down.append(Response(reject=refusal))
            self._judged = seq

    def acknowledge(self) -> None:
        if self._epoch and self._judged > self._server.cursors[self._epoch]:
            self._server.cursors[self._epoch] = self._judged
            durable = [place for place in self._places if place.position]
            last = durable[-1] if durable else LogPosition()
            ack = pb.Ack(
                seq=self._judged, shard=last.shard, position=last.position, resume_token="token"
            )
            if {place.shard for place in durable} == {0, 1}:
                ack.places.extend(self._places)
            else:
                ack.position = max((place.position for place in durable), default=0)
            self._places.clear()
            self.down.append(Response(ack=ack))

    def set_window(self, events: int) -> None:
        """Counts for what is sent after it was heard, so the wider of both holds for a while."""
        self._allowed = max(self._allowed, events)
        self.down.append(Response(window=pb.Window(events=events)))

    def ask_to_leave(self) -> None:
        self.leaving = True
        self.down.append(Response(reconnect=pb.Reconnect(resume_token="token")))
