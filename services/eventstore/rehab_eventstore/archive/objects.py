"""Object storage: a folder, or whatever the URL names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from rehab_eventstore.archive.form import Damaged
from rehab_runtime.startup import StartupError, split

TIMEOUT_S = 30
CONNECT_S = 5
RETRIES = 3
MISSING = (NotFoundError, FileNotFoundError)
TROUBLE = (BaseError, OSError)


class Missing(Exception):
    """There is no such object."""


class Away(Exception):
    """What stores objects does not answer, or does not let us; the type of the error says more
    than may be told of its text."""


class Objects:
    """Objects by path. Every method raises Away; those that read raise Missing, and Damaged when an
    object is shorter than it was."""

    def __init__(self, url: str) -> None:
        """Raises StartupError."""
        self._folder = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
        try:
            if self._folder is not None:
                self._store: ObjectStore = LocalStore(self._folder, mkdir=True)
            else:
                self._store = from_url(
                    url,
                    client_options={
                        "timeout": f"{TIMEOUT_S}s",
                        "connect_timeout": f"{CONNECT_S}s",
                        "allow_http": _plain_http(),
                    },
                    retry_config={
                        "max_retries": RETRIES,
                        "retry_timeout": timedelta(seconds=TIMEOUT_S),
                    },
                )
        except (*TROUBLE, ValueError, TypeError) as error:
            raise StartupError(
                f"the archive cannot be opened ({type(error).__name__})",
                "correct EVENTSTORE_ARCHIVE_URL, the folder's owner or the AWS_* variables",
            ) from None

    async def create(self, path: str, content: bytes) -> bool:
        """Write an object for good; False when there is one of that path, which stays."""
        try:
            await obstore.put_async(self._store, path, content, mode="create")
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder, self._folder / path)
        except AlreadyExistsError:
            return False
        except TROUBLE as error:
            raise Away(type(error).__name__) from None
        return True

    async def whole(self, path: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async())
        except MISSING:
            raise Missing from None
        except TROUBLE as error:
            raise Away(type(error).__name__) from None

    async def parts(
        self, path: str, ranges: Sequence[tuple[int, int]], size: int
    ) -> Sequence[bytes]:
        """Runs of bytes, each an offset and a length, of an object of so many."""
        starts, lengths = zip(*ranges, strict=True)
        try:
            found = await obstore.get_ranges_async(
                self._store, path, starts=list(starts), lengths=list(lengths)
            )
        except MISSING:
            raise Missing from None
        except TROUBLE as error:
            # a range beyond the end is told like any other trouble
            if await self._size(path) != size:
                raise Damaged("it has another size") from None
            raise Away(type(error).__name__) from None
        return [bytes(one) for one in found]

    async def _size(self, path: str) -> int:
        try:
            return int((await obstore.head_async(self._store, path))["size"])
        except MISSING:
            raise Missing from None
        except TROUBLE as error:
            raise Away(type(error).__name__) from None


@lru_cache(maxsize=4)
def objects_of(url: str) -> Objects:
    """For a process that walks many runs of the log. Raises StartupError."""
    return Objects(url)


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


def _sync(root: Path, file: Path) -> None:
    """To the disk, with the folders that name it: the database is about to give the rows up."""
    for path in (file, *file.parents):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path == root:
            return


def _plain_http() -> bool:
    """Whether http:// will do: to this machine, or where AWS_ALLOW_HTTP says so. What travels is
    sealed; credentials are not part of it but sign it."""
    if os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"):
        return True
    named = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = next((os.environ[name] for name in named if os.environ.get(name)), "")
    try:
        host, _ = split(urlsplit(endpoint).netloc)
    except ValueError:
        return False
    return endpoint.startswith("http://") and host in ("127.0.0.1", "localhost", "::1")
