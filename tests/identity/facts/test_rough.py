"""What services write to the log may be wrong in anything: identity folds on, and of a patient
whose events it cannot read it allows nothing on what came before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rehab.events.v1 import admin_pb2, event_pb2
from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.kinds import KINDS, kind_of
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab_identity.domain.fold import fold, touched
from rehab_runtime.clock import uuid7
from tests.identity.facts.given import Shard, accessed, granted
from tests.identity.facts.service import ADMIN, ANN, BOB, CLINIC, Clinic, some_patient, until

MODULE = pytest.mark.asyncio(loop_scope="module")


async def told(clinic: Clinic, patient: str, kind: str, body: bytes, actor: str = "cli") -> None:
    """To the log, past the door: an event with that body, whatever it is."""
    request = store_pb.AppendRequest(stream=patient)
    request.expected.any.SetInParent()
    envelope = request.events.add(body=body).envelope
    envelope.event_id, envelope.kind, envelope.schema_version = str(uuid7()), kind, 1
    envelope.clinic_id, envelope.subject_id = CLINIC, patient
    envelope.phi, envelope.consent_id = KINDS[kind].phi, "c-1"
    envelope.occurred_at.FromDatetime(datetime.now(UTC))
    envelope.actor.id, envelope.actor.role = actor, event_pb2.ROLE_SERVICE
    await clinic.log.append(request)


def nul() -> Body:
    body = granted("c-2")
    body.consent.granted.text_version = "2\0"
    return body


def never() -> Body:
    body = granted("c-2")
    body.consent.granted.valid_from.seconds = 2**62
    return body


ROUGH = {
    "no message": b"\xff\xff",
    "U+0000": nul().SerializeToString(),
    "a time there is none of": never().SerializeToString(),
    "nothing": b"",
}


@MODULE
@pytest.mark.parametrize("what", ROUGH)
async def test_a_consent_that_cannot_be_kept_allows_nothing_and_others_are_heard(
    shared: Clinic, what: str
) -> None:
    patient, other = some_patient(), some_patient()
    for one in (patient, other):
        await shared.treated(one, "ann")
        assert (await shared.asks.may(ANN, one))[0]
    await told(shared, patient, "consent", ROUGH[what])

    async def forgotten() -> bool:
        return not (await shared.asks.may(ANN, patient))[0]

    assert await until(forgotten)
    await shared.as_(ADMIN).assign(other, "bob")
    assert (await shared.asks.may(BOB, other))[0]
    assert not shared.background.fallen.done()


def test_what_is_told_of_an_access_and_cannot_be_kept_is_passed_over() -> None:
    shard = Shard()
    shard.add(accessed("patient-1"), stream="audit-ingest-0")
    shard.add(
        Body(access=admin_pb2.Access(rpc="a\0", subject_ids=["patient-1"])), stream="audit-ingest-0"
    )
    shard.add(accessed("patient-1"), stream="audit-ingest-0", actor="some\0body")
    shard.add(accessed("patient-1"), stream="audit-ingest-0").envelope.actor.role = 2**15
    shard.add(accessed("patient-1"), stream="audit-ingest-0")
    changes = fold({}, shard.events, 0, touched(shard.events, {}))
    assert [one.event_id[-1] for one in changes.entries] == ["1", "5"]


@MODULE
async def test_an_access_that_cannot_be_kept_does_not_stop_those_that_follow(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient(), "ann")
    body = Body(access=admin_pb2.Access(rpc="a\0", allowed=True, subject_ids=[patient]))
    await told(shared, "audit-test-0", str(kind_of(body)), body.SerializeToString())
    other = await shared.treated(some_patient(), "bob")
    assert any(one.in_force for one in await shared.asks.consents(other))
    assert not shared.background.fallen.done()
