"""What decisions rest on follows from the events alone, however they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_identity.domain.evolve import LONGEST_EMERGENCY
from rehab_identity.domain.fold import Changes, fold, touched
from rehab_identity.domain.record import PatientRecord
from rehab_identity.domain.view import consents, facts
from rehab_identity.facts.codec import dump_record, load_record
from rehab_runtime.access.facts import Care, PatientFacts
from tests.identity.facts.given import (
    Shard,
    accessed,
    emergency,
    erased,
    granted,
    hour,
    revoked,
    team,
)

PATIENT = "patient-1"


class Database:
    """What the fold keeps, as the real one keeps it: all of a batch or nothing."""

    def __init__(self) -> None:
        self.position = 0
        self.records: dict[str, PatientRecord] = {}
        self.entries: set[tuple[str, str]] = set()
        self.known: dict[str, None] = {}

    def take(self, batch: Sequence[RecordedEvent]) -> None:
        batch = [one for one in batch if one.envelope.position > self.position]
        if not batch:
            return
        wanted = touched(batch, self.known)
        before = {name: one for name, one in self.records.items() if name in wanted}
        self.save(fold(before, batch, 0, wanted))
        self.known |= dict.fromkeys(self.records)
        self.position = batch[-1].envelope.position

    def save(self, changes: Changes) -> None:
        for record in changes.records:
            self.records[record.patient_id] = load_record(dump_record(record))
        self.entries |= {(one.patient_id, one.event_id) for one in changes.entries}


def recorded(*bodies: Body) -> PatientRecord:
    shard, database = Shard(), Database()
    for body in bodies:
        shard.add(body)
    database.take(shard.events)
    return database.records[PATIENT]


IDS = st.sampled_from(["a", "b"])
HOURS = st.integers(-5, 30)
BODIES = st.one_of(
    st.builds(granted, IDS, HOURS, st.none() | HOURS),
    st.builds(revoked, IDS, HOURS),
    st.builds(team, IDS, assigned=st.booleans(), primary=st.booleans()),
    st.builds(emergency, IDS, st.sampled_from([1, 2, 3]), HOURS),
    st.builds(lambda: Body(enrolment={})),
    st.builds(accessed, IDS),
)
STREAMS = st.sampled_from([PATIENT, "patient-2", "audit-emr-0"])
LOGS = st.lists(st.tuples(BODIES | st.builds(erased), STREAMS), min_size=1, max_size=25)


@given(LOGS, st.data())
def test_any_batches_and_redeliveries_give_the_same_facts(
    log: list[tuple[Body, str]], data: st.DataObject
) -> None:
    shard = Shard()
    for body, stream in log:
        shard.add(body, stream)
    one, other = Database(), Database()
    one.take(shard.events)
    while other.position < len(shard.events):
        # a batch may begin with what was folded already, as after a crash
        first = data.draw(st.integers(0, other.position))
        last = data.draw(st.integers(other.position + 1, len(shard.events)))
        other.take(shard.events[first:last])
    assert (one.records, one.entries) == (other.records, other.entries)


@given(st.lists(BODIES, min_size=1, max_size=12))
def test_a_record_keeps_what_was_known_at_every_time(bodies: list[Body]) -> None:
    """As of a time it says what a record says that ends there."""
    shard = Shard()
    for body in bodies:
        shard.add(body)
    whole, part = Database(), Database()
    whole.take(shard.events)
    for event in shard.events:
        part.take([event])
        at = event.envelope.recorded_at.ToDatetime(hour(0).tzinfo)
        if PATIENT in part.records:
            assert facts(whole.records[PATIENT], at) == facts(part.records[PATIENT])


def test_before_the_first_event_nobody_was_known() -> None:
    record = recorded(granted("c"))
    assert facts(record, hour(0)) == PatientFacts(PATIENT)
    assert facts(record, hour(1)).known


def test_the_clinic_is_that_of_the_first_event() -> None:
    shard, database = Shard(), Database()
    shard.add(granted("c"))
    shard.add(team("ann")).envelope.clinic_id = "clinic-2"
    database.take(shard.events)
    assert database.records[PATIENT].clinic_id == "clinic-1"


def test_a_consent_ends_by_itself_or_when_it_is_withdrawn_whichever_is_earlier() -> None:
    record = recorded(granted("a", 0, 10), revoked("a", 5), granted("b", 0, 3), revoked("b", 5))
    assert [one.until for one in facts(record).consents] == [hour(5), hour(3)]


def test_what_a_phone_with_a_fast_clock_tells_counts_from_when_it_happened() -> None:
    shard, database = Shard(), Database()
    for body in (granted("consent-1", since=7), revoked("consent-1", at=8)):
        shard.add(body).envelope.clock_skew_ms = 6 * 3_600_000
    database.take(shard.events)
    record = database.records[PATIENT]
    assert record.given[0].valid_from == hour(1)
    assert record.withdrawn[0].effective_at == hour(2)


def test_of_several_withdrawals_the_earliest_counts_and_one_may_come_before_its_consent() -> None:
    record = recorded(revoked("a", 7), granted("a", 0), revoked("a", 5), revoked("a", 9))
    assert facts(record).consents[0].until == hour(5)
    assert [gone for _, gone in consents(record, hour(2))] == [hour(7)]


def test_an_id_stands_for_the_first_consent_that_had_it() -> None:
    record = recorded(granted("a", 0, 5), granted("a", 0, 50))
    assert [one.until for one in facts(record).consents] == [hour(5)]


def test_a_change_of_who_leads_leaves_no_gap() -> None:
    record = recorded(team("ann"), team("ann", primary=True), team("ann", assigned=False))
    assert facts(record).team == (Care("ann", hour(1), hour(2)), Care("ann", hour(2), hour(3)))


def test_emergency_access_never_lasts_longer_than_it_may() -> None:
    record = recorded(emergency("g", until=1000))
    (grant,) = facts(record).grants
    assert grant.until - grant.since == LONGEST_EMERGENCY == timedelta(hours=4)


def test_emergency_access_ends_when_it_is_ended_and_is_reviewed_once() -> None:
    ended, reviewed = admin_pb2.BREAK_GLASS_STAGE_ENDED, admin_pb2.BREAK_GLASS_STAGE_REVIEWED
    record = recorded(
        emergency("g", until=4),
        emergency("g", ended),
        emergency("g", reviewed, finding="justified"),
        emergency("g", reviewed, finding="unjustified"),
        emergency("unknown", ended),
    )
    (grant,) = facts(record).grants
    assert grant.until == hour(2)
    (taken,) = record.emergencies
    assert (taken.finding, taken.reviewed_at) == ("justified", hour(3))


def test_of_who_was_erased_only_that_is_left() -> None:
    record = recorded(granted("a"), team("ann"), emergency("g", until=4), erased(), team("bob"))
    assert record == PatientRecord(PATIENT, "clinic-1", hour(1), version=5, erased_at=hour(4))
    assert facts(record) == PatientFacts(PATIENT, "clinic-1", erased=True)


@pytest.mark.parametrize("key_id", ["", "key-1"])
def test_what_cannot_be_read_opens_nothing_and_closes_everything(key_id: str) -> None:
    shard, database = Shard(), Database()
    shard.add(granted("a"))
    shard.add(team("ann"))
    sealed = shard.add(revoked("a", 2))
    sealed.key_id, sealed.body = key_id, b"\xff\xff"
    database.take(shard.events)
    found = facts(database.records[PATIENT])
    assert found == PatientFacts(PATIENT, "clinic-1")
    assert facts(database.records[PATIENT], hour(2)).team


def test_a_body_whose_key_is_destroyed_closes_nothing_by_itself() -> None:
    shard, database = Shard(), Database()
    shard.add(granted("a"))
    blank = shard.add(granted("b"))
    blank.body, blank.erased = b"", True
    database.take(shard.events)
    assert [one.consent_id for one in facts(database.records[PATIENT]).consents] == ["a"]


def test_only_audit_streams_tell_who_saw_a_patient() -> None:
    shard, database = Shard(), Database()
    shard.add(accessed(PATIENT), PATIENT)
    told = shard.add(accessed(PATIENT, "patient-2", PATIENT), "audit-emr-0")
    database.take(shard.events)
    event_id = told.envelope.event_id
    assert database.entries == {(PATIENT, event_id), ("patient-2", event_id)}
    assert set(database.records) == {PATIENT}


def test_the_logs_own_streams_are_no_patients() -> None:
    shard, database = Shard(), Database()
    shard.add(Body(archive=admin_pb2.Archive()), "archive-0-0")
    database.take(shard.events)
    assert not database.records
