"""Events that will not be sent any more, kept until the program has looked at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from rehab.errors.v1.failure_pb2 import Failure
from rehab.events.v1.event_pb2 import Envelope, Event
from rehab_sdk.spool.sealing import Part, Vault
from rehab_sdk.spool.storage import Storage

KEPT = 1000
"""Of each sort; the oldest go."""
Why = Literal["refused", "dropped"]


@dataclass(frozen=True)
class DroppedEvent:
    """An event that was let go unsent, for want of "room" or by its "age". What it said is gone."""

    envelope: Envelope
    why: str
    at: datetime


@dataclass(frozen=True)
class RefusedEvent:
    """An event that the server refused."""

    event: Event
    failure: Failure
    at: datetime


class Aside:
    def __init__(self, storage: Storage, vault: Vault) -> None:
        self._storage = storage
        self._vault = vault
        self._newest = storage.newest_id("aside")
        self._looked_at: dict[Why, int] = {}

    def keep_refused(self, event: bytes, failure: Failure, at: float) -> None:
        """Within the caller's transaction."""
        self._keep("refused", event, failure.SerializeToString(), at)

    def keep_dropped(self, event: bytes, why: str, at: float) -> None:
        """Its envelope, within the caller's transaction."""
        envelope = Event(envelope=Event.FromString(event).envelope)
        self._keep("dropped", envelope.SerializeToString(), why.encode(), at)

    def dropped(self) -> list[DroppedEvent]:
        return [
            DroppedEvent(Event.FromString(event).envelope, said.decode(), at)
            for at, event, said in self._kept("dropped")
        ]

    def refused(self) -> list[RefusedEvent]:
        return [
            RefusedEvent(Event.FromString(event), Failure.FromString(said), at)
            for at, event, said in self._kept("refused")
        ]

    def forget(self) -> None:
        """What was looked at so far; what came since stays."""
        with self._storage.changing():
            for why, number in self._looked_at.items():
                self._storage.execute("forget_aside", why, number)

    def _keep(self, why: Why, event: bytes, said: bytes, at: float) -> None:
        self._newest += 1
        number, seal = self._newest, self._vault.seal
        sealed = seal(Part.ASIDE, number, event), seal(Part.SAID, number, said)
        self._storage.execute("keep_aside", number, why, at, *sealed)
        self._storage.execute("thin_aside", why, KEPT)

    def _kept(self, why: Why) -> list[tuple[datetime, bytes, bytes]]:
        rows: list[Any] = self._storage.execute("aside", why)
        if rows:
            self._looked_at[why] = rows[-1][0]
        return [
            (
                datetime.fromtimestamp(at, UTC),
                self._vault.open(Part.ASIDE, number, sealed),
                self._vault.open(Part.SAID, number, said),
            )
            for number, at, sealed, said in rows
        ]
