"""Whoever knocks at the ports of a suite with anything but gRPC is shown out, and nobody else
notices: bytes of all kinds, calls cut short, slow ones, and phones that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from rehab_cli.addresses import SERVICES
from tests.fuzz.house import Held, House, Neighbour, house
from tests.fuzz.reconnects import come_and_go
from tests.suite.rough import of_connection, of_headers, of_messages
from tests.support.http2 import said

pytestmark = pytest.mark.asyncio(loop_scope="module")
PHONES = 400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("attacked")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def quiet(attacked: House) -> AsyncIterator[None]:
    """Somebody streams all the while and loses nothing, every service serves on as the process that
    it was, and no log line is broken or quotes anything."""
    neighbour = Neighbour(attacked)
    task = asyncio.create_task(neighbour.run())
    await neighbour.streams()
    yield
    await neighbour.goes_on()
    neighbour.leave()
    await task
    assert await neighbour.wrong() == []
    assert await attacked.wrong() == []


async def thrown(attacked: House, told: Mapping[str, bytes]) -> list[str]:
    """Everything at every service; of which the connection stays open."""

    def one(service: str, raw: bytes) -> bool:
        try:
            said(attacked.suite.services[service].address, raw)
        except TimeoutError:
            return False
        return True

    open_ = []
    for service in SERVICES:
        for name, raw in told.items():
            if not await asyncio.to_thread(one, service, raw):
                open_.append(f"{service}: {name}")
    return open_


async def test_what_is_no_http2_is_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_connection()) == []


async def test_headers_that_are_none_are_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_headers()) == []


async def test_messages_that_are_none_are_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_messages()) == []


async def test_phones_that_come_and_are_cut_off_leave_nothing_behind(
    attacked: House, quiet: None
) -> None:
    await come_and_go(attacked, PHONES // 4)
    before = await attacked.settled("ingest", Held(2**31, 0, 1))
    came = await come_and_go(attacked, PHONES)
    assert came.welcomed == PHONES
    left = await attacked.settled("ingest", before)
    assert left.files <= before.files + 4
    assert left.calls <= before.calls
    assert left.resident_mb <= before.resident_mb + 20
