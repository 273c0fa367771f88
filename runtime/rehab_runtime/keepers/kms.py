"""Data keys wrapped by AWS KMS, which never gives its key out.

botocore is AWS's own client and knows every way to credentials; its calls, one for each key, run in
threads of their own. aiobotocore would spare the threads and hold botocore back at older versions.
The encryption context is a digest: CloudTrail writes it down in the clear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import botocore.session
from botocore import exceptions
from botocore.config import Config

from rehab_runtime.keepers.kms_errors import NOT_ENABLED, translated
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    Unwrapped,
    Wrapped,
    context_digest,
    require_private,
)

T = TypeVar("T")
THREADS = 8
CONTEXT = "rehab"


class KmsKeys:
    """A KeyWrapper upon a symmetric KMS key. To be closed, as a context or by `close`.

    `key` is a key id, an ARN or an alias; by an alias, a rotation is a new key behind it, and
    the old one can then be destroyed. What rotates within a key has its material's id as version.
    """

    def __init__(
        self,
        key: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_s: float = 5,
    ) -> None:
        """Raises StartupError for an endpoint that is neither https:// nor on this machine, and
        KeyRefused when no region is known."""
        if endpoint is not None:
            require_private(endpoint, "KMS")
        config = Config(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            max_pool_connections=THREADS,
            retries={"mode": "standard", "total_max_attempts": 1},  # Steady asks again
        )
        try:
            self._kms = botocore.session.get_session().create_client(
                "kms", region_name=region, endpoint_url=endpoint, config=config
            )
        except (exceptions.BotoCoreError, ValueError):
            raise KeyRefused("no client for KMS can be made", "set the AWS region") from None
        self._key = key
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="kms")

    async def newest(self) -> Kek:
        told = (await self._asked(lambda: self._kms.describe_key(KeyId=self._key)))["KeyMetadata"]
        if told["KeyState"] != "Enabled":
            raise KeyRefused("the KMS key is not enabled", NOT_ENABLED)
        return Kek(told["Arn"], told.get("CurrentKeyMaterialId", ""))

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        # asked first: a key that rotates in between is then taken for older than it is
        newest = await self.newest()
        return _all(await self._each(keys, lambda key: self._wrap(newest, key)))

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        return await self._each(keys, self._unwrap)

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        newest = await self.newest()
        return await self._each(keys, lambda key: self._rewrap(newest, key))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._kms.close()

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
        return f"KmsKeys({self._key})"

    def _wrap(self, newest: Kek, key: Unwrapped) -> Wrapped:
        told = self._kms.encrypt(
            KeyId=self._key, Plaintext=key.secret, EncryptionContext=_context(key.context)
        )
        return Wrapped(key.context, _used(newest, told["KeyId"]), told["CiphertextBlob"])

    def _unwrap(self, key: Wrapped) -> Unwrapped:
        told = self._kms.decrypt(
            KeyId=key.kek.id,
            CiphertextBlob=key.blob,
            EncryptionContext=_context(key.context),
        )
        return Unwrapped(key.context, told["Plaintext"])

    def _rewrap(self, newest: Kek, key: Wrapped) -> Wrapped:
        if key.kek == newest:
            return key
        told = self._kms.re_encrypt(
            CiphertextBlob=key.blob,
            SourceKeyId=key.kek.id,
            SourceEncryptionContext=_context(key.context),
            DestinationKeyId=self._key,
            DestinationEncryptionContext=_context(key.context),
        )
        return Wrapped(key.context, _used(newest, told["KeyId"]), told["CiphertextBlob"])

    async def _each(self, keys: Sequence[Any], ask: Callable[[Any], T]) -> list[T | KeyRefused]:
        """Every key's answer or refusal. All calls end before trouble is raised."""
        answers = await asyncio.gather(
            *(self._asked(lambda key=key: ask(key)) for key in keys),  # type: ignore[misc]
            return_exceptions=True,
        )
        told: list[T | KeyRefused] = []
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, KeyRefused):
                raise answer
            told.append(answer)
        return told

    async def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except Exception as error:
            trouble = translated(error)
        raise trouble


def _context(context: str) -> dict[str, str]:
    return {CONTEXT: context_digest(context).hex()}


def _used(newest: Kek, arn: str) -> Kek:
    # an alias that was moved meanwhile: of the other key no version is known
    return newest if newest.id == arn else Kek(arn, "")


def _all(answers: Sequence[T | KeyRefused]) -> list[T]:
    told: list[T] = []
    for answer in answers:
        if isinstance(answer, KeyRefused):
            raise answer
        told.append(answer)
    return told
