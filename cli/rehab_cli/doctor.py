"""`rehab doctor`: a line for everything a suite stands on: ok, or what is wrong and what to do."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc
from rich.text import Text

from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.policy.v1 import policy_service_pb2 as policy_pb
from rehab.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.addresses import PORT_BASE, SERVICES, Addresses
from rehab_cli.asking import METADATA
from rehab_cli.commands import AskedPort, DataDir, run
from rehab_cli.console import out
from rehab_cli.credential import current
from rehab_cli.health import health
from rehab_cli.place import LEAST_FREE_BYTES, Note, Place, default_folder
from rehab_cli.servers import nats_trouble, place_of, postgres_trouble, valkey_trouble

TIMEOUT_S = 5.0
FEW_BYTES = 10 * LEAST_FREE_BYTES
LATE_MS = 5_000
"""A read model so far behind is worth a look: the promise is 100 ms."""
OLDEST_POSTGRES = 160_000


@dataclass(frozen=True)
class Finding:
    """`trouble` says what is wrong and what to do; empty when nothing is."""

    about: str
    detail: str = ""
    trouble: str = ""


def doctor(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Look at everything the suite stands on; each line is ok, or says what mends it."""
    run(lambda: examine(data or default_folder(), port_base))


async def examine(folder: Path, port_base: int) -> int:
    """Print a line for each thing looked at; 1 when something is wrong."""
    note = Place(folder).running()
    addresses = Addresses.at(port_base or PORT_BASE)
    if note is not None and not port_base:
        addresses = note.addresses
    addresses = current().among(addresses)
    looks: list[Awaitable[Sequence[Finding]]] = []
    if note is not None or not current().at:
        looks.append(_servers(folder, note))
    looks += [_service(name, addresses.of(name)) for name in SERVICES]
    looks += [_agreement(addresses), _rules(addresses)]
    found = _machine(folder)
    for group in await asyncio.gather(*looks):
        found += group
    for finding in found:
        out.print(_line(finding))
    return 1 if any(finding.trouble for finding in found) else 0


def _line(finding: Finding) -> Text:
    mark, style = ("✗", "bold red") if finding.trouble else ("✓", "green")
    said = finding.trouble or finding.detail or "ok"
    return Text.assemble((f"{mark} ", style), f"{finding.about:<13}", said)


def _machine(folder: Path) -> list[Finding]:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    room = f"{free / 1024**3:.1f} GB free at {there}"
    few = f"only {room}: PostgreSQL stops when the disk is full; free some space"
    return [
        Finding("Python", platform.python_version()),
        Finding("disk", room, few if free < FEW_BYTES else ""),
    ]


async def _servers(folder: Path, note: Note | None) -> list[Finding]:
    if note is None:
        absent = f"no suite runs on {folder}; start it with: rehab up --data {folder}"
        return [Finding("suite", trouble=absent)]
    whose = "servers of others" if note.external else "its own servers"
    suite = Finding("suite", f"process {note.pid} on {folder}, with {whose}")
    looks = [
        _server("PostgreSQL", postgres_trouble, note.postgres_dsn, 5432),
        _server("NATS", nats_trouble, note.nats_url, 4222),
    ]
    if note.valkey_url:
        looks.append(_server("Valkey", valkey_trouble, note.valkey_url, 6379))
    found = list(await asyncio.gather(*looks))
    if not found[0].trouble:
        found[0] = await _durable(note.postgres_dsn, found[0])
    return [suite, *found]


async def _server(
    name: str, trouble: Callable[[str], Awaitable[str]], url: str, default_port: int
) -> Finding:
    asked = _of_everyone(url) if name == "PostgreSQL" else url
    return Finding(name, place_of(url, default_port), await trouble(asked))


def _of_everyone(dsn: str) -> str:
    """The database that every PostgreSQL has."""
    return urlunsplit(urlsplit(dsn)._replace(path="/postgres"))


async def _durable(dsn: str, found: Finding) -> Finding:
    """Whether what PostgreSQL has committed survives a crash and a failing disk is noticed."""
    connection = await asyncpg.connect(_of_everyone(dsn), timeout=TIMEOUT_S)
    try:
        told = {
            name: str(await connection.fetchval(f"SHOW {name}"))
            for name in ("server_version_num", "fsync", "full_page_writes", "data_checksums")
        }
        version = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    wrong = [f"{name} is off" for name in list(told)[1:] if told[name] != "on"]
    if int(told["server_version_num"]) < OLDEST_POSTGRES:
        wrong.append(f"version {version} is older than 16")
    remedy = f"{', '.join(wrong)}: what is acknowledged is not safe; change its configuration"
    return Finding(found.about, f"{version} at {found.detail}", remedy if wrong else "")


