"""What was ever shipped is read for ever: events of every schema version, as they were stored."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from rehab_clinical.facts import fact_of

from rehab.events.v1.event_pb2 import Body, Event, RecordedEvent
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_projections.batch import FOLDED
from rehab_projections.domain.history import PatientHistory, fold
from rehab_projections.gathered import Gathered
from rehab_projections.storage import codec
from rehab_runtime.sealed import Bound, open_
from rehab_runtime.upcasting import UPCASTERS, StepMissing, Upcasters, newer
from rehab_runtime.validation import violations
from tests.contract.golden import CIPHER, FOLDER, meant, path_of, wanted

FILES = sorted(FOLDER.glob("*.json"))


def test_every_schema_version_ever_shipped_has_its_examples() -> None:
    """A new kind, or a new version of one: python -m tests.contract.golden"""
    assert set(FILES) == wanted(KINDS)


def test_a_version_without_examples_is_missed() -> None:
    newer_pain = replace(KINDS["pain_report"], schema_version=2)
    missed = wanted({**KINDS, "pain_report": newer_pain}) - set(FILES)
    assert missed == {path_of("pain_report", 2)}


def test_every_version_leads_on_to_todays() -> None:
    assert UPCASTERS.missing() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_stored_opens_means_what_it_meant_is_valid_and_folds(path: Path) -> None:
    told = json.loads(path.read_text())
    stream = [RecordedEvent.FromString(b64decode(one["stored"])) for one in told["examples"]]
    for event, example in zip(stream, told["examples"], strict=True):
        opened(event)
        assert meant(Body.FromString(event.body)) == example["meant"]
        assert event.envelope.schema_version == told["schema_version"]
    UPCASTERS.bring_forward(stream)
    for event in stream:
        body = Body.FromString(event.body)
        assert event.envelope.schema_version == KINDS[told["kind"]].schema_version
        assert kind_of(body) == event.envelope.kind == told["kind"]
        assert violations(Event(envelope=event.envelope, body=body)) == []
    gathered = Gathered()
    for event in stream:
        gathered.add(fact_of(event), event)
    folds = fold(map(fact_of, stream)) != PatientHistory() or gathered != Gathered()
    assert folds == (told["kind"] in FOLDED)


def opened(event: RecordedEvent) -> None:
    """Open it as it was sealed; patient data never lay in the clear."""
    envelope = event.envelope
    assert bool(event.key_id) == envelope.phi
    if event.key_id:
        bound = Bound(
            envelope.event_id, envelope.subject_id, envelope.kind, envelope.schema_version
        )
        event.body, event.key_id = open_(CIPHER, event.key_id, event.body, bound), ""


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


def test_what_an_older_service_kept_is_brought_forward_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "UPCASTERS", of_three_versions())
    event = codec.load_event(pain(4, 1).SerializeToString())
    assert Body.FromString(event.body).pain_report.nprs == 80


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
