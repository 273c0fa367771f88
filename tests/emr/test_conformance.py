"""Nothing is sent to a server that could not take it; what it lacks is told in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from rehab_emr.domain.conformance import examined
from rehab_emr.domain.requests import Manner

NEITHER = {"conditionalCreate": False, "conditionalUpdate": False}


def statement(**changed: Any) -> dict[str, Any]:
    resource = {
        "interaction": [{"code": "create"}, {"code": "update"}],
        "conditionalCreate": True,
        "conditionalUpdate": True,
    }
    names = changed.pop("types", ("Observation", "Provenance", "Device"))
    rest = {
        "mode": "server",
        "resource": [{"type": name, **resource, **changed.pop(name, {})} for name in names],
        "interaction": changed.pop("system", [{"code": "transaction"}, {"code": "batch"}]),
    }
    told = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest]}
    return told | changed


def searched(parameter: str = "identifier", **more: Any) -> dict[str, Any]:
    """A type without conditions, which can be searched by this parameter."""
    codes = ("create", "update", "search-type")
    return {
        "interaction": [{"code": code} for code in codes],
        "searchParam": [{"name": parameter, "type": "token"}],
        **NEITHER,
        **more,
    }


def test_a_server_that_has_everything_lacks_nothing() -> None:
    found = examined(statement())
    assert (found.missing, found.warnings) == ((), ())
    assert found.transactions
    assert found.batches
    assert found.provenance
    assert found.devices
    assert found.manner == Manner()


def test_what_is_missing_is_told_by_name() -> None:
    lacking = {"interaction": [{"code": "read"}], **NEITHER}
    told = examined(statement(Observation=lacking)).missing
    assert [line.split(",")[0] for line in told] == [
        "it does not list create for Observation",
        "it does not list conditionalCreate for Observation",
        "it does not list conditionalUpdate for Observation",
    ]
    assert examined(statement(fhirVersion="5.0.0")).missing == (
        "it speaks FHIR 5.0.0; R4 (4.0.x) is needed",
    )
    assert examined(statement(types=())).missing == (
        "it does not take resources of type Observation",
    )


def test_what_can_be_done_without_is_done_without() -> None:
    found = examined(statement(types=("Observation",), system=[{"code": "batch"}]))
    assert found.missing == ()
    assert (found.transactions, found.provenance, found.devices) == (False, False, False)
    assert len(found.warnings) == 3
    alone = examined(statement(system=[]))
    assert (alone.missing, alone.transactions, alone.batches) == ((), False, False)
    assert ["request of its own" in one for one in alone.warnings] == [True]


def test_a_server_without_conditions_is_taken_when_it_can_be_asked_what_it_has() -> None:
    every = {"Observation": searched(), "Device": searched(), "Provenance": searched("_tag")}
    found = examined(statement(**every))
    assert found.missing == ()
    assert found.manner == Manner(conditional_create=False, conditional_update=False)
    assert (found.provenance, found.devices) == (True, True)
    assert ["looked for by its identifier" in one for one in found.warnings] == [True]
    blind = searched("code")
    assert len(examined(statement(**every | {"Observation": blind})).missing) == 2
    unnamed = examined(statement(**every | {"Provenance": searched()}))
    assert (unnamed.missing, unnamed.provenance) == ((), False)
    fixed = searched(interaction=[{"code": "create"}, {"code": "search-type"}])
    (missing,) = examined(statement(**every | {"Observation": fixed})).missing
    assert "corrections could not be sent" in missing


@pytest.mark.parametrize("has", ["conditionalCreate", "conditionalUpdate"])
def test_of_two_conditions_the_one_there_is_is_used(has: str) -> None:
    one = searched(**{has: True})
    every = {"Observation": one, "Device": one, "Provenance": one}
    found = examined(statement(**every))
    assert found.missing == ()
    assert found.manner == Manner(
        conditional_create=has == "conditionalCreate",
        conditional_update=has == "conditionalUpdate",
    )
    assert (found.provenance, found.devices) == (True, True)
    assert len(found.warnings) == 1


def test_a_parameter_of_the_whole_server_is_one_of_each_type() -> None:
    told = statement(Observation=searched(searchParam=[]))
    assert len(examined(told).missing) == 2
    told["rest"][0]["searchParam"] = [{"name": "identifier"}]
    assert examined(told).missing == ()


def test_what_is_no_capability_statement_is_told_so() -> None:
    for told in (None, [], "x", {}, {"resourceType": "Bundle"}, {"rest": "?"}):
        assert len(examined(told).missing) == 1
    odd = statement(Observation=searched(searchParam=[{"name": []}, {"name": {}}, "x", None]))
    assert len(examined(odd).missing) == 2
    broken = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [None, 1]}
    assert examined(broken).missing
