"""Events of readings, put away small: a watch tells of thousands a day, few are asked for again."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from rehab_clinical.facts import Fact
from rehab_clinical.vitals import Reading, readings_of

from rehab.events.v1 import event_pb2
from rehab_emr.domain import telling
from rehab_emr.domain.subjects import Subject
from rehab_emr.domain.telling import Told

_QUICK = 1
"""zlib's least effort already makes a twentieth of samples, which are much alike."""
_NOTHING = event_pb2.Body()
OPEN = 4
"""Events that stay open: resources are asked for in the order of the log."""

Grouped = Mapping[Told, Sequence[Reading]]


class Shelf:
    """What events of READING_KINDS told, by subject."""

    def __init__(self) -> None:
        self._packed: dict[str, tuple[bytes, ZoneInfo]] = {}
        self._open: OrderedDict[str, Grouped] = OrderedDict()

    def put(self, fact: Fact, zone: ZoneInfo) -> Fact:
        """Keep it; the fact without its body, which `readings` takes. `zone` is the patient's as it
        was then: what the event tells of stays what it was."""
        packed = zlib.compress(fact.body.SerializeToString(), _QUICK)
        self._packed[fact.stamp.event_id] = packed, zone
        return fact._replace(body=_NOTHING)

    def readings(self, fact: Fact, kind: str, subject: Subject) -> Sequence[Reading]:
        """What an event that was put away told of the subject."""
        event_id = fact.stamp.event_id
        if event_id not in self._packed:
            return ()
        grouped = self._open.get(event_id)
        if grouped is None:
            grouped = self._open[event_id] = self._opened(fact)
            if len(self._open) > OPEN:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(event_id)
        return grouped.get((kind, subject), ())

    def _opened(self, fact: Fact) -> Grouped:
        packed, zone = self._packed[fact.stamp.event_id]
        body = event_pb2.Body.FromString(zlib.decompress(packed))
        grouped: dict[Told, list[Reading]] = {}
        for reading in readings_of(fact._replace(body=body)):
            for told in telling.of_reading(reading, zone):
                grouped.setdefault(told, []).append(reading)
        return grouped
