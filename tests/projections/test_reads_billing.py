"""Billing evidence over a real channel, from a real log."""

from __future__ import annotations

from datetime import timedelta

from rehab.projections.v1 import billing_service_pb2 as pb
from rehab.projections.v1 import projections_service_pb2 as common
from rehab_projections.messages import stamped
from rehab_runtime.auth import Principal
from rehab_runtime.errors import PermissionDenied
from tests.projections.asking import asking
from tests.projections.given import CLINIC, PATIENT, at, event, pain
from tests.projections.given_care import (
    agreed,
    billed,
    by_clinician,
    certified,
    monitoring,
    sample,
    samples,
    talked,
    worked,
)
from tests.projections.service import Clinic, refused, rules_of, since

START = at("2026-03-02T10:00")
DAY = timedelta(days=1)
AS_OF = stamped(at("2026-04-10T12:00"))
WINDOW = common.Window(range=common.DateRange(from_date="2026-03-01", to_date="2026-03-31"))
ASKED = {"patient_id": PATIENT, "as_of": AS_OF, "window": WINDOW}


def a_month():
    """Sixteen days with data, 25 minutes of work, one call."""
    return [
        event(1, START - DAY, agreed(START - DAY)),
        event(2, START - DAY, certified("2026-03-01", "2026-06-30")),
        event(3, START, monitoring()),
        *(event(10 + n, START + n * DAY, pain(3)) for n in range(16)),
        by_clinician(40, START, worked("e1", START, 25)),
        by_clinician(41, START + DAY, talked(START + DAY)),
        event(42, START, samples(sample(START + 20 * DAY, 5))),
    ]


async def test_each_figure_names_the_shard_and_the_position_of_what_proves_it(running: Clinic):
    events = a_month()
    position = await running.log.append(*events)
    async with asking(running) as ask:
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **ASKED)
    (period,) = told.periods
    assert period.row.state == pb.WORKSHEET_STATE_READY
    assert [(code.code, code.units) for code in period.row.proposed] == [
        ("98975", 1),
        ("98977", 1),
    ]
    assert [(day.local_date, day.evidence[0].at.position) for day in period.days][:2] == [
        ("2026-03-02", 4),
        ("2026-03-03", 5),
    ]
    assert len(period.days) == 16
    shard = told.freshness.shard
    for one in period.row.evidence:
        assert one.at.shard == shard
        assert events[one.at.position - 1].envelope.event_id == one.event_id
    (month,) = told.months
    assert (month.minutes, list(month.modifiers)) == (25, ["GP"])
    assert [(code.code, code.units) for code in month.row.proposed] == [("98980", 1)]
    assert [one.at.position for one in month.row.evidence] == [1, 2, 20, 21]
    assert month.clinicians[0].entries[0].evidence.at.position == 20
    assert told.freshness.position >= position
    assert period.row.policy_version == "medicare-2026"


async def test_what_was_known_then_is_told_as_of_then(running: Clinic):
    position = await running.log.append(*a_month())
    asked = {**ASKED, "as_of": stamped(START + 9 * DAY)}
    async with asking(running) as ask:
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **asked)
    (period,) = told.periods
    assert (period.row.state, len(period.days)) == (pb.WORKSHEET_STATE_OPEN, 10)
    assert not period.row.proposed
    assert (period.days_missing, period.days_left) == (6, 20)


async def test_an_approval_is_reopened_by_a_late_event(running: Clinic):
    position = await running.log.append(*a_month())
    async with asking(running) as ask:
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **ASKED)
        (row,) = (period.row for period in told.periods)
        ids = [one.event_id for one in row.evidence]
        codes = [code.code for code in row.proposed]
        approval = by_clinician(
            50, at("2026-04-02T10:00"), billed(row.item_id, "APPROVED", codes, ids)
        )
        position = await running.log.append(approval)
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **ASKED)
        assert told.periods[0].row.state == pb.WORKSHEET_STATE_APPROVED
        assert told.periods[0].row.approved_by == "ann"
        late = event(51, START + 20 * DAY, pain(1))
        position = await running.log.append(late)
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **ASKED)
    assert told.periods[0].row.state == pb.WORKSHEET_STATE_REOPENED
    assert list(told.periods[0].row.added_event_ids) == [late.envelope.event_id]
    assert told.periods[0].row.inputs_sha256 != row.inputs_sha256


async def test_a_corrected_entry_is_as_if_it_had_never_been_told(running: Clinic):
    wrong = by_clinician(4, START, worked("e1", START, 250))
    right = by_clinician(5, START, worked("e1", START, 25))
    right.envelope.corrects = wrong.envelope.event_id
    await running.log.append(wrong)
    position = await running.log.append(right)
    async with asking(running) as ask:
        told = await ask("Billing", "GetBillingEvidence", consistency=since(position), **ASKED)
    assert told.months[0].minutes == 25
    assert [one.at.position for one in told.months[0].row.evidence] == [2]


async def test_gaps_of_a_clinic_come_patient_by_patient(running: Clinic):
    for n in range(3):
        told = [
            event(100 * n + 1, START, monitoring(), patient=f"p{n}"),
            *(event(100 * n + 2 + d, START + d * DAY, pain(2), patient=f"p{n}") for d in range(14)),
        ]
        position = await running.log.append(*told)
    asked = {"clinic_id": CLINIC, "as_of": stamped(START + 25 * DAY)}
    async with asking(running) as ask:
        gaps = await ask("Billing", "ListBillingGaps", consistency=since(position), **asked)
        short = [gap for gap in gaps.gaps if gap.code == "days_short"]
        assert [(gap.patient_id, gap.missing, gap.days_left) for gap in short] == [
            ("p0", 2, 5),
            ("p1", 2, 5),
            ("p2", 2, 5),
        ]
        assert short[0].deadline == "2026-03-31"
        pages = await ask.pages("Billing", "ListBillingGaps", "gaps", page_size=2, **asked)
        assert [gap for page in pages for gap in page] == list(gaps.gaps)
    async with asking(running, Principal(PATIENT, "patient", CLINIC)) as ask:
        error = await refused(ask("Billing", "ListBillingGaps", **asked))
        assert isinstance(error, PermissionDenied)
        error = await refused(ask("Billing", "GetBillingEvidence", patient_id=PATIENT))
        assert isinstance(error, PermissionDenied)


async def test_an_unknown_payer_and_an_unknown_zone_are_refused_by_name(running: Clinic):
    position = await running.log.append(*a_month())
    async with asking(running) as ask:
        asked = {**ASKED, "consistency": since(position)}
        payer = await refused(ask("Billing", "GetBillingEvidence", payer="acme", **asked))
        zone = await refused(ask("Billing", "GetBillingEvidence", clinic_zone="No/Where", **asked))
    assert rules_of(payer) == [("payer", "payer.known")]
    assert rules_of(zone) == [("clinic_zone", "zone.exists")]
