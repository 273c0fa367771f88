"""A key file: all versions of one key-encryption key, readable by its owner only.

JSON: `{"format": "rehab-kek-1", "id", "versions": {number: {"created_at", "key", "check"}}}`; keys
are 32 bytes in base64, `check` is the start of a hash that tells a damaged key from another one.
A change is written beside the file, flushed and renamed over it: a crash leaves the old file or the
new one. Writers exclude each other by a lock file, which stays.
"""

from __future__ import annotations

import binascii
import fcntl
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rehab_runtime.clock import Clock
from rehab_runtime.startup import StartupError

FORMAT = "rehab-kek-1"
KEY_BYTES = 32
MAX_FILE_BYTES = 1_000_000
OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFileError(StartupError):
    """A key file cannot be used, and what to do; never what it holds."""


@dataclass(frozen=True, slots=True)
class Version:
    created_at: datetime
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`id` tells files apart; versions count from 1."""

    id: str
    versions: Mapping[int, Version]

    @property
    def newest(self) -> int:
        return max(self.versions)


def read(path: Path) -> KeyFile:
    """Raises KeyFileError."""
    try:
        with open(path, "rb", opener=_no_terminal) as file:
            _require_private(path, os.fstat(file.fileno()))
            text = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise KeyFileError(
            f"there is no key file {path}",
            "restore it from its backup; without it no patient's data can be read",
        ) from None
    except OSError as error:
        raise _cannot("read", path, error) from None
    found = _parse(text)
    if isinstance(found, str):
        raise KeyFileError(f"the key file {path} is damaged: {found}", "restore it from its backup")
    return found


def create(path: Path, clock: Clock) -> KeyFile:
    """A new file with one version. Raises KeyFileError, also when the file exists."""
    with _locked(path):
        if os.path.lexists(path):
            raise KeyFileError(
                f"the key file {path} exists", "use it as it is, or rotate it; never replace it"
            )
        made = KeyFile(f"local-{os.urandom(8).hex()}", {1: _new_version(clock)})
        _write(path, made)
    return made


def make_if_none(path: Path, clock: Clock) -> None:
    """There is a file afterwards, made by this process or by another one. Raises KeyFileError."""
    if os.path.lexists(path):
        return
    try:
        create(path, clock)
    except KeyFileError:
        if not os.path.lexists(path):  # otherwise another replica was first
            raise


def rotate(path: Path, clock: Clock) -> KeyFile:
    """Append a version; the older ones stay. Raises KeyFileError."""
    with _locked(path):
        old = read(path)
        made = KeyFile(old.id, {**old.versions, old.newest + 1: _new_version(clock)})
        _write(path, made)
    return made


def destroy_older_than(path: Path, version: int) -> KeyFile:
    """Drop the versions before `version`: what is still wrapped by them, in old backups of the
    database too, is lost for good. Raises KeyFileError."""
    with _locked(path):
        old = read(path)
        kept = {number: one for number, one in old.versions.items() if number >= version}
        if not kept:
            raise KeyFileError(
                f"the key file {path} has no version {version} or newer",
                "rotate it and wrap the data keys anew before destroying older versions",
            )
        made = KeyFile(old.id, kept)
        _write(path, made)
    return made


def _new_version(clock: Clock) -> Version:
    return Version(clock.now(), os.urandom(KEY_BYTES))


def _no_terminal(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOCTTY | os.O_NONBLOCK)  # a FIFO must not hold the service


def _require_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileError(f"the key file {path} is no regular file", "name a regular file")
    if found.st_mode & OPEN_TO_OTHERS:
        raise KeyFileError(
            f"the key file {path} is open to others (mode {stat.S_IMODE(found.st_mode):04o})",
            f"run: chmod 600 {path}",
        )
    if found.st_uid not in (os.geteuid(), 0):
        raise KeyFileError(
            f"the key file {path} belongs to another user (uid {found.st_uid})",
            f"make it belong to the user of the service: chown {os.geteuid()} {path}",
        )


def _check(key: bytes) -> str:
    return sha256(b"rehab kek check 1\0" + key).hexdigest()[:16]


def _written(file: KeyFile) -> bytes:
    versions = {
        str(number): {
            "created_at": one.created_at.isoformat(),
            "key": b64encode(one.key).decode(),
            "check": _check(one.key),
        }
        for number, one in sorted(file.versions.items())
    }
    return json.dumps({"format": FORMAT, "id": file.id, "versions": versions}, indent=1).encode()


def _parse(text: bytes) -> KeyFile | str:
    """The file, or what is wrong with it."""
    try:
        told: dict[str, Any] = json.loads(text)
        if told["format"] != FORMAT:
            return f"its format is not {FORMAT}"
        versions = {}
        for number, one in told["versions"].items():
            key = b64decode(one["key"], validate=True)
            if len(key) != KEY_BYTES or one["check"] != _check(key) or int(number) < 1:
                return f"version {int(number)} is not what was written"
            versions[int(number)] = Version(datetime.fromisoformat(one["created_at"]), key)
        if not versions or not isinstance(told["id"], str) or not told["id"]:
            return "it has no version or no id"
        return KeyFile(told["id"], versions)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return "it does not follow its format"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _cannot("lock", path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, file: KeyFile) -> None:
    """To be called with the lock held."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # of a writer that was killed
        target = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(target, "wb") as out:
            os.fchmod(target, 0o600)  # whatever the umask
            out.write(_written(file))
            out.flush()
            os.fsync(target)
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise _cannot("write", path, error) from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # the rename itself
    finally:
        os.close(handle)


def _cannot(what: str, path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        f"cannot {what} the key file {path}: {os.strerror(error.errno or 0)}",
        "see to the folder's owner, mode and free space",
    )
