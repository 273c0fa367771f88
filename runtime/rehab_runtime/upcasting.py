"""Bodies of older schema versions in today's form: what is stored never changes, so whoever reads
brings it forward, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.kinds import KINDS
from rehab_runtime.errors import Internal
from rehab_runtime.metrics import declare_counter

Step = Callable[[Body], Body]
"""A body of one schema version in the form of the next. Pure: the same every time."""

newer = declare_counter(
    "events_of_newer_schema_total",
    "Events read whose schema version is newer than this service knows.",
    "update this service: it reads the fields that it knows and passes the others on",
    ["kind"],
)


class StepMissing(Internal):
    """No step leads on from a schema version."""


class Upcasters:
    """Steps by kind and the schema version that they start from; `current` is today's version of
    each kind, 1 for one that is not named."""

    def __init__(self, current: Mapping[str, int]) -> None:
        self._current = current
        self._steps: dict[tuple[str, int], Step] = {}

    def step(self, kind: str, version: int) -> Callable[[Step], Step]:
        """Registers the step from a version to the next. ValueError when there is one."""

        def register(step: Step) -> Step:
            if (kind, version) in self._steps:
                raise ValueError(f"there is a step from version {version} of {kind}")
            self._steps[kind, version] = step
            return step

        return register

    def missing(self) -> list[tuple[str, int]]:
        """Kinds and versions from which no step leads on."""
        return [
            (kind, version)
            for kind, current in self._current.items()
            for version in range(1, current)
            if (kind, version) not in self._steps
        ]

    def bring_forward(self, events: Iterable[RecordedEvent]) -> None:
        """Put open bodies into today's form, in place; sealed and erased ones stay as they are. One
        of a newer version than is known here stays too. Raises StepMissing."""
        for event in events:
            envelope = event.envelope
            current = self._current.get(envelope.kind, 1)
            if envelope.schema_version == current or event.key_id or event.erased:
                continue
            if envelope.schema_version > current:
                newer.labels(envelope.kind).inc()
                continue
            event.body = self._brought(envelope.kind, envelope.schema_version, current, event.body)
            envelope.schema_version = current

    def _brought(self, kind: str, version: int, current: int, stored: bytes) -> bytes:
        body = Body.FromString(stored)
        for before in range(version, current):
            step = self._steps.get((kind, before))
            if step is None:
                raise StepMissing(f"no step from version {before} of {kind}")
            body = step(body)
        return bytes(body.SerializeToString())


UPCASTERS = Upcasters({name: kind.schema_version for name, kind in KINDS.items()})
"""The suite's own. No kind has had a second version yet."""
