"""How folded values are kept in columns: compact JSON, times as microseconds since 1970. Dumping
raises orjson.JSONEncodeError for a number beyond 64 bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from rehab_clinical.done import Done, DoneByExercise, tally_of
from rehab_clinical.facts import Stamp
from rehab_clinical.measures import median_of
from rehab_clinical.sessions import (
    End,
    OccurrenceRef,
    SessionRecord,
    SetKey,
    SetRecord,
    Start,
    ToldSet,
)

from rehab.events.v1 import exercise_pb2
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.kinds import KINDS, blank_free_text
from rehab_projections.domain.absence import Span
from rehab_projections.domain.signals import Reason
from rehab_projections.domain.work_queue import Standing
from rehab_runtime.upcasting import UPCASTERS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = 2
_REP = bytes((exercise_pb2.RepObservation.DESCRIPTOR.fields_by_name["reps"].number << 3 | _BYTES,))
"""What stands before each repetition in a RepObservation: the field's number, and that it is told
by its length (protobuf's wire type 2)."""
_SHORT = [bytes((length,)) for length in range(0x80)]


def dump_event(event: RecordedEvent) -> bytes:
    """An event as it is kept: without a person's own words, which no figure comes from."""
    kind = KINDS.get(event.envelope.kind)
    if kind is None or not kind.free_text or event.erased or event.key_id:
        return event.SerializeToString()
    body = Body.FromString(event.body)
    blank_free_text(body)
    kept = RecordedEvent()
    kept.CopyFrom(event)
    kept.body = body.SerializeToString(deterministic=True)
    return kept.SerializeToString()


def load_event(stored: bytes) -> RecordedEvent:
    """An event as it was told, in today's form: it may have been kept by an older service."""
    event = RecordedEvent.FromString(stored)
    UPCASTERS.bring_forward([event])
    return event


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _us(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _maybe_at(us: int | None) -> datetime | None:
    return None if us is None else _at(us)


def _stamp(told: list[Any]) -> Stamp:
    return Stamp(_at(told[0]), told[1])


def _of_stamp(stamp: Stamp) -> list[Any]:
    return [_us(stamp.at), stamp.event_id]


@dataclass(frozen=True, slots=True)
class Summary:
    """What reads need of a session without its sets. `done` is by exercise and side."""

    zone: str
    status: str
    mode: int
    duration_s: float | None
    ref: OccurrenceRef | None
    median_score: float | None
    seen: int
    scored: int
    done: DoneByExercise


def dump_summary(record: SessionRecord) -> str:
    start = record.start
    tally = tally_of(record)
    return _dump(
        {
            "zone": record.zone,
            "status": record.status,
            "mode": start.mode if start else 0,
            "duration_s": record.duration_s,
            "ref": _of_ref(start.ref) if start and start.ref else None,
            "median": median_of(tally.scores),
            "seen": tally.seen,
            "scored": len(tally.scores),
            "done": [
                [
                    *exercise,
                    amount.reps,
                    amount.hold_ms,
                    amount.active_ms,
                    amount.scored,
                    amount.good,
                ]
                for exercise, amount in sorted(tally.done.items())  # in any order told
            ],
        }
    )


def load_summary(text: str) -> Summary:
    told = orjson.loads(text)
    return Summary(
        zone=told["zone"],
        status=told["status"],
        mode=told["mode"],
        duration_s=told["duration_s"],
        ref=_ref(told["ref"]),
        median_score=told["median"],
        seen=told["seen"],
        scored=told["scored"],
        done={(one[0], one[1]): Done(*one[2:]) for one in told["done"]},
    )


def _of_ref(ref: OccurrenceRef) -> list[str]:
    return [ref.plan_id, ref.local_date.isoformat(), ref.slot]


def _ref(told: list[str] | None) -> OccurrenceRef | None:
    return OccurrenceRef(told[0], date.fromisoformat(told[1]), told[2]) if told else None


def _of_start(start: Start | None) -> list[Any] | None:
    if start is None:
        return None
    ref = _of_ref(start.ref) if start.ref else None
    return [_of_stamp(start.stamp), _us(start.at), start.zone, start.mode, ref]


def _start(told: list[Any] | None) -> Start | None:
    if told is None:
        return None
    stamp, at, zone, mode, ref = told
    return Start(_stamp(stamp), _at(at), zone, mode, _ref(ref))


def dump_session(record: SessionRecord) -> str:
    """A session without its sets."""
    ended = record.ended
    return _dump(
        [
            _of_stamp(record.first),
            record.first_zone,
            _of_start(record.started),
            _of_start(record.self_reported),
            [_of_stamp(ended.stamp), ended.status, ended.duration_s] if ended else None,
        ]
    )


def load_session(session_id: str, text: str, sets: Mapping[SetKey, SetRecord]) -> SessionRecord:
    first, first_zone, started, self_reported, ended = orjson.loads(text)
    return SessionRecord(
        session_id=session_id,
        first=_stamp(first),
        first_zone=first_zone,
        started=_start(started),
        self_reported=_start(self_reported),
        ended=End(_stamp(ended[0]), ended[1], ended[2]) if ended else None,
        sets=sets,
    )


def dump_set(one: SetRecord) -> str:
    """A set without its repetitions."""
    told = one.told
    return _dump(
        [
            _of_stamp(one.seen) if one.seen else None,
            one.seen_zone,
            [_of_stamp(told.stamp), told.reps, told.good_reps, told.hold_ms, told.active_ms]
            if told
            else None,
        ]
    )


def dump_reps(one: SetRecord) -> bytes:
    """A RepObservation that holds the repetitions, by index. It is put together from their bytes:
    to make the message would copy each of them, and cost twice as much."""
    parts: list[bytes] = []
    for index in sorted(one.reps):
        rep = one.reps[index].SerializeToString()
        parts += (_REP, _varint(len(rep)), rep)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """As protobuf writes a length."""
    if number < 0x80:
        return _SHORT[number]
    return bytes((number & 0x7F | 0x80,)) + _varint(number >> 7)


def load_set(text: str, reps: bytes) -> SetRecord:
    seen, seen_zone, told = orjson.loads(text)
    kept = exercise_pb2.RepObservation.FromString(reps).reps if reps else ()
    return SetRecord(
        told=ToldSet(_stamp(told[0]), *told[1:]) if told else None,
        seen=_stamp(seen) if seen else None,
        seen_zone=seen_zone,
        reps={rep.index: rep for rep in kept},
    )


def dump_standing(standing: Standing) -> str:
    return _dump(
        {
            "therapist": standing.therapist_id,
            "open": [_of_reason(reason) for reason in standing.open],
            "settled": [_of_reason(reason) for reason in standing.settled],
            "closed_at": _us(standing.closed_at),
            "snoozed_at": _us(standing.snoozed_at),
            "snoozed_until": _us(standing.snoozed_until),
            "woken": standing.woken,
            "spans": [[_us(span.since), _us(span.until)] for span in standing.spans],
        }
    )


@lru_cache(maxsize=20_000)
def load_standing(text: str | None) -> Standing:
    """What was dumped; an empty standing for a patient of whom nothing but sessions is known."""
    if text is None:
        return Standing()
    told = orjson.loads(text)
    return Standing(
        therapist_id=told["therapist"],
        open=tuple(_reason(one) for one in told["open"]),
        settled=tuple(_reason(one) for one in told["settled"]),
        closed_at=_maybe_at(told["closed_at"]),
        snoozed_at=_maybe_at(told["snoozed_at"]),
        snoozed_until=_maybe_at(told["snoozed_until"]),
        woken=told["woken"],
        spans=tuple(Span(_at(since), _maybe_at(until)) for since, until in told["spans"]),
    )


def _of_reason(reason: Reason) -> list[Any]:
    hidden = _us(reason.hidden_until)
    return [reason.code, reason.severity, _us(reason.since), reason.event_ids, reason.rule, hidden]


def _reason(told: list[Any]) -> Reason:
    code, severity, since, event_ids, rule, hidden = told
    return Reason(code, severity, _at(since), tuple(event_ids), rule, _maybe_at(hidden))
