"""Being logged in: the newest access token, fetched once for all who need it and renewed ahead of
its end."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rehab.identity.v1 import session_service_pb2 as pb
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_sdk.auth import life_s
from rehab_sdk.clock import Clock
from rehab_sdk.credentials import DeviceKey, Password, RefreshToken, Renewable
from rehab_sdk.errors import AuthError, RehabError, Unauthenticated, Unavailable, is_passing
from rehab_sdk.options import Backoff
from rehab_sdk.tokens import TokenStore

log = logging.getLogger("rehab_sdk")
RENEW_AT = 0.8
"""Of an access token's life."""
SHORTEST_LIFE_S = 1.0
"""A clock that is wrong must not make every call fetch a token."""

CallOnce = Callable[[Callable[..., Awaitable[Any]], Any], Awaitable[Any]]
"""Calls a method with a request; raises RehabError."""


@dataclass(frozen=True)
class Access:
    """An access token, and when it came by both clocks: the one stands while a phone sleeps, the
    other may be set."""

    token: str
    life_s: float
    monotonic: float
    wall: float

    def age_s(self, clock: Clock) -> float:
        return max(clock.monotonic() - self.monotonic, clock.now().timestamp() - self.wall)


class Login:
    """One session with identity. Use it in one event loop."""

    def __init__(
        self,
        credentials: Renewable,
        *,
        stub: SessionServiceStub,
        call: CallOnce,
        store: TokenStore,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._credentials = credentials
        self._stub = stub
        self._call = call
        self._store = store
        self._clock = clock
        self._backoff = backoff
        self._access: Access | None = None
        self._newest: str | None = None  # refresh token; None before the store was asked
        self._fetching: asyncio.Task[Access] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def token(self) -> str:
        """The access token. Raises Unavailable while there is none in force: it is being fetched
        then, and the same call succeeds later."""
        access = self._in_force()
        if access is None:
            self._fetch()
            raise Unavailable("not logged in yet")
        return access.token

    async def ready(self) -> None:
        """Wait for an access token in force. Raises RehabError when identity refuses (AuthError) or
        does not answer."""
        if self._in_force() is None:
            await asyncio.shield(self._fetch())

    async def renewed(self, refused: str) -> bool:
        """Whether there is another token than the one that a server refused. Raises RehabError."""
        if self._access is not None and self._access.token == refused:
            await asyncio.shield(self._fetch())
        else:
            await self.ready()
        return self._access is not None and self._access.token != refused

    async def close(self) -> None:
        self._closed = True
        tasks = [task for task in (self._fetching, self._keeping) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _in_force(self) -> Access | None:
        access = self._access
        return access if access and access.age_s(self._clock) < access.life_s else None

    def _fetch(self) -> asyncio.Task[Access]:
        """The one fetching of a token that runs, or a new one."""
        if self._closed:
            raise Unavailable("the client was closed")
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetched(), name="rehab-login")
            self._fetching.add_done_callback(self._done_fetching)
        return self._fetching

    def _done_fetching(self, task: asyncio.Task[Access]) -> None:
        self._fetching = None
        fetched = not task.cancelled() and task.exception() is None
        if fetched and not self._closed and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.create_task(self._keep(), name="rehab-token")

    async def _fetched(self) -> Access:
        began = self._clock.monotonic()  # the life began on the server after this
        tokens = await self._tokens()
        self._keep_refresh_token(tokens.refresh_token)
        wall = self._clock.now().timestamp()
        told_s = life_s(tokens.access_token)
        if told_s is None:
            told_s = tokens.access_expires_at.ToMilliseconds() / 1000 - wall
        self._access = Access(
            tokens.access_token, max(SHORTEST_LIFE_S, told_s), monotonic=began, wall=wall
        )
        return self._access

    async def _tokens(self) -> pb.Tokens:
        """By the newest refresh token, as long as it is taken; else by the credentials."""
        credentials = self._credentials
        if self._newest is None:
            self._newest = self._store.load(credentials.owner)
        if self._newest:
            try:
                return await self._refreshed(self._newest)
            except Unauthenticated:
                if isinstance(credentials, RefreshToken):
                    raise
                self._keep_refresh_token("")
                log.info("the session has ended: logging in again")
        if isinstance(credentials, RefreshToken):
            return await self._refreshed(credentials.token)
        request: Any
        if isinstance(credentials, Password):
            request = pb.LogInRequest(
                clinic_id=credentials.clinic,
                email=credentials.email,
                password=credentials.password,
            )
            answer = await self._call(self._stub.LogIn, request)
        else:
            assert isinstance(credentials, DeviceKey)
            request = pb.LogInDeviceRequest(assertion=credentials.assertion(self._clock.now()))
            answer = await self._call(self._stub.LogInDevice, request)
        tokens: pb.Tokens = answer.tokens
        return tokens

    def _keep_refresh_token(self, token: str) -> None:
        self._newest = token
        try:
            self._store.save(self._credentials.owner, token)
        except OSError as error:  # good until the program ends; then it logs in anew
            log.error("the refresh token could not be stored: %s", error.strerror)

    async def _refreshed(self, refresh_token: str) -> pb.Tokens:
        request = pb.RefreshSessionRequest(refresh_token=refresh_token)
        tokens: pb.Tokens = (await self._call(self._stub.RefreshSession, request)).tokens
        return tokens

    async def _keep(self) -> None:
        """Renew ahead of the end, so that no call has to wait for it. Ends when it cannot: the next
        call fetches a token, or tells why there is none."""
        attempt = 0
        while (access := self._in_force()) is not None:
            # not all devices of a clinic in the same second
            due_s = random.uniform(0.95, 1.0) * RENEW_AT * access.life_s
            wait_s = due_s - access.age_s(self._clock) if attempt == 0 else 0.0
            await asyncio.sleep(max(0.0, wait_s))
            try:
                await asyncio.shield(self._fetch())
                attempt = 0
            except RehabError as error:
                if isinstance(error, AuthError) or not is_passing(error):
                    return
                attempt += 1
                await asyncio.sleep((error.retry_after_s or 0) + self._backoff.delay_s(attempt))
