"""A version of the read models is built beside the one that answers, from the whole log, and takes
its place; nobody who reads notices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest

from rehab.projections.v1 import projections_admin_service_pb2 as pb
from rehab.projections.v1.projections_admin_service_pb2_grpc import ProjectionsAdminServiceStub
from rehab_projections.registry import bulk
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import (
    InvalidArgument,
    NotFound,
    Overloaded,
    PermissionDenied,
    RehabError,
    from_rpc_error,
)
from tests.projections.given import at, event, pain, prescribed, set_completed
from tests.projections.service import (
    THERAPIST,
    Clinic,
    Place,
    clinic,
    eventstore,
    looked_into,
    projections,
    refused,
    since_all,
)
from tests.projections.test_consumer import PATIENTS, mixed, repetitions, rows, sets

BEGIN = at("2026-03-02T08:00")


class Admin:
    """An operator's command line."""

    def __init__(self, connection: grpc.aio.Channel, principal: Any = None) -> None:
        self._stub = ProjectionsAdminServiceStub(connection)
        self._metadata = (bearer(principal or service_principal("cli")),)

    async def ask(self, rpc: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=30)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def steps(self, rpc: str, request: Any) -> AsyncIterator[pb.RebuildResponse]:
        call = getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=120)
        try:
            async for step in call:
                yield step
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def rebuild(self, **wish: Any) -> pb.Rebuilt:
        told = {"workers": 1, **wish}
        steps = [step async for step in self.steps("Rebuild", pb.RebuildRequest(**told))]
        folded = [step.progress.folded for step in steps[:-1]]
        assert folded == sorted(folded)
        return steps[-1].built

    async def switch(self, version: int) -> pb.Rebuilt:
        request = pb.SwitchVersionRequest(version=version)
        return [step async for step in self.steps("SwitchVersion", request)][-1].built

    async def versions(self) -> dict[int, str]:
        told = await self.ask("ListVersions", pb.ListVersionsRequest())
        return {
            one.version: pb.VersionStatus.Name(one.status).removeprefix("VERSION_STATUS_").lower()
            for one in told.versions
        }


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def answers(running: Clinic, version: int) -> None:
    """Wait until the service answers from a version: its consumer folds into it."""

    async def holds() -> bool:
        written = await running.log.written(*sets(9_000 + next(NUMBERS), 1))
        await running.reads.work(consistency=since_all(written))
        async with looked_into(dsn(running), version) as connection:
            return bool(
                await connection.fetchval(
                    "SELECT bool_and(position >= $1) FROM projection", max(written.values())
                )
            )

    await until(holds)


NUMBERS = iter(range(1, 900))


def dsn(running: Clinic) -> str:
    return str(running.place.projections("nobody:1").postgres_dsn)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("workers", [1, 2])
async def test_what_is_built_is_what_was_folded_live(
    postgres: Any, nats_url: str, shards: int, workers: int
) -> None:
    async with clinic(Place(postgres, nats_url, shards)) as running:
        for part in range(4):
            written = await running.log.written(*mixed(1 + 100 * part))
            await running.reads.work(consistency=since_all(written))
        async with channel(running.address) as connection:
            built = await Admin(connection).rebuild(workers=workers)
            assert (built.version, built.answers, list(built.differences)) == (2, True, [])
            assert await Admin(connection).versions() == {1: "retired", 2: "live"}
        assert await rows(dsn(running), 1) == await rows(dsn(running), 2)
        await answers(running, 2)
        assert await repetitions(running.reads, 0) == await repetitions(running.reads, 0) > 0


async def test_a_reader_who_polls_through_a_rebuild_sees_no_error_and_no_step_back(
    place: Place,
) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        await running.log.append(*mixed(1))
        done = asyncio.Event()
        seen: list[int] = []

        async def poll() -> None:
            while not done.is_set():
                told = await running.reads.quality(patient_id=PATIENTS[0])
                seen.append(told.freshness.position)

        async def write() -> None:
            number = 1000
            while not done.is_set():
                number += 5
                await running.log.append(*sets(number, 5))

        await running.reads.lag_at(33)
        polling, writing = asyncio.create_task(poll()), asyncio.create_task(write())
        for version in (2, 3):
            built = await Admin(connection).rebuild()
            assert (built.version, built.answers) == (version, True)
            assert not built.differences
        await asyncio.sleep(0.6)  # a replica looks for another version every half second
        done.set()
        await asyncio.gather(polling, writing)
        assert seen == sorted(seen)
        assert seen[-1] > seen[0]


