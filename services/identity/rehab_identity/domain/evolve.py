"""A patient's record after one more event of the stream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1 import admin_pb2, patient_pb2
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_identity.domain.record import (
    Emergency,
    Given,
    PatientRecord,
    Treatment,
    Withdrawal,
)
from rehab_identity.domain.texts import storable

KINDS = frozenset({"consent", "care_team", "break_glass", "erasure"})
"""What changes a record; of every other event it only matters that there is one."""
LONGEST_EMERGENCY = timedelta(minutes=240)
"""Whoever wrote it, no emergency lasts longer."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event of a patient's stream. `body` is None when it cannot be read; with `erased` its key
    is destroyed, and an event that follows tells of the erasure."""

    patient_id: str
    clinic_id: str
    kind: str
    actor_id: str
    at: datetime
    told_at: datetime
    shard: int
    position: int
    version: int
    body: Body | None
    erased: bool = False
    ahead: timedelta = timedelta()
    """How far the clock of the device that told it was ahead."""


def moment(stamp: Timestamp) -> datetime:
    """To the microsecond. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def fact_of(event: RecordedEvent, shard: int) -> Fact:
    envelope = event.envelope
    body: Body | None = None
    if envelope.kind in KINDS and not event.key_id:
        body = _body(event)
    return Fact(
        patient_id=envelope.subject_id,
        clinic_id=envelope.clinic_id,
        kind=envelope.kind,
        actor_id=envelope.actor.id,
        at=moment(envelope.occurred_at),
        told_at=moment(envelope.recorded_at),
        shard=shard,
        position=envelope.position,
        version=envelope.stream_version,
        body=body,
        erased=event.erased,
        ahead=timedelta(milliseconds=envelope.clock_skew_ms),
    )


def _body(event: RecordedEvent) -> Body | None:
    """None for one that cannot be read, or not be kept: the door lets in none, but services write
    to the log as well."""
    try:
        body = Body.FromString(event.body)
    except DecodeError:
        return None
    return body if storable(body) and storable(event.envelope.actor) else None


def evolve(record: PatientRecord | None, fact: Fact) -> PatientRecord:
    """What was folded before changes nothing."""
    if record is None:
        record = PatientRecord(fact.patient_id, fact.clinic_id, fact.told_at)
    if fact.version <= record.version:
        return record
    record = replace(record, version=fact.version)
    if fact.kind not in KINDS or fact.erased or record.erased_at is not None:
        return record
    try:
        return _applied(record, fact)
    except (OverflowError, ValueError):
        return _unreadable(record, fact)


def _applied(record: PatientRecord, fact: Fact) -> PatientRecord:
    match fact.body.WhichOneof("kind") if fact.body is not None else None:
        case "consent":
            assert fact.body is not None
            return _consent(record, fact, fact.body.consent)
        case "care_team":
            assert fact.body is not None
            return _care_team(record, fact, fact.body.care_team)
        case "break_glass":
            assert fact.body is not None
            return _break_glass(record, fact, fact.body.break_glass)
        case "erasure":
            assert fact.body is not None
            return _erasure(record, fact, fact.body.erasure)
    return _unreadable(record, fact)


def _unreadable(record: PatientRecord, fact: Fact) -> PatientRecord:
    return replace(record, unreadable_at=record.unreadable_at or fact.told_at)


def _consent(record: PatientRecord, fact: Fact, told: patient_pb2.Consent) -> PatientRecord:
    if told.HasField("revoked"):
        at = moment(told.revoked.effective_at) - fact.ahead
        gone = Withdrawal(told.consent_id, at, fact.told_at)
        return replace(record, withdrawn=(*record.withdrawn, gone))
    if not told.HasField("granted"):
        return _unreadable(record, fact)
    if record.consent(told.consent_id) is not None:
        # an id stands for one consent: to be given anew it takes another
        return record
    granted = told.granted
    given = Given(
        consent_id=told.consent_id,
        purpose=granted.purpose,
        scope=tuple(granted.scope),
        valid_from=moment(granted.valid_from) - fact.ahead,
        valid_until=moment(granted.valid_until) if granted.HasField("valid_until") else None,
        text_sha256=granted.text_sha256.hex(),
        text_version=granted.text_version,
        mode=granted.mode,
        shard=fact.shard,
        position=fact.position,
        told_at=fact.told_at,
    )
    return replace(record, given=(*record.given, given))


def _care_team(record: PatientRecord, fact: Fact, told: patient_pb2.CareTeam) -> PatientRecord:
    begins = told.action == patient_pb2.CARE_TEAM_ACTION_ASSIGNED
    going_on = record.treats(told.therapist_id)
    if begins and going_on is not None and going_on.primary == told.primary:
        return record
    team = tuple(_ended(one, fact) if one is going_on else one for one in record.team)
    if begins:
        team = (*team, Treatment(told.therapist_id, told.primary, fact.at, fact.told_at))
    return replace(record, team=team)


def _ended(one: Treatment, fact: Fact) -> Treatment:
    # a clock that was behind does not let it end before it began
    return replace(one, until=max(one.since, fact.at), ended_told_at=fact.told_at)


def _break_glass(record: PatientRecord, fact: Fact, told: admin_pb2.BreakGlass) -> PatientRecord:
    before = record.emergency(told.grant_id)
    if told.stage == admin_pb2.BREAK_GLASS_STAGE_GRANTED:
        if before is not None:
            return record
        longest = fact.at + LONGEST_EMERGENCY
        until = min(moment(told.expires_at), longest) if told.HasField("expires_at") else longest
        taken = Emergency(
            told.grant_id, fact.actor_id, told.reason, fact.at, until, told_at=fact.told_at
        )
        return replace(record, emergencies=(*record.emergencies, taken))
    if before is None:
        return record
    if told.stage == admin_pb2.BREAK_GLASS_STAGE_ENDED and before.ended_at is None:
        after = replace(before, ended_at=max(before.since, fact.at), ended_told_at=fact.told_at)
    elif told.stage == admin_pb2.BREAK_GLASS_STAGE_REVIEWED and before.reviewed_at is None:
        after = replace(
            before, reviewed_at=fact.at, reviewed_by=fact.actor_id, finding=told.finding
        )
    else:
        return record
    emergencies = tuple(after if one is before else one for one in record.emergencies)
    return replace(record, emergencies=emergencies)


def _erasure(record: PatientRecord, fact: Fact, told: admin_pb2.Erasure) -> PatientRecord:
    """Only that and when it was erased is left."""
    if told.stage != admin_pb2.ERASURE_STAGE_DONE:
        return record
    return PatientRecord(
        record.patient_id,
        record.clinic_id,
        record.known_at,
        version=record.version,
        erased_at=fact.told_at,
    )
