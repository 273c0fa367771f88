"""Whatever is cut, repeated, refused or forgotten: every event settles exactly once, in order."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import Event
from rehab_sdk.machine import (
    Acked,
    Ask,
    Effect,
    Leave,
    Lost,
    Machine,
    Phase,
    Settled,
    StartOver,
)
from rehab_sdk.outbox import MemoryOutbox, Outbox
from rehab_sdk.spool import Limits, Spool
from tests.sdk.given import CLINIC, DEVICE, START, context, pain
from tests.sdk.model import Link, Server


class Conversation:
    """Each method is something that may happen; where it cannot happen now, nothing does."""

    def __init__(self, outbox: Outbox | None = None) -> None:
        self.server = Server()
        self.machine = Machine(outbox or MemoryOutbox(), clinic_id=CLINIC, device_id=DEVICE)
        self.context = context()
        self.sent: list[str] = []
        self.ever_refused: set[str] = set()
        self.settled: list[tuple[str, bool]] = []
        self.lost: set[str] = set()
        self.link: Link | None = None

    def append(self, *, refused: bool = False) -> None:
        if not self.machine.has_room:
            return
        event = pain(len(self.sent), self.context)
        self.sent.append(event.envelope.event_id)
        if refused:
            self.server.refuses.add(event.envelope.event_id)
            self.ever_refused.add(event.envelope.event_id)
        assert self.machine.append(event.SerializeToString()) == len(self.sent)
        self.apply(self.machine.lost())

    @property
    def kept(self) -> list[str]:
        return [event_id for event_id in self.sent if event_id not in self.lost]

    def append_refused(self) -> None:
        self.append(refused=True)

    def connect(self) -> None:
        if self.link is None:
            self.link = Link(self.server)
            self.link.up.append(self.machine.greet(START))

    def cut(self) -> None:
        self.link = None
        self.machine.cut()

    def a_session_begins(self) -> None:
        self.machine.session_id = f"session-{len(self.sent)}"

    def send(self) -> None:
        if self.machine.hello_is_outdated:
            self.machine.leave()
        batch = self.machine.next_batch()
        if self.link is not None and batch is not None:
            self.link.up.append(batch)

    def deliver_up(self) -> None:
        if self.link is not None and self.link.up:
            self.link.deliver_up()

    def deliver_down(self) -> None:
        if self.link is not None and self.link.down:
            self.apply(self.machine.received(self.link.down.popleft()))

    def commit_one(self) -> None:
        if self.link is not None:
            self.link.commit(1)

    def acknowledge(self) -> None:
        if self.link is not None:
            self.link.commit(2)
            self.link.acknowledge()

    def all_goes_well_for_a_while(self) -> None:
        self.connect()
        for _ in range(12):
            self.step()

    def server_forgets_numbers(self) -> None:
        if self.link is None:
            for epoch, seq in self.server.cursors.items():
                self.server.cursors[epoch] = max(0, seq - 2)

    def what_was_refused_would_now_be_taken(self) -> None:
        self.server.refuses.clear()

    def window_narrows(self) -> None:
        self.window(1)

    def window_closes(self) -> None:
        self.window(0)

    def window_widens(self) -> None:
        self.window(8)

    def window(self, events: int) -> None:
        self.server.window = events
        if self.link is not None:
            self.link.set_window(events)

    def server_asks_to_leave(self) -> None:
        if self.link is not None:
            self.link.ask_to_leave()

    def apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Settled(ordinal, data, verdict):
                    event_id = Event.FromString(data).envelope.event_id
                    assert self.sent[ordinal - 1] == event_id
                    self.settled.append((event_id, isinstance(verdict, Acked)))
                    if isinstance(verdict, Acked):
                        stands = self.server.place(event_id)
                        assert verdict.shard == stands.shard
                        assert verdict.position >= stands.position
                case Lost(ordinal, data):
                    event_id = Event.FromString(data).envelope.event_id
                    assert self.sent[ordinal - 1] == event_id
                    assert event_id not in self.server.stored
                    self.lost.add(event_id)
                case Ask(asked):
                    self.apply(self.machine.answered(self.server.asked(asked)))
                case StartOver():
                    self.cut()
                case Leave():
                    assert self.machine.next_batch() is None

    def step(self) -> bool:
        """Do what can be done; False when all is quiet."""
        if self.link is None:
            return False
        self.send()
        if self.link.up:
            self.link.deliver_up()
        elif self.link.down:
            self.deliver_down()
        else:
            self.acknowledge()
            return bool(self.link.down)
        return True

    def hold(self) -> None:
        """From now on the link holds."""
        self.server.window = 3
        for _ in range(3):  # a farewell and a new epoch may each take one
            self.cut()
            self.connect()
            while self.step():
                pass

    def check(self) -> None:
        assert [event_id for event_id, _ in self.settled] == self.kept[: len(self.settled)]
        for event_id, acked in self.settled:
            assert acked == (event_id in self.server.stored)
        stored = self.server.stored
        assert len(stored) == len(set(stored))
        # one that was refused, unheard, and would now be taken comes after its neighbours
        plain = [event_id for event_id in self.sent if event_id not in self.ever_refused]
        assert [one for one in stored if one in plain] == [one for one in plain if one in stored]


RARE = [
    Conversation.append_refused,
    Conversation.server_forgets_numbers,
    Conversation.what_was_refused_would_now_be_taken,
    Conversation.window_closes,
    Conversation.window_narrows,
    Conversation.window_widens,
    Conversation.server_asks_to_leave,
    Conversation.a_session_begins,
]
COMMON = [
    Conversation.append,
    Conversation.append,
    Conversation.connect,
    Conversation.send,
    Conversation.deliver_up,
    Conversation.deliver_down,
    Conversation.commit_one,
    Conversation.acknowledge,
    Conversation.all_goes_well_for_a_while,
    Conversation.cut,
]
ACKNOWLEDGED_AND_CUT = [
    Conversation.all_goes_well_for_a_while,
    Conversation.append,
    Conversation.append_refused,
    Conversation.send,
    Conversation.deliver_up,
    Conversation.acknowledge,
    Conversation.cut,
]

REFUSED_AND_CUT = [
    Conversation.connect,
    Conversation.deliver_up,
    Conversation.deliver_down,
    Conversation.append_refused,
    Conversation.send,
    Conversation.deliver_up,
    Conversation.commit_one,
    Conversation.deliver_down,
    Conversation.cut,
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(story=st.lists(st.sampled_from([*RARE, *COMMON, *COMMON]), min_size=25, max_size=60))
@example(story=[Conversation.all_goes_well_for_a_while, *ACKNOWLEDGED_AND_CUT])
@example(story=[*ACKNOWLEDGED_AND_CUT, Conversation.what_was_refused_would_now_be_taken])
@example(story=[*REFUSED_AND_CUT, Conversation.what_was_refused_would_now_be_taken])
@example(story=[*ACKNOWLEDGED_AND_CUT, Conversation.server_forgets_numbers])
def test_every_event_settles_exactly_once_in_order_whatever_happens(
    story: list[object],
) -> None:
    conversation = Conversation()
    tell(conversation, story)
    assert conversation.lost == set()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(story=st.lists(st.sampled_from([*RARE, *COMMON, *COMMON]), min_size=40, max_size=80))
@example(story=[*[Conversation.append] * 5, *ACKNOWLEDGED_AND_CUT, *[Conversation.append] * 9])
def test_every_event_settles_or_is_told_to_be_lost_when_a_spool_is_full(
    story: list[object],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spool")
        spool = Spool(path, clinic_id=CLINIC, device_id=DEVICE, limits=Limits(events=3))
        with closing(spool):
            conversation = Conversation(spool)
            tell(conversation, story)
            assert len(spool.dropped()) == len(conversation.lost)


def test_a_full_spool_does_lose_events_in_such_stories() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spool")
        spool = Spool(path, clinic_id=CLINIC, device_id=DEVICE, limits=Limits(events=3))
        with closing(spool):
            conversation = Conversation(spool)
            tell(conversation, [Conversation.append] * 10)
            assert len(conversation.lost) == 7


def tell(conversation: Conversation, story: Sequence[object]) -> None:
    for happening in story:
        happening(conversation)  # type: ignore[operator]
        conversation.check()
    conversation.hold()
    conversation.check()
    assert [event_id for event_id, _ in conversation.settled] == conversation.kept
    assert conversation.machine.outstanding == 0
    assert conversation.machine.phase is Phase.STREAMING
