"""Metrics: each declared once with its kind, what it means and what to do when it rises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True)
class Declared:
    """A metric as the catalogue lists it."""

    name: str
    kind: str
    meaning: str
    remedy: str


_catalogue: dict[str, Declared] = {}


def _declare(name: str, kind: str, meaning: str, remedy: str) -> str:
    if not meaning or not remedy:
        raise ValueError(f"{name}: a metric says what it means and what to do when it rises")
    _catalogue[name] = Declared(name, kind, meaning, remedy)
    return f"{meaning} If it rises: {remedy}"


def declare_counter(name: str, meaning: str, remedy: str, labels: Sequence[str] = ()) -> Counter:
    return Counter(name, _declare(name, "counter", meaning, remedy), labels)


def declare_gauge(name: str, meaning: str, remedy: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(name, _declare(name, "gauge", meaning, remedy), labels)


def declare_histogram(
    name: str,
    meaning: str,
    remedy: str,
    labels: Sequence[str] = (),
    buckets: Sequence[float] = FAST,
) -> Histogram:
    return Histogram(name, _declare(name, "histogram", meaning, remedy), labels, buckets=buckets)


def catalogue() -> list[Declared]:
    return sorted(_catalogue.values(), key=lambda declared: declared.name)


@asynccontextmanager
async def serve(listen: str) -> AsyncIterator[str]:
    """Serve /metrics at `host:port` while the context is open; an empty one serves nothing."""
    if not listen:
        yield ""
        return
    host, port = listen.rsplit(":", 1)
    server, thread = start_http_server(int(port), host, REGISTRY)
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
