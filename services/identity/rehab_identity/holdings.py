"""All that is held of an account: given for an export, taken away at an erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from rehab_identity import messages
from rehab_identity.entering import Revoked
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.api_keys import ApiKeys
from rehab_identity.storage.devices import Devices
from rehab_identity.storage.sessions import Sessions
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound


class Holdings:
    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        devices: Devices,
        api_keys: ApiKeys,
        clock: Clock,
        revoked: Revoked,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._devices = devices
        self._api_keys = api_keys
        self._clock = clock
        self._revoked = revoked

    async def erase(self, account_id: str) -> None:
        """Nothing happens to an account that was erased before, or never was."""
        self._revoked(await self._accounts.erase(account_id, self._clock.now()))

    async def about(self, account_id: str) -> AsyncIterator[Mapping[str, Any]]:
        """Objects with a "type": the account with its profile, its sessions, devices and API keys.
        None for an account that never was: a patient may be known by the log alone."""
        try:
            account = await self._accounts.get(account_id)
        except NotFound:
            return
        yield _line("account", messages.account(account))
        for session in await self._sessions.of(account_id, self._clock.now()):
            yield _line("login_session", messages.session(session))
        for device in await self._devices.of(account_id):
            yield _line("device", messages.device(device))
        for key in await self._api_keys.of(account_id):
            yield _line("api_key", messages.api_key(key))


def _line(kind: str, message: Message) -> Mapping[str, Any]:
    return {"type": kind, **MessageToDict(message, preserving_proto_field_name=True)}
