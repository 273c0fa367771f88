"""The table of kinds covers the contract: every kind, and every step of those that have several."""

from __future__ import annotations

import pytest

from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.kinds import KINDS
from rehab.events.v1.tellers import KIND_TABLE, OWN, PHONE, SUITE, step_of, tellers
from rehab_runtime.auth import ROLES
from tests.contract.golden import bodies

STEPPED = sorted(kind for kind, row in KIND_TABLE.items() if row.step)


def test_every_kind_has_a_row_and_every_row_is_a_kind() -> None:
    assert set(KIND_TABLE) == set(KINDS)


def test_a_kind_that_is_not_in_the_table_nobody_may_tell() -> None:
    assert tellers("telepathy", Body()) == frozenset()


@pytest.mark.parametrize("kind", sorted(KIND_TABLE))
def test_a_row_names_roles_that_there_are_and_services_always_may(kind: str) -> None:
    row = KIND_TABLE[kind]
    for roles in (row.who, *row.steps.values()):
        assert SUITE <= roles <= ROLES - {"admin", "emergency"}


@pytest.mark.parametrize("kind", STEPPED)
def test_every_step_of_a_kind_has_its_tellers(kind: str) -> None:
    row, content = KIND_TABLE[kind], getattr(Body(), kind)
    oneof = content.DESCRIPTOR.oneofs_by_name.get(row.step)
    if oneof is not None:
        steps = {one.name for one in oneof.fields}
    else:
        values = content.DESCRIPTOR.fields_by_name[row.step].enum_type.values
        steps = {one.name for one in values if one.number}
    assert set(row.steps) == steps
    assert row.who == frozenset().union(*row.steps.values())


@pytest.mark.parametrize("kind", STEPPED)
def test_a_step_is_told_by_its_own_tellers(kind: str) -> None:
    row = KIND_TABLE[kind]
    for body in bodies(kind):
        step = step_of(getattr(body, kind), row.step)
        assert tellers(kind, body) == row.steps[step]


def test_what_makes_a_day_count_for_monitoring_is_the_patients_own_to_tell() -> None:
    for kind, told in KINDS.items():
        row = KIND_TABLE[kind]
        if told.rtm_qualifying:
            assert row.who <= OWN, kind
        for parts in told.rtm_qualifying_parts.values():
            for part in parts:
                assert row.steps[part] <= OWN, (kind, part)


@pytest.mark.parametrize(
    "kind",
    ["care_team", "plan", "rtm_time", "alert", "note", "review", "billing_item", "plan_of_care"],
)
def test_what_clinicians_and_the_suite_decide_no_patient_tells(kind: str) -> None:
    assert not KIND_TABLE[kind].who & PHONE
