"""Looking after keys over a real channel, and what a lost key file is told as."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
import pytest_asyncio

from rehab.eventstore.v1 import key_admin_service_pb2 as admin
from rehab.eventstore.v1 import key_service_pb2 as lent
from rehab.eventstore.v1.key_admin_service_pb2_grpc import KeyAdminServiceStub
from rehab.eventstore.v1.key_service_pb2_grpc import KeyServiceStub
from rehab_eventstore.main import running
from rehab_runtime import keyfile
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.clock import SystemClock
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import EventIdReused, NotFound, PermissionDenied, from_rpc_error
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, copy, event, some_stream
from tests.eventstore.store import Store, refused, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Keys:
    """Calls both key services of a store; raises the RehabError that it answers."""

    def __init__(self, of: Store, principal: Principal | None = None) -> None:
        self._admin = KeyAdminServiceStub(of.connection)
        self._lent = KeyServiceStub(of.connection)
        self._told = {"metadata": (bearer(principal or service_principal("cli")),), "timeout": 20}

    async def status(self) -> admin.GetKeyStatusResponse:
        return await self._answer(self._admin.GetKeyStatus, admin.GetKeyStatusRequest())

    async def rotate_kek(self) -> admin.RotateKekResponse:
        return await self._answer(self._admin.RotateKek, admin.RotateKekRequest())

    async def rotate(self, stream: str) -> str:
        request = admin.RotateDataKeyRequest(subject_id=stream)
        return str((await self._answer(self._admin.RotateDataKey, request)).key_id)

    async def rewrap(self) -> list[admin.RewrapDataKeysResponse]:
        try:
            call = self._admin.RewrapDataKeys(admin.RewrapDataKeysRequest(), **self._told)
            return [step async for step in call]
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def lend(self, stream: str) -> list[lent.DataKey]:
        request = lent.GetDataKeysRequest(subject_ids=[stream])
        return list((await self._answer(self._lent.GetDataKeys, request)).keys)

    async def _answer(self, rpc: Any, request: Any) -> Any:
        try:
            return await rpc(request, **self._told)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(
    module_dsn: str, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Store]:
    """A store with a key file of its own."""
    path = tmp_path_factory.mktemp("kept") / "keys.json"
    async with store(settings_for(module_dsn, nats.url, key_file=str(path))) as made:
        yield made


def sealed(stream: str, body: bytes = b"secret") -> Any:
    return event(stream, body, phi=True, consent_id="c-1")


async def opened(made: Store, stream: str) -> list[bytes]:
    read = await made.stream(stream)
    await made.open(read)
    assert not any(one.key_id for one in read)
    return [one.body for one in read]


async def test_a_body_is_sealed_in_the_table_and_open_to_who_may_read_it(kept: Store) -> None:
    stream = some_stream()
    await kept.append(append(stream, sealed(stream, b"pain in the left knee")))
    connection = await asyncpg.connect(kept.settings.postgres_dsn)
    try:
        row = await connection.fetchrow("SELECT * FROM events WHERE stream_id = $1", stream)
    finally:
        await connection.close()
    assert row["key_id"]
    assert not any(b"knee" in bytes(value) for value in row.values() if isinstance(value, bytes))
    assert await opened(kept, stream) == [b"pain in the left knee"]


@pytest.mark.parametrize(
    "principal",
    [service_principal("stranger"), Principal("therapist-1", "therapist", "clinic-1")],
    ids=["another service", "a person"],
)
async def test_keys_are_lent_to_the_services_named_for_it_only(
    kept: Store, principal: Principal
) -> None:
    stream = some_stream()
    await kept.append(append(stream, sealed(stream)))
    assert len(await Keys(kept).lend(stream)) == 1
    stranger = Keys(kept, principal)
    for asked in (
        stranger.lend(stream),
        stranger.status(),
        stranger.rotate(stream),
        stranger.rotate_kek(),
        stranger.rewrap(),
    ):
        assert isinstance(await refused(asked), PermissionDenied)


async def test_a_rotated_data_key_seals_what_comes_and_opens_what_was(kept: Store) -> None:
    stream = some_stream()
    first = append(stream, sealed(stream, b"one"))
    appended = await kept.append(copy(first))
    key_id = await Keys(kept).rotate(stream)
    await kept.append(append(stream, sealed(stream, b"two")))
    keys = [one.key_id for one in await kept.stream(stream)]
    assert keys[1] == key_id != keys[0]
    assert await opened(kept, stream) == [b"one", b"two"]
    # the fingerprints are comparable over a rotation
    again = await kept.append(copy(first))
    assert (again.first_position, again.duplicate) == (appended.first_position, True)
    first.events[0].body = b"other"
    assert isinstance(await refused(kept.append(first)), EventIdReused)


async def test_who_has_no_key_has_none_to_rotate(kept: Store) -> None:
    assert isinstance(await refused(Keys(kept).rotate("nobody")), NotFound)


async def test_rewrapping_moves_every_key_under_the_newest_version(kept: Store) -> None:
    streams = [some_stream() for _ in range(3)]
    await kept.batch(*[append(stream, sealed(stream)) for stream in streams])
    before = await Keys(kept).status()
    assert before.keeper == "file"
    (old,) = [kek for kek in before.keks if kek.newest]
    made = await Keys(kept).rotate_kek()
    assert (made.kek_id, int(made.kek_version)) == (old.kek_id, int(old.kek_version) + 1)
    steps = await Keys(kept).rewrap()
    living = sum(kek.living for kek in before.keks)
    assert (steps[0].left, steps[-1].moved, steps[-1].left, steps[-1].refused) == (
        *(living, living, 0, 0),
    )
    (now,) = [kek for kek in (await Keys(kept).status()).keks if kek.living]
    assert (now.kek_version, now.living, now.newest) == (made.kek_version, living, True)
    # what the old version wrapped is needed no more
    keyfile.destroy_older_than(Path(kept.settings.key_file), int(made.kek_version))
    for stream in streams:
        assert await opened(kept, stream) == [b"secret"]
    assert [step.moved for step in await Keys(kept).rewrap()] == [0]


async def test_a_key_that_cannot_be_opened_is_counted_and_costs_its_neighbours_nothing(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    told = settings_for(database_dsn, nats.url, key_file=str(tmp_path / "keys.json"))
    async with store(told) as made:
        one, other = some_stream(), some_stream()
        await made.batch(append(one, sealed(one)), append(other, sealed(other)))
        connection = await asyncpg.connect(database_dsn)
        await connection.execute("UPDATE data_key SET wrapped = '\\x00' WHERE stream_id = $1", one)
        await connection.close()
        await Keys(made).rotate_kek()
        last = (await Keys(made).rewrap())[-1]
        assert (last.moved, last.refused) == (1, 1)
        assert await opened(made, other) == [b"secret"]


@pytest.mark.parametrize("what", ["lost", "replaced"])
async def test_a_key_file_that_is_lost_is_told_and_never_made_anew(
    database_dsn: str, nats: Nats, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "keys.json"
    told = settings_for(database_dsn, nats.url, key_file=str(path))
    async with store(told) as made:
        stream = some_stream()
        await made.append(append(stream, sealed(stream)))
    path.rename(tmp_path / "elsewhere.json")
    if what == "replaced":
        keyfile.create(path, SystemClock())
    with pytest.raises(StartupError, match="data keys are wrapped by local-"):
        async with running(told):
            pass
    assert path.exists() is (what == "replaced")
    (tmp_path / "elsewhere.json").rename(path)
    async with store(told) as made:
        assert await opened(made, stream) == [b"secret"]
