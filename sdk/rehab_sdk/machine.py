"""The conversation of StreamObservations, without sockets, clocks or waiting.

What the link brings goes in (`greet`, `received`, `cut`), what is to be done comes out: messages to
send and effects. The promise: every appended event is settled exactly once, in order, whatever is
cut, repeated or lost on the way.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_sdk.outbox import Outbox, Refusal

DEFAULT_WINDOW = 64
DEFAULT_MAX_EVENT_BYTES = 262_144
BATCH_OVERHEAD_BYTES = 64
EVENT_OVERHEAD_BYTES = 8


class Phase(enum.Enum):
    OFFLINE = "offline"
    """No link, or nothing said on it yet."""
    GREETING = "greeting"
    """Hello is said; Welcome is awaited."""
    ASKING = "asking"
    """The server settled events whose verdict was lost; it is asked for before going on."""
    STREAMING = "streaming"
    """Batches go out as the window allows."""
    LEAVING = "leaving"
    """The link is to end: no new batches, outstanding acknowledgements still come."""


@dataclass(frozen=True)
class Acked:
    """Durable. A read that reflects `position` of `shard` reflects the event."""

    position: int
    shard: int = 0


Verdict = Acked | Failure


@dataclass(frozen=True)
class Settled:
    """The verdict on an event. `ordinal` counts the events appended since the machine began; those
    that waited in the outbox before have theirs as well."""

    ordinal: int
    event: bytes
    verdict: Verdict


@dataclass(frozen=True)
class Ask:
    """Find out what became of these events and call `answered`."""

    events: Sequence[bytes]


@dataclass(frozen=True)
class Leave:
    """End the call once nothing is outstanding, and connect again after a while."""

    after_s: float


@dataclass(frozen=True)
class StartOver:
    """The server's numbers are not ours: end the call and say hello with the new epoch."""


@dataclass(frozen=True)
class HelloRefused:
    """One field of hello was refused; the conversation goes on without it."""

    failure: Failure


@dataclass(frozen=True)
class Lost:
    """The outbox let go of an event before it was sent: it will have no verdict."""

    ordinal: int
    event: bytes
    why: str


Effect = Settled | Ask | Leave | StartOver | HelloRefused | Lost | pb.LiveFeedback


class OutOfTurn(Exception):
    """The server said what cannot be. The link is of no use any more."""


