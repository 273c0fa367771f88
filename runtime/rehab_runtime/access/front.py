"""The front of a service that people call: who they are, whether they may, and the trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rehab_runtime.access import trail as trails
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.known import Known
from rehab_runtime.access.table import TABLE
from rehab_runtime.access.telling import AuditLog
from rehab_runtime.access.tokens import authenticator_for
from rehab_runtime.access.trail import Trail
from rehab_runtime.auth import Authenticator, DevelopmentAuthenticator, service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.clock import Clock
from rehab_runtime.eventlog import EventLog
from rehab_runtime.lifecycle import Background
from rehab_runtime.settings import FrontSettings


@dataclass(frozen=True)
class Front:
    """Without a gate and facts, in development only, callers are believed and roles alone count."""

    authenticator: Authenticator
    gate: Gate | None = None
    known: Known | None = None


@asynccontextmanager
async def fronted(
    settings: FrontSettings,
    service: str,
    event_log: EventLog,
    background: Background,
    clock: Clock,
    revoked: Callable[[Sequence[str]], None] | None = None,
) -> AsyncIterator[Front]:
    """At work while the context is open. `revoked` is told what may do nothing any more."""
    if not settings.identity_address:
        yield Front(DevelopmentAuthenticator())
        return
    async with AsyncExitStack() as stack:
        identity = Peer(settings.identity_address, settings.tls)
        connection = await stack.enter_async_context(identity.channel())
        caller = service_principal(service)
        authenticator = authenticator_for(settings.environment, connection, caller, clock)

        def tell(told: Mapping[str, float]) -> None:
            news = authenticator.revoke_at(told)
            if news and revoked is not None:
                revoked(news)

        known = Known(connection, caller, revoked=tell, clock=clock)
        background.start(known.run(), "listens to identity")
        trail = Trail(
            AuditLog(event_log, service).tell,
            clock,
            covered_s=settings.audit_covered_s,
            pace_s=settings.audit_ms / 1000,
        )
        await stack.enter_async_context(
            trails.running(trail, background, "tells who saw which patient")
        )
        yield Front(authenticator, Gate(TABLE, known, trail, clock), known)
