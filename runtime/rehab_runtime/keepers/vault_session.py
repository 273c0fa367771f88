"""A session with HashiCorp Vault: a token that is kept alive, and answers in our errors.

hvac knows Vault's endpoints, logins and status codes but not asyncio, and no asynchronous client is
kept up; the few calls, each for a whole batch of keys, run in threads of their own, a connection
each.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import hvac
import requests

from rehab_runtime.clock import Clock
from rehab_runtime.keepers.vault_errors import Forbidden, translated
from rehab_runtime.keepers.wrapper import KeyRefused, KeysUnavailable, require_private
from rehab_runtime.logging import get_logger

T = TypeVar("T")
Vault = Any
"""hvac.Client, whose parts have no types."""

RENEW_AT = 2 / 3
"""Share of a token's life after which it is renewed."""
LOOK_AT_MOST_EVERY_S, LOOK_AT_LEAST_EVERY_S = 5.0, 300.0
THREADS = 4
KUBERNETES_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

log = get_logger("vault")


@dataclass(frozen=True, slots=True)
class Lease:
    """`ttl_s` is 0 for a token that does not end."""

    token: str = field(repr=False)
    ttl_s: float
    renewable: bool


class Login(Protocol):
    """How a token is come by. Runs in a thread; raises what hvac and the file system raise."""

    def __call__(self, vault: Vault) -> Lease: ...


class TokenFile:
    """A token that somebody else keeps in a file: a Vault Agent, an operator."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, vault: Vault) -> Lease:
        vault.token = self._path.read_text().strip()
        told = vault.auth.token.lookup_self()["data"]
        return Lease(vault.token, float(told["ttl"]), bool(told.get("renewable")))


class KubernetesLogin:
    """The pod's service account, in a role of Vault's Kubernetes auth method."""

    def __init__(
        self, role: str, mount: str = "kubernetes", token: Path = KUBERNETES_TOKEN
    ) -> None:
        self._role = role
        self._mount = mount
        self._token = token

    def __call__(self, vault: Vault) -> Lease:
        jwt = self._token.read_text().strip()
        vault.token = None
        told = vault.auth.kubernetes.login(
            role=self._role, jwt=jwt, use_token=False, mount_point=self._mount
        )
        return _lease(told["auth"])


class VaultSession:
    """To be closed, as a context or by `close`."""

    def __init__(
        self,
        address: str,
        login: Login,
        clock: Clock,
        *,
        namespace: str | None = None,
        ca_file: Path | None = None,
        timeout_s: float = 5,
    ) -> None:
        """Raises StartupError for an address that is neither https:// nor on this machine."""
        require_private(address, "Vault")
        self._options = {
            "url": address,
            "namespace": namespace,
            "timeout": timeout_s,
        }
        self._trusted = str(ca_file) if ca_file else True
        self._login = login
        self._clock = clock
        self._lease: Lease | None = None
        self._granted_s = 0.0
        self._renew_at: float | None = None
        self._changing = asyncio.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vault")
        self._own = threading.local()
        self._connections: list[requests.Session] = []

    async def call(self, ask: Callable[[Vault], T]) -> T:
        """What `ask` returns, run in a thread with a client that has a living token.

        A token that Vault no longer takes is replaced once. Raises KeysUnavailable, KeyRefused.
        """
        await self.keep_alive()
        lease = self._lease
        try:
            return await self._run(ask)
        except Forbidden:
            async with self._changing:
                if self._lease is lease:
                    await self._log_in()
        return await self._run(ask)

    async def keep_alive(self) -> None:
        """Log in or renew the token if it is time. Raises KeysUnavailable, KeyRefused."""
        if not self._is_due():
            return
        async with self._changing:
            if not self._is_due():
                return
            if self._lease is not None and self._lease.renewable:
                try:
                    renewed = await self._run(_renew)
                except KeyRefused:
                    pass  # it has ended, or reached the longest life Vault gives it
                else:
                    self._take(renewed)
                    if renewed.ttl_s >= self._granted_s / 2:  # not yet cut by that longest life
                        return
            await self._log_in()

    async def keep_alive_for_ever(
        self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """For a task in the background: a token must not end while no key is asked for."""
        while True:
            delay_s = LOOK_AT_LEAST_EVERY_S
            try:
                await self.keep_alive()
                if self._renew_at is not None:
                    delay_s = min(self._renew_at - self._clock.monotonic(), delay_s)
            except (KeysUnavailable, KeyRefused) as error:
                log.warning("cannot renew the token", error=error.line, remedy=error.remedy)
                delay_s = 0
            await sleep(max(delay_s, LOOK_AT_MOST_EVERY_S))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"VaultSession({self._options['url']})"

    def _is_due(self) -> bool:
        if self._lease is None:
            return True
        return self._renew_at is not None and self._renew_at <= self._clock.monotonic()

    async def _log_in(self) -> None:
        self._lease = None
        lease = await self._run(self._login)
        self._granted_s = lease.ttl_s
        self._take(lease)

    def _take(self, lease: Lease) -> None:
        self._lease = lease
        lives = lease.ttl_s > 0
        self._renew_at = self._clock.monotonic() + lease.ttl_s * RENEW_AT if lives else None

    async def _run(self, ask: Callable[[Vault], T]) -> T:
        token = self._lease.token if self._lease else None
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._asked, ask, token)
        except Exception as error:
            trouble = translated(error)
        raise trouble

    def _asked(self, ask: Callable[[Vault], T], token: str | None) -> T:
        vault = getattr(self._own, "vault", None)
        if vault is None:
            connection = requests.Session()
            connection.trust_env = False  # neither proxies nor a .netrc may come in between
            connection.verify = self._trusted  # hvac heeds the connection's, not its own
            self._connections.append(connection)
            vault = self._own.vault = hvac.Client(**self._options, session=connection)
        vault.token = token
        return ask(vault)


def _renew(vault: Vault) -> Lease:
    return _lease(vault.auth.token.renew_self()["auth"])


def _lease(told: dict[str, Any]) -> Lease:
    return Lease(told["client_token"], float(told["lease_duration"]), bool(told["renewable"]))
