"""Ed25519 keys that sign checkpoints. Who verifies needs the public half only."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from rehab_runtime.signed import key_id_of
from rehab_runtime.startup import StartupError

OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Signer:
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id_of(self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"


def open_signer(path: Path, *, make: bool) -> Signer:
    """The signer of a PEM file, made with mode 0600 if there is none and it may be. Raises
    StartupError."""
    if make and not os.path.lexists(path):
        _make(path)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & OPEN_TO_OTHERS:
                raise StartupError(
                    f"the signing key {path} is open to others", f"run: chmod 600 {path}"
                )
            key = load_pem_private_key(file.read(), password=None)
    except FileNotFoundError:
        raise StartupError(
            f"there is no signing key {path}",
            "restore it, or make one: openssl genpkey -algorithm ed25519",
        ) from None
    except OSError as error:
        raise StartupError(
            f"cannot read the signing key {path}: {error.strerror}", "see to its owner and mode"
        ) from None
    except (ValueError, TypeError):
        raise StartupError(
            f"the signing key {path} is damaged", "restore it from its backup"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise StartupError(
            f"the signing key {path} is not an Ed25519 key",
            "make one: openssl genpkey -algorithm ed25519",
        )
    return Signer(key)


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        # whole or not at all; another replica may be making it too, and one of the two is taken
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    except OSError as error:
        raise StartupError(
            f"cannot make the signing key {path}: {error.strerror}", "see to the folder's owner"
        ) from None
    finally:
        new.unlink(missing_ok=True)
