"""Vitals, billing evidence, notes and work episodes in real tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab.events.v1 import event_pb2
from rehab_projections.batch import Batch
from rehab_projections.storage.billing import billed_patients, billing_facts
from rehab_projections.storage.vitals import metrics_of, reading_page, readings_between
from tests.projections.given import CLINIC, PATIENT, at, body, event, pain, recorded
from tests.projections.given_care import (
    agreed,
    by_clinician,
    certified,
    monitoring,
    sample,
    samples,
    segment,
    slept,
    voided,
    worked,
)
from tests.projections.test_storage import Log, Store, opened, run, store

__all__ = ["run", "store"]
NOON = at("2026-03-02T12:00")
DAY = timedelta(days=1)
TABLES = ("vital", "billing_event", "session_note", "work_episode", "monitoring")
ERASURE = body(erasure={"stage": "ERASURE_STAGE_DONE", "reason": "request"})

bodies = st.one_of(
    st.builds(
        lambda day, value: samples(sample(NOON + day * DAY, value, minutes=60)),
        st.integers(-40, 40),
        st.integers(0, 3),
    ),
    st.integers(0, 3).map(lambda n: slept(NOON, 6, segment("core", NOON, n))),
    st.builds(worked, st.sampled_from(["e1", "e2"]), st.just(NOON), st.integers(1, 30)),
    st.sampled_from(["e1", "e2"]).map(voided),
    st.just(monitoring()),
    st.integers(0, 10).map(pain),
    st.just(body(feedback={"session_id": "s", "form": {"cue": "knee_out"}})),
    st.just(body(review={"item_id": "work:p", "closed": {"outcome": "contacted"}})),
)


@st.composite
def histories(draw: st.DrawFn) -> list[event_pb2.Event]:
    events: list[event_pb2.Event] = []
    for number, content in enumerate(draw(st.lists(bodies, min_size=2, max_size=16)), 1):
        corrects = ""
        if events and draw(st.integers(0, 7)) == 0:
            corrects = draw(st.sampled_from(events)).envelope.event_id
        when = NOON + timedelta(minutes=draw(st.integers(0, 10_000)))
        events.append(event(number, when, content, corrects=corrects))
    return events


async def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            (tuple(row) for row in await store.database.fetch(f"SELECT * FROM {table}")), key=repr
        )
        for table in TABLES
    }


async def folded(store: Store, events: Sequence[event_pb2.Event], size: int = 500) -> None:
    await store.empty()
    await (await store.runner(Log(events))).fold_on(size)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=histories(), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_no_cut_into_batches_changes_a_row_whatever_is_corrected(
    database_dsn: str, events, sizes, run
):
    async def kept(cut: list[int]) -> dict[str, Any]:
        async with opened(database_dsn) as store:
            await store.empty()
            runner = await store.runner(Log(events))
            turn = 0
            while pending := runner.log.events[runner.cursor.position :][: cut[turn % len(cut)]]:
                await runner.fold(pending)
                turn += 1
            assert await store.writer.parked() == []
            return await rows(store)

    assert run(kept([500])) == run(kept(sizes))


async def test_what_is_corrected_is_kept_in_no_table(store: Store):
    wrong = [
        event(1, NOON, samples(sample(NOON, 500, minutes=60))),
        by_clinician(2, NOON, worked("e1", NOON, 250)),
        event(3, NOON, body(feedback={"session_id": "s", "form": {"cue": "knee_out"}})),
    ]
    right = [
        event(10 + n, NOON, pain(1), corrects=one.envelope.event_id) for n, one in enumerate(wrong)
    ]
    for arrived in ([*wrong, *right], [*right, *wrong]):
        for size in (1, 500):
            await folded(store, arrived, size)
            kept = await rows(store)
            assert [kept[table] for table in TABLES[:3]] == [[], [], []], size


async def test_each_month_of_readings_has_a_partition_of_its_own(store: Store):
    starts = [at(f"{month}-15T12:00") for month in ("2013-12", "2026-02", "2026-03", "2038-01")]
    content = samples(*(sample(start, 5, minutes=1) for start in starts))
    await folded(store, [event(1, NOON, content), event(2, NOON, content)])
    told = await store.database.fetch(
        "SELECT tableoid::regclass::text, start_at FROM vital ORDER BY start_at"
    )
    names = ["vital_before", "vital_2026_02", "vital_2026_03", "vital_after"]
    assert [row[0] for row in told] == names
    kinds = await store.database.fetch(
        "SELECT am.amname FROM pg_class i JOIN pg_am am ON am.oid = i.relam"
        " JOIN pg_index x ON x.indexrelid = i.oid WHERE x.indrelid = 'vital_2026_03'::regclass"
    )
    assert sorted(row[0] for row in kinds) == ["brin", "btree"]


async def test_no_name_of_a_source_keeps_a_batch_from_being_stored(store: Store):
    names = [["\0"], [f"{n}" + "\U0001f3c3" * 120 for n in range(16)], ["a|b"], []]
    told = samples(*(sample(NOON, n, sources=each) for n, each in enumerate(names)))
    await folded(store, [event(1, NOON, told)])
    assert await store.writer.parked() == []
    (kept,) = await store.database.fetch("SELECT count(DISTINCT sources) FROM vital")
    assert kept[0] == 3


async def test_writers_that_need_the_same_month_at_once_wait_for_each_other(store: Store):
    async def make(connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT ensure_vital_month($1)", date(2031, 5, 1))

    async with store.database.transaction() as first:
        await make(first)

        async def second() -> None:
            async with store.database.transaction() as connection:
                await make(connection)

        waiting = asyncio.create_task(second())
        async with asyncio.timeout(10):
            while not await store.database.fetch(
                "SELECT 1 FROM pg_locks WHERE relation = 'vital'::regclass AND NOT granted"
            ):
                await asyncio.sleep(0.01)
        reader = await store.database.fetch("SELECT count(*) FROM vital")
        assert reader[0][0] == 0
    await waiting
    made = await store.database.fetch("SELECT to_regclass('vital_2031_05') IS NOT NULL")
    assert made[0][0]


async def test_readings_are_paged_by_key_and_never_cut_between_versions(store: Store):
    grown = [
        event(n, NOON, samples(*(sample(NOON + m * DAY, 10 * n + m, minutes=1) for m in range(5))))
        for n in range(1, 4)
    ]
    await folded(store, grown)
    span = (NOON - DAY, NOON + 9 * DAY)
    seen, after = [], None
    async with store.reader.snapshot() as view:
        for _ in range(10):
            page = await reading_page(view, PATIENT, "step_count", span, after, 2)
            if not page:
                break
            keys = {one.key for one in page}
            assert len(page) == 3 * len(keys)
            seen += sorted(keys, reverse=True)
            after = (seen[-1].start, seen[-1].end, seen[-1].aggregation, seen[-1].sources)
        assert await metrics_of(view, PATIENT) == ["step_count"]
        some = await readings_between(view, PATIENT, ["step_count"], NOON, NOON + DAY)
    assert [key.start for key in seen] == [NOON + m * DAY for m in (4, 3, 2, 1, 0)]
    assert sorted(one.value for one in some) == [10, 20, 30]


async def test_metrics_are_found_without_reading_all_rows(store: Store):
    metrics = ["heart_rate_variability", "step_count", "weight_body_mass"]
    told = [
        event(n, NOON, samples(sample(NOON + n * DAY, n), metric=metric))
        for n, metric in enumerate(metrics * 3, 1)
    ]
    await folded(store, told)
    async with store.reader.snapshot() as view:
        assert await metrics_of(view, PATIENT) == metrics
        assert await metrics_of(view, "nobody") == []


async def test_an_erasure_leaves_no_reading_no_evidence_and_no_note(store: Store):
    events = [
        event(1, NOON, samples(sample(NOON, 5))),
        event(2, NOON, agreed(NOON)),
        by_clinician(3, NOON, worked("e1", NOON, 5)),
        event(4, NOON, pain(9)),
        event(5, NOON, body(feedback={"session_id": "s", "form": {"cue": "knee_out"}})),
        event(6, NOON, pain(9), patient="patient-2"),
    ]
    await folded(store, events)
    assert all((await rows(store)).values())
    await folded(store, [*events, event(7, NOON, ERASURE)])
    kept = await rows(store)
    assert {table: [row[0] for row in kept[table]] for table in TABLES} == {
        "vital": [],
        "billing_event": [],
        "session_note": [],
        "work_episode": ["patient-2"],
        "monitoring": ["patient-2"],
    }


async def test_evidence_that_could_not_be_reckoned_holds_back_its_stream(store: Store):
    impossible = body(plan_of_care={"from_date": "2026-02-30", "to_date": "2026-03-30"})
    await folded(store, [event(1, NOON, agreed(NOON)), event(2, NOON, impossible)])
    (parked,) = await store.writer.parked()
    assert (parked.position, parked.reason) == (2, "plan_of_care: ValueError")
    async with store.reader.snapshot() as view:
        assert [fact.kind for fact in await billing_facts(view, PATIENT)] == ["consent"]
        assert await billed_patients(view, CLINIC, "", 10) == [PATIENT]
        assert await billed_patients(view, CLINIC, PATIENT, 10) == []


async def test_replicas_of_the_release_before_can_begin_beside_those_of_this_one(store: Store):
    await store.empty()
    await store.database.execute("DELETE FROM projection")
    await store.database.execute(
        "INSERT INTO projection (name, shard, position, incarnation, generation)"
        " VALUES ('read_models', 0, 0, 'incarnation-1', 2) ON CONFLICT DO NOTHING"
    )
    await folded(store, [event(1, NOON, pain(9))])
    assert await store.database.fetch("SELECT * FROM patient")


def test_a_history_with_evidence_that_cannot_be_reckoned_with_is_held_back() -> None:
    """As when a stream that was held back is tried again."""
    impossible = recorded(event(1, NOON, certified("2026-03-01", "2026-02-30")), 1)
    batch = Batch()
    batch.replace(PATIENT, [impossible], 1)
    (parked,) = batch.changes().parked
    assert (parked.position, parked.reason) == (1, "plan_of_care: ValueError")
