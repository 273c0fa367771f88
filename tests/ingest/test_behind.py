"""Nothing is refused only because identity has not heard yet what the log has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from rehab.events.v1.event_pb2 import Event, RecordedEvent
from rehab_ingest.rights import LOOK_S, Rights
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.auth import Principal
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import ConsentNotInForce, RehabError, Unavailable
from tests.ingest.given import CLINIC, PATIENT, rep
from tests.ingest.test_rights import ANN, NOW, consent_event, named, said_by, team_event

OWN = Principal(PATIENT, "patient", CLINIC, patient_id=PATIENT)
METHOD = "/rehab.ingest.v1.IngestService/LogEvents"


class Log:
    """What the log has, and how often it was asked."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)
        self.asked = 0
        self.away = False
        self.garbled: set[int] = set()

    async def pages_of(
        self, stream: str, *, kinds: Sequence[str]
    ) -> AsyncGenerator[Sequence[RecordedEvent], None]:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        yield [
            RecordedEvent(
                envelope=one.envelope,
                body=b"\xff" if place in self.garbled else one.body.SerializeToString(),
            )
            for place, one in enumerate(self.events)
            if one.envelope.kind in kinds
        ]


class Behind:
    """Identity, which has heard of nobody."""

    async def facts_of(self, patient_ids: Iterable[str]) -> Mapping[str, PatientFacts]:
        return {one: PatientFacts(one) for one in patient_ids}


class Place:
    def __init__(self, *events: Event, patience_s: float = 0) -> None:
        self.log, self.clock = Log(*events), FixedClock(NOW)
        self.rights = Rights(
            cast("Any", self.log), cast("Any", Behind()), None, self.clock, patience_s
        )

    async def refused(self, caller: Principal, *events: Event) -> list[RehabError | None]:
        checked = [(said_by(caller, event), None) for event in events]
        return [error for _, error in await self.rights.checked(checked, caller, METHOD)]


async def test_a_consent_that_the_log_has_counts_although_identity_is_behind() -> None:
    place = Place(consent_event("consent-1"))
    assert await place.refused(OWN, rep(), rep()) == [None, None]
    # and what follows at once need not ask again
    assert await place.refused(OWN, rep()) == [None]
    assert place.log.asked == 1


async def test_a_therapist_whom_the_log_names_is_heard_and_one_who_was_released_is_not() -> None:
    assigned, released = team_event("ann"), team_event("ann")
    released.body.care_team.action = 2
    place = Place(consent_event("consent-1"), assigned)
    assert await place.refused(ANN, named("plan")) == [None]
    gone = Place(consent_event("consent-1"), assigned, released)
    assert (await gone.refused(ANN, named("plan")))[0] is not None


async def test_what_nobody_told_is_refused_and_costs_the_log_one_question_in_a_while() -> None:
    place = Place()
    for _ in range(5):
        (error,) = await place.refused(OWN, rep())
        assert isinstance(error, ConsentNotInForce)
    assert place.log.asked == 1
    place.clock.advance(LOOK_S)
    place.log.events.append(consent_event("consent-1"))
    assert await place.refused(OWN, rep()) == [None]


async def test_while_the_log_does_not_answer_nothing_is_refused() -> None:
    place = Place()
    place.log.away = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await place.refused(OWN, rep())


async def test_what_another_device_is_about_to_tell_is_waited_for_a_moment() -> None:
    place = Place(patience_s=5)
    waiting = asyncio.create_task(place.refused(OWN, rep()))
    await asyncio.sleep(0)
    assert await place.refused(OWN, consent_event("consent-1")) == [None]
    assert await waiting == [None]


async def test_within_one_message_an_event_rests_on_those_before_it() -> None:
    place = Place()
    assert await place.refused(OWN, consent_event("consent-1"), rep()) == [None, None]
    assert place.log.asked == 0


async def test_a_clinician_of_another_clinic_is_not_let_at_a_patient_whom_only_the_log_knows() -> (
    None
):
    place = Place(consent_event("consent-1"))
    far = replace(ANN, clinic_id="clinic-2")
    (error,) = await place.refused(far, team_event("ann"))
    assert error is not None
    assert error.violations[0].rule == "patient.clinic"


async def test_what_came_in_while_the_log_was_asked_is_not_forgotten() -> None:
    place = Place()
    assert await place.refused(OWN, consent_event("consent-1")) == [None]
    # the log has not got it yet when a therapist's event has it asked
    (error,) = await place.refused(ANN, named("plan"))
    assert error is not None
    assert await place.refused(OWN, rep()) == [None]


@pytest.mark.parametrize("garbled", [True, False])
async def test_what_the_log_has_and_nobody_can_read_counts_for_nothing_and_stops_nobody(
    garbled: bool,
) -> None:
    wrong = consent_event("consent-2")
    wrong.body.consent.granted.valid_from.seconds = 2**62
    place = Place(consent_event("consent-1"), wrong)
    place.log.garbled = {1} if garbled else set()
    (error,) = await place.refused(OWN, rep())
    assert isinstance(error, ConsentNotInForce)
