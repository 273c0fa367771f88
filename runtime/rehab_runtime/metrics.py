"""Metrics: each declared once with its kind, what it means and what to do when it rises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

from rehab_runtime import startup

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: from a cached read to a call given up."""


@dataclass(frozen=True)
class Declared:
    """A metric as the catalogue lists it."""

    name: str
    kind: str
    meaning: str
    remedy: str


_catalogue: dict[str, Declared] = {}


def _help(name: str, meaning: str, remedy: str) -> str:
    if not meaning or not remedy:
        raise ValueError(f"{name}: a metric says what it means and what to do when it rises")
    return f"{meaning} If it rises: {remedy}"


def declare_counter(name: str, meaning: str, remedy: str, labels: Sequence[str] = ()) -> Counter:
    """ValueError when the name is taken, or when meaning or remedy are missing; so for all."""
    metric = Counter(name, _help(name, meaning, remedy), labels)
    _catalogue[name] = Declared(name, "counter", meaning, remedy)
    return metric


def declare_gauge(name: str, meaning: str, remedy: str, labels: Sequence[str] = ()) -> Gauge:
    metric = Gauge(name, _help(name, meaning, remedy), labels)
    _catalogue[name] = Declared(name, "gauge", meaning, remedy)
    return metric


def declare_histogram(
    name: str,
    meaning: str,
    remedy: str,
    labels: Sequence[str] = (),
    buckets: Sequence[float] = FAST,
) -> Histogram:
    metric = Histogram(name, _help(name, meaning, remedy), labels, buckets=buckets)
    _catalogue[name] = Declared(name, "histogram", meaning, remedy)
    return metric


def catalogue() -> list[Declared]:
    return sorted(_catalogue.values(), key=lambda declared: declared.name)


@asynccontextmanager
async def serve(listen: str, variable: str = "METRICS_LISTEN") -> AsyncIterator[str]:
    """Serve /metrics at `host:port` while the context is open; an empty one serves nothing.

    Yields where it is reached. StartupError, naming `variable`, when the port is not to be had.
    """
    if not listen:
        yield ""
        return
    host, port = startup.split(listen)
    try:
        server, thread = start_http_server(port, host, REGISTRY)
    except OSError as error:
        raise startup.cannot_listen(listen, variable, error) from None
    try:
        yield startup.reachable(listen, server.server_port)
    finally:
        await asyncio.to_thread(server.shutdown)  # it may look up only after half a second
        server.server_close()
        thread.join()
