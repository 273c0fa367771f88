"""The access table covers the contract, and names what the contract has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehab_runtime.access.rules import Relation
from rehab_runtime.access.table import TABLE, rule_of
from rehab_runtime.auth import ROLES
from tests.support.contract import METHODS


def fields_of(method: str) -> set[str]:
    """The request's fields; of a watch those of the read that is asked."""
    fields = METHODS[method].input_type.fields_by_name
    if "asked" not in fields:
        return set(fields)
    return {f"asked.{name}" for name in fields["asked"].message_type.fields_by_name}


def test_a_watch_is_let_in_as_its_read_is() -> None:
    reads = {rpc.input_type.full_name: TABLE[name] for name, rpc in METHODS.items()}
    watches = {
        name: reads[rpc.input_type.fields_by_name["asked"].message_type.full_name]
        for name, rpc in METHODS.items()
        if "asked" in rpc.input_type.fields_by_name
    }
    assert len(watches) == 16
    for name, read in watches.items():
        rule = TABLE[name]
        assert replace(rule, about=read.about, clinic=read.clinic) == read


def test_every_rpc_of_the_contract_has_a_rule_and_every_rule_an_rpc() -> None:
    assert set(TABLE) == set(METHODS)


def test_an_rpc_that_is_not_in_the_table_has_no_rule() -> None:
    assert rule_of("/rehab.identity.v1.IdentityService/Everything") is None


@pytest.mark.parametrize("method", sorted(TABLE))
def test_a_rule_names_fields_that_the_request_has_and_roles_that_there_are(method: str) -> None:
    rule, fields = TABLE[method], fields_of(method)
    assert not rule.about or rule.about in fields
    assert not rule.clinic or rule.clinic in fields
    assert set(rule.who) <= ROLES
    assert rule.open == (not rule.who)


@pytest.mark.parametrize("method", sorted(TABLE))
def test_a_request_that_names_a_patient_or_clinic_is_decided_by_it(method: str) -> None:
    rule, fields = TABLE[method], fields_of(method)
    inside = "asked." if "asked" in METHODS[method].input_type.fields_by_name else ""
    patient, clinic = f"{inside}patient_id", f"{inside}clinic_id"
    if set(rule.who) == {"service"} or rule.open:
        return
    assert (patient in fields) == (rule.about == patient)
    if not rule.about:
        assert (clinic in fields) == (rule.clinic == clinic)


@pytest.mark.parametrize("method", sorted(TABLE))
def test_a_service_relies_on_being_one_and_nobody_else_does(method: str) -> None:
    for role, relations in TABLE[method].who.items():
        assert (role == "service") == (relations == {Relation.SUITE})


@pytest.mark.parametrize("method", sorted(TABLE))
def test_who_runs_a_clinic_reads_no_patient_data(method: str) -> None:
    rule = TABLE[method]
    assert not (rule.purpose and "admin" in rule.who)
