"""Sealed bodies opened with borrowed keys: for as long as they are lent, and for no longer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
import pytest_asyncio
import structlog

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_eventstore.main import running
from rehab_runtime import bodies, logging
from rehab_runtime.auth import Principal, service_principal
from rehab_runtime.bodies import Bodies
from rehab_runtime.channels import channel
from rehab_runtime.clock import FixedClock
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.errors import PermissionDenied, Unavailable
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, copy, event, some_stream
from tests.eventstore.store import Store, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROJECTIONS = service_principal("projections")
LENT_S = 60
SECRET = b"pain in the left knee"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(postgres: Postgres, nats: Nats) -> AsyncIterator[Store]:
    dsn = postgres.dsn(f"eventstore_{some_stream()}_bodies")
    async with store(settings_for(dsn, nats.url, key_reader_ttl_s=LENT_S)) as made:
        yield made


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, 10, tzinfo=UTC))


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    stream = io.StringIO()
    logging.configure("sample", stream=stream)
    yield stream
    structlog.configure(**before)


async def of_one_patient(kept: Store, *texts: bytes, phi: bool = True) -> list[RecordedEvent]:
    """Events as the log has them."""
    stream = some_stream()
    told: dict[str, Any] = {"phi": True, "consent_id": "c-1"} if phi else {}
    await kept.append(append(stream, *(event(stream, text, **told) for text in texts or (SECRET,))))
    return await kept.stream(stream)


async def of_patients(kept: Store, count: int) -> list[RecordedEvent]:
    return [one for _ in range(count) for one in await of_one_patient(kept)]


def copies(events: list[RecordedEvent]) -> list[RecordedEvent]:
    return [copy(one) for one in events]


def contents(events: list[RecordedEvent]) -> list[bytes]:
    assert not any(one.key_id for one in events)
    return [one.body for one in events]


@pytest_asyncio.fixture(loop_scope="module")
async def link(kept: Store) -> AsyncIterator[grpc.aio.Channel]:
    """A connection that a test may cut."""
    async with channel(kept.address) as made:
        yield made


async def test_sealed_and_open_bodies_are_read_alike(kept: Store, link: grpc.aio.Channel) -> None:
    sealed = await of_one_patient(kept, b"one", b"two")
    clear = await of_one_patient(kept, b"three", phi=False)
    assert all(one.key_id for one in sealed)
    assert not clear[0].key_id
    read = [sealed[0], clear[0], sealed[1]]
    await Bodies(link, PROJECTIONS).open(read)
    assert contents(read) == [b"one", b"three", b"two"]


async def test_a_lent_key_opens_until_its_time_is_up_and_no_longer(
    kept: Store, clock: FixedClock
) -> None:
    sealed = await of_one_patient(kept)
    async with AsyncExitStack() as replica:
        served = await replica.enter_async_context(running(kept.settings))
        async with channel(served.address) as link:
            reader = Bodies(link, PROJECTIONS, clock)
            await reader.open(copies(sealed))
            await replica.aclose()
            clock.advance(LENT_S - 1)
            read = copies(sealed)
            await reader.open(read)
            assert contents(read) == [SECRET]
            clock.advance(2)
            read = copies(sealed)
            with pytest.raises(Unavailable):
                await reader.open(read)
            assert read == sealed


async def test_a_key_that_is_not_lent_again_opens_nothing_more(
    kept: Store, link: grpc.aio.Channel, clock: FixedClock
) -> None:
    sealed = await of_one_patient(kept)
    reader = Bodies(link, PROJECTIONS, clock)
    await reader.open(copies(sealed))
    (lent,) = reader._keys.values()
    # as if the event store had never heard of it
    stranger = copies(sealed)
    stranger[0].key_id = "no-such-key"
    reader._keys = {"no-such-key": lent}
    clock.advance(LENT_S + 1)
    await reader.open(stranger)
    assert stranger[0].key_id == "no-such-key"
    assert stranger[0].body == sealed[0].body


@pytest.mark.parametrize(
    "principal", [service_principal("stranger"), Principal("ann", "therapist", "clinic-1")]
)
async def test_who_may_not_read_is_told_so_and_shown_nothing(
    kept: Store, link: grpc.aio.Channel, principal: Principal
) -> None:
    sealed = await of_one_patient(kept)
    read = copies(sealed)
    with pytest.raises(PermissionDenied):
        await Bodies(link, principal).open(read)
    assert read == sealed


async def test_a_body_that_was_changed_stays_closed_and_its_neighbours_open(
    kept: Store, link: grpc.aio.Channel, said: io.StringIO
) -> None:
    read = await of_one_patient(kept, b"one", b"two", b"three")
    changed = read[1]
    changed.body = changed.body[:-1] + bytes([changed.body[-1] ^ 1])
    before = copy(changed)
    await Bodies(link, PROJECTIONS).open(read)
    assert changed == before
    assert [read[0].body, read[2].body] == [b"one", b"three"]
    (line,) = said.getvalue().splitlines()
    assert "rehab log verify" in line
    assert f'"position": {changed.envelope.position}' in line
    assert changed.envelope.subject_id not in line


async def test_what_was_erased_is_told_also_to_who_never_had_its_key(
    kept: Store, link: grpc.aio.Channel
) -> None:
    sealed = await of_one_patient(kept)
    neighbour = await of_one_patient(kept, b"mine")
    before = copies([*sealed, *neighbour])
    await Erasing(kept).erase(sealed[0].envelope.subject_id)
    await Bodies(link, PROJECTIONS).open(before)
    assert [(one.erased, one.body) for one in before] == [(True, b""), (False, b"mine")]


async def test_however_few_keys_are_kept_every_body_is_opened(
    kept: Store, link: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_KEYS", 4)
    sealed = await of_patients(kept, 6)
    reader = Bodies(link, PROJECTIONS)
    for first, last in ((0, 3), (0, 5), (2, 6), (0, 4), (0, 6)):
        read = copies(sealed[first:last])
        await reader.open(read)
        assert contents(read) == [SECRET] * (last - first)
    await reader.open(copies(sealed[:1]))
    assert len(reader._keys) <= 4


async def test_keys_whose_time_is_up_make_room_first(
    kept: Store, link: grpc.aio.Channel, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_KEYS", 4)
    sealed = await of_patients(kept, 5)
    reader = Bodies(link, PROJECTIONS, clock)
    await reader.open(copies(sealed[:2]))
    clock.advance(LENT_S / 2)
    await reader.open(copies(sealed[2:4]))
    clock.advance(LENT_S / 2 + 1)
    await reader.open(copies(sealed[4:]))
    assert set(reader._keys) == {one.key_id for one in sealed[2:]}


async def test_more_keys_are_asked_for_than_one_call_may_name(
    kept: Store, link: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "KEYS_AT_ONCE", 2)
    read = await of_patients(kept, 5)
    await Bodies(link, PROJECTIONS).open(read)
    assert contents(read) == [SECRET] * 5


async def test_readers_that_share_what_is_kept_do_not_take_it_from_each_other(
    kept: Store, link: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_KEYS", 4)
    sealed = await of_patients(kept, 9)
    reader = Bodies(link, PROJECTIONS)
    await reader.open(copies(sealed[:3]))
    together = [copies(sealed[first : first + 4]) for first in range(6)]
    await asyncio.gather(*(reader.open(read) for read in together))
    assert [contents(read) for read in together] == [[SECRET] * 4] * 6