async def _service(name: str, address: str) -> list[Finding]:
    answer = await health(address, shown=current())
    if answer == "serving":
        return [Finding(name, address)]
    if answer == "absent":
        return [Finding(name, trouble=current().unreached(address))]
    waits = f"answers at {address} but is not ready; see its last lines in rehab up"
    return [Finding(name, trouble=waits)]


async def _agreement(addresses: Addresses) -> list[Finding]:
    """Whether the read models follow this very log. Silent where a service is absent."""
    shown = current()
    async with (
        shown.channel(addresses.eventstore) as store,
        shown.channel(addresses.projections) as models,
    ):
        try:
            heads = await _heads(EventStoreServiceStub(store))
            lag = await ProjectionsServiceStub(models).GetLag(
                read_pb.GetLagRequest(), metadata=METADATA, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError:
            return []
    logs = [
        Finding(_of_shard("log", shard, heads), f"{head.position:,} events, {head.incarnation}")
        for shard, head in enumerate(heads)
    ]
    return [*logs, *(_of_projection(one, heads) for one in lag.projections)]


async def _rules(addresses: Addresses) -> list[Finding]:
    """How far the rules have evaluated this log. Silent where a service is absent."""
    shown = current()
    async with (
        shown.channel(addresses.eventstore) as store,
        shown.channel(addresses.policy) as policy,
    ):
        try:
            heads = await _heads(EventStoreServiceStub(store))
            lag = await PolicyServiceStub(policy).GetLag(
                policy_pb.GetLagRequest(), metadata=METADATA, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError:
            return []
    found = [_of_rules(one, heads) for one in lag.shards]
    failed = [f"{one.name}: {one.what} ({one.times} times)" for one in lag.failures]
    if failed:
        trouble = f"could not be evaluated, which stopped no other: {'; '.join(failed)}"
        found.append(Finding("rules", trouble=trouble))
    return found


def _of_rules(one: policy_pb.RulesLag, heads: Sequence[store_pb.GetHeadResponse]) -> Finding:
    late = (
        f"are {one.oldest_unprocessed_ms / 1000:.0f} s behind at {one.position:,}: alerts and cues "
        "are late; see the policy service's last lines"
    )
    trouble = late if one.oldest_unprocessed_ms > LATE_MS else ""
    return Finding(_of_shard("rules", one.shard, heads), f"evaluated to {one.position:,}", trouble)


async def _heads(stub: EventStoreServiceStub) -> list[store_pb.GetHeadResponse]:
    """Those of all shards."""
    heads: list[store_pb.GetHeadResponse] = []
    while not heads or len(heads) < heads[0].shards:
        request = store_pb.GetHeadRequest(shard=len(heads))
        heads.append(await stub.GetHead(request, metadata=METADATA, timeout=TIMEOUT_S))
    return heads


def _of_shard(name: str, shard: int, heads: Sequence[store_pb.GetHeadResponse]) -> str:
    return name if len(heads) == 1 else f"{name}, shard {shard}"


def _of_projection(
    one: read_pb.ProjectionLag, heads: Sequence[store_pb.GetHeadResponse]
) -> Finding:
    known = [head.incarnation for head in heads[one.shard : one.shard + 1]]
    if one.incarnation and one.incarnation not in known:
        trouble = (
            "has folded another log than this one (a backup was restored, or a replica took over "
            "that lacked events): positions do not compare; empty its database and it folds anew"
        )
    elif one.oldest_unprocessed_ms > LATE_MS:
        trouble = (
            f"is {one.oldest_unprocessed_ms / 1000:.0f} s behind ({one.events:,} events); "
            "see the projections service's last lines"
        )
    elif one.parked:
        trouble = (
            f"holds {one.parked} streams back, each at an event it could not fold; "
            "the projections service's log names them"
        )
    else:
        trouble = ""
    name = _of_shard(one.name, one.shard, heads)
    return Finding(name, f"{one.status} at {one.position:,}", trouble)
