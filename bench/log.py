"""The log beside PostgreSQL itself, beside gRPC itself, and beside other event stores: one run, the
same PostgreSQL, medians of interleaved runs; fsync, sealing and the chain of hashes on.

    python -m bench.log [--json PATH]

RUNS, SECONDS and ROWS (of the large table) may be set in the environment.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bench import ours
from bench.measure import Measure, Rate, Row, beside, interleaved, main, many
from bench.raw import raw
from bench.rivals.algorithms import NAMES, rivals
from bench.rivals.libraries import driven, environment, umadb_server
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.lifecycle import spare_the_collector

RUNS = int(os.environ.get("RUNS", "5"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))
ROWS = int(os.environ.get("ROWS", "200000"))
SMALL_ROWS = 10_000
CALLERS = (1, 16, 64, 256)
READ = 20_000
BODY_BYTES = 200


async def measure(folder: Path) -> list[Row]:
    body = os.urandom(BODY_BYTES)
    environment()
    spare_the_collector()  # as the service does: the writer runs in this process
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(Postgres(folder / "pg"))
        nats = await stack.enter_async_context(Nats(folder / "nats"))
        enter = stack.enter_async_context
        floor = await enter(raw(postgres.dsn(), 64, SECONDS, body))
        others = await enter(rivals(postgres.dsn(), 16, SECONDS, body))
        uma = await enter(umadb_server(folder / "uma"))
        writer = await enter(ours.writer(postgres.dsn("writer"), folder))
        address = await enter(ours.eventstore(postgres.dsn("eventstore"), nats.url, folder))
        connection, stub = await enter(ours.connected(address))
        ceiling, _ = await enter(ours.connected(await enter(ours.echo())))
        measures: dict[str, Measure] = {
            **{name: floor[name] for name in ("insert", "unnest", "copy")},
            **others,
            "eventsourcing": driven("eventsourcing", postgres.dsn(), 16, SECONDS, BODY_BYTES),
            "umadb": driven("umadb", uma, 64, SECONDS, BODY_BYTES),
            **{f"writer {n}": ours.written(writer, n, SECONDS, body) for n in (16, 64, 256)},
            "echo": ours.echoed(ceiling, 64, SECONDS, body),
            **{f"grpc {n}": ours.appended(stub, n, SECONDS, body) for n in CALLERS},
            "batch": ours.batched(stub, 8, 100, SECONDS, body),
        }
        rates = await interleaved(measures, RUNS)
        reads = await interleaved(
            {
                "select": ours.selected(postgres.dsn("eventstore"), READ),
                "read": ours.read_all(stub, READ),
                "verify": ours.verified(connection, READ),
            },
            RUNS,
        )
        small, large = await growth(stub, body)
    return table(rates | reads, small, large)


async def growth(stub: object, body: bytes) -> tuple[Rate, Rate]:
    """Appends of 100 to a log of at least SMALL_ROWS rows, and after it has grown by ROWS."""
    small = await ours.batched(stub, 8, 100, SECONDS, body)()
    left = max(0, ROWS - SMALL_ROWS)
    turns = iter(range(-(-left // 1000)))

    async def fill(number: int) -> None:
        if next(turns, None) is None:
            return
        asked = ours.request(f"fill-{number}", body, 1000)
        await stub.Append(asked, metadata=ours.METADATA, timeout=60)  # type: ignore[attr-defined]

    while next(turns, None) is not None:
        await many(4, 1.0, fill)
    return small, await ours.batched(stub, 8, 100, SECONDS, body)()


def table(rates: dict[str, Rate], small: Rate, large: Rate) -> list[Row]:
    rows = [
        beside(
            "writer without gRPC, 64 callers, single events",
            rates["writer 64"],
            "UmaDB's own server and client, 64 threads",
            rates["umadb"],
            4,
        ),
        beside(
            "writer without gRPC, 16 callers, single events",
            rates["writer 16"],
            "Marten's append algorithm, 16 callers",
            rates["marten"],
            4,
        ),
        beside(
            "eventstore's gRPC, 64 callers, single events",
            rates["grpc 64"],
            "UmaDB's own server and client, 64 threads",
            rates["umadb"],
            1,
        ),
        beside(
            "eventstore's gRPC, 64 callers, single events",
            rates["grpc 64"],
            "grpc.aio echo of the same size, 64 callers",
            rates["echo"],
            0.6,
        ),
        beside(
            "eventstore's gRPC, 8 callers, 100 events each",
            rates["batch"],
            "raw unnest inserts, 8 callers, 100 rows each",
            rates["unnest"],
            0.5,
        ),
        beside("eventstore's gRPC, 8 x 100", rates["batch"], "one raw COPY", rates["copy"]),
    ]
    rows += [
        beside(
            f"writer without gRPC, {callers} callers, single events",
            rates[f"writer {callers}"],
            "raw single-row INSERT commits, 64 callers",
            rates["insert"],
        )
        for callers in (16, 64, 256)
    ]
    rows += [
        beside(
            f"eventstore's gRPC, {callers} callers, single events",
            rates[f"grpc {callers}"],
            "raw single-row INSERT commits, 64 callers",
            rates["insert"],
        )
        for callers in CALLERS
    ]
    rows += [
        beside(
            "writer without gRPC, 16 callers, single events",
            rates["writer 16"],
            f"{name}: its append algorithm, 16 callers",
            rates[name],
        )
        for name in NAMES
    ]
    rows.append(
        beside(
            "writer without gRPC, 16 callers, single events",
            rates["writer 16"],
            "eventsourcing's own recorder, 16 threads",
            rates["eventsourcing"],
        )
    )
    rows += [
        beside(
            f"reads of {READ:,} events through gRPC", rates["read"], "bare SELECT", rates["select"]
        ),
        beside(f"verifying {READ:,} events", rates["verify"], "bare SELECT", rates["select"]),
    ]
    cost = small.per_s / large.per_s
    rows.append(
        Row(
            f"cost of an append at {ROWS:,} rows more",
            round(large.per_s),
            "events/s",
            "at the log's size before",
            round(small.per_s),
            round(cost, 2),
            "<= 1.3 x",
            cost <= 1.3,
        )
    )
    return rows


async def measure_in_a_folder() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True) as folder:
        return await measure(Path(folder))


if __name__ == "__main__":
    main("bench.log", measure_in_a_folder)
