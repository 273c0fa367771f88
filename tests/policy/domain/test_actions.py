"""Firings as events: valid by the contract, and the same whenever they are made."""

from __future__ import annotations

import uuid
from datetime import timedelta

from rehab_policy.domain.actions import events_of
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.given import CONSENT
from rehab_policy.domain.trials import run_tests, trial_texts, trials_of
from rehab_runtime.validation import violations
from tests.policy.domain.books import BOOK, PAIN, book, events, fold, pain, shipped


def every_firing() -> list[Firing]:
    """Of everything that the shipped book's tests make fire, with all rules deciding."""
    trials = trials_of(trial_texts([BOOK]))
    return [firing for verdict in run_tests(shipped(), trials) for firing in verdict.firings]


def test_every_event_that_the_shipped_book_makes_is_valid() -> None:
    firings = every_firing()
    assert {firing.action.value for firing in firings} == {"alert", "nudge", "feedback"}
    for firing in firings:
        for one in events_of(firing):
            allowed = {"envelope"} if not firing.consent_id else set()
            broken = {violation.field for violation in violations(one)}
            assert broken <= allowed, (firing.rule_id, violations(one))


def test_an_alert_names_its_rule_its_cause_and_its_deadline() -> None:
    timed = book(PAIN.replace("cooldown: 1d", "cooldown: 1d\n    answer_within: 2h"))
    recorded = events(pain(0, "10:00", 8))
    (firing,) = fold(Engine(timed), recorded)
    (one,) = events_of(firing)
    raised = one.body.alert.raised
    cause = recorded[-1].envelope
    assert (raised.rule_id, raised.rule_version, raised.message_key) == ("pain", 2, "pain")
    assert list(raised.input_event_ids) == [cause.event_id] == [one.envelope.causation_id]
    assert raised.deadline.ToDatetime() - cause.recorded_at.ToDatetime() == timedelta(hours=2)
    assert one.envelope.consent_id == CONSENT
    assert one.envelope.actor.id == "policy"
    assert (one.envelope.zone, one.envelope.utc_offset_min) == ("Europe/Berlin", 60)


def test_no_text_of_the_patients_stands_in_an_envelope() -> None:
    (firing,) = fold(Engine(book()), events(pain(0, "10:00", 8)))
    (one,) = events_of(firing)
    assert "8" not in one.envelope.correlation_id + one.envelope.source.app
    assert firing.text == "Pain 8 of 10"


def test_ids_are_shaped_as_uuid_7_with_the_time_of_the_trigger() -> None:
    (firing,) = fold(Engine(book()), events(pain(0, "10:00", 8)))
    for told in (firing.firing_id, firing.alert_id):
        made = uuid.UUID(told)
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert made.int >> 80 == round(firing.at.timestamp() * 1000)
    assert firing.firing_id != firing.alert_id


def test_ids_do_not_depend_on_the_version_of_the_rule() -> None:
    recorded = events(pain(0, "10:00", 8))
    (old,) = fold(Engine(book()), recorded)
    (new,) = fold(Engine(book(PAIN.replace("version: 2", "version: 9"))), recorded)
    assert (old.rule_version, new.rule_version) == (2, 9)
    assert old.firing_id == new.firing_id


def test_the_bytes_of_an_event_are_the_same_whenever_it_is_made() -> None:
    recorded = events(pain(0, "10:00", 8))
    made = [
        events_of(firing)[0].SerializeToString(deterministic=True)
        for _ in range(2)
        for firing in fold(Engine(book()), recorded)
    ]
    assert made[0] == made[1]


def test_a_shadow_firing_appends_nothing() -> None:
    shadow = book(PAIN.replace("cooldown: 1d", "cooldown: 1d\n    mode: shadow"))
    (firing,) = fold(Engine(shadow), events(pain(0, "10:00", 8)))
    assert events_of(firing) == []


def test_the_fast_lane_appends_the_very_bytes_that_the_fold_does() -> None:
    engine = Engine(shipped())
    recorded = events(pain(0, "10:00", 9, phase="DURING"))
    folded = [f for f in fold(engine, recorded) if f.emergency]
    fast = [firing for one in recorded for firing in engine.emergencies(one)]
    assert [e.SerializeToString() for f in folded for e in events_of(f)] == [
        e.SerializeToString() for f in fast for e in events_of(f)
    ]
    assert len(fast) == 1
