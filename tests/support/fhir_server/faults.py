"""What goes wrong, and how often. It is told over HTTP, and kept in a file: a server that is killed
goes wrong in the same way when it is back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

EVERYTHING = ("conditionalCreate", "conditionalUpdate", "search-type", "transaction", "batch")


@dataclass
class Faults:
    """Rates from 0 to 1, of Bundles. `hang`: committed, and no answer for `hang_s`; `cut`:
    committed, and the connection is cut; `busy`: 429 with Retry-After; `broken`: 500 before
    anything is done; `html`: committed, and answered by a page of a proxy. `busy_entries`: some
    entries of a batch are answered with 429. `slow_s` passes between the look for an existing
    resource and the commit, as on servers whose conditional create is no guarantee."""

    hang: float = 0.0
    hang_s: float = 30.0
    cut: float = 0.0
    busy: float = 0.0
    retry_after: str = "1"
    broken: float = 0.0
    html: float = 0.0
    busy_entries: float = 0.0
    slow_s: float = 0.0
    looks: bool = True
    """Whether answers are lost, too, when nothing was stored."""
    refuse: list[str] = field(default_factory=list)
    """Values of identifiers that are answered with 422."""
    most_entries: int = 0
    """More in a Bundle are answered with 413; 0 for any number."""
    as_batch: bool = False
    """Transactions are run as batches, and called transactions."""
    no_transactions: bool = False
    """They are answered with 405."""
    no_bundles: bool = False
    """They are answered with 405, whatever their type."""
    conditional: str = "takes"
    """What it does with conditions: "takes", "refuses" (412 and 400), or "ignores" If-None-Exist
    and refuses conditional updates, as some servers do."""
    lag_s: float = 0.0
    """Its search finds what is stored only so long after."""
    searches: bool = True
    """Otherwise it leaves out parameters that it does not know, which are all."""
    lists: list[str] = field(default_factory=lambda: list(EVERYTHING))
    """What its CapabilityStatement lists."""
    whole: int = 0
    """Every Bundle is answered with this status."""
    seed: int = 1

    @classmethod
    def load(cls, path: Path) -> Faults:
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def save(self, path: Path) -> None:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)))
        new.replace(path)

    def changed(self, told: dict[str, Any]) -> Faults:
        return Faults(**{**asdict(self), **told})


class Chance:
    """The same seed goes wrong at the same requests."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def happens(self, rate: float) -> bool:
        return rate > 0 and self._random.random() < rate
