"""Devices' clocks that are wrong: read models reckon by a right one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.days import local_date
from rehab_clinical.facts import fact_of, happened_at, moment
from rehab_clinical.vitals import readings_of

from rehab.events.v1 import event_pb2
from rehab_projections.registry.versions import FOLD_VERSION
from tests.projections.ask import history_of
from tests.projections.given import at, event, pain, recorded
from tests.projections.given_care import sample, samples
from tests.projections.service import Place, clinic, eventstore, looked_into, projections, since_all
from tests.projections.streams import BEGIN, DAYS, streams
from tests.projections.test_any_order import meaning
from tests.projections.test_consumer import mixed, rows
from tests.projections.test_rebuild import dsn, until

PAGE = Path(__file__).parents[2] / "docs" / "domain" / "time.md"
VECTORS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and "T" in line and "Z |" in line
]
SKEWS = st.integers(-10 * 86_400_000, 10 * 86_400_000)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector[0] for vector in VECTORS])
def test_the_published_vector_holds(vector: list[str]) -> None:
    _, occurred_at, skew_ms, zone, expected, day = vector
    told = event(1, at(occurred_at.replace("Z", "+00:00")), pain(3), zone=zone)
    told.envelope.clock_skew_ms = int(skew_ms)
    found = fact_of(recorded(told, 1)).stamp.at
    assert found == happened_at(told.envelope) == at(expected.replace("Z", "+00:00"))
    assert local_date(found, ZoneInfo(zone)).isoformat() == day


def test_the_page_publishes_vectors() -> None:
    assert len(VECTORS) >= 3


def shifted(told: Timestamp, skew_ms: int) -> None:
    moved = moment(told) + timedelta(milliseconds=skew_ms)
    told.FromDatetime(moved)


def by_wrong_clock(told: event_pb2.Event, skew_ms: int) -> event_pb2.Event:
    """The same event, told by a device whose clock is so far ahead."""
    made = event_pb2.Event.FromString(told.SerializeToString())
    shifted(made.envelope.occurred_at, skew_ms)
    session = made.body.exercise_session
    if made.body.HasField("exercise_session") and session.HasField("self_reported"):
        shifted(session.self_reported.started_at, skew_ms)
    made.envelope.clock_skew_ms = skew_ms
    return made


@settings(max_examples=150, deadline=None)
@given(streams(), st.data(), st.integers(0, 24 * (DAYS + 2)))
def test_no_answer_depends_on_how_wrong_a_clock_is_that_was_measured(
    events: list[event_pb2.Event], data: st.DataObject, hours: int
) -> None:
    wrong = [by_wrong_clock(told, data.draw(SKEWS)) for told in events]
    as_of = BEGIN + timedelta(hours=hours)
    assert meaning(history_of(wrong), as_of) == meaning(history_of(events), as_of)


@settings(max_examples=150, deadline=None)
@given(streams())
def test_without_a_skew_every_time_stays_as_it_was_told(events: list[event_pb2.Event]) -> None:
    for number, told in enumerate(events, start=1):
        fact = fact_of(recorded(told, number))
        assert fact.stamp.at == moment(told.envelope.occurred_at)


def test_readings_of_another_clock_stay_as_they_were_told() -> None:
    taken = at("2026-03-02T08:00")
    told = event(1, taken + timedelta(hours=3), samples(sample(taken, 61)))
    told.envelope.clock_skew_ms = 3 * 3_600_000
    fact = fact_of(recorded(told, 1))
    assert fact.stamp.at == taken
    assert [one.key.start for one in readings_of(fact)] == [taken]


@pytest.mark.parametrize("skew_ms", [2**62, -(2**62), 90_000_000_000_000])
def test_a_skew_out_of_all_time_is_an_error_and_no_time(skew_ms: int) -> None:
    told = event(1, at("2026-03-02T08:00"), pain(3))
    told.envelope.clock_skew_ms = skew_ms
    with pytest.raises(ValueError, match="out of range"):
        happened_at(told.envelope)


async def test_read_models_of_earlier_folds_are_built_anew_once_no_earlier_replica_runs(
    postgres: Any, nats_url: str
) -> None:
    place = Place(postgres, nats_url, 1)
    async with clinic(place) as first:
        await first.reads.work(consistency=since_all(await first.log.written(*mixed(1))))
        where = dsn(first)
    right = await rows(where, 1)
    async with looked_into(where) as connection:  # what code of before left, one replica still runs
        await connection.execute("UPDATE public.read_model_version SET folds = folds - 1")
        await connection.execute("UPDATE monitoring SET first_at = first_at + interval '1 s'")
        await connection.execute(
            # the youngest of two has no share of one shard
            "INSERT INTO public.replica (replica, name, version, joined_at, expires_at)"
            " SELECT gen_random_uuid(), 'earlier', 1, at, at FROM (SELECT now() + '1 hour' AS at)"
        )
        assert await rows(where, 1) != right
    async with eventstore(place) as (log, address), projections(place, address, log) as second:
        await second.reads.work(consistency=since_all(await log.written(*mixed(101))))
        assert await live(where) == (1, FOLD_VERSION - 1)
        async with looked_into(where) as connection:
            await connection.execute("DELETE FROM public.replica WHERE name = 'earlier'")

        async def renewed() -> bool:
            return await live(where) == (2, FOLD_VERSION)

        await until(renewed)
        await second.reads.work(consistency=since_all(await log.written(*mixed(201))))
        assert set(right["monitoring"]) <= set((await rows(where, 2))["monitoring"])


async def live(where: str) -> tuple[int, int]:
    """The version that answers, and of which folds it is."""
    connection = await asyncpg.connect(where)
    try:
        row = await connection.fetchrow(
            "SELECT version, folds FROM read_model_version WHERE status = 'live'"
        )
    finally:
        await connection.close()
    return row["version"], row["folds"]
