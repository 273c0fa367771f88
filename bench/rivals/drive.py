"""Runs in an environment of its own: a rival's own library, called by threads.

    python drive.py umadb ADDRESS THREADS SECONDS BYTES
    python drive.py eventsourcing DSN THREADS SECONDS BYTES

Prints {"per_s", "p99_ms"} as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

Once = Callable[[], None]


def umadb(address: str, body: bytes) -> Callable[[int], Once]:
    import umadb as library  # noqa: PLC0415 - only here

    def caller(number: int) -> Once:
        client = library.Client(f"http://{address}")
        tag = f"{number}-{uuid.uuid4()}"

        def once() -> None:
            event = library.Event("rep_observation", body, tags=[tag], uuid=uuid.uuid4())
            client.append([event])

        return once

    return caller


def eventsourcing(dsn: str, body: bytes) -> Callable[[int], Once]:
    from eventsourcing.persistence import StoredEvent  # noqa: PLC0415
    from eventsourcing.postgres import (  # noqa: PLC0415
        PostgresApplicationRecorder,
        PostgresDatastore,
    )

    place = urlsplit(dsn)
    datastore = PostgresDatastore(
        place.path.lstrip("/"),
        place.hostname or "",
        place.port or 5432,
        place.username or "",
        place.password or "",
        pool_size=8,
        max_overflow=64,
        max_waiting=1000,
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()

    def caller(_: int) -> Once:
        stream, version = uuid.uuid4(), 0

        def once() -> None:
            nonlocal version
            recorder.insert_events([StoredEvent(stream, version, "rep_observation", body)])
            version += 1

        return once

    return caller


def main() -> None:
    name, place, threads, seconds, size = sys.argv[1:6]
    caller = {"umadb": umadb, "eventsourcing": eventsourcing}[name](place, os.urandom(int(size)))
    times: list[float] = []
    begin = threading.Barrier(int(threads) + 1)
    ends = [0.0]

    def run(number: int) -> None:
        try:
            once = caller(number)
            once()
        except BaseException:
            begin.abort()  # nobody is to wait for this one
            raise
        begin.wait()
        began = time.perf_counter()
        while began < ends[0]:
            once()
            now = time.perf_counter()
            times.append(now - began)
            began = now

    running = [threading.Thread(target=run, args=(n,)) for n in range(int(threads))]
    for one in running:
        one.start()
    ends[0] = time.perf_counter() + 1e9
    begin.wait()
    started = time.perf_counter()
    ends[0] = started + float(seconds)
    for one in running:
        one.join()
    took = time.perf_counter() - started
    p99 = statistics.quantiles(times, n=100)[98] * 1000 if len(times) > 1 else 0.0
    print(json.dumps({"per_s": len(times) / took, "p99_ms": p99}))
    os._exit(0)  # the libraries' own threads are of no interest any more


if __name__ == "__main__":
    main()
