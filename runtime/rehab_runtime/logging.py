"""Structured logs. Only keys on the list are printed: what is not foreseen might be
patient data."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

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
        "role",
        "rpc",
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
DROPPED = {"keys": 0}


def only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in [key for key in event if key not in ALLOWED]:
        del event[key]
        DROPPED["keys"] += 1
    return event


def configure(service: str, level: str = "info", json: bool = True) -> None:
    """Logs of this process go to standard error."""
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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # libraries may quote what they were given; only their worst is worth that risk
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr, force=True)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=name)
    return logger
