"""Who is calling. Every call carries a principal; the development authenticator believes what it
is told, so a service in production refuses to start with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from rehab_runtime.errors import PermissionDenied, Unauthenticated
from rehab_runtime.tls import PEER, service_named

ROLES = frozenset({"patient", "therapist", "admin", "emergency", "service", "device"})
ON_BEHALF = "x-rehab-on-behalf"
"""Names the service whose call a replica hands on to another replica."""
_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TOKEN = re.compile(r"Bearer dev\.([a-z]+)\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_:-]{1,64})")


@dataclass(frozen=True)
class Principal:
    """Who calls, as what, for which clinic; a service of the suite for all. `patient_id` is whom
    the caller acts for: of a patient the own id, of a device its patient's. `session_id` is the
    session or API key; `scopes` limit what an API key may."""

    id: str
    role: str
    clinic_id: str
    patient_id: str = ""
    session_id: str = ""
    scopes: frozenset[str] = frozenset()

    @property
    def service(self) -> str:
        """The name of the suite's service; empty for anybody else."""
        return self.id.removeprefix("service-") if self.role == "service" else ""

    def may_act_for(self, clinic_id: str) -> bool:
        return self.clinic_id == clinic_id or (self.role == "service" and self.clinic_id == "_all")


class Authenticator(Protocol):
    @property
    def development_only(self) -> bool: ...

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        """The caller behind the metadata; Unauthenticated when it shows none."""
        ...


class DevelopmentAuthenticator:
    """Believes `authorization: Bearer dev.<role>.<clinic>.<id>`. For development only."""

    development_only = True

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        found = _TOKEN.fullmatch(metadata.get("authorization", ""))
        if found is None or found[1] not in ROLES:
            raise Unauthenticated("no development token")
        patient = found[3] if found[1] == "patient" else ""
        return Principal(id=found[3], role=found[1], clinic_id=found[2], patient_id=patient)


class PeerAuthenticator:
    """Services of the suite are who their certificates say; everybody else is whom `people` finds.
    A service may hand on a call of another service, and only to its own kind: replicas do."""

    def __init__(self, people: Authenticator | None, own: str) -> None:
        self._people = people
        self._own = own

    @property
    def development_only(self) -> bool:
        return self._people is not None and self._people.development_only

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        name = service_named(metadata.get(PEER, ""))
        if name:
            return service_principal(self._caller_of(name, metadata))
        if self._people is None:
            raise Unauthenticated("only services of the suite are let in")
        return await self._people.authenticate(metadata)

    def _caller_of(self, name: str, metadata: Mapping[str, str]) -> str:
        told = metadata.get(ON_BEHALF, "")
        if not told:
            return name
        if name != self._own or _SERVICE.fullmatch(told) is None:
            raise Unauthenticated("a service speaks for itself")
        return told


def nobody_but_services(environment: str) -> Authenticator | None:
    """For a service that no person calls: in development, whoever says they are one."""
    return DevelopmentAuthenticator() if environment == "development" else None


_principal: ContextVar[Principal] = ContextVar("principal")


def current_principal() -> Principal:
    """The caller of the running call."""
    try:
        return _principal.get()
    except LookupError:
        raise Unauthenticated("no principal in this context") from None


def set_principal(principal: Principal) -> None:
    _principal.set(principal)


def service_principal(name: str) -> Principal:
    return Principal(id=f"service-{name}", role="service", clinic_id="_all")


def require_service(allowed: Collection[str] = ()) -> str:
    """The name of the suite's service that calls; if any are told, only those may. Raises
    PermissionDenied."""
    principal = current_principal()
    if principal.role != "service":
        raise PermissionDenied(f"a {principal.role} may not do this: only services of the suite")
    name = principal.id.removeprefix("service-")
    if allowed and name not in allowed:
        raise PermissionDenied(f"the service {name} may not do this")
    return name


def bearer(principal: Principal) -> tuple[str, str]:
    """The metadata a client sends for a principal, in development."""
    return "authorization", f"Bearer dev.{principal.role}.{principal.clinic_id}.{principal.id}"
