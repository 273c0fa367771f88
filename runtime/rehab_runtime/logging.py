"""Structured logs. Only keys on the list are printed, and only plain values: what is not foreseen
might be patient data."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import structlog

from rehab_runtime.metrics import declare_counter

ALLOWED = frozenset(
    {
        "address",
        "attempt",
        "batch",
        "bytes",
        "caller",
        "code",
        "correlation_id",
        "count",
        "database",
        "delay_s",
        "device_epoch",
        "duration_ms",
        "endpoint_id",
        "epoch",
        "error",
        "error_type",
        "event",
        "event_id",
        "events",
        "expected",
        "first_position",
        "found",
        "from_position",
        "head",
        "incarnation",
        "key_id",
        "kind",
        "lag_ms",
        "last_position",
        "level",
        "limit",
        "line",
        "method",
        "name",
        "part",
        "path",
        "phase",
        "pid",
        "port",
        "position",
        "principal",
        "projection",
        "published",
        "queue",
        "reason",
        "remedy",
        "replica",
        "resource_id",
        "role",
        "rpc",
        "segment",
        "seq",
        "service",
        "shard",
        "signal",
        "size",
        "status",
        "stream",
        "stream_version",
        "subject",
        "task",
        "timestamp",
        "to_position",
        "url",
        "version",
        "where",
    }
)
PLAIN = (str, int, float, bool, type(None))
WRITTEN = (UUID, datetime, PurePath)
"""Not plain, but written as themselves."""
LONGEST = 1000
"""Characters of one value."""
FRAMES = 5

dropped = declare_counter(
    "log_keys_dropped_total",
    "Keys of log lines that were left out because they are not on the list.",
    "find the line that logs them; add the key to ALLOWED only if it can never be patient data",
)


def only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in [key for key in event if key not in ALLOWED]:
        del event[key]
        dropped.inc()
    return event


def only_plain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A message or an exception would be written with all it holds: its type stands for it."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = value if len(value) <= LONGEST else value[:LONGEST] + "…"
        elif isinstance(value, WRITTEN):
            event[key] = str(value)
        elif not isinstance(value, PLAIN):
            event[key] = f"<{type(value).__qualname__}>"
    return event


def place(error: BaseException) -> str:
    """Where an error arose, innermost first: files and lines, never what an exception says."""
    frames = [
        f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        for trace in _traces(error.__traceback__)
    ]
    return " < ".join(reversed(frames[-FRAMES:]))


def _traces(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


class Complaints(logging.Handler):
    """What libraries report as an error: who and where, not their words, which may quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        get_logger(record.name).error(
            "a library reports an error",
            error_type=type(error).__qualname__ if error else None,
            where=place(error) if error else f"{record.filename}:{record.lineno}",
        )


def configure(
    service: str, level: str = "info", json: bool = True, stream: TextIO | None = None
) -> None:
    """Logs of this process go to standard error, or to `stream`."""
    renderer = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lambda _, __, event: {**event, "service": service},
            only_allowed,
            only_plain,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.ERROR, handlers=[Complaints()], force=True)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=name)
    return logger
