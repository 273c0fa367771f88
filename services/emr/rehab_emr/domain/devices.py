"""The programs and devices that observed."""

from __future__ import annotations

from rehab_emr.domain import elements
from rehab_emr.domain.observing import Asked
from rehab_emr.domain.resource import Json
from rehab_emr.domain.subjects import DeviceSubject


def device(asked: Asked) -> Json:
    """A Device of one patient: the program with its version, on a model with its system."""
    subject = asked.history.subject(asked.key)
    assert isinstance(subject, DeviceSubject)
    app, model, os = subject.app.strip(), subject.model.strip(), subject.os.strip()
    names = [{"name": app, "type": "other"}] if app else []
    if model:
        names.append({"name": model, "type": "model-name"})
    versions = [
        {"type": {"text": what}, "value": value}
        for what, value in (("software", subject.app_version.strip()), ("operating system", os))
        if value
    ]
    made: Json = {
        "resourceType": "Device",
        "identifier": [elements.identifier(asked.links.identifier(asked.key))],
        "status": "active",
    }
    if names:
        made["deviceName"] = names
    if model:
        made["modelNumber"] = model
    made["type"] = {"text": "Program for exercise at home" if app else "Enrolled device"}
    if versions:
        made["version"] = versions
    made["patient"] = elements.patient_reference(asked.links)
    return made
