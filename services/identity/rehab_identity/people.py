"""Builds the half of the service that knows who there is, and lets them in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc

from rehab.identity.v1 import account_service_pb2_grpc as account_grpc
from rehab.identity.v1 import api_key_service_pb2_grpc as key_grpc
from rehab.identity.v1 import device_service_pb2_grpc as device_grpc
from rehab.identity.v1 import key_admin_service_pb2_grpc as admin_grpc
from rehab.identity.v1 import session_service_pb2_grpc as session_grpc
from rehab_identity import signer as signing
from rehab_identity.account_servicer import AccountServicer
from rehab_identity.api_key_servicer import ApiKeyServicer
from rehab_identity.crypto.passwords import Passwords
from rehab_identity.crypto.profiles import Profiles
from rehab_identity.crypto.roots import Roots
from rehab_identity.device_servicer import DeviceServicer
from rehab_identity.entering import Entering, Limits, Revoked
from rehab_identity.holdings import Holdings
from rehab_identity.issuers import Issuers, http_client, require_safe
from rehab_identity.key_admin_servicer import KeyAdminServicer
from rehab_identity.nonces import Nonces
from rehab_identity.peers import Sources
from rehab_identity.revocations import KEPT_S, Revocations, sweep
from rehab_identity.session_servicer import SessionServicer
from rehab_identity.settings import Settings
from rehab_identity.signer import Signer
from rehab_identity.storage import secrets
from rehab_identity.storage import sessions as session_storage
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.api_keys import ApiKeys
from rehab_identity.storage.devices import Devices
from rehab_identity.storage.failures import Failures
from rehab_identity.storage.names import seal_names
from rehab_identity.storage.sessions import Sessions
from rehab_identity.storage.signing_keys import SigningKeys
from rehab_identity.storage.wrapped import Wrapping
from rehab_identity.verifying import Verifier
from rehab_runtime.access.tokens import TokenAuthenticator
from rehab_runtime.auth import DevelopmentAuthenticator
from rehab_runtime.box import open_box
from rehab_runtime.clock import Clock
from rehab_runtime.lifecycle import Background
from rehab_runtime.postgres import Database, Queries

PACKAGE = "rehab_identity"
HOUR_S = 3600
SERVICES = tuple(
    f"rehab.identity.v1.{name}"
    for name in (
        "AccountService",
        "SessionService",
        "DeviceService",
        "ApiKeyService",
        "KeyAdminService",
    )
)


@dataclass(frozen=True)
class People:
    """What the rest of the service needs of this half."""

    accounts: Accounts
    holdings: Holdings
    authenticator: TokenAuthenticator
    servicers: tuple[AccountServicer, SessionServicer, DeviceServicer, ApiKeyServicer]
    key_admin: KeyAdminServicer

    def add(self, server: grpc.aio.Server) -> list[str]:
        accounts, sessions, devices, keys = self.servicers
        account_grpc.add_AccountServiceServicer_to_server(accounts, server)
        session_grpc.add_SessionServiceServicer_to_server(sessions, server)
        device_grpc.add_DeviceServiceServicer_to_server(devices, server)
        key_grpc.add_ApiKeyServiceServicer_to_server(keys, server)
        admin_grpc.add_KeyAdminServiceServicer_to_server(self.key_admin, server)
        return list(SERVICES)


@dataclass(frozen=True)
class Stores:
    accounts: Accounts
    sessions: Sessions
    devices: Devices
    api_keys: ApiKeys
    failures: Failures


async def people(
    settings: Settings,
    stack: AsyncExitStack,
    background: Background,
    database: Database,
    clock: Clock,
) -> People:
    """Raises StartupError."""
    require_safe(settings.issuers, production=settings.environment == "production")
    queries = Queries.load(PACKAGE, "people.sql")

    async def sealed() -> bool:
        return bool(await database.fetch(queries["wrapped_census"]))

    box = await open_box(
        *(settings, stack, background, database, clock),
        purpose="rehab identity box",
        sealed=sealed,
    )
    roots = await secrets.roots(database, queries, box)
    profiles = Profiles(box)
    await seal_names(database, queries, profiles)
    stores = _stores(settings, database, queries, profiles, roots)
    passwords = Passwords(settings.hashing_threads, settings.hashing_queue)
    stack.callback(passwords.close)
    client = await stack.enter_async_context(http_client())
    issuers = Issuers(settings.issuers, client, clock, settings.assertion_skew_s)
    signer = Signer(SigningKeys(database, queries, box), _terms(settings), clock)
    await signer.look()
    verifier = Verifier(
        stores.api_keys,
        stores.accounts,
        stores.failures,
        passwords,
        roots,
        clock,
        settings.failures_account,
    )
    authenticator = _authenticator(settings, signer, verifier, clock)
    revocations = Revocations(database, queries, clock, authenticator.revoke_at)
    await revocations.look()
    background.start(revocations.run(), "reads what other replicas revoke")
    background.start(signer.run(), "keeps signing keys young")
    background.start(_sweep(stores, database, queries, clock), "drops what has expired")
    parts = Parts(passwords, issuers, signer, verifier, roots, clock, authenticator.revoke)
    holdings = Holdings(
        stores.accounts,
        stores.sessions,
        stores.devices,
        stores.api_keys,
        clock,
        authenticator.revoke,
    )
    servicers = _servicers(settings, stores, parts)
    key_admin = KeyAdminServicer(box, Wrapping(database, queries, box))
    return People(stores.accounts, holdings, authenticator, servicers, key_admin)


@dataclass(frozen=True)
class Parts:
    passwords: Passwords
    issuers: Issuers
    signer: Signer
    verifier: Verifier
    roots: Roots
    clock: Clock
    revoked: Revoked


def _servicers(
    settings: Settings, stores: Stores, parts: Parts
) -> tuple[AccountServicer, SessionServicer, DeviceServicer, ApiKeyServicer]:
    accounts, clock, revoked = stores.accounts, parts.clock, parts.revoked
    entering = Entering(
        accounts,
        stores.sessions,
        stores.devices,
        stores.failures,
        parts.passwords,
        parts.issuers,
        Nonces(parts.roots, stores.devices.see, clock),
        parts.signer,
        clock,
        Limits(settings.failures_account, settings.failures_source),
        revoked,
        settings.assertion_skew_s,
    )
    code_s, sources = settings.enrolment_code_s, Sources(settings.trusted_proxies)
    return (
        AccountServicer(
            accounts, entering, parts.passwords, parts.issuers, clock, revoked, sources
        ),
        SessionServicer(entering, accounts, stores.sessions, parts.signer, clock, revoked, sources),
        DeviceServicer(entering, accounts, stores.devices, clock, revoked, code_s, sources),
        ApiKeyServicer(
            accounts,
            stores.api_keys,
            parts.verifier,
            parts.passwords,
            parts.roots,
            clock,
            revoked,
        ),
    )


def _stores(
    settings: Settings, database: Database, queries: Queries, profiles: Profiles, roots: Roots
) -> Stores:
    hours = settings.session_idle_h * HOUR_S, settings.session_max_h * HOUR_S
    terms = session_storage.Terms(*hours, settings.refresh_grace_s)
    return Stores(
        Accounts(database, queries, profiles, roots),
        Sessions(database, queries, roots, terms),
        Devices(database, queries, profiles, roots),
        ApiKeys(database, queries, profiles),
        Failures(database, queries, roots, settings.failure_window_s),
    )


def _terms(settings: Settings) -> signing.Terms:
    age_s = settings.signing_key_d * 24 * HOUR_S
    return signing.Terms(settings.issuer, settings.access_token_s, age_s, settings.signing_lead_s)


def _authenticator(
    settings: Settings, signer: Signer, verifier: Verifier, clock: Clock
) -> TokenAuthenticator:
    """This service asks itself what others ask it."""

    async def jwks() -> Mapping[str, Any]:
        return await signer.jwks()

    development = DevelopmentAuthenticator() if settings.environment == "development" else None
    return TokenAuthenticator(
        jwks, verifier.verify, clock, issuer=settings.issuer, development=development
    )


async def _sweep(stores: Stores, database: Database, queries: Queries, clock: Clock) -> None:
    kept = timedelta(seconds=KEPT_S)
    await sweep(
        lambda: stores.sessions.forget(clock.now() - 84 * kept),  # a week
        lambda: stores.devices.forget(clock.now()),
        lambda: stores.failures.forget(clock.now()),
        lambda: database.execute(queries["forget_revocations"], clock.now() - kept),
    )
