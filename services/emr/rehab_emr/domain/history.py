"""A patient's events, by the resources they tell of."""

from __future__ import annotations

from datetime import datetime

from rehab_clinical.facts import Fact

from rehab_emr.domain.keys import ResourceKey


class History:
    """One patient's stream, folded in the log's order. It has no clock and no randomness."""

    @classmethod
    def empty(cls) -> History:
        return cls()

    def __init__(self) -> None:
        self.erased = False
        """The patient's keys are destroyed: nothing is told any more."""

    def step(self, fact: Fact) -> frozenset[ResourceKey]:
        """Fold the next event: the keys of what it made or changed, of every kind there is.

        A week that a prescription foresees is among them, before it begins. Raises ValueError for
        an event that cannot be, and is then as it was.
        """
        raise NotImplementedError

    def keys(self) -> frozenset[ResourceKey]:
        """Of everything told so far: for a replay, or a copy of the record."""
        raise NotImplementedError

    def ready_at(self, key: ResourceKey) -> datetime | None:
        """From when on the resource may be sent; None for one that does not exist.

        A reading or report is ready when it happened, a finished session when it ended, one that
        nobody finished a day after its last event, a day at its end, a week when the last due
        window that begins in it has ended.
        """
        raise NotImplementedError
