"""How an endpoint wants what it is sent."""

from __future__ import annotations

from rehab_emr.domain.links import Dialect, Form, IfNoneExist, Options
from rehab_emr.storage.endpoints import Endpoint

BATCH = 2
"""As rehab.emr.v1.BundleType has it."""


def options_of(endpoint: Endpoint) -> Options:
    return Options(
        rep_series=endpoint.rep_series,
        provenance=endpoint.takes_provenance,
        devices=endpoint.takes_devices,
    )


def form_of(endpoint: Endpoint) -> Form:
    batch = endpoint.bundle_type == BATCH or not endpoint.takes_transactions
    return Form.BATCH if batch else Form.TRANSACTION


def dialect_of(endpoint: Endpoint) -> Dialect:
    return Dialect(IfNoneExist[endpoint.if_none_exist.upper()])
