"""Credentials become sessions. Why somebody is not let in, only the log knows: callers are told one
sentence for every cause, after the same work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import OKPKey

from rehab_identity.crypto.passwords import Passwords
from rehab_identity.domain.codes import read_code
from rehab_identity.domain.credentials import is_id, new_id, read_refresh_token
from rehab_identity.domain.normal import normal, normal_password
from rehab_identity.domain.people import ACTIVE, DEVICE, ISSUER, PASSWORD, Account, Device, Session
from rehab_identity.issuers import Issuers
from rehab_identity.nonces import Nonces
from rehab_identity.signer import Signer
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.devices import Devices
from rehab_identity.storage.failures import Failures, Limit
from rehab_identity.storage.sessions import Sessions, Stolen
from rehab_runtime.access import jws
from rehab_runtime.access.tokens import ALGORITHMS, AUDIENCE
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import (
    InvalidArgument,
    NotFound,
    Overloaded,
    Unauthenticated,
    Unavailable,
    Violation,
)

ASSERTION_S = 60.0
"""A device's statement lives no longer."""
LONGEST_JTI = 128

Revoked = Callable[[Iterable[str]], None]
"""Tells this replica at once who may do nothing any more; others learn of it from the database."""


@dataclass(frozen=True, slots=True)
class Let:
    """Somebody who was let in."""

    session: Session
    access_token: str
    access_expires_at: datetime
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Failures allowed in a window."""

    account: int
    source: int


class Entering:
    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        devices: Devices,
        failures: Failures,
        passwords: Passwords,
        issuers: Issuers,
        nonces: Nonces,
        signer: Signer,
        clock: Clock,
        limits: Limits,
        revoked: Revoked,
        skew_s: float,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._devices = devices
        self._failures = failures
        self._passwords = passwords
        self._issuers = issuers
        self._nonces = nonces
        self._signer = signer
        self._clock = clock
        self._limits = limits
        self._revoked = revoked
        self._skew_s = skew_s

    async def by_password(self, clinic_id: str, email: str, password: str, source: str) -> Let:
        account_limit = Limit(("account", clinic_id, normal(email)), self._limits.account)
        async with self._attempt(self._source(source), account_limit, forgive=account_limit):
            found = await self._accounts.by_email(clinic_id, email)
            account, hashed = found if found is not None else (None, None)
            told = normal_password(password)
            matches = await self._passwords.verify([hashed], told) is not None
            if account is None or hashed is None or not matches or account.status != ACTIVE:
                raise Unauthenticated("a password that lets nobody in")
        let = await self._begin(account, PASSWORD, hashed=hashed)
        if self._passwords.outdated(hashed):
            again = await self._passwords.hash(told)
            await self._accounts.rehash(account.account_id, hashed, again)
        return let

    async def require_password(self, account: Account, password: str, source: str) -> None:
        """Raises Unauthenticated unless it is the account's."""
        limit = Limit(("change", account.account_id), self._limits.account)
        async with self._attempt(self._source(source), limit, forgive=limit):
            hashed = await self._accounts.password(account.account_id)
            if await self._passwords.verify([hashed], normal_password(password)) is None:
                raise Unauthenticated("a password that is not the account's")

    async def by_device(self, assertion: str, source: str) -> Let:
        async with self._attempt(self._source(source)):
            device = await self._spoken_for(assertion)
            account = await self._accounts.get(device.patient_id)
        return await self._begin(account, DEVICE, device_id=device.device_id)

    async def by_issuer(self, id_token: str, source: str) -> Let:
        async with self._attempt(self._source(source)):
            vouched = await self._issuers.vouched(id_token)
            if vouched.nonce is not None:
                await self._nonces.use(vouched.issuer, vouched.nonce)
            account = await self._accounts.linked(vouched.issuer, vouched.subject)
            if account is None:
                raise Unauthenticated("nobody is linked to the subject")
        return await self._begin(account, ISSUER)

    def nonce(self, issuer: str) -> tuple[str, datetime]:
        """Raises InvalidArgument for an issuer that is not configured."""
        if issuer not in self._issuers:
            message = "must be an issuer of IDENTITY_ISSUERS"
            raise InvalidArgument(violations=[Violation("issuer", "issuer.configured", message)])
        return self._nonces.new(issuer)

    async def refresh(self, token: str) -> Let:
        shown = read_refresh_token(token)
        if shown is None:
            raise Unauthenticated("no refresh token")
        found = await self._sessions.refresh(shown, self._clock.now())
        if isinstance(found, Stolen):
            self._revoked(found.ended)
            raise Unauthenticated("a refresh token that was used before: its session has ended")
        session, refresh_token = found
        account = await self._accounts.get(session.account_id)
        return self._let(session, refresh_token, account, session.device_id)

    async def enrol(self, code: str, public_key: bytes, model: str, source: str) -> Device:
        async with self._attempt(self._source(source)):
            read = read_code(code)
            if read is None:
                raise Unauthenticated("no enrolment code")
            return await self._devices.enrol(read, new_id(), public_key, model, self._clock.now())

    async def _spoken_for(self, assertion: str) -> Device:
        """The device whose statement it is."""
        device_id = jws.unverified(assertion, "iss")
        if not is_id(device_id):
            raise Unauthenticated("no such device")
        try:
            device = await self._devices.get(device_id)
        except NotFound:
            raise Unauthenticated("no such device") from None
        key = OKPKey.import_key(Ed25519PublicKey.from_public_bytes(device.public_key))
        claims = jws.verified(assertion, key, ALGORITHMS)
        now = self._clock.now()
        jws.require_audience(claims, AUDIENCE)
        jws.require_time(claims, now.timestamp(), self._skew_s)
        lives = jws.number(claims, "exp") - jws.number(claims, "iat")
        jti = jws.text(claims, "jti")
        if jws.text(claims, "sub") != device.device_id or lives > ASSERTION_S:
            raise Unauthenticated("a statement of another form")
        if len(jti) > LONGEST_JTI or device.revoked_at is not None:
            raise Unauthenticated("a statement of another form, or of a revoked device")
        until = now + timedelta(seconds=ASSERTION_S + 2 * self._skew_s)
        if not await self._devices.see(device.device_id, jti, until):
            raise Unauthenticated("a statement that was used before")
        return device

    async def _begin(
        self,
        account: Account,
        method: str,
        *,
        device_id: str = "",
        hashed: str | None = None,
    ) -> Let:
        session, token = await self._sessions.begin(
            account.account_id, method, self._clock.now(), device_id=device_id, hashed=hashed
        )
        return self._let(session, token, account, device_id)

    def _let(self, session: Session, refresh: str, account: Account, device_id: str) -> Let:
        who = Principal(
            id=account.account_id,
            role=account.role,
            clinic_id=account.clinic_id,
            patient_id=account.patient_id,
        )
        if device_id:
            who = replace(who, id=device_id, role="device", patient_id=account.account_id)
        token, expires_at = self._signer.token(who, session)
        return Let(session, token, expires_at, refresh)

    def _source(self, source: str) -> Limit:
        return Limit(("source", source), self._limits.source)

    @asynccontextmanager
    async def _attempt(self, *limits: Limit, forgive: Limit | None = None) -> AsyncIterator[None]:
        """Counts as a failure if it ends in Unauthenticated, or is given up half way."""
        await self._failures.attempt(limits, self._clock.now())
        try:
            yield
        except (Overloaded, Unavailable):
            await self._failures.succeeded(limits)  # nobody was found to be wrong
            raise
        await self._failures.succeeded(limits, forgive=forgive)
