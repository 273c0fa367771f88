from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehab_clinical.windows import WholePlan

from rehab.events.v1 import event_pb2
from rehab_projections.answers import (
    AsOf,
    answer_adherence,
    answer_quality,
    answer_sessions,
)
from rehab_projections.board import Board
from rehab_projections.projector import Projector
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.read import Reader
from rehab_projections.storage.write import FencedError, Writer
from rehab_runtime import postgres
from tests.projections.given import (
    CLINIC,
    PATIENT,
    at,
    body,
    event,
    observed,
    pain,
    prescribed,
    recorded,
    rep,
    set_completed,
    whole_session,
)
from tests.projections.streams import BEGIN, streams

PACKAGE = "rehab_projections"
NOW = at("2026-04-20T12:00")


class Log:
    """A log in memory: positions in the order of appending."""

    def __init__(self, events: Sequence[event_pb2.Event] = ()) -> None:
        self.events: list[event_pb2.RecordedEvent] = []
        self.append(*events)

    def append(self, *events: event_pb2.Event) -> list[event_pb2.RecordedEvent]:
        first = len(self.events) + 1
        added = [recorded(made, position) for position, made in enumerate(events, first)]
        self.events += added
        return added

    async def read_stream(self, patient_id: str) -> list[event_pb2.RecordedEvent]:
        return [one for one in self.events if one.envelope.subject_id == patient_id]


class Runner:
    """Folds a log into a store."""

    def __init__(self, writer: Writer, log: Log) -> None:
        self.writer = writer
        self.log = log
        self.projector = Projector(writer, log.read_stream)
        self.cursor = Cursor(0, "")

    async def begin(self) -> Runner:
        self.projector.forget()
        self.cursor = (await self.writer.start(["incarnation-1"])).of(0)
        return self

    async def fold(self, batch: Sequence[event_pb2.RecordedEvent]) -> None:
        changes = await self.projector.changes_of(batch)
        self.cursor = await self.writer.store(self.cursor, batch[-1], changes)
        self.projector.stored(changes)

    async def fold_on(self, size: int = 500) -> None:
        while pending := self.log.events[self.cursor.position :][:size]:
            await self.fold(pending)


class Store:
    def __init__(self, database: postgres.Database) -> None:
        queries = postgres.Queries.load(PACKAGE, "queries.sql")
        self.database = database
        self.writer = Writer(database, queries)
        self.reader = Reader(database, queries)

    async def runner(self, log: Log) -> Runner:
        return await Runner(self.writer, log).begin()

    async def content(self) -> dict[str, list[Any]]:
        """Every row of every read model."""
        tables = (
            "patient",
            "care_event",
            "session",
            "exercise_set",
            "monitoring",
            "corrected",
            "vital",
            "billing_event",
            "session_note",
            "work_episode",
        )
        return {
            table: sorted(tuple(row) for row in await self.database.fetch(f"SELECT * FROM {table}"))
            for table in tables
        }

    async def empty(self) -> None:
        await self.database.execute(
            "TRUNCATE projection, parked, corrected, patient, care_event, session, exercise_set,"
            " monitoring, vital, billing_event, session_note, work_episode"
        )

    async def answers(self, patient_id: str = PATIENT) -> dict[str, Any]:
        """Everything that can be asked of a patient, and the clinic's list."""
        as_of = AsOf.at(NOW, NOW)
        async with self.reader.snapshot() as view:
            told = await answer_adherence(view, patient_id, WholePlan(), as_of)
            quality = await answer_quality(view, patient_id, WholePlan(), as_of, "")
            page = await answer_sessions(view, patient_id, None, 500)
            items = await Board().items(view, CLINIC, as_of, live=False)
        return {
            "adherence": told,
            "ratios": (told.adherence.dose_ratio, told.adherence.quality_adjusted_dose),
            "exercises": quality.exercises,
            "pain": (quality.pain.reports, quality.pain.worst, quality.pain.mean_delta),
            "sessions": page.sessions,
            "items": items,
        }


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Store]:
    await postgres.migrate(dsn, f"{PACKAGE}.registry")
    await postgres.migrate(dsn, PACKAGE)
    async with postgres.connect(dsn, name="projections-test") as database:
        yield Store(database)


