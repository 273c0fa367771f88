"""The service's answers over a real channel, from a real log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.messages import stamped
from rehab_runtime.auth import Principal, service_principal
from rehab_runtime.errors import InvalidArgument, NotFound, PermissionDenied, Stale
from tests.projections.given import (
    CLINIC,
    PATIENT,
    at,
    body,
    event,
    item,
    observed,
    pain,
    prescribed,
    rep,
    set_completed,
    started,
    whole_session,
)
from tests.projections.service import (
    Clinic,
    codes,
    patients,
    refused,
    rules_of,
    since,
)

AS_OF = stamped(at("2026-03-03T21:00"))
BEGIN = at("2026-03-02T08:00")


def two_days():
    """A plan of 30 repetitions a day: all of them on the first day, 20 on the second."""
    return [
        event(1, at("2026-03-01T00:00"), prescribed(item(rom_target_deg=125.0))),
        event(2, BEGIN, pain(3, "PRE", "s1")),
        *whole_session(10, "s1", BEGIN, [10, 10, 10]),
        event(20, BEGIN, observed("s1", [rep(i, 60 + 2 * i) for i in range(1, 11)])),
        event(21, at("2026-03-02T08:30"), pain(5, "POST", "s1")),
        *whole_session(30, "s2", at("2026-03-03T09:00"), [10, 10]),
    ]


async def test_adherence_is_told_with_the_position_it_reflects(running: Clinic):
    position = await running.log.append(*two_days())
    told = await running.reads.adherence(
        patient_id=PATIENT,
        as_of=AS_OF,
        window=pb.Window(days=7),
        include_occurrences=True,
        consistency=since(position),
    )
    assert (told.from_date, told.to_date, told.zone) == (
        "2026-02-25",
        "2026-03-03",
        "Europe/Berlin",
    )
    assert (told.due, told.started, told.full, told.sessions) == (2, 2, 1, 2)
    assert told.dose_ratio == pytest.approx(5 / 6)
    assert (told.plan_version, told.paused, told.streak) == (1, False, 2)
    assert told.monitoring_days == 2
    assert told.last_session_at == stamped(at("2026-03-03T09:00"))
    assert told.freshness.position >= position
    first, second = told.occurrences
    assert (first.local_date, first.slot, list(first.session_ids)) == (
        "2026-03-02",
        "08:00",
        ["s1"],
    )
    assert [(i.exercise_id, i.prescribed, i.done, i.unit) for i in second.items] == [
        ("knee_flexion", 30, 20, "{rep}")
    ]


async def test_what_a_traveller_does_where_it_is_tomorrow_counts_today(running: Clinic):
    evening, tokyo = at("2026-03-02T20:00"), "Asia/Tokyo"
    abroad = [
        event(2, evening, started("s1"), zone=tokyo),
        event(3, evening, observed("s1", [rep(1, 80)]), zone=tokyo),
    ]
    position = await running.log.append(
        event(1, at("2026-02-01T00:00"), prescribed(item())), *abroad
    )
    asked = {"patient_id": PATIENT, "as_of": stamped(evening), "window": pb.Window(days=1)}
    told = await running.reads.adherence(**asked, consistency=since(position))
    assert (told.from_date, told.to_date) == ("2026-03-03", "2026-03-03")
    assert (told.zone, told.sessions) == ("Europe/Berlin", 1)
    quality = await running.reads.quality(**asked)
    assert [one.reps for one in quality.exercises] == [1]
    before = stamped(evening - timedelta(seconds=1))
    earlier = await running.reads.adherence(**{**asked, "as_of": before})
    assert (earlier.to_date, earlier.sessions) == ("2026-03-02", 0)


async def test_what_was_not_due_and_not_measured_is_absent_and_not_zero(running: Clinic):
    position = await running.log.append(event(1, BEGIN, started("s")))
    told = await running.reads.adherence(
        patient_id=PATIENT, as_of=AS_OF, consistency=since(position)
    )
    for name in ("dose_ratio", "full_ratio", "started_ratio", "weekly_frequency"):
        assert not told.HasField(name), name
    assert not told.HasField("scored_coverage")
    quality = await running.reads.quality(patient_id=PATIENT, as_of=AS_OF)
    assert not quality.exercises
    assert not quality.pain.HasField("latest")
    assert quality.pain.band == ""


async def test_quality_is_told_per_exercise_with_the_pain_beside(running: Clinic):
    position = await running.log.append(*two_days())
    told = await running.reads.quality(patient_id=PATIENT, as_of=AS_OF, consistency=since(position))
    (knee,) = told.exercises
    assert (knee.reps, knee.scored, knee.good, knee.median_score) == (10, 10, 6, 71)
    assert (knee.p90_rom_deg, knee.rom_target_pct) == (100, 80)
    assert knee.fatigue_slope == pytest.approx(2)
    assert [day.local_date for day in knee.days] == ["2026-03-02"]
    assert not knee.HasField("trend")
    assert (told.pain.latest, told.pain.worst, told.pain.mean_delta, told.pain.band) == (
        5,
        5,
        2,
        "mild",
    )
    none = await running.reads.quality(patient_id=PATIENT, as_of=AS_OF, exercise_id="squat")
    assert not none.exercises


async def test_sessions_come_newest_first_in_pages(running: Clinic):
    events = []
    for n in range(7):
        events += whole_session(10 * (n + 1), f"s{n}", BEGIN + timedelta(days=n), [10])
    position = await running.log.append(*events)
    seen, token = [], ""
    while True:
        page = await running.reads.sessions(
            patient_id=PATIENT, page_size=3, page_token=token, consistency=since(position)
        )
        seen.append([session.session_id for session in page.sessions])
        token = page.next_page_token
        if not token:
            break
    assert seen == [["s6", "s5", "s4"], ["s3", "s2", "s1"], ["s0"]]
    session = page.sessions[0]
    assert (session.status, session.duration_s, session.local_date) == (
        "completed",
        600,
        "2026-03-02",
    )


async def test_a_session_tells_the_pain_around_it(running: Clinic):
    position = await running.log.append(*two_days())
    page = await running.reads.sessions(patient_id=PATIENT, consistency=since(position))
    later, first = page.sessions
    assert (first.pain_pre, first.pain_post, first.reps, first.scored) == (3, 5, 10, 10)
    assert first.median_score == 71
    assert not later.HasField("pain_pre")
    assert not later.HasField("median_score")


async def test_a_page_token_of_another_question_is_refused_by_name_and_rule(running: Clinic):
    events = [event(n, BEGIN + timedelta(hours=n), started(f"s{n}")) for n in range(1, 4)]
    other = [event(n, BEGIN, started(f"t{n}"), patient="patient-2") for n in range(11, 14)]
    position = await running.log.append(*events, *other)
    asked = {"page_size": 1, "consistency": since(position)}
    token = (await running.reads.sessions(patient_id=PATIENT, **asked)).next_page_token
    broken = [("page_token", "page_token.of_this_request")]
    for wrong in (token[:-4] + "AAAA", "nonsense!", token[8:]):
        error = await refused(running.reads.sessions(patient_id=PATIENT, page_token=wrong))
        assert isinstance(error, InvalidArgument)
        assert rules_of(error) == broken
    foreign = running.reads.sessions(patient_id="patient-2", page_token=token)
    assert rules_of(await refused(foreign)) == broken
    assert rules_of(await refused(running.reads.work(page_token=token))) == broken


async def test_an_unknown_patient_is_not_found(running: Clinic):
    for ask in (running.reads.adherence, running.reads.quality, running.reads.sessions):
        assert isinstance(await refused(ask(patient_id="nobody")), NotFound)


@pytest.mark.parametrize(
    ("asked", "broken"),
    [
        ({"window": pb.Window(days=0)}, ("window.days", "uint32.gte_lte")),
        ({"window": pb.Window()}, ("window.span", "required")),
        (
            {"window": {"range": {"from_date": "2026-02-30", "to_date": "2026-03-01"}}},
            ("window.range.from_date", "date.exists"),
        ),
        (
            {"window": {"range": {"from_date": "2026-03-02", "to_date": "2026-03-01"}}},
            ("window.range.to_date", "range.order"),
        ),
        (
            {"window": {"range": {"from_date": "0001-01-01", "to_date": "0001-01-02"}}},
            ("window.range.from_date", "date.years"),
        ),
        ({"as_of": stamped(at("9000-01-01"))}, ("as_of", "timestamp.range")),
        ({"as_of": stamped(at("1999-12-31"))}, ("as_of", "timestamp.range")),
        ({"patient_id": "no spaces"}, ("patient_id", "string.pattern")),
        ({"consistency": {"max_wait_ms": 30_001}}, ("consistency.max_wait_ms", "uint32.lte")),
    ],
)
async def test_a_bad_question_is_refused_with_field_and_rule(running: Clinic, asked, broken):
    error = await refused(running.reads.adherence(**{"patient_id": PATIENT, **asked}))
    assert isinstance(error, InvalidArgument)
    assert rules_of(error) == [broken]


async def test_a_position_that_is_not_reached_in_time_is_stale(running: Clinic):
    position = await running.log.append(event(1, BEGIN, started("s")))
    await running.reads.lag_at(position)
    # the log goes on by itself: it tells who was lent keys
    asked = pb.Consistency(min_position=position + 100, max_wait_ms=20)
    error = await refused(running.reads.adherence(patient_id=PATIENT, consistency=asked))
    assert isinstance(error, Stale)
    reached = int(error.metadata.pop("position"))
    assert position <= reached < position + 100
    assert error.metadata == {"min_position": str(position + 100), "shard": "0"}


async def test_a_read_waits_for_the_position_it_asks_for(running: Clinic):
    for n in range(1, 11):
        position = await running.log.append(event(n, BEGIN, set_completed("s", n, 1)))
        told = await running.reads.sessions(patient_id=PATIENT, consistency=since(position))
        assert told.freshness.position >= position


async def test_only_those_who_may_read_patient_data_do(running: Clinic):
    position = await running.log.append(*two_days())
    await running.reads.lag_at(position)
    verdicts = {
        Principal("ann", "therapist", CLINIC): None,
        Principal("e", "emergency", CLINIC): None,
        service_principal("emr"): None,
        Principal(PATIENT, "patient", CLINIC): None,
        Principal("ann", "therapist", "clinic-2"): NotFound,
        Principal("patient-2", "patient", CLINIC): NotFound,
        Principal("root", "admin", CLINIC): PermissionDenied,
        Principal("phone", "device", CLINIC): PermissionDenied,
    }
    for principal, expected in verdicts.items():
        async with running.as_(principal) as reads:
            for ask in (reads.adherence, reads.quality, reads.sessions):
                if expected is None:
                    await ask(patient_id=PATIENT)
                else:
                    assert isinstance(await refused(ask(patient_id=PATIENT)), expected), principal


async def test_only_therapists_of_the_clinic_see_its_work_queue(running: Clinic):
    for principal in (
        Principal("ann", "therapist", "clinic-2"),
        Principal(PATIENT, "patient", CLINIC),
        Principal("root", "admin", CLINIC),
    ):
        async with running.as_(principal) as reads:
            assert isinstance(await refused(reads.work()), PermissionDenied)
            watching = anext(reads.watch())
            assert isinstance(await refused(watching), PermissionDenied)


def report(number: int, patient: str, content, hours: float = 0):
    return event(number, BEGIN + timedelta(hours=hours), content, patient=patient)


FALL = body(symptom_report={"fall": {}})
NEAR = body(symptom_report={"fall": {"near": True}})


async def test_the_work_queue_lists_the_most_urgent_first_with_its_reasons(running: Clinic):
    position = await running.log.append(
        report(1, "near", NEAR),
        report(2, "late-fall", FALL, 2),
        report(3, "fall", FALL, 1),
        report(4, "well", pain(1)),
        event(5, BEGIN, FALL, patient="elsewhere", clinic="clinic-2"),
    )
    told = await running.reads.work(as_of=AS_OF, consistency=since(position))
    assert patients(told.items) == ["fall", "late-fall", "near"]
    first = told.items[0]
    assert (first.item_id, first.rank, first.overdue) == ("work:fall", 1, True)
    assert first.severity == common_pb2.SEVERITY_CRITICAL
    (reason,) = first.reasons
    assert (reason.code, reason.rule, len(reason.event_ids)) == ("fall", "a fall was reported", 1)
    assert first.due_at == stamped(BEGIN + timedelta(hours=2))
    severe = await running.reads.work(min_severity="SEVERITY_CRITICAL")
    assert patients(severe.items) == ["fall", "late-fall"]


async def test_the_work_queue_comes_in_pages_that_keep_its_order_and_ranks(running: Clinic):
    events = [report(n, f"p{n}", FALL if n % 2 else NEAR, n) for n in range(1, 8)]
    position = await running.log.append(*events)
    seen, token = [], ""
    while True:
        page = await running.reads.work(
            page_size=2, page_token=token, consistency=since(position), as_of=AS_OF
        )
        seen += [(item.rank, item.patient_id) for item in page.items]
        token = page.next_page_token
        if not token:
            break
    order = ["p1", "p3", "p5", "p7", "p2", "p4", "p6"]
    assert seen == list(enumerate(order, start=1))


async def test_a_patient_who_stays_away_is_listed_as_of_the_time_asked_for(running: Clinic):
    position = await running.log.append(
        event(1, at("2026-03-01T00:00"), prescribed()),
        *whole_session(10, "s", BEGIN, [10, 10, 10]),
    )

    async def at_hours(hours: float) -> list[str]:
        as_of = stamped(at("2026-03-02T08:04") + timedelta(hours=hours))
        told = await running.reads.work(as_of=as_of, consistency=since(position))
        return [f"{codes(one)[0]}:{one.severity}" for one in told.items]

    assert await at_hours(48.9) == []
    assert await at_hours(49) == ["no_session:1"]
    assert await at_hours(14 * 24) == ["no_session:2"]


async def test_a_closed_item_is_done_and_a_snoozed_one_snoozed(running: Clinic):
    def review(patient: str, **action):
        return body(review={"item_id": f"work:{patient}", **action})

    position = await running.log.append(
        report(1, "a", FALL),
        report(2, "b", FALL),
        report(3, "c", FALL),
        report(4, "a", review("a", closed={"outcome": "contacted"}), 1),
        report(5, "b", review("b", snoozed={"until": "2026-03-09T00:00:00Z"}), 1),
        report(6, "c", review("c", assigned={"therapist_id": "cy"}), 1),
    )
    asked = {"as_of": AS_OF, "consistency": since(position)}
    assert patients((await running.reads.work(**asked)).items) == ["c"]
    snoozed = await running.reads.work(status="WORK_ITEM_STATUS_SNOOZED", **asked)
    assert patients(snoozed.items) == ["b"]
    done = await running.reads.work(status="WORK_ITEM_STATUS_DONE", **asked)
    assert patients(done.items) == ["a"]
    assert patients((await running.reads.work(therapist_id="cy", **asked)).items) == ["c"]
    assert patients((await running.reads.work(therapist_id="ann", **asked)).items) == []


async def test_the_lag_tells_how_far_the_read_models_are(running: Clinic):
    await running.reads.lag_at(await running.log.append(event(9, BEGIN, pain(1))))
    position = await running.log.append(*two_days())
    lag = await running.reads.lag_at(position)
    assert (lag.name, lag.head, lag.events, lag.parked) == ("read_models", position, 0, 0)
    assert (lag.status, lag.oldest_unprocessed_ms) == ("live", 0)
    assert 0 < lag.lag_p50_ms <= lag.lag_p99_ms
    assert lag.incarnation


async def test_a_fast_clock_of_a_phone_hides_nothing_from_the_present(running: Clinic):
    soon = datetime.now(UTC) + timedelta(minutes=4)
    position = await running.log.append(event(1, soon, set_completed("s", 1, 10)))
    days = pb.DateRange(
        from_date=(soon - timedelta(days=1)).date().isoformat(),
        to_date=(soon + timedelta(days=1)).date().isoformat(),
    )
    told = await running.reads.adherence(
        patient_id=PATIENT, window=pb.Window(range=days), consistency=since(position)
    )
    assert (told.sessions, told.monitoring_days) == (1, 1)


async def test_a_status_that_there_is_none_of_is_refused_by_its_rule(running: Clinic):
    error = await refused(running.reads.work(status=99))
    assert rules_of(error) == [("status", "enum.defined_only")]
