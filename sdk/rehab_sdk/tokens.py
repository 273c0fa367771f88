"""Where the newest refresh token is kept. One that was used is worth nothing any more, so a program
that is to be let in again after a restart needs a store that outlives it."""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from rehab_sdk.errors import invalid

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TokenStore(Protocol):
    """Keeps one refresh token. Methods must be quick: they run on the event loop."""

    def load(self, owner: str) -> str:
        """The newest token saved for `owner`; empty when there is none, or it is another's."""
        ...

    def save(self, owner: str, token: str) -> None:
        """Keep the token in place of the one before; kept before this returns. An empty one only
        lets go."""
        ...


class MemoryTokenStore:
    """Lives as long as the process."""

    def __init__(self) -> None:
        self._kept = ("", "")

    def load(self, owner: str) -> str:
        return self._kept[1] if self._kept[0] == owner else ""

    def save(self, owner: str, token: str) -> None:
        self._kept = (owner, token)


class FileTokenStore:
    """A file that only its owner may read (mode 0600), replaced as a whole."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self, owner: str) -> str:
        """Raises Invalid when others may read the file: then the token is not only ours."""
        try:
            with self._path.open(encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read()
        except FileNotFoundError:
            return ""
        if os.name == "posix" and mode & OTHERS:
            raise invalid("token_store", "file.mode", "must be a file that only its owner may read")
        try:
            kept = json.loads(text)
            return str(kept["refresh_token"]) if kept["owner"] == owner else ""
        except (ValueError, TypeError, KeyError):
            return ""  # not ours, or torn: logging in again writes it anew

    def save(self, owner: str, token: str) -> None:
        kept = json.dumps({"owner": owner, "refresh_token": token})
        new = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(kept)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync_folder(self._path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