class Machine:
    def __init__(self, outbox: Outbox, *, clinic_id: str, device_id: str) -> None:
        self.phase = Phase.OFFLINE
        self.session_id = ""
        """The session to which live feedback belongs; hello tells it."""
        self.window = DEFAULT_WINDOW
        self.max_event_bytes = DEFAULT_MAX_EVENT_BYTES
        self._max_batch_events = DEFAULT_WINDOW
        self._stride = DEFAULT_WINDOW
        self._progress = False
        self._max_message_bytes = 4 * 1024 * 1024
        self._outbox = outbox
        self._clinic_id = clinic_id
        self._device_id = device_id
        self._told_session_id = ""
        self._token = outbox.resume_token
        waiting = outbox.last_seq - outbox.settled_seq
        self._ordinals = deque(range(1, waiting + 1))  # of the unsettled, in order, over all epochs
        self._last_ordinal = waiting
        self._sent_seq = outbox.settled_seq
        self._asked: list[int] = []
        self._refused: dict[int, Failure] = {}

    # what the caller wants to know

    @property
    def outstanding(self) -> int:
        """Events without a verdict."""
        return self._outbox.last_seq - self._outbox.settled_seq

    @property
    def in_flight(self) -> int:
        """Events sent on this link without a verdict."""
        return max(0, self._sent_seq - self._outbox.settled_seq)

    @property
    def has_room(self) -> bool:
        """Whether another event may be appended."""
        if self._outbox.full:
            return self.phase is Phase.OFFLINE
        capacity = self._outbox.capacity
        return self.outstanding < (max(1, self.window) if capacity is None else capacity)

    @property
    def hello_is_outdated(self) -> bool:
        """Whether a session began since hello: the server learns of it by another."""
        return self.session_id not in ("", self._told_session_id)

    def append(self, event: bytes) -> int:
        """Take an event, whatever the link does; its ordinal. Ask `lost` after it."""
        self._outbox.append(event)
        self._last_ordinal += 1
        self._ordinals.append(self._last_ordinal)
        return self._last_ordinal

    def lost(self) -> list[Effect]:
        """What the outbox let go to take the last event, which may be that one."""
        effects: list[Effect] = []
        for one in self._outbox.take_dropped():
            place = one.seq - self._outbox.settled_seq - 1
            effects.append(Lost(self._ordinals[place], one.event, one.why))
            del self._ordinals[place]
        return effects

    # what the link brings

    def greet(self, device_time: datetime) -> pb.StreamObservationsRequest:
        """A new link: what to say first."""
        self.phase = Phase.GREETING
        self._told_session_id = self.session_id
        hello = pb.Hello(
            clinic_id=self._clinic_id,
            device_id=self._device_id,
            session_id=self.session_id,
            epoch=self._outbox.epoch,
            resume_token=self._token,
            last_seq=self._outbox.settled_seq,
        )
        hello.device_time.FromDatetime(device_time)
        return pb.StreamObservationsRequest(hello=hello)

    def begin_epoch(self, above: int = 0) -> None:
        """Number what is unsettled anew: the server knows other numbers, or a newer epoch."""
        self._outbox.begin_epoch(above)
        self._sent_seq = 0
        self._refused.clear()
        self._token = ""
        self.cut()

    def leave(self) -> None:
        """End this link in good order, for another."""
        if self.phase is Phase.STREAMING:
            self.phase = Phase.LEAVING

    def cut(self) -> None:
        """The link is gone. Refusals heard stay valid for what the next Welcome passes over."""
        self.phase = Phase.OFFLINE
        if self.in_flight and not self._progress:
            # a link that broke before anything was through would not carry as much the next time
            self._stride = max(1, self._stride // 2)
        self._progress = False
        self._sent_seq = self._outbox.settled_seq

    def received(self, message: pb.StreamObservationsResponse) -> list[Effect]:
        """What to do about the server's message. What this contract does not know, and what
        changes nothing any more, is passed over. Raises OutOfTurn."""
        content = message.WhichOneof("content")
        effects: list[Effect] = []
        match content:
            case "welcome" if self.phase is Phase.GREETING:
                effects = self._welcome(message.welcome)
            case "ack":
                effects = self._ack(message.ack)
            case "reject":
                effects = self._reject(message.reject)
            case "feedback":
                effects = [message.feedback]
            case "window":
                self.window = message.window.events
            case "reconnect":
                self.phase = Phase.LEAVING
                self._token = message.reconnect.resume_token or self._token
                effects = [Leave(message.reconnect.after.ToTimedelta().total_seconds())]
        return effects

    def answered(self, verdicts: Sequence[Verdict]) -> list[Effect]:
        """The verdicts on the events of Ask, in order."""
        known: dict[int, Verdict] = dict(zip(self._asked, verdicts, strict=True))
        self.phase = Phase.STREAMING
        return self._settle(self._sent_seq, {**self._refused, **known})

    def next_batch(self) -> pb.StreamObservationsRequest | None:
        """The next message to send, as the window allows; None when there is none."""
        if self.phase is not Phase.STREAMING:
            return None
        allowed = min(self.window, self._stride) - self.in_flight
        if allowed <= 0 or self._sent_seq == self._outbox.last_seq:
            return None
        batch = pb.Batch(first_seq=self._sent_seq + 1)
        room = self._max_message_bytes - BATCH_OVERHEAD_BYTES
        for event in self._outbox.unsettled(self._sent_seq, min(allowed, self._max_batch_events)):
            room -= len(event) + EVENT_OVERHEAD_BYTES
            if room < 0 and batch.events:
                break
            batch.events.append(Event.FromString(event))
            self._sent_seq += 1
            self._refused.pop(self._sent_seq, None)
        return pb.StreamObservationsRequest(batch=batch)

    # the server's messages

    def _welcome(self, welcome: pb.Welcome) -> list[Effect]:
        self._token = welcome.resume_token or self._token
        if self._stride == self.window:  # not yet cut down by bad links
            self._stride = max(1, welcome.window)
        self.window = welcome.window
        limits = welcome.limits
        self._max_batch_events = limits.max_batch_events or self._max_batch_events
        self._max_message_bytes = limits.max_message_bytes or self._max_message_bytes
        self.max_event_bytes = limits.max_event_bytes or self.max_event_bytes
        acked, outbox = welcome.acked_seq, self._outbox
        if not outbox.settled_seq <= acked <= outbox.last_seq:
            self.begin_epoch()
            return [StartOver()]
        self._sent_seq = acked
        self.phase = Phase.STREAMING
        passed = range(outbox.settled_seq + 1, acked + 1)
        self._asked = [seq for seq in passed if seq not in self._refused]
        if not self._asked:
            return self._settle(acked, dict(self._refused))
        self.phase = Phase.ASKING
        events = outbox.unsettled(outbox.settled_seq, len(passed))
        return [Ask([events[seq - passed.start] for seq in self._asked])]

    def _ack(self, ack: pb.Ack) -> list[Effect]:
        if ack.seq > self._sent_seq:
            raise OutOfTurn("an acknowledgement of what was not sent")
        if self.phase is Phase.ASKING:
            return []  # it repeats Welcome; the verdicts are being asked for
        self._token = ack.resume_token or self._token
        passed = range(self._outbox.settled_seq + 1, ack.seq + 1)
        verdicts = {seq: self._refused.get(seq) or _acked(ack, seq) for seq in passed}
        return self._settle(ack.seq, verdicts)

    def _reject(self, reject: pb.Reject) -> list[Effect]:
        """The verdict holds once an acknowledgement has passed over the event: until then a cut may
        make it be sent, and judged, again."""
        if reject.seq == 0:
            if reject.failure.reason == reasons.ERROR_REASON_RESUME_TOKEN_INVALID:
                self._token = ""
            return [HelloRefused(reject.failure)]
        if self._outbox.settled_seq < reject.seq <= self._sent_seq:
            self._refused[reject.seq] = reject.failure
        return []

    def _settle(self, upto: int, verdicts: Mapping[int, Verdict]) -> list[Effect]:
        outbox, first = self._outbox, self._outbox.settled_seq + 1
        events = outbox.unsettled(outbox.settled_seq, max(0, upto - outbox.settled_seq))
        settled: list[Effect] = []
        refusals: list[Refusal] = []
        for seq, event in enumerate(events, first):
            verdict = verdicts[seq]
            self._refused.pop(seq, None)
            if not isinstance(verdict, Acked):
                refusals.append(Refusal(seq, event, verdict))
            settled.append(Settled(self._ordinals.popleft(), event, verdict))
        if settled:
            self._progress = True
            self._stride = min(max(1, self.window), 2 * self._stride)
            outbox.settle(upto, self._token, refusals)
        return settled


def _acked(ack: pb.Ack, seq: int) -> Acked:
    """Where an event stands that an acknowledgement passes over: told of it alone, or of all."""
    place = len(ack.places) - 1 - (ack.seq - seq)
    told = ack.places[place] if place >= 0 else ack
    return Acked(told.position, told.shard)
