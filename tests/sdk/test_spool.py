"""What a spool keeps, what it lets go, and whom it refuses."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from rehab.events.v1.event_pb2 import Body, Event
from rehab_sdk import errors, events
from rehab_sdk.outbox import Refusal
from rehab_sdk.spool import Limits, Rank, Spool, SpoolError, rank_of
from tests.sdk.given import CLINIC, DEVICE, PATIENT, REFUSAL, START, StandingClock, context

KEY = bytes(range(32))
CLOCK = StandingClock()
WHO = context(CLOCK)
BULK = events.reps_observed("session-1", "squat", [events.rep(1, score=80)])
RECORD = events.pain(3, phase="post")
SAFETY = events.pain(8, phase="post")


class Opens(Protocol):
    def __call__(self, **more: Any) -> Spool: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def opened(path: Path) -> Iterator[Opens]:
    """Opens the file again and again; the one before is closed."""
    with ExitStack() as last:

        def again(**more: Any) -> Spool:
            last.close()
            told = {"clinic_id": CLINIC, "device_id": DEVICE, "clock": CLOCK, **more}
            return last.enter_context(closing(Spool(path, **told)))

        yield again


def event(body: Body) -> bytes:
    return WHO.event(PATIENT, body).SerializeToString()


def fill(spool: Spool, *bodies: Body) -> list[bytes]:
    told = [event(body) for body in bodies]
    for one in told:
        spool.append(one)
    return told


def held(spool: Spool) -> list[bytes]:
    return list(spool.unsettled(spool.settled_seq, 1000))


def ids(dropped: Any) -> list[str]:
    return [one.envelope.event_id for one in dropped]


def id_of(data: bytes) -> str:
    return Event.FromString(data).envelope.event_id


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_everything_is_there_again_when_the_file_is_opened_again(
    opened: Opens, key: bytes | None
) -> None:
    spool = opened(key=key)
    told = fill(spool, BULK, RECORD, SAFETY, RECORD)
    spool.settle(1, "mark", [Refusal(1, told[0], REFUSAL)])
    epoch = spool.epoch
    spool = opened(key=key)
    assert (spool.epoch, spool.settled_seq, spool.last_seq) == (epoch, 1, 4)
    assert spool.resume_token == "mark"
    assert held(spool) == told[1:]
    (refused,) = spool.refused()
    assert (refused.event.SerializeToString(), refused.failure) == (told[0], REFUSAL)
    assert spool.append(event(BULK)) == 5


def test_a_new_epoch_stays_one_when_the_file_is_opened_again(opened: Opens) -> None:
    spool = opened()
    told = fill(spool, RECORD, RECORD, RECORD)
    spool.settle(2, "mark")
    spool.begin_epoch()
    epoch = spool.epoch
    spool = opened()
    assert (spool.epoch, spool.settled_seq, spool.last_seq) == (epoch, 0, 1)
    assert (held(spool), spool.resume_token) == (told[2:], "")


@pytest.mark.parametrize(
    ("body", "rank"),
    [
        (BULK, Rank.BULK),
        (RECORD, Rank.RECORD),
        (events.pain(7, phase="post"), Rank.RECORD),
        (SAFETY, Rank.SAFETY),
        (events.pain(10, phase="pre"), Rank.SAFETY),
        (events.symptom("dizziness"), Rank.SAFETY),
        (events.fall(), Rank.SAFETY),
        (events.consent_revoked("consent-1", START), Rank.SAFETY),
        (events.session_completed("session-1", 60), Rank.RECORD),
    ],
)
def test_what_somebody_must_act_upon_ranks_highest(body: Body, rank: Rank) -> None:
    assert rank_of(Event.FromString(event(body))) is rank


def test_when_it_is_full_the_lowest_rank_goes_first_and_of_it_the_oldest(opened: Opens) -> None:
    spool = opened(limits=Limits(events=3))
    told = fill(spool, SAFETY, BULK, RECORD)
    more = fill(spool, BULK)
    assert ids(spool.dropped()) == [id_of(told[1])]
    more += fill(spool, SAFETY)
    assert ids(spool.dropped()) == [id_of(told[1]), id_of(more[0])]
    more += fill(spool, SAFETY)
    assert ids(spool.dropped())[2:] == [id_of(told[2])]
    assert held(spool) == [told[0], *more[1:]]
    assert spool.last_seq == 3


def test_an_event_that_ranks_below_all_others_is_let_go_itself(opened: Opens) -> None:
    spool = opened(limits=Limits(events=2))
    told = fill(spool, SAFETY, SAFETY)
    last = event(BULK)
    assert spool.append(last) == 3
    assert [(one.seq, one.event, one.why) for one in spool.take_dropped()] == [(3, last, "room")]
    assert (held(spool), spool.last_seq) == (told, 2)
    assert spool.take_dropped() == []


def test_safety_events_go_only_when_there_is_nothing_else(opened: Opens) -> None:
    spool = opened(limits=Limits(events=2))
    told = fill(spool, SAFETY, SAFETY, SAFETY)
    assert held(spool) == told[1:]
    assert ids(spool.dropped()) == [id_of(told[0])]


def test_bytes_are_bounded_as_well(opened: Opens) -> None:
    size = len(event(BULK))
    spool = opened(limits=Limits(bytes=10 * size))
    for _ in range(50):
        spool.append(event(BULK))
        assert sum(map(len, peek(spool))) <= 10 * size
    assert len(spool.dropped()) + spool.last_seq == 50


def peek(spool: Spool) -> list[bytes]:
    """What is held, without its being on its way."""
    offered = spool._offered, spool._offered_bytes
    found = held(spool)
    spool._offered, spool._offered_bytes = offered
    return found


def test_what_is_on_its_way_is_never_let_go(opened: Opens) -> None:
    spool = opened(limits=Limits(events=2))
    told = fill(spool, BULK, BULK)
    spool.unsettled(0, 2)
    more = fill(spool, SAFETY, SAFETY, SAFETY)
    assert held(spool) == [*told, *more[1:]]
    spool.settle(2, "mark")
    assert held(spool) == more[1:]


def test_what_is_too_old_goes_except_safety_events(opened: Opens) -> None:
    limits = Limits(age_s=3600)
    told = fill(opened(limits=limits), BULK, SAFETY, RECORD)
    CLOCK.advance(3601)
    spool = opened(limits=limits)
    assert held(spool) == [told[1]]
    assert [one.why for one in spool.dropped()] == ["age", "age"]
    fill(spool, RECORD)
    CLOCK.advance(1800)
    fill(spool, RECORD)
    assert len(spool.dropped()) == 2


def test_a_clock_that_was_not_set_makes_nothing_old(opened: Opens) -> None:
    clock = StandingClock()
    clock.at -= timedelta(days=20_000)
    told = fill(opened(clock=clock), RECORD)
    assert held(opened()) == told


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_those_of_a_rank_are_told_ahead_of_their_turn_and_keep_it(
    opened: Opens, key: bytes | None
) -> None:
    spool = opened(key=key, limits=Limits(events=4))
    told = fill(spool, BULK, SAFETY, RECORD, SAFETY)
    for _ in range(2):
        assert spool.of_rank(Rank.SAFETY) == [told[1], told[3]]
    fill(spool, RECORD)  # looking at them kept none of them from making room
    assert [id_of(told[0])] == ids(spool.dropped())
    assert held(spool)[:3] == told[1:]
    spool.settle(spool.settled_seq + 1, "token")
    assert spool.of_rank(Rank.SAFETY) == [told[3]]


def test_how_long_the_oldest_waits_is_told_by_the_clock_it_was_kept_by(opened: Opens) -> None:
    spool = opened()
    assert spool.oldest_s == 0
    fill(spool, BULK)
    CLOCK.advance(90)
    fill(spool, BULK)
    assert spool.oldest_s == pytest.approx(90)
    CLOCK.advance(-3600)
    assert spool.oldest_s == 0


def test_what_was_let_go_is_told_until_the_program_has_looked(opened: Opens) -> None:
    told = fill(opened(limits=Limits(events=1)), BULK, BULK)
    spool = opened()
    (dropped,) = spool.dropped()
    assert (dropped.envelope.event_id, dropped.why) == (id_of(told[0]), "room")
    assert dropped.envelope.kind == "rep_observation"
    spool.forget()
    assert opened().dropped() == []


def test_only_the_newest_thousand_of_what_was_let_go_are_told(opened: Opens) -> None:
    spool = opened(limits=Limits(events=1))
    told = fill(spool, *[BULK] * 1103)
    assert ids(spool.dropped()) == [id_of(one) for one in told[102:1102]]


def test_nothing_of_an_encrypted_spool_is_legible(opened: Opens, path: Path) -> None:
    spool = opened(key=KEY, limits=Limits(events=3))
    told = fill(spool, RECORD, BULK, SAFETY, RECORD)
    spool.settle(1, "mark", [Refusal(1, told[0], REFUSAL)])
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert len(on_disk) > 1000
    for legible in (PATIENT.encode(), b"pain_report", id_of(told[0]).encode()):
        assert legible not in on_disk


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"device_id": "another"}, "spool.device"),
        ({"clinic_id": "another"}, "spool.device"),
        ({"key": bytes(32)}, "spool.key"),
        ({"key": None}, "spool.key"),
    ],
)
def test_a_spool_of_another_device_or_key_is_refused(
    opened: Opens, more: dict[str, Any], rule: str
) -> None:
    fill(opened(key=KEY), RECORD)
    with pytest.raises(SpoolError) as refused:
        opened(**{"key": KEY, **more})
    assert refused.value.rule == rule
    assert opened(key=KEY).last_seq == 1


def test_a_plain_spool_is_not_opened_with_a_key(opened: Opens) -> None:
    opened()
    with pytest.raises(SpoolError) as refused:
        opened(key=KEY)
    assert refused.value.rule == "spool.key"


def test_an_event_moved_to_another_place_in_the_file_is_refused(opened: Opens, path: Path) -> None:
    fill(opened(key=KEY), RECORD, RECORD)
    opened(key=KEY).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("UPDATE event SET sealed = (SELECT sealed FROM event WHERE id = 2)")
    with pytest.raises(SpoolError) as refused:
        held(opened(key=KEY))
    assert refused.value.rule == "spool.damaged"


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\0" + bytes(4080)])
def test_a_file_that_is_no_spool_is_refused_and_left_as_it_is(
    opened: Opens, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(SpoolError) as refused:
        opened()
    assert refused.value.rule == "spool.damaged"
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused(opened: Opens, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    with pytest.raises(SpoolError) as refused:
        opened()
    assert refused.value.rule == "spool.format"


def test_one_process_has_it_at_a_time(opened: Opens, path: Path) -> None:
    opened()
    with pytest.raises(SpoolError) as refused:
        Spool(path, clinic_id=CLINIC, device_id=DEVICE)
    assert refused.value.rule == "spool.in_use"


def test_only_its_owner_may_read_it(opened: Opens, path: Path) -> None:
    fill(opened(), RECORD)
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert os.listdir(path.parent) != ["spool"], "its log stands beside it"


def test_safety_events_are_synced_to_the_disk_and_others_at_the_next_checkpoint(
    opened: Opens,
) -> None:
    spool = opened()
    said: list[str] = []
    spool._storage._connection.set_trace_callback(said.append)
    for body, durable in ((BULK, False), (SAFETY, True), (RECORD, False)):
        said.clear()
        spool.append(event(body))
        inserted = next(place for place, one in enumerate(said) if one.startswith("INSERT"))
        synced = [one for one in said[:inserted] if "synchronous" in one]
        assert synced == (["PRAGMA synchronous = FULL"] if durable else [])
        assert said.index("COMMIT") > inserted
        after = [one for one in said[said.index("COMMIT") :] if "synchronous" in one]
        assert after == (["PRAGMA synchronous = NORMAL"] if durable else [])


def test_a_full_disk_is_told_and_what_stood_stays(opened: Opens) -> None:
    spool = opened()
    told = fill(spool, RECORD)
    pages = spool._storage._connection.execute("PRAGMA page_count").fetchone()[0]
    spool._storage._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SpoolError) as refused:
        fill(spool, *[RECORD] * 1000)
    assert refused.value.rule == "spool.disk_full"
    spool._storage._connection.execute("PRAGMA max_page_count = 100000")
    assert held(spool)[:1] == told
    spool = opened()
    assert held(spool)[:1] == told
    assert spool.append(event(RECORD)) == spool.last_seq


def test_a_key_is_256_bits(opened: Opens) -> None:
    with pytest.raises(errors.Invalid):
        opened(key=b"short")


def test_a_thread_may_look_at_what_was_dropped_while_another_fills_it(opened: Opens) -> None:
    spool = opened(limits=Limits(events=2))
    looked: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            looked.append(len(spool.dropped()))
            spool.forget()

    with ThreadPoolExecutor(1) as other:
        looking = other.submit(look)
        fill(spool, *[BULK] * 300)
        ended.set()
        looking.result()
    assert sum(looked) + len(spool.dropped()) == 298
    assert spool.last_seq == 2


@pytest.mark.parametrize("wrong", [{"events": 0}, {"bytes": -1}, {"age_s": 0}], ids=str)
def test_limits_leave_room_for_something(wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid):
        Limits(**wrong)
