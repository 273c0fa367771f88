"""Consents to sharing, folded from the stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rehab_clinical.facts import fact_of

from rehab.events.v1.event_pb2 import Event, RecordedEvent
from rehab_emr.domain.sharing import Sharing
from tests.emr.given import agreed, event, pain, withdrew

DAY = timedelta(days=1)


def folded(*events: Event) -> Sharing:
    sharing = Sharing()
    for one in events:
        sharing.step(
            fact_of(RecordedEvent(envelope=one.envelope, body=one.body.SerializeToString()))
        )
    return sharing


def now() -> datetime:
    return datetime.now(UTC)


def name_of(sharing: Sharing, at: datetime, *kinds: str) -> str:
    consent = sharing.consent(at, kinds)
    return consent.consent_id if consent is not None else ""


def test_without_a_consent_to_sharing_nothing_is_shared() -> None:
    assert name_of(folded(), now()) == ""
    assert name_of(folded(agreed("treatment"), agreed("research"), pain()), now()) == ""


def test_a_withdrawal_ends_it_and_the_same_id_does_not_begin_it_again() -> None:
    given, gone = agreed(), withdrew()
    assert name_of(folded(given), now()) == "emr_share-patient-1"
    assert name_of(folded(given, gone), now()) == ""
    assert name_of(folded(gone, given), now()) == ""
    assert name_of(folded(given, gone, agreed()), now()) == ""
    another = agreed(consent_id="again")
    assert name_of(folded(given, gone, another), now()) == "again"


def test_it_ends_by_itself_and_begins_when_it_says() -> None:
    sharing = folded(agreed(until=now() + DAY))
    assert name_of(sharing, now()) != ""
    assert name_of(sharing, now() + 2 * DAY) == ""
    later = agreed()
    later.body.consent.granted.valid_from.FromDatetime(now() + DAY)
    sharing = folded(later)
    assert name_of(sharing, now()) == ""
    begins_in = sharing.begins_in(now())
    assert begins_in is not None
    assert 86_000 < begins_in <= 86_400
    assert name_of(sharing, now() + 2 * DAY) != ""


def test_a_scope_covers_the_kinds_of_events_that_it_names() -> None:
    sharing = folded(agreed(scope=["pain_report"]))
    assert name_of(sharing, now(), "pain_report") != ""
    assert name_of(sharing, now(), "pain_report", "exercise_session") == ""
    wide = folded(agreed(scope=["pain_report"]), agreed(consent_id="all"))
    assert name_of(wide, now(), "exercise_session") == "all"


def test_a_consent_that_cannot_be_read_shares_nothing() -> None:
    sharing = folded(agreed())
    sharing.closed(pain().envelope)
    assert name_of(sharing, now()) != ""
    sharing.closed(agreed().envelope)
    assert name_of(sharing, now()) == ""


def test_an_unknown_step_of_a_consent_shares_nothing() -> None:
    unknown = event(consent={"consentId": "x"})
    assert name_of(folded(agreed(), unknown), now()) == ""
