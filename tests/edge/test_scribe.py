"""What was seen becomes events that the contract takes, the same each time it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import protovalidate
import pytest

from rehab.events.v1.event_pb2 import ROLE_DEVICE, Event
from rehab_edge.drift import Finding
from rehab_edge.errors import EdgeError
from rehab_edge.journal import Entry, Journal
from rehab_edge.observed import Compensated, Observed
from rehab_edge.outbox import Home, KeyFileError, SealedFile, device_key
from rehab_edge.outbox.sealed import DamagedFile
from rehab_edge.scribe import Scribe, Told, event_id
from rehab_sdk.events import Actor, Context, Source

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GOOD = Observed(
    1,
    2.0,
    4.5,
    "both",
    (1.0, 0.2, 1.0, 0.3),
    104.2,
    211.0,
    -3.1,
    -4.0,
    {"knee_left": (3.0, 107.0), "trunk": (1.0, 20.0)},
    (Compensated("trunk_lean", 31.0, 12),),
    81.26,
    confidence=0.91,
    model_id="temporal-f32",
)
UNSCORED = Observed(2, 5.0, 7.0, "both", unscored="occluded", usable=0.3)
NAN = float("nan")
WILD = Observed(
    3,
    8.0,
    8.0,
    rom_deg=900.0,
    peak_velocity_deg_s=1e9,
    smoothness=4.0,
    symmetry_pct=NAN,
    joints={"elbow_left": (NAN, NAN), "knee_left": (-500.0, 500.0), "trunk": (-500, -400)},
    compensations=(Compensated("trunk_lean", NAN), *[Compensated("heel_rise", 1e6)] * 40),
    score=120.0,
    confidence=NAN,
    usable=1.7,
    phases_s=(1.0, -0.1, 1.0, 1.0),
)
DRIFT = Finding("shake", "sensor", 0.4, 0.2, 0.001, (100,) * 6, (200, 0, 0, 0, 0, 0))


def scribe() -> Scribe:
    source = Source("rehab-edge", "0.1.0")
    who = Context("clinic-1", Actor("p1", "patient"), "edge-1", "consent-1", "UTC", source=source)
    return Scribe(who, Told("p1", "session-1", "deep_squat", START))


def told() -> list[Event]:
    one = scribe()
    events = [one.started(), *(one.rep(rep) for rep in (GOOD, UNSCORED, WILD))]
    events.append(one.cue(GOOD, "trunk_lean", events[1].envelope.event_id, 40))
    events.append(one.drifted(DRIFT, "temporal-f32", 8.0))
    return [*events, *one.set_completed(8.0), one.completed(9.5)]


def test_every_event_is_one_that_the_contract_takes() -> None:
    for event in told():
        protovalidate.validate(event)


def test_a_session_told_again_makes_the_same_events() -> None:
    first, second = told(), told()
    assert [one.SerializeToString(deterministic=True) for one in first] == [
        two.SerializeToString(deterministic=True) for two in second
    ]
    assert len({one.envelope.event_id for one in first}) == len(first)


def test_events_happened_when_the_frames_say() -> None:
    started, rep, *_, completed = told()
    at = [event.envelope.occurred_at.ToDatetime(UTC) for event in (started, rep, completed)]
    assert at == [START, START + timedelta(seconds=4.5), START + timedelta(seconds=9.5)]
    assert {event.envelope.correlation_id for event in told()} == {"session-1"}


def test_a_repetition_is_told_as_it_was_measured() -> None:
    event = scribe().rep(GOOD)
    (rep,) = event.body.rep_observation.reps
    assert (rep.score, rep.rom_deg, list(rep.phases_ms)) == (81.26, 104.2, [1000, 200, 1000, 300])
    assert (rep.start_ms, rep.duration_ms) == (2000, 2500)
    assert event.envelope.source.model_id == "temporal-f32"
    assert {joint.joint: joint.rom_deg for joint in rep.joints} == {"knee_left": 104, "trunk": 19}


def test_what_was_not_judged_has_a_reason_and_no_score() -> None:
    (rep,) = scribe().rep(UNSCORED).body.rep_observation.reps
    assert not rep.HasField("score")
    assert rep.unscored_reason == 2


def test_a_set_counts_good_repetitions_only_where_any_was_scored() -> None:
    one = scribe()
    one.rep(GOOD)
    one.rep(UNSCORED)
    (done,) = one.set_completed(7.0)
    set_done = done.body.exercise_session.set_completed
    assert (set_done.reps, set_done.good_reps, set_done.duration_s) == (2, 1, 5.0)
    one.rep(UNSCORED)
    (done,) = one.set_completed(9.0)
    assert not done.body.exercise_session.set_completed.HasField("good_reps")
    assert done.body.exercise_session.set_completed.set_index == 2


def test_drift_is_told_by_the_device_and_holds_counts_alone() -> None:
    event = scribe().drifted(DRIFT, "temporal-f32", 8.0)
    assert (event.envelope.actor.id, event.envelope.actor.role) == ("edge-1", ROLE_DEVICE)
    drift = event.body.model_drift
    assert (drift.cause, drift.feature, sum(drift.observed)) == ("sensor", "shake", 200)
    assert not event.envelope.phi


def test_ids_are_of_version_7_and_of_their_time() -> None:
    told = event_id("a", START)
    assert int(told.replace("-", "")[:12], 16) == START.timestamp() * 1000
    assert told[14] == "7"
    assert told != event_id("b", START)


@pytest.fixture
def memory(tmp_path: Path) -> SealedFile:
    return SealedFile(tmp_path / "sessions", bytes(range(32)))


def test_a_session_told_again_began_when_it_did(memory: SealedFile) -> None:
    first = Journal(memory).begin("s1", Entry("p1", "deep_squat", START, live=False))
    later = Entry("p1", "deep_squat", START + timedelta(days=1), live=False)
    assert Journal(memory).begin("s1", later) == first


def test_live_sessions_that_were_killed_are_found_by_the_next_run(memory: SealedFile) -> None:
    journal = Journal(memory)
    for name, live in (("ended", True), ("killed", True), ("replayed", False)):
        journal.begin(name, Entry("p1", "deep_squat", START, live=live))
    journal.end("ended")
    journal.reached("killed", 12.5)
    assert [(name, one.reached_s) for name, one in Journal(memory).left_open()] == [
        ("killed", 12.5)
    ]


def test_the_journal_is_bounded(memory: SealedFile) -> None:
    journal = Journal(memory, kept=5)
    journal.begin("open", Entry("p1", "deep_squat", START))
    for number in range(9):
        journal.begin(f"s{number}", Entry("p1", "deep_squat", START, ended=True))
    assert len(memory.load()) == 5
    assert "open" in journal
    assert "s8" in journal


def test_a_sealed_file_is_not_legible_and_not_another_ones(tmp_path: Path) -> None:
    one = SealedFile(tmp_path / "one", bytes(32))
    assert one.load() == {}
    one.save({"patient": "p-canary"})
    assert one.load() == {"patient": "p-canary"}
    assert b"canary" not in (tmp_path / "one").read_bytes()
    (tmp_path / "one").rename(tmp_path / "two")
    with pytest.raises(DamagedFile):
        SealedFile(tmp_path / "two", bytes(32)).load()


def test_a_devices_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    key = device_key(path)
    assert len(key) == 32
    assert device_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["device.key"]
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod"):
        device_key(path)


def test_a_key_that_is_none_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    path.touch(0o600)
    with pytest.raises(KeyFileError, match="0 bytes"):
        device_key(path)
    assert path.read_bytes() == b""


def test_a_home_refuses_ids_that_are_paths(tmp_path: Path) -> None:
    for wrong in ("../x", "", "a/b", ".", "x" * 65):
        with pytest.raises(EdgeError):
            Home(tmp_path / "home", wrong)
    assert not (tmp_path / "home").exists()
