"""The receivers that there are, as they were last registered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rehab_emr.net.auth import Auth, Fixed, Secret, Smart
from rehab_emr.net.client import Client
from rehab_emr.net.guard import Guard
from rehab_emr.net.receiver import Receiver
from rehab_emr.net.signing import SigningKeys
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_runtime.box import Box
from rehab_runtime.clock import Clock

LOOK_S = 1.0
"""How often it is looked whether endpoints changed, of which nothing was heard."""


@dataclass
class _Kept:
    revision: int
    receiver: Receiver
    users: int = 0
    outdated: bool = False


class Receivers:
    def __init__(
        self,
        endpoints: Endpoints,
        guard: Guard,
        box: Box,
        keys: SigningKeys,
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._endpoints = endpoints
        self._guard = guard
        self._box = box
        self._keys = keys
        self._clock = clock
        self._timeout_s = timeout_s
        self._known: Sequence[Endpoint] = ()
        self._looked_at = -LOOK_S
        self._kept: dict[str, _Kept] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def look(self) -> None:
        """Endpoints changed."""
        self._looked_at = -LOOK_S

    async def endpoints(self) -> Sequence[Endpoint]:
        """As of a moment ago. Raises Unavailable."""
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._known = await self._endpoints.all()
            self._looked_at = time.monotonic()
        return self._known

    def sealed(self, endpoint_id: str, secret: Secret) -> bytes:
        return self._box.seal(secret.dumped(), "endpoint", endpoint_id)

    def made(self, endpoint: Endpoint) -> Receiver:
        """A receiver of its own, to be closed by whoever asks. Raises ValueError for certificates
        that are none, Internal for a secret that cannot be opened."""
        opened = self._box.open(endpoint.secret, "endpoint", endpoint.endpoint_id)
        secret = Secret.load(opened)
        identity = secret.identity(endpoint.authority_pem)
        client = Client(self._guard, identity, self._timeout_s)
        auth: Auth = Fixed(secret.bearer)
        if endpoint.auth == "smart":
            own = Client(self._guard, identity, self._timeout_s)
            base_url = endpoint.base_url.rstrip("/")
            auth = Smart(base_url, secret, own, self._keys, self._clock)
        return Receiver(endpoint.base_url, client, auth, endpoint.concurrency)

    @contextmanager
    def lent(self, endpoint: Endpoint) -> Iterator[Receiver]:
        """The one that all share. Raises what `made` raises."""
        kept = self._kept.get(endpoint.endpoint_id)
        if kept is not None and kept.revision < endpoint.revision:
            self._kept.pop(endpoint.endpoint_id)
            kept.outdated = True
            self._close_unused(kept)
            kept = None
        if kept is None:
            kept = _Kept(endpoint.revision, self.made(endpoint))
            self._kept[endpoint.endpoint_id] = kept
        kept.users += 1
        try:
            yield kept.receiver
        finally:
            kept.users -= 1
            self._close_unused(kept)

    def _close_unused(self, kept: _Kept) -> None:
        if kept.outdated and not kept.users:
            task = asyncio.get_running_loop().create_task(kept.receiver.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        for kept in self._kept.values():
            await kept.receiver.close()
        self._kept.clear()
        await asyncio.gather(*self._closing)
