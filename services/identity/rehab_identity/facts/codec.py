"""Records as JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, TypeVar

from rehab_identity.domain.record import Emergency, Given, PatientRecord, Treatment, Withdrawal

T = TypeVar("T")
_PARTS = {"given": Given, "withdrawn": Withdrawal, "team": Treatment, "emergencies": Emergency}


def dump_record(record: PatientRecord) -> str:
    return json.dumps(asdict(record), default=datetime.isoformat, separators=(",", ":"))


def load_record(text: str) -> PatientRecord:
    told: dict[str, Any] = json.loads(text)
    for name, kind in _PARTS.items():
        told[name] = tuple(_made(kind, part) for part in told[name])
    return _made(PatientRecord, told)


def _made(kind: type[T], told: Mapping[str, Any]) -> T:
    values = {}
    for field in fields(kind):  # type: ignore[arg-type]
        value = told[field.name]
        if "datetime" in str(field.type) and value is not None:
            value = datetime.fromisoformat(value)
        elif isinstance(value, list):
            value = tuple(value)
        values[field.name] = value
    return kind(**values)
