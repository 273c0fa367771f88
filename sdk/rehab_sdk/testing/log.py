"""An event log in memory: each event id once, positions and versions without gaps."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from rehab.events.v1.event_pb2 import Event
from rehab_sdk.testing.refusals import Refusal


@dataclass(frozen=True)
class Place:
    position: int
    stream_version: int
    duplicate: bool = False


class Log:
    """May be used from several threads."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Notified after every event stored."""
        self._events: list[Event] = []
        self._places: dict[str, tuple[Place, bytes]] = {}
        self._versions: dict[str, int] = {}

    @property
    def events(self) -> list[Event]:
        with self.changed:
            return list(self._events)

    def append(self, event: Event) -> Place:
        """Where it stands; where it stood already. Raises Refusal."""
        with self.changed:
            event_id, subject = event.envelope.event_id, event.envelope.subject_id
            content = _content(event)
            known = self._places.get(event_id)
            if known is not None:
                if known[1] != content:
                    named = {"stream": subject, "event_id": event_id}
                    raise Refusal("EVENT_ID_REUSED", metadata=named)
                return Place(known[0].position, known[0].stream_version, duplicate=True)
            version = self._versions.get(subject, 0) + 1
            stored = Event()
            stored.CopyFrom(event)
            self._events.append(stored)
            place = Place(len(self._events), version)
            stored.envelope.position, stored.envelope.stream_version = place.position, version
            self._versions[subject] = version
            self._places[event_id] = (place, content)
            self.changed.notify_all()
            return place


def _content(event: Event) -> bytes:
    """What the producer said: its device's sequence and clock are set by ingest."""
    plain = Event()
    plain.CopyFrom(event)
    for field in ("device_epoch", "device_seq", "clock_skew_ms"):
        plain.envelope.ClearField(field)
    return plain.SerializeToString(deterministic=True)
