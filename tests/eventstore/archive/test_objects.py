"""Objects in a folder and in S3 promise the same."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import requests
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from rehab_eventstore.archive.form import Damaged
from rehab_eventstore.archive.objects import Away, Missing, Objects
from rehab_runtime.embedded import Nats
from tests.eventstore.archive.archiving import (
    Archiving,
    archived_settings,
    clean,
    fill,
    slim,
    table,
)
from tests.eventstore.store import store

BUCKET = "archive"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """moto's server, with a bucket; its endpoint."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    assert requests.put(f"{endpoint}/{BUCKET}", timeout=5).ok
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_REGION", "us-east-1")
        yield endpoint
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["folder", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Objects]:
    if request.param == "folder":
        yield Objects((tmp_path / "an archive").as_uri())
    else:
        request.getfixturevalue("s3")
        yield Objects(f"s3://{BUCKET}/{tmp_path.name}")


async def test_an_object_is_written_once_and_stays(objects: Objects) -> None:
    assert await objects.create("a/b", b"content")
    assert not await objects.create("a/b", b"other")
    assert await objects.whole("a/b") == b"content"


async def test_parts_of_an_object_are_read_alone(objects: Objects) -> None:
    await objects.create("a/b", b"0123456789")
    assert await objects.parts("a/b", [(2, 3), (8, 2)], 10) == [b"234", b"89"]


async def test_an_object_that_is_not_there_is_missing(objects: Objects) -> None:
    with pytest.raises(Missing):
        await objects.whole("none")
    with pytest.raises(Missing):
        await objects.parts("none", [(0, 1)], 1)


async def test_an_object_shorter_than_it_was_is_damaged(objects: Objects) -> None:
    await objects.create("a/b", b"0123")
    with pytest.raises(Damaged):
        await objects.parts("a/b", [(8, 2)], 10)


async def test_a_server_that_is_away_is_told_as_that(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_eventstore.archive.objects.RETRIES", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    objects = Objects(f"s3://{BUCKET}/x")
    with pytest.raises(Away):
        await objects.whole("a")
    with pytest.raises(Away):
        await objects.create("a", b"content")


async def test_a_log_is_archived_in_s3_and_comes_back(
    s3: str, database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    url = f"s3://{BUCKET}/whole/log"
    settings = archived_settings(database_dsn, nats.url, tmp_path, archive_url=url)
    async with store(settings) as made:
        await fill(made, 60, 4)
        before, rows = await made.all(), await table(database_dsn)
        moved = await Archiving(made).archive()
        assert moved.events == len(await slim(database_dsn)) == 56
        async with store(settings) as other:
            assert await other.all(until_position=60) == before
        assert await clean(made)
        await Archiving(made).restore()
        assert await table(database_dsn) == rows
