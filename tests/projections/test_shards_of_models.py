"""Evidence names the shard of its patient; shards that need the same month make it once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rehab_projections.messages import stamped
from tests.projections.asking import asking
from tests.projections.given import CLINIC, at, event, pain
from tests.projections.given_care import monitoring, sample, samples
from tests.projections.service import Place, clinic, since_all
from tests.projections.test_shards import HOMES, SHARDS

BEGIN = at("2026-03-02T08:00")
AS_OF = stamped(BEGIN + timedelta(days=10))


@pytest.fixture
def place(postgres: Any, nats_url: str) -> Place:
    return Place(postgres, nats_url, SHARDS)


async def test_evidence_and_readings_are_told_in_the_shard_of_their_patient(place: Place) -> None:
    months = [BEGIN - timedelta(days=31 * n) for n in range(12)]
    told = samples(*(sample(month, 5, minutes=1) for month in months))
    events = [
        made
        for n, patient in enumerate(HOMES.values())
        for made in (
            event(10 * n + 1, BEGIN, monitoring(), patient=patient),
            event(10 * n + 2, BEGIN, pain(3), patient=patient),
            event(10 * n + 3, BEGIN, told, patient=patient),
        )
    ]
    async with clinic(place) as running, asking(running) as ask:
        written = await running.log.written(*events)
        assert set(written) == set(HOMES)
        for shard, patient in HOMES.items():
            asked = {"patient_id": patient, "as_of": AS_OF, "consistency": since_all(written)}
            (period,) = (await ask("Billing", "GetBillingEvidence", **asked)).periods
            assert {one.at.shard for one in period.row.evidence} == {shard}
            assert [one.at.position for one in period.row.evidence] == [1, 2]
            answer = await ask("Vitals", "ListReadings", metric="step_count", **asked)
            assert answer.freshness.shard == shard
            assert answer.freshness.position >= 3
            assert [one.position for one in answer.readings] == [3]
        gaps = await ask(
            "Billing",
            "ListBillingGaps",
            clinic_id=CLINIC,
            as_of=AS_OF,
            consistency=since_all(written),
        )
        assert {gap.patient_id for gap in gaps.gaps} == set(HOMES.values())
        assert len(gaps.freshness.positions) == SHARDS
