"""The device's own key, for devices without a key store.

Where there is one (Android Keystore, iOS Keychain, a TPM), keep 32 random bytes in it and hand them
to the outbox: a key that lies beside the file it opens protects copies of that file alone.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from rehab_edge.errors import EdgeError
from rehab_sdk.spool.sealing import KEY_BYTES

MODE = 0o600


class KeyFileError(EdgeError):
    """The key file cannot be used. A new one would not open what the old one sealed, so none is
    made in its place."""


def device_key(path: Path) -> bytes:
    """The key in the file; a new one, on the disk before this returns, where there is no file.
    Raises KeyFileError."""
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    key = secrets.token_bytes(KEY_BYTES)
    try:
        _write(path, key)
    except FileExistsError:  # another process was quicker: its key counts
        return _read(path)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    return key


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        key = file.read(KEY_BYTES + 1)
    if mode & 0o077:
        raise KeyFileError(f"{path} may be read by others: chmod 600 it")
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} holds {len(key)} bytes, not a key of {KEY_BYTES}")
    return key


def _write(path: Path, key: bytes) -> None:
    """Whole or not at all: it is linked to its name once it is on the disk."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A new name in a folder outlives a loss of power only then."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
