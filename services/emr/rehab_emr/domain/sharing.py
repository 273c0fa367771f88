"""What a patient agreed to, and what was already told of them: folded from their stream."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rehab_clinical.facts import Fact, moment

from rehab.events.v1 import care_pb2, patient_pb2
from rehab.events.v1.event_pb2 import Envelope
from rehab_emr.domain.account import Disclosure
from rehab_runtime.access.facts import Consent, PatientFacts

PURPOSE = "emr_share"


class Sharing:
    """The consents to sharing and the account of disclosures, up to an event of the stream."""

    def __init__(self) -> None:
        self.disclosures: dict[str, Disclosure] = {}
        """By the delivery's id, in the order in which they left."""
        self.shared: set[tuple[str, str, str]] = set()
        """Endpoint, kind and id of every resource that left."""
        self.unreadable = False
        """A consent cannot be read: it may have been a withdrawal, so nothing is shared."""
        self._given: dict[str, Consent] = {}
        self._withdrawn: dict[str, datetime] = {}

    def step(self, fact: Fact) -> None:
        if fact.kind == "consent":
            self._consent(fact, fact.body.consent)
        elif fact.kind == "emr_delivery":
            self._delivery(fact, fact.body.emr_delivery)

    def erase(self) -> None:
        """The patient's data is erased: nothing is shared, and nothing is known."""
        self.unreadable = True
        self.disclosures.clear()
        self.shared.clear()
        self._given.clear()

    def closed(self, envelope: Envelope) -> None:
        """An event whose body cannot be opened."""
        if envelope.kind == "consent":
            self.unreadable = True

    def consent(
        self, at: datetime, kinds: Iterable[str] = (), purpose: str = PURPOSE
    ) -> Consent | None:
        """The consent in force that covers all these kinds of events; of several the newest."""
        if self.unreadable:
            return None
        consents = tuple(self._ending(one) for one in self._given.values())
        wanted = list(kinds)
        covering = [one for one in consents if all(one.covers(at, kind) for kind in wanted)]
        return PatientFacts("", consents=tuple(covering)).consent_to(purpose, at)

    def begun(self, at: datetime) -> int:
        """How many consents to sharing had begun by then, those that ended included: while it is
        the same, nothing is covered that was not."""
        return sum(one.purpose == PURPOSE and one.since <= at for one in self._given.values())

    def begins_in(self, at: datetime) -> float | None:
        """Seconds until another consent comes into force; None when none will."""
        shares = [one for one in self._given.values() if one.purpose == PURPOSE]
        later = [one.since for one in shares if one.since > at]
        return (min(later) - at).total_seconds() if later else None

    def _consent(self, fact: Fact, told: patient_pb2.Consent) -> None:
        ahead = timedelta(milliseconds=fact.envelope.clock_skew_ms)
        if told.HasField("revoked"):
            at = moment(told.revoked.effective_at) - ahead
            known = self._withdrawn.get(told.consent_id, at)
            self._withdrawn[told.consent_id] = min(known, at)
        elif told.HasField("granted"):
            given = told.granted
            until = moment(given.valid_until) if given.HasField("valid_until") else None
            since = moment(given.valid_from) - ahead
            consent = Consent(told.consent_id, given.purpose, since, until, frozenset(given.scope))
            # an id stands for one consent: to be given anew it takes another
            self._given.setdefault(told.consent_id, consent)
        else:
            self.unreadable = True

    def _ending(self, one: Consent) -> Consent:
        ends = [end for end in (one.until, self._withdrawn.get(one.consent_id)) if end is not None]
        until = min(ends) if ends else None
        return Consent(one.consent_id, one.purpose, one.since, until, one.scope)

    def _delivery(self, fact: Fact, told: care_pb2.EmrDelivery) -> None:
        known = self.disclosures.get(told.delivery_id)
        if known is None:
            known = Disclosure.of(told, moment(fact.envelope.occurred_at))
        self.shared.add((told.endpoint_id, told.resource_kind, told.resource_id))
        self.disclosures[told.delivery_id] = known.after(told)
