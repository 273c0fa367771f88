"""Registers endpoints: nothing is sent to one that could not take it."""

from __future__ import annotations

from cryptography import x509

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.conformance import examined
from rehab_emr.errors import broken_rule, missing_at_receiver
from rehab_emr.examining import as_found, lacking
from rehab_emr.net.auth import Secret
from rehab_emr.net.guard import Guard
from rehab_emr.net.receiver import NoAnswer
from rehab_emr.pull.subscribing import CONTENTS, Registered, Subscribing
from rehab_emr.receivers import Receivers
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.lanes import Lanes
from rehab_runtime.errors import InvalidArgument

ENTRIES = 8
"""Medplum takes no more in a transaction with conditional creates; others take more than enough."""
PER_SECOND = 10.0
AT_ONCE = 4


class Registering:
    def __init__(
        self,
        endpoints: Endpoints,
        lanes: Lanes,
        receivers: Receivers,
        guard: Guard,
        subscribing: Subscribing,
    ) -> None:
        self._endpoints = endpoints
        self._lanes = lanes
        self._receivers = receivers
        self._guard = guard
        self._subscribing = subscribing

    async def register(self, request: pb.RegisterEndpointRequest) -> Registered:
        """Raises InvalidArgument for what cannot be, also while it cannot be asked what it takes,
        and AlreadyExists."""
        told = request.endpoint
        self._guard.require_form(told.base_url, "endpoint.base_url")
        if request.smart.token_url:
            self._guard.require_form(request.smart.token_url, "smart.token_url")
        await self._subscribing.require(request)
        wanted = self._wanted(request)
        try:
            receiver = self._receivers.made(wanted)
        except (ValueError, OSError):
            raise broken_rule("certificate", "pem", "must be PEM, its key, too") from None
        if wanted.notify:
            try:
                await self._subscribing.handshake(wanted, receiver)
            finally:
                await receiver.close()
            return await self._opened(await self._subscribing.put(wanted))
        try:
            statement = await receiver.capabilities()
        except NoAnswer as error:
            raise _silent(error.code) from None
        finally:
            await receiver.close()
        found = examined(statement)
        if missing := lacking(wanted, found):
            raise missing_at_receiver(missing)
        kept = {name: getattr(wanted, name) for name in _KEPT}
        stored = await self._endpoints.put(as_found(Endpoint(**kept), found))
        return await self._opened(Registered(stored))

    async def _opened(self, registered: Registered) -> Registered:
        await self._lanes.open_lanes(registered.endpoint.endpoint_id)
        self._receivers.look()
        return registered

    def _wanted(self, request: pb.RegisterEndpointRequest) -> Endpoint:
        told, kind = request.endpoint, request.WhichOneof("auth")
        secret = Secret(
            bearer=request.bearer,
            client_id=request.smart.client_id,
            token_url=request.smart.token_url,
            scope=request.smart.scope,
            certificate_pem=request.certificate.certificate_pem,
            key_pem=request.certificate.key_pem,
        )
        for field, text in (
            ("endpoint.authority_pem", told.authority_pem),
            ("certificate.certificate_pem", secret.certificate_pem),
        ):
            _require_certificates(field, text)
        return Endpoint(
            endpoint_id=told.endpoint_id,
            clinic_id=request.clinic_id,
            base_url=told.base_url.rstrip("/"),
            bundle_type=told.bundle_type,
            most_entries=told.most_entries or ENTRIES,
            requests_per_second=told.requests_per_second or PER_SECOND,
            concurrency=told.concurrency or AT_ONCE,
            patient_system=told.patient_system,
            rep_series=told.rep_series,
            readings=told.readings,
            authority_pem=told.authority_pem,
            no_backfill=told.no_backfill,
            if_none_exist=told.if_none_exist or "parameters",
            notify=CONTENTS[told.notify.content] if told.HasField("notify") else "",
            heartbeat_s=told.notify.heartbeat_s,
            auth={"certificate": "mtls", None: "none"}.get(kind, kind or "none"),
            secret=self._receivers.sealed(told.endpoint_id, secret),
        )


_KEPT = (
    *("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries", "concurrency"),
    *("requests_per_second", "patient_system", "rep_series", "authority_pem", "no_backfill"),
    *("auth", "secret", "if_none_exist", "readings"),
)


def _require_certificates(field: str, text: str) -> None:
    try:
        if text:
            x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise broken_rule(field, "pem", "must be certificates in PEM") from None


_CODES = {
    "tls": "its certificate is not to be trusted; give authority_pem if it has one of its own",
    "name_not_found": "its host name is not known",
    "address_forbidden": "its address is not public, and is not in EMR_ALLOWED_NETWORKS",
    "timeout": "it did not answer in time",
    "no_connection": "nobody answers at its address",
    "http_401": "it does not take who we are",
    "http_403": "it does not let us read /metadata",
    "http_404": "it has no /metadata: is this its FHIR base?",
    "http_200": "what it gives at /metadata is no FHIR in JSON: is this its FHIR base?",
}


def _silent(code: str) -> InvalidArgument:
    """It could not be asked what it takes."""
    return missing_at_receiver([_CODES.get(code, f"it cannot be asked what it takes ({code})")])