async def test_a_version_that_differs_answers_only_if_it_may(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        position = await running.log.append(*mixed(1))
        await running.reads.lag_at(position)
        async with looked_into(dsn(running)) as inside:
            await inside.execute("DELETE FROM session WHERE patient_id = $1", PATIENTS[1])
        built = await Admin(connection).rebuild(expect_same=True)
        assert not built.answers
        (difference,) = built.differences
        assert difference.table == "session"
        assert difference.rows_after == difference.rows_before + 1
        assert await Admin(connection).versions() == {1: "live", 2: "retired"}
        built = await Admin(connection).rebuild()
        assert built.answers
        assert built.version == 3


async def test_the_way_back_is_open_until_the_version_is_dropped(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        admin = Admin(connection)
        await running.log.append(*mixed(1))
        assert (await admin.rebuild()).answers
        await answers(running, 2)
        await running.log.append(*sets(500, 20))
        assert (await admin.switch(1)).answers
        assert await admin.versions() == {1: "live", 2: "retired"}
        await answers(running, 1)
        before = await rows(dsn(running), 1)
        assert (await admin.switch(1)).answers
        assert await rows(dsn(running), 1) == before
        error = await refused(admin.ask("DropVersion", pb.DropVersionRequest(version=1)))
        assert isinstance(error, InvalidArgument)
        await admin.ask("DropVersion", pb.DropVersionRequest(version=2))
        assert await admin.versions() == {1: "live"}
        error = await refused(admin.switch(2))
        assert isinstance(error, NotFound)
        async with looked_into(dsn(running)) as inside:
            assert not await inside.fetchval(
                "SELECT count(*) FROM pg_namespace WHERE nspname = 'read_models_2'"
            )


async def test_a_version_may_be_built_and_looked_at_before_it_answers(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        await running.log.append(*mixed(1))
        assert not (await Admin(connection).rebuild(keep_old=True)).answers
        assert await Admin(connection).versions() == {1: "live", 2: "retired"}
        assert (await Admin(connection).switch(2)).answers


async def test_one_rebuild_at_a_time(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        await running.log.append(*mixed(1))
        first = Admin(connection).steps("Rebuild", pb.RebuildRequest(workers=1))
        await anext(first)
        async with looked_into(dsn(running), 2) as inside, inside.transaction():
            await inside.execute("LOCK TABLE session IN EXCLUSIVE MODE")
            error = await refused(Admin(connection).rebuild())
            assert isinstance(error, Overloaded)
        assert [step async for step in first][-1].built.answers


async def test_an_interrupted_rebuild_goes_on_where_it_was(place: Place) -> None:
    async with eventstore(place) as (log, address):
        await log.append(*sets(1, 400))
        async with (
            projections(place, address, log) as running,
            channel(running.address) as connection,
        ):
            await running.reads.lag_at(400)
            await _interrupted(running, connection)
            async with looked_into(dsn(running), 2) as inside:
                left = await inside.fetch("SELECT position, until FROM part")
                # behind them may stand who was lent keys
                (part,) = left
                assert part["until"] >= 400
            assert await Admin(connection).versions() == {1: "live", 2: "building"}
            await running.reads.lag_at(await log.append(*sets(401, 50)))
            built = await Admin(connection).rebuild()
            assert (built.version, built.answers) == (2, True)
            assert not built.differences
        assert await rows(dsn(running), 1) == await rows(dsn(running), 2)


async def _interrupted(running: Clinic, connection: grpc.aio.Channel) -> None:
    """Kill the process that folds while it stores."""
    steps = Admin(connection).steps("Rebuild", pb.RebuildRequest(workers=1))
    await anext(steps)
    async with looked_into(dsn(running), 2) as inside, inside.transaction():
        await inside.execute("LOCK TABLE session IN EXCLUSIVE MODE")
        worker = await _waiting(inside)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(RehabError):
            async for _ in steps:
                pass


async def _waiting(inside: asyncpg.Connection) -> int:
    """The process of ours whose statement waits for a lock."""
    async with asyncio.timeout(20):
        while True:
            await inside.execute("SELECT pg_stat_clear_snapshot()")
            port = await inside.fetchval(
                "SELECT client_port FROM pg_stat_activity"
                " WHERE application_name = 'projections-rebuild' AND wait_event_type = 'Lock'"
            )
            if port is not None:
                return _who_has(port)
            await asyncio.sleep(0.02)


def _who_has(port: int) -> int:
    """The child process with a connection from a port."""
    wanted = f":{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if line[1].endswith(wanted)}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if pid != os.getpid() and any(f"socket:[{inode}]" in links for inode in inodes):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"postgres" not in command:
                return pid
    raise AssertionError("nobody has that port")


async def test_a_rebuild_may_begin_afresh(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        await running.log.append(*sets(1, 50))
        steps = Admin(connection).steps("Rebuild", pb.RebuildRequest(workers=1))
        await anext(steps)
        await steps.aclose()

        async def alone() -> bool:
            try:
                return (await Admin(connection).rebuild(afresh=True)).answers
            except Overloaded:
                return False

        await until(alone)
        assert set((await Admin(connection).versions()).values()) == {"live", "retired"}


async def test_a_stream_held_back_is_passed_over_in_every_version(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        admin = Admin(connection)
        impossible = prescribed(effective_from="2026-02-30")
        await running.log.append(
            event(1, BEGIN, set_completed("s", 1, 9), patient=PATIENTS[0]),
            event(2, BEGIN, impossible, patient=PATIENTS[0]),
            event(3, BEGIN, pain(9), patient=PATIENTS[0]),
        )
        await running.reads.lag_at(3)
        (held,) = (await admin.ask("ListParked", pb.ListParkedRequest())).parked
        assert (held.patient_id, held.position, held.shard) == (PATIENTS[0], 2, 0)
        again = await admin.ask("RetryParked", pb.RetryParkedRequest())
        assert (again.released, again.parked) == (0, 1)
        skipped = await admin.ask(
            "SkipParked",
            pb.SkipParkedRequest(patient_id=PATIENTS[0], reason="a date of no calendar"),
        )
        assert (skipped.event_id, skipped.released) == (held.event_id, True)
        assert not (await admin.ask("ListParked", pb.ListParkedRequest())).parked
        told = await running.reads.work()
        assert [item.patient_id for item in told.items] == [PATIENTS[0]]
        built = await admin.rebuild()
        assert built.answers
        assert not built.differences
        assert not (await admin.ask("ListParked", pb.ListParkedRequest())).parked


async def test_what_is_not_held_back_can_be_neither_tried_nor_passed_over(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        for rpc, request in (
            ("RetryParked", pb.RetryParkedRequest(patient_id="patient-9")),
            ("SkipParked", pb.SkipParkedRequest(patient_id="patient-9", reason="why not")),
        ):
            assert isinstance(await refused(Admin(connection).ask(rpc, request)), NotFound)
        nothing = await Admin(connection).ask("RetryParked", pb.RetryParkedRequest())
        assert (nothing.released, nothing.parked) == (0, 0)


async def test_only_operators_see_to_the_read_models(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        for principal in (THERAPIST, service_principal("emr")):
            asked = Admin(connection, principal)
            assert isinstance(await refused(asked.rebuild()), PermissionDenied)
            assert isinstance(await refused(asked.versions()), PermissionDenied)


def test_the_parts_of_a_shard_have_each_slice_once() -> None:
    for shards in (1, 3, 64):
        for parts in (1, 2, 5):
            every = [
                slice_
                for shard in range(shards)
                for part in range(parts)
                for slice_ in bulk.Part(shard, part, parts, 0, 0, "").slices(shards)
            ]
            assert every == ([] if parts == 1 else list(range(1024)))
