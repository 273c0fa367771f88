"""What was ever shipped is read for ever: a body of every schema version, as it was stored."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_runtime.upcasting import UPCASTERS, StepMissing, Upcasters, newer
from tests.contract.golden import FOLDER, meant, path_of

FILES = sorted(FOLDER.glob("*.json"))


def test_every_schema_version_ever_shipped_has_an_example() -> None:
    """A new kind, or a new version of one: python -m tests.contract.golden"""
    wanted = {
        path_of(name, version)
        for name, kind in KINDS.items()
        for version in range(1, kind.schema_version + 1)
    }
    assert set(FILES) == wanted


def test_every_version_leads_on_to_todays() -> None:
    assert UPCASTERS.missing() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bytes_that_were_stored_mean_what_they_meant(path: Path) -> None:
    told = json.loads(path.read_text())
    stored = b64decode(told["body"])
    assert meant(Body.FromString(stored)) == told["meant"]
    event = RecordedEvent(body=stored)
    event.envelope.kind, event.envelope.schema_version = told["kind"], told["schema_version"]
    UPCASTERS.bring_forward([event])
    assert event.envelope.schema_version == KINDS[told["kind"]].schema_version
    assert kind_of(Body.FromString(event.body)) == told["kind"]


def pain(nprs: int, version: int) -> RecordedEvent:
    event = RecordedEvent()
    event.envelope.kind, event.envelope.schema_version = "pain_report", version
    body = Body()
    body.pain_report.nprs = nprs
    event.body = body.SerializeToString()
    return event


def of_three_versions() -> Upcasters:
    """As if pain had been told from 0 to 5 first, and from 0 to 100 last."""
    upcasters = Upcasters({"pain_report": 3})

    @upcasters.step("pain_report", 1)
    def to_ten(body: Body) -> Body:
        body.pain_report.nprs *= 2
        return body

    @upcasters.step("pain_report", 2)
    def to_hundred(body: Body) -> Body:
        body.pain_report.nprs *= 10
        return body

    return upcasters


def test_an_old_body_is_brought_forward_step_by_step() -> None:
    events = [pain(4, 1), pain(8, 2), pain(80, 3)]
    of_three_versions().bring_forward(events)
    assert [Body.FromString(one.body).pain_report.nprs for one in events] == [80, 80, 80]
    assert {one.envelope.schema_version for one in events} == {3}


def test_a_body_of_tomorrow_is_passed_on_and_counted() -> None:
    event = pain(4, 9)
    before = newer.labels("pain_report")._value.get()
    stored = event.body
    of_three_versions().bring_forward([event])
    assert (event.body, event.envelope.schema_version) == (stored, 9)
    assert newer.labels("pain_report")._value.get() == before + 1


def test_what_is_sealed_or_erased_stays_as_it_is() -> None:
    sealed, erased = pain(4, 1), pain(4, 1)
    sealed.key_id, erased.erased = "key-1", True
    of_three_versions().bring_forward([sealed, erased])
    assert {sealed.envelope.schema_version, erased.envelope.schema_version} == {1}


def test_a_missing_step_is_told() -> None:
    upcasters = Upcasters({"pain_report": 2})
    assert upcasters.missing() == [("pain_report", 1)]
    with pytest.raises(StepMissing):
        upcasters.bring_forward([pain(4, 1)])
    with pytest.raises(ValueError, match="there is a step from version 1"):
        of_three_versions().step("pain_report", 1)(lambda body: body)
