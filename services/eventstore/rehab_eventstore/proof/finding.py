"""What a walk over the log can find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Damage(Enum):
    CHANGED = "changed"
    MISSING = "missing"
    DOUBLED = "doubled"
    COLUMN = "column"
    VERSION = "version"
    TRUNCATED = "truncated"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    STRAY = "stray"
    SIGNER = "signer"
    UNREADABLE = "unreadable"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, in words without patient data."""

    position: int
    damage: Damage
    message: str


def first_of(findings: Iterable[Finding]) -> Finding | None:
    """The one at the lowest position; of several there, the one found first."""
    return min(findings, key=lambda finding: finding.position, default=None)
