"""A stream as it was: whatever is asked for, it is what the whole stream says of that time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime.embedded import Nats
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, event, some_stream
from tests.eventstore.store import Store, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = ("pain_report", "note", "plan")
LAST = 12
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "after_version": st.integers(0, LAST + 2),
        "until_version": st.integers(0, LAST + 2),
        "limit": st.integers(0, LAST),
        "backwards": st.booleans(),
        "kinds": st.lists(st.sampled_from([*KINDS, "route"]), max_size=3, unique=True),
    },
)
TIMES = st.tuples(st.integers(0, LAST - 1), st.sampled_from([-1000, -1, 0, 999, 1000]))


@dataclass(frozen=True)
class Written:
    """A stream, and all its events as they were before anything was erased."""

    log: Store
    stream: str
    events: list[RecordedEvent]

    async def read(self, asked: dict[str, Any]) -> list[RecordedEvent]:
        read = await self.log.stream(self.stream, **asked)
        await self.log.open(read)
        return read


async def written(log: Store) -> Written:
    """Twelve events of three kinds, two with patient data to one without, at four times."""
    stream = some_stream()
    made = [
        event(stream, b"body %d" % n, kind=KINDS[n % 3], phi=n % 3 < 2, consent_id="c-1")
        for n in range(LAST)
    ]
    for first in range(0, LAST, 3):
        await log.append(append(stream, *made[first : first + 3]))
        await asyncio.sleep(0.002)
    kept = Written(log, stream, [])
    kept.events.extend(await kept.read({}))
    return kept


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(module_dsn: str, nats: Nats) -> AsyncIterator[Store]:
    """A store with pages of four events."""
    async with store(settings_for(module_dsn, nats.url, page_events=4)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def living(small: Store) -> Written:
    return await written(small)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def erased(small: Store) -> Written:
    kept = await written(small)
    await Erasing(small).erase(kept.stream)
    return kept


def as_asked(whole: list[RecordedEvent], asked: dict[str, Any]) -> list[RecordedEvent]:
    """What the contract says of the whole stream."""
    after, until = asked.get("after_version", 0), asked.get("until_version", 0)
    chosen = []
    for one in whole:
        version = one.envelope.stream_version
        if asked.get("backwards"):
            between = (not after or version < after) and version >= until
        else:
            between = version > after and (not until or version <= until)
        time = asked.get("until_time")
        in_time = time is None or _us(one.envelope.recorded_at) <= _us(time)
        kinds = asked.get("kinds")
        if between and in_time and (not kinds or one.envelope.kind in kinds):
            chosen.append(one)
    chosen = chosen[::-1] if asked.get("backwards") else chosen
    return chosen[: asked.get("limit") or LAST]


def _us(time: Any) -> int:
    return int(time.ToMicroseconds())


def with_time(whole: list[RecordedEvent], asked: dict[str, Any], at: Any) -> dict[str, Any]:
    """Asked as of the time of an event, or some nanoseconds beside it."""
    if at is None:
        return asked
    time = type(whole[0].envelope.recorded_at)()
    time.FromNanoseconds(whole[at[0]].envelope.recorded_at.ToNanoseconds() + at[1])
    return {**asked, "until_time": time}


quickly = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quickly
@given(ASKED, st.none() | TIMES)
async def test_a_stream_is_read_as_it_was(
    living: Written, asked: dict[str, Any], at: tuple[int, int] | None
) -> None:
    asked = with_time(living.events, asked, at)
    read = await living.read(asked)
    assert read == as_asked(living.events, asked)
    assert [one.body for one in read] == [
        b"body %d" % (one.envelope.stream_version - 1) for one in read
    ]


@quickly
@given(ASKED, TIMES)
async def test_what_was_erased_is_erased_at_every_time(
    erased: Written, asked: dict[str, Any], at: tuple[int, int]
) -> None:
    asked = with_time(erased.events, asked, at)
    read = await erased.read(asked)
    known = as_asked(erased.events, asked)
    assert [one.envelope for one in read] == [one.envelope for one in known]
    for one, before in zip(read, known, strict=True):
        closed = before.envelope.phi
        assert (one.erased, one.body) == (closed, b"" if closed else before.body)


async def test_the_erasure_itself_is_of_its_own_time(erased: Written) -> None:
    (told,) = await erased.log.stream(erased.stream, backwards=True, limit=1)
    assert (told.envelope.kind, told.envelope.stream_version) == ("erasure", LAST + 1)
    before = await erased.log.stream(erased.stream, until_version=LAST)
    assert {one.envelope.kind for one in before} == set(KINDS)
    then = await erased.log.stream(erased.stream, until_time=told.envelope.recorded_at)
    assert then[-1].envelope.kind == "erasure"
