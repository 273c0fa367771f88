"""Data keys wrapped by a key in HashiCorp Vault's transit engine, which never gives it out.

What Vault encrypts is `format (1 byte) | digest of the context (32 bytes) | secret`. The context
stands inside because transit's own `associated_data` cannot be rewrapped: the rewrap endpoint does
not take it, and to rewrap by hand would bring every key into this process.

The token's policy: `update` on encrypt, decrypt and rewrap of the key, `read` on the key; not
`create`, with which Vault would make a key of a misspelt name. The key's type must be symmetric.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

from hvac import exceptions

from rehab_runtime.keepers.vault_errors import NOT_VAULT
from rehab_runtime.keepers.vault_session import Vault, VaultSession
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeysUnavailable,
    Unwrapped,
    Wrapped,
    context_digest,
)

FORMAT = b"\1"
DIGEST_BYTES = 32
HEAD_BYTES = len(FORMAT) + DIGEST_BYTES

CIPHERTEXT = re.compile(r"vault:v(?P<version>[0-9]+):[A-Za-z0-9+/=]+")

Item = dict[str, Any]


class VaultKeys:
    """A KeyWrapper upon a transit key."""

    def __init__(self, session: VaultSession, key: str, mount: str = "transit") -> None:
        self._session = session
        self._key = key
        self._mount = mount
        self._id = f"vault:{mount}/{key}"

    async def newest(self) -> Kek:
        def ask(vault: Vault) -> int:
            told = vault.secrets.transit.read_key(self._key, self._mount)
            return int(told["data"]["latest_version"])

        return Kek(self._id, str(await self._session.call(ask)))

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        batch = [
            {"plaintext": b64encode(FORMAT + context_digest(key.context) + key.secret).decode()}
            for key in keys
        ]
        items = await self._batch(
            batch,
            lambda vault: vault.secrets.transit.encrypt_data(
                self._key, batch_input=batch, mount_point=self._mount
            ),
        )
        wrapped = []
        for key, item in zip(keys, items, strict=True):
            if item.get("error"):
                raise KeyRefused("Vault does not encrypt", "see the transit key's type and state")
            wrapped.append(self._wrapped(key.context, item))
        return wrapped

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        batch, foreign = self._taken_apart(keys)
        items = await self._batch(
            batch,
            lambda vault: vault.secrets.transit.decrypt_data(
                self._key, batch_input=batch, mount_point=self._mount
            ),
        )
        answers = iter(items)
        return [refused or _opened(key, next(answers)) for key, refused in foreign]

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        batch, foreign = self._taken_apart(keys)
        items = await self._batch(
            batch,
            lambda vault: vault.secrets.transit.rewrap_data(
                self._key, ciphertext="", batch_input=batch, mount_point=self._mount
            ),
        )
        answers = iter(items)
        return [refused or self._rewrapped(key, next(answers)) for key, refused in foreign]

    def _taken_apart(
        self, keys: Sequence[Wrapped]
    ) -> tuple[list[Item], list[tuple[Wrapped, KeyRefused | None]]]:
        """What Vault is to be asked for, and every key with its refusal if it is not Vault's."""
        batch: list[Item] = []
        told: list[tuple[Wrapped, KeyRefused | None]] = []
        for key in keys:
            text = _text(key.blob)
            if key.kek.id == self._id and text:
                batch.append({"ciphertext": text})
                told.append((key, None))
            else:
                told.append((key, _foreign(key, self._id)))
        return batch, told

    async def _batch(self, batch: list[Item], ask: Callable[[Vault], Any]) -> list[Item]:
        if not batch:
            return []  # Vault takes no empty batch
        items = await self._session.call(lambda vault: _results(ask, vault))
        if len(items) != len(batch):
            raise KeysUnavailable("Vault answers for other keys", "see what stands before Vault")
        return items

    def _rewrapped(self, key: Wrapped, item: Item) -> Wrapped | KeyRefused:
        return _refused() if item.get("error") else self._wrapped(key.context, item)

    def _wrapped(self, context: str, item: Item) -> Wrapped:
        text = str(item.get("ciphertext", ""))
        found = CIPHERTEXT.fullmatch(text)
        if found is None:
            raise KeysUnavailable(*NOT_VAULT)
        return Wrapped(context, Kek(self._id, found["version"]), text.encode())

    def __repr__(self) -> str:
        return f"VaultKeys({self._id})"


def _results(ask: Callable[[Vault], Any], vault: Vault) -> list[Item]:
    """The verdicts on a batch; Vault answers 400 when one of its items is refused."""
    try:
        items = ask(vault)["data"]["batch_results"]
    except exceptions.InvalidRequest as error:
        items = ((error.json or {}).get("data") or {}).get("batch_results")
        if not items:
            raise
    if not all(isinstance(item, dict) for item in items):
        raise KeysUnavailable(*NOT_VAULT)
    return list(items)


def _opened(key: Wrapped, item: Item) -> Unwrapped | KeyRefused:
    if item.get("error"):
        return _refused()
    try:
        plaintext = b64decode(item.get("plaintext", ""), validate=True)
    except ValueError:
        raise KeysUnavailable(*NOT_VAULT) from None
    head = FORMAT + context_digest(key.context)
    if not hmac.compare_digest(plaintext[:HEAD_BYTES], head):
        return KeyRefused("a wrapped data key was moved", "restore the table of keys")
    return Unwrapped(key.context, plaintext[HEAD_BYTES:])


def _refused() -> KeyRefused:
    return KeyRefused(
        "Vault does not decrypt a data key",
        "see the transit key's min_decryption_version, or restore the table of keys",
    )


def _foreign(key: Wrapped, own: str) -> KeyRefused:
    if key.kek.id != own:
        return KeyRefused(
            f"a data key is wrapped by {key.kek.id}, not by {own}",
            "set the service back to it, or carry the keys over",
        )
    return KeyRefused("a wrapped data key was changed", "restore the table of keys")


def _text(blob: bytes) -> str:
    return blob.decode() if blob.isascii() else ""
