"""What a device remembers of its sessions: when each began, how far it came, whether it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from rehab_edge.outbox.sealed import SealedFile

KEPT = 500
"""Sessions; the oldest go first, but none that is live."""


@dataclass(frozen=True)
class Entry:
    """`reached_s` after its start. `live` says that somebody moved in front of the device: then it
    cannot be told anew."""

    patient: str
    exercise_id: str
    started_at: datetime
    reached_s: float = 0.0
    live: bool = True
    ended: bool = False


class Journal:
    """On the disk before a method returns. One process uses it at a time, as it does the spool."""

    def __init__(self, memory: SealedFile, kept: int = KEPT) -> None:
        """Raises DamagedFile."""
        self._memory = memory
        self._kept = kept
        held: dict[str, Any] = memory.load()
        self._entries = {
            name: Entry(**{**told, "started_at": datetime.fromisoformat(told["started_at"])})
            for name, told in held.items()
        }

    def begin(self, session_id: str, entry: Entry) -> Entry:
        """The entry, or the one that the session has already: told again, it began when it did."""
        known = self._entries.get(session_id)
        if known is not None:
            return known
        self._entries[session_id] = entry
        self._save()
        return entry

    def reached(self, session_id: str, at_s: float) -> None:
        self._entries[session_id] = replace(self._entries[session_id], reached_s=at_s)
        self._save()

    def end(self, session_id: str) -> None:
        self._entries[session_id] = replace(self._entries[session_id], ended=True)
        self._save()

    def ended(self, session_id: str) -> bool:
        return session_id in self._entries and self._entries[session_id].ended

    def left_open(self) -> Iterator[tuple[str, Entry]]:
        """Live sessions that a run which was killed left behind."""
        for session_id, entry in tuple(self._entries.items()):
            if entry.live and not entry.ended:
                yield session_id, entry

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._entries

    def _save(self) -> None:
        done = [name for name, entry in self._entries.items() if entry.ended or not entry.live]
        for name in done[: max(0, len(self._entries) - self._kept)]:
            del self._entries[name]
        held = {
            name: {**asdict(entry), "started_at": entry.started_at.isoformat()}
            for name, entry in self._entries.items()
        }
        self._memory.save(held)
