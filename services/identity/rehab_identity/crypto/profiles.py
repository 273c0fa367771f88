"""Profiles and names, sealed with a key of the account's own."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab.identity.v1.account_service_pb2 import Profile
from rehab_runtime.box import NONCE_BYTES, Box, joined
from rehab_runtime.errors import Internal

FIELDS = "profile 1"
"""The set of fields that is sealed together."""
KEY_BYTES = 32


class Profiles:
    def __init__(self, box: Box) -> None:
        self._box = box

    def new_key(self, account_id: str) -> bytes:
        """A data key, wrapped."""
        return self._box.seal(os.urandom(KEY_BYTES), "account key", account_id)

    def seal(self, profile: Profile, account_id: str, data_key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        text = profile.SerializeToString(deterministic=True)
        return nonce + self._cipher(account_id, data_key).encrypt(nonce, text, _bound(account_id))

    def open(self, sealed: bytes, account_id: str, data_key: bytes) -> Profile:
        """Raises Internal for what was changed or belongs to another account."""
        try:
            text = self._cipher(account_id, data_key).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(account_id)
            )
        except (InvalidTag, ValueError):
            raise Internal("a sealed profile was changed or moved") from None
        return Profile.FromString(text)

    def seal_name(self, name: str, account_id: str, data_key: bytes, *of: str) -> bytes:
        """`of` is what bears the name: it opens nowhere else."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._cipher(account_id, data_key)
        return nonce + cipher.encrypt(nonce, name.encode(), _named(account_id, of))

    def open_name(
        self, sealed: bytes | None, account_id: str, data_key: bytes | None, *of: str
    ) -> str:
        """Empty when there is none, or no key any more. Raises Internal for what was changed."""
        if sealed is None or data_key is None:
            return ""
        try:
            return (
                self._cipher(account_id, data_key)
                .decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _named(account_id, of))
                .decode()
            )
        except (InvalidTag, ValueError):
            raise Internal("a sealed name was changed or moved") from None

    def _cipher(self, account_id: str, data_key: bytes) -> AESGCM:
        return AESGCM(self._box.open(data_key, "account key", account_id))


def _named(account_id: str, of: tuple[str, ...]) -> bytes:
    return joined("rehab identity", account_id, "name 1", *of)


def _bound(account_id: str) -> bytes:
    return joined("rehab identity", account_id, FIELDS)
