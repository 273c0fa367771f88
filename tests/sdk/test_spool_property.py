"""Whatever is done to a spool: it is the outbox in memory, and it lets go by its policy alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rehab.events.v1.event_pb2 import Event
from rehab_sdk import events
from rehab_sdk.outbox import MemoryOutbox, Refusal
from rehab_sdk.spool import Limits, Rank, Spool, rank_of
from tests.sdk.given import CLINIC, DEVICE, PATIENT, REFUSAL, StandingClock, context

CLOCK = StandingClock()
WHO = context(CLOCK)
BODIES = {
    Rank.BULK: events.reps_observed("session-1", "squat", [events.rep(1, score=80)]),
    Rank.RECORD: events.pain(3, phase="post"),
    Rank.SAFETY: events.pain(9, phase="post"),
}
RANKS = st.sampled_from(list(Rank))
SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None
)


class Files(RuleBasedStateMachine):
    """A spool whose process may end, in good order or not."""

    limits = Limits()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runs = 0
        self.spool = self.open()

    @property
    def path(self) -> Path:
        return self.folder / f"spool-{self.runs}"

    def open(self) -> Spool:
        return Spool(
            self.path,
            clinic_id=CLINIC,
            device_id=DEVICE,
            key=bytes(32),
            limits=self.limits,
            clock=CLOCK,
        )

    def close_and_open(self) -> None:
        self.spool.close()
        self.spool = self.open()

    def die_and_open(self) -> None:
        """What another process finds on disk when this one is killed now."""
        dying, was = self.spool, self.path.name
        found = list(self.folder.iterdir())
        self.runs += 1
        for file in found:
            shutil.copy(file, self.folder / file.name.replace(was, self.path.name))
        dying.close()
        for file in self.folder.glob(f"{was}*"):
            file.unlink()
        self.spool = self.open()

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.folder)


class LikeMemory(Files):
    def __init__(self) -> None:
        super().__init__()
        self.model = MemoryOutbox(self.spool.epoch)
        self.refused: list[bytes] = []

    @rule(rank=RANKS)
    def append(self, rank: Rank) -> None:
        event = WHO.event(PATIENT, BODIES[rank]).SerializeToString()
        assert self.spool.append(event) == self.model.append(event)

    @rule(count=st.integers(0, 4), token=st.sampled_from(["", "mark"]), refuses=st.booleans())
    def settle(self, count: int, token: str, refuses: bool) -> None:
        after = self.model.settled_seq
        upto = min(after + count, self.model.last_seq)
        going = self.model.unsettled(after, upto - after)
        refusals = [
            Refusal(seq, event, REFUSAL) for seq, event in enumerate(going, after + 1) if refuses
        ]
        self.refused += [one.event for one in refusals]
        for outbox in (self.spool, self.model):
            outbox.settle(upto, token, refusals)

    @rule(above=st.sampled_from([0, 10**17]))
    def begin_epoch(self, above: int) -> None:
        before = self.spool.epoch
        self.spool.begin_epoch(above)
        self.model.begin_epoch(above)
        assert self.spool.epoch > max(before, above)

    @rule(after=st.integers(0, 5), limit=st.integers(0, 5))
    def read(self, after: int, limit: int) -> None:
        start = min(self.model.settled_seq + after, self.model.last_seq)
        assert self.spool.unsettled(start, limit) == self.model.unsettled(start, limit)

    @rule()
    def end(self) -> None:
        epoch = self.spool.epoch
        self.close_and_open()
        assert self.spool.epoch == epoch

    @rule()
    def die(self) -> None:
        epoch = self.spool.epoch
        self.die_and_open()
        assert self.spool.epoch == epoch

    @invariant()
    def they_hold_the_same(self) -> None:
        spool, model = self.spool, self.model
        assert (spool.settled_seq, spool.last_seq) == (model.settled_seq, model.last_seq)
        assert spool.resume_token == model.resume_token
        assert [one.event.SerializeToString() for one in spool.refused()] == self.refused
        assert (spool.take_dropped(), spool.dropped(), spool.full) == ([], [], False)


class Bounded(Files):
    """The policy in the plainest words there are, beside the spool's."""

    limits = Limits(events=4, age_s=1000)

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[bytes, Rank, float]] = []
        self.offered = 0
        self.settled = 0
        self.gone: list[bytes] = []
        self.next_age_check = CLOCK.monotonic() + 60

    def make_room(self, *, aged: bool) -> list[int]:
        """The numbers that go, as they are when each goes."""
        gone: list[int] = []

        def go(place: int) -> None:
            gone.append(self.settled + place + 1)
            self.gone.append(self.held.pop(place)[0])

        now = CLOCK.monotonic()
        for one in self.held[self.offered :] if aged else ():
            if one[1] < Rank.SAFETY and one[2] < now - 1000:
                go(self.held.index(one))
        while len(self.held) - self.offered > 4:
            waiting = range(self.offered, len(self.held))
            go(min(waiting, key=lambda place: (self.held[place][1], place)))
        return gone

    @rule(rank=RANKS, passing_s=st.sampled_from([0.0, 1.0, 700.0]))
    def append(self, rank: Rank, passing_s: float) -> None:
        CLOCK.advance(passing_s)
        aged = CLOCK.monotonic() >= self.next_age_check
        self.next_age_check = CLOCK.monotonic() + 60 if aged else self.next_age_check
        event = WHO.event(PATIENT, BODIES[rank]).SerializeToString()
        self.spool.append(event)
        self.held.append((event, rank, CLOCK.monotonic()))
        expected = self.make_room(aged=aged)
        assert [one.seq for one in self.spool.take_dropped()] == expected

    @precondition(lambda self: self.held)
    @rule(count=st.integers(1, 3))
    def offer(self, count: int) -> None:
        given = self.spool.unsettled(self.settled, count)
        assert given == [event for event, _, _ in self.held[:count]]
        self.offered = max(self.offered, len(given))

    @precondition(lambda self: self.offered)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, self.offered))
        self.settled += count
        self.spool.settle(self.settled, "mark")
        del self.held[:count]
        self.offered -= count

    @rule(dies=st.booleans())
    def end(self, dies: bool) -> None:
        self.die_and_open() if dies else self.close_and_open()
        self.offered = 0
        self.make_room(aged=True)
        self.next_age_check = CLOCK.monotonic() + 60
        assert self.spool.take_dropped() == []

    @invariant()
    def it_holds_what_the_policy_leaves(self) -> None:
        assert self.spool.last_seq - self.settled == len(self.held)
        assert [one.envelope.event_id for one in self.spool.dropped()] == [
            Event.FromString(event).envelope.event_id for event in self.gone
        ]


def test_a_spool_is_the_outbox_in_memory_whatever_is_done_to_it_and_its_process() -> None:
    run_state_machine_as_test(LikeMemory, settings=SETTINGS)


def test_a_spool_lets_go_by_its_policy_alone() -> None:
    run_state_machine_as_test(Bounded, settings=SETTINGS)


def test_a_lower_rank_is_the_least_number() -> None:
    assert [rank_of(WHO.event(PATIENT, body)) for body in BODIES.values()] == sorted(Rank)
