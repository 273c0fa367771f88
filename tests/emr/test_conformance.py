"""Nothing is sent to a server that could not take it; what it lacks is told in plain words."""

from __future__ import annotations

from typing import Any

from rehab_emr.domain.conformance import examined


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


def test_a_server_that_has_everything_lacks_nothing() -> None:
    found = examined(statement())
    assert (found.missing, found.warnings) == ((), ())
    assert found.transactions
    assert found.provenance
    assert found.devices


def test_what_is_missing_is_told_by_name() -> None:
    lacking = {"interaction": [{"code": "read"}], "conditionalCreate": False}
    told = examined(statement(Observation=lacking)).missing
    assert [line.split(":")[0] for line in told] == [
        "it does not list create for Observation",
        "it does not list conditionalCreate for Observation",
    ]
    assert examined(statement(fhirVersion="5.0.0")).missing == (
        "it speaks FHIR 5.0.0; R4 (4.0.x) is needed",
    )
    assert examined(statement(system=[])).missing == (
        "it takes neither transaction nor batch Bundles",
    )
    assert examined(statement(types=())).missing == (
        "it does not take resources of type Observation",
    )


def test_what_can_be_done_without_is_done_without() -> None:
    found = examined(statement(types=("Observation",), system=[{"code": "batch"}]))
    assert found.missing == ()
    assert (found.transactions, found.provenance, found.devices) == (False, False, False)
    assert len(found.warnings) == 3


def test_what_is_no_capability_statement_is_told_so() -> None:
    for told in (None, [], "x", {}, {"resourceType": "Bundle"}, {"rest": "?"}):
        assert len(examined(told).missing) == 1
    broken = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [None, 1]}
    assert examined(broken).missing
