"""How an endpoint wants what it is sent."""

from __future__ import annotations

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.links import Dialect, Form, Identifier, IfNoneExist, Links, Options
from rehab_emr.domain.requests import Manner
from rehab_emr.storage.endpoints import Endpoint


def options_of(endpoint: Endpoint) -> Options:
    return Options(
        rep_series=endpoint.rep_series,
        readings=endpoint.readings,
        provenance=endpoint.takes_provenance,
        devices=endpoint.takes_devices,
    )


def form_of(endpoint: Endpoint) -> Form:
    if endpoint.takes_transactions and endpoint.bundle_type != pb.BUNDLE_TYPE_BATCH:
        return Form.TRANSACTION
    return Form.BATCH if endpoint.takes_batches else Form.SINGLY


def search_form_of(endpoint: Endpoint) -> Form:
    """Searches stand apart from each other."""
    if endpoint.takes_batches:
        return Form.BATCH
    return form_of(endpoint)


def manner_of(endpoint: Endpoint) -> Manner:
    return Manner(
        conditional_create=endpoint.conditional_create,
        conditional_update=endpoint.conditional_update,
    )


def most_requests(endpoint: Endpoint) -> int:
    """That one sending may need."""
    looks = 1 if endpoint.conditional_update else 2
    if form_of(endpoint) is not Form.SINGLY:
        return looks
    return looks * (2 if endpoint.takes_provenance else 1)


def dialect_of(endpoint: Endpoint) -> Dialect:
    return Dialect(IfNoneExist[endpoint.if_none_exist.upper()])


def links_of(endpoint: Endpoint, base: str, patient_id: str) -> Links:
    """Of one that pulls: nobody is matched there, so patients go by identifier, in the receiver's
    own system of our ids where it has one."""
    named = Identifier(patient_system_of(endpoint, base), patient_id)
    return Links(base, patient_identifier=named, options=options_of(endpoint))


def patient_system_of(endpoint: Endpoint, base: str) -> str:
    return endpoint.patient_system or f"{base}/fhir/identifier/patient"