@pytest_asyncio.fixture
async def store(database_dsn: str) -> AsyncIterator[Store]:
    async with opened(database_dsn) as made:
        yield made


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Runs a coroutine from a plain test, which is what Hypothesis calls."""
    with asyncio.Runner() as runner:
        yield runner.run


def a_month() -> list[event_pb2.Event]:
    events = [
        event(1, at("2026-03-01T00:00"), prescribed(sessions_per_week=7)),
        event(2, at("2026-03-09T09:00"), pain(8, "POST", "s3")),
    ]
    for n in range(20):
        begin = at("2026-03-02T08:00") + timedelta(days=n)
        events += whole_session(100 + 10 * n, f"s{n}", begin, [10, 8, n])
        reps = [rep(i, 60 + n + i) for i in range(1, 9)]
        events.append(event(1000 + n, begin, observed(f"s{n}", reps)))
    return events


async def test_a_batch_and_its_position_are_stored_together(store: Store):
    runner = await store.runner(Log(a_month()))
    await runner.fold(runner.log.events[:50])
    async with store.reader.snapshot() as view:
        assert view.cursors.of(0).position == 50
        assert view.cursors.of(0).recorded_at == runner.cursor.recorded_at
        assert len(await view.session_page(PATIENT, None, 100)) == 8


async def test_a_batch_stored_before_is_refused_whole(store: Store):
    runner = await store.runner(Log(a_month()))
    zombie = await store.runner(runner.log)
    await runner.fold_on()
    before = await store.content()
    with pytest.raises(FencedError):
        await zombie.fold(runner.log.events[:10])
    assert await store.content() == before


async def test_two_runners_that_fall_over_each_other_fold_everything_once(store: Store):
    log = Log(a_month())
    runners = [await store.runner(log), await store.runner(log)]
    for turn in range(1000):
        runner = runners[turn % 2]
        pending = log.events[runner.cursor.position :][: 3 + turn % 5]
        if not pending:
            break
        try:
            await runner.fold(pending)
        except FencedError:
            await runner.begin()
    once = await store.content()
    await store.empty()
    await (await store.runner(log)).fold_on()
    assert await store.content() == once


async def test_batches_of_any_size_with_and_without_memory_give_the_same_rows(store: Store):
    log = Log(a_month())
    contents = []
    for size, forgetful in ((500, False), (1, False), (7, True)):
        await store.empty()
        runner = await store.runner(log)
        while pending := log.events[runner.cursor.position :][:size]:
            await runner.fold(pending)
            if forgetful:
                runner.projector.forget()
        contents.append(await store.content())
    assert contents[0] == contents[1] == contents[2]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=streams(),
    random=st.randoms(use_true_random=False),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
)
def test_no_order_of_arrival_and_no_cut_into_batches_changes_a_stored_answer(
    database_dsn: str, events, random, sizes, run
):
    async def answers_of(arrived, cut) -> dict[str, Any]:
        async with opened(database_dsn) as store:
            await store.empty()
            runner = await store.runner(Log(arrived))
            turn = 0
            while pending := runner.log.events[runner.cursor.position :][: cut[turn % len(cut)]]:
                await runner.fold(pending)
                turn += 1
            return await store.answers()

    told = event(9000, BEGIN, body(symptom_report={"fall": {"near": True}}))
    first = run(answers_of([told, *events], [500]))
    second = run(answers_of(random.sample([told, *events], len(events) + 1), sizes))
    assert first == second


async def test_an_event_that_cannot_be_folded_holds_back_its_stream_only(store: Store):
    log = Log()
    other = "patient-2"
    log.append(event(1, NOW, set_completed("a", 1, 10)))
    (poison,) = log.append(event(2, NOW, set_completed("a", 2, 10)))
    poison.body = b"\xff\xff\xff"
    log.append(
        event(3, NOW, set_completed("a", 3, 10)),
        event(4, NOW, set_completed("b", 1, 7), patient=other),
    )
    runner = await store.runner(log)
    await runner.fold_on()
    (parked,) = await store.writer.parked()
    assert (parked.patient_id, parked.position) == (PATIENT, 2)
    assert parked.reason == "exercise_session: DecodeError"
    async with store.reader.snapshot() as view:
        ((mine,), (others,)) = (await view.sessions([PATIENT, other])).values()
        assert sum(one.reps for one in mine.summary.done.values()) == 10
        assert sum(one.reps for one in others.summary.done.values()) == 7
        assert view.cursors.of(0).position == 4


async def test_a_stream_held_back_stays_so_until_it_is_released_and_then_lacks_nothing(
    store: Store,
):
    log = Log([event(1, NOW, set_completed("a", 1, 10))])
    sealed = log.append(event(2, NOW, set_completed("a", 2, 10)))[0]
    sealed.key_id = "key-1"
    runner = await store.runner(log)
    await runner.fold_on()
    log.append(event(3, NOW, set_completed("a", 3, 10)))
    await runner.fold_on()
    (parked,) = await store.writer.parked()
    assert parked.reason == "exercise_session: SealedBodyError"
    still = await runner.projector.release(parked, runner.cursor.position)
    assert still.released == ()
    sealed.key_id = ""
    changes = await runner.projector.release(parked, runner.cursor.position)
    runner.cursor = await store.writer.mend(runner.cursor, changes)
    runner.projector.stored(changes)
    assert await store.writer.parked() == []
    log.append(event(4, NOW, set_completed("a", 4, 10)))
    await runner.fold_on()
    once = await store.content()
    await store.empty()
    await (await store.runner(log)).fold_on()
    assert (await store.content())["session"] == once["session"]


async def test_an_impossible_plan_holds_back_its_stream(store: Store):
    runner = await store.runner(Log([event(1, NOW, prescribed(effective_from="2026-02-30"))]))
    await runner.fold_on()
    (parked,) = await store.writer.parked()
    assert parked.reason == "plan: ValueError"


async def test_a_body_of_another_kind_than_its_envelope_holds_back_its_stream(store: Store):
    made = event(1, NOW, pain(9))
    made.envelope.kind = "alert"
    await (await store.runner(Log([made]))).fold_on()
    assert [one.reason for one in await store.writer.parked()] == ["alert: ValueError"]


async def test_a_correction_folds_its_patient_anew_wherever_it_stands(store: Store):
    wrong = event(10, NOW, set_completed("a", 1, 100))
    right = event(11, NOW, set_completed("a", 1, 10), corrects=wrong.envelope.event_id)
    bystander = event(12, NOW, pain(8))
    for arrived in ((wrong, bystander, right), (right, bystander, wrong)):
        for size in (1, 500):
            await store.empty()
            runner = await store.runner(Log(arrived))
            await runner.fold_on(size)
            async with store.reader.snapshot() as view:
                ((session,),) = (await view.sessions([PATIENT])).values()
                assert [one.reps for one in session.summary.done.values()] == [10]
                assert len(await Board().items(view, CLINIC, AsOf.at(NOW, NOW), live=False)) == 1


async def test_what_a_corrected_event_corrects_stays_void_in_every_order(store: Store):
    first = event(10, NOW, pain(9))
    second = event(11, NOW, pain(8), corrects=first.envelope.event_id)
    third = event(12, NOW, pain(1), corrects=second.envelope.event_id)
    for arrived in permutations((first, second, third)):
        await store.empty()
        await (await store.runner(Log(arrived))).fold_on(1)
        assert (await store.answers())["pain"] == (1, 1, None), arrived


async def test_an_erasure_leaves_nothing_of_a_patient_and_nothing_comes_back(store: Store):
    erasure = body(erasure={"stage": "ERASURE_STAGE_DONE", "reason": "request"})
    log = Log([*a_month(), event(5000, NOW, pain(9), patient="patient-2")])
    runner = await store.runner(log)
    await runner.fold_on()
    log.append(event(5001, NOW, erasure), event(5002, NOW, pain(9)))
    await runner.fold_on()
    content = await store.content()
    for table in ("care_event", "session", "exercise_set", "monitoring"):
        assert PATIENT not in {row[0] for row in content[table]}, table
    async with store.reader.snapshot() as view:
        assert await view.patient(PATIENT) is None
        items = await Board().items(view, CLINIC, AsOf.at(NOW, NOW), live=False)
    assert [one.patient_id for one in items] == ["patient-2"]


async def test_even_a_stream_held_back_is_erased(store: Store):
    log = Log([event(1, NOW, pain(9)), event(2, NOW, prescribed(effective_from="2026-02-30"))])
    runner = await store.runner(log)
    await runner.fold_on()
    log.append(event(3, NOW, body(erasure={"stage": "ERASURE_STAGE_DONE"})))
    await runner.fold_on()
    assert await store.writer.parked() == []
    assert (await store.content())["care_event"] == []


async def test_the_erased_bodies_of_a_log_are_passed_over(store: Store):
    log = Log([event(1, NOW, pain(9))])
    log.events[0].body, log.events[0].erased = b"", True
    await (await store.runner(log)).fold_on()
    assert await store.writer.parked() == []
    assert (await store.content())["patient"] == []


async def test_another_incarnation_of_the_log_is_told_by_the_cursor(store: Store):
    await store.writer.start(["incarnation-1"])
    assert (await store.writer.start(["incarnation-2"])).of(0).incarnation == "incarnation-1"


async def test_the_answers_after_a_month_are_those_of_the_formulae(store: Store):
    await (await store.runner(Log(a_month()))).fold_on()
    told = await store.answers()
    first = told["sessions"][-1]
    assert (first.session_id, first.summary.seen, first.pain_post) == ("s0", 8, None)
    assert told["sessions"][16].pain_post == 8
    assert told["adherence"].adherence.due[0].ratio == Fraction(18, 30)
