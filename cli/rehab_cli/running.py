"""`rehab up`: the suite until somebody ends it, with a line that says how it is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
from rich.live import Live
from rich.text import Text

from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.addresses import SERVICES, Addresses
from rehab_cli.console import COLOURS, err, out, say
from rehab_cli.errors import SuiteError
from rehab_cli.health import health
from rehab_cli.lag import Lag, lag_of
from rehab_cli.place import Place
from rehab_cli.servers import Servers, place_of
from rehab_cli.suite import Suite
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel

LOOK_S = 1.0
TIMEOUT_S = 2.0
METADATA = (bearer(service_principal("cli")),)


async def up(
    folder: Path, port_base: int, external: Servers | None, *, empty: bool, shards: int
) -> int:
    """Run until cancelled. Raises SuiteError when it cannot start."""
    if empty:
        _discard(folder, external)
    began = time.monotonic()
    async with Suite(folder, port_base, say, external=external, shards=shards) as suite:
        await _require_health(suite.addresses)
        _tell(suite, time.monotonic() - began)
        with _live() as live:
            while True:
                if live is not None:
                    live.update(await status(suite.addresses))
                await asyncio.sleep(LOOK_S)
    return 0


def _discard(folder: Path, external: Servers | None) -> None:
    if external is not None:
        raise SuiteError("--empty does not empty servers of others; drop their databases yourself")
    place = Place(folder)
    with place.held():
        place.discard()


async def _require_health(addresses: Addresses) -> None:
    for name in SERVICES:
        answered = await health(addresses.of(name))
        if answered != "serving":
            raise SuiteError(f"{name} started but is {answered}; see its lines above")


def _tell(suite: Suite, seconds: float) -> None:
    for name, service in suite.services.items():
        metrics = f"  metrics http://{service.metrics}/metrics" if service.metrics else ""
        out.print(f"  [{COLOURS[name]}]{name:<12}[/]{suite.addresses.of(name):<18}{metrics}")
    servers = suite.servers
    for name, url in (
        ("PostgreSQL", place_of(servers.postgres_dsn, 5432)),
        ("NATS", place_of(servers.nats_url, 4222)),
        ("Valkey", place_of(servers.valkey_url, 6379) if servers.valkey_url else "not used"),
    ):
        out.print(f"  [{COLOURS[name]}]{name:<12}[/]{url}")
    out.print(f"ready after {seconds:.1f} s, data in {suite.place.folder}; Ctrl-C stops all")


@contextlib.contextmanager
def _live() -> Iterator[Live | None]:
    """A last line that changes, in a terminal; lines of services pass above it."""
    if not err.is_terminal:
        yield None
        return
    with Live(console=err, transient=True, refresh_per_second=4) as live:
        yield live


async def status(addresses: Addresses) -> Text:
    """How each service is, and how far the read models are behind."""
    answers = await asyncio.gather(*(health(addresses.of(name)) for name in SERVICES))
    parts: list[tuple[str, str]] = []
    for name, answer in zip(SERVICES, answers, strict=True):
        good = answer == "serving"
        parts.append((f"{name} {'ok' if good else answer}  ", "green" if good else "bold red"))
    lag = await _lag(addresses.projections)
    if lag is not None:
        parts.append((f"log has {lag.stored:,} events, read models {lag.projected:,}", "dim"))
        parts.append((f", p99 {lag.p99_ms:.0f} ms behind", "dim"))
    return Text.assemble(*parts)


async def _lag(address: str) -> Lag | None:
    async with channel(address) as connection:
        try:
            answer = await ProjectionsServiceStub(connection).GetLag(
                read_pb.GetLagRequest(), metadata=METADATA, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError:
            return None
    return lag_of(answer)
