"""The folder in which a suite keeps its data: one run at a time, and a note of where it answers."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rehab_cli.addresses import Addresses
from rehab_cli.errors import SuiteError

NOTE = "suite.json"
LOCK = "suite.lock"
KEY_FILE = "keys.json"
IDENTITY_KEY, EMR_KEY = "identity.json", "emr.json"
SIGNING_KEY = "signing.pem"
ARCHIVE = "archive"
CERTS = "certs"
SERVERS = ("postgres", "nats", "valkey")
LEAST_FREE_BYTES = 128 * 1024**2
"""PostgreSQL makes about 60 MB of files before it holds anything."""


@dataclass(frozen=True)
class Note:
    """What a running suite leaves for other commands. It holds passwords: only its owner reads
    it."""

    pid: int
    addresses: Addresses
    postgres_dsn: str = ""
    nats_url: str = ""
    valkey_url: str = ""
    external: bool = False
    processes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Note:
        told = json.loads(text)
        return cls(**{**told, "addresses": Addresses(**told["addresses"])})


def default_folder() -> Path:
    """`.rehab` here, or where programs keep their data when this folder is not ours to write."""
    here = Path(".rehab")
    if here.is_dir() or os.access(".", os.W_OK):
        return here
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "rehabtrack"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "rehabtrack"


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def key_file(self) -> Path:
        """What wraps patients' data keys: who loses it can read nothing of the log any more."""
        return self.folder / KEY_FILE

    @property
    def identity_key(self) -> Path:
        """What seals persons' data: who loses it knows no names any more."""
        return self.folder / IDENTITY_KEY

    @property
    def emr_key(self) -> Path:
        """What seals how receivers are reached: who loses it registers them anew."""
        return self.folder / EMR_KEY

    def key_file_of(self, service: str) -> Path:
        own = {"identity": self.identity_key, "emr": self.emr_key}
        return own.get(service, self.key_file)

    @property
    def signing_key(self) -> Path:
        """What signs checkpoints of the log."""
        return self.folder / SIGNING_KEY

    @property
    def certs(self) -> Path:
        """By what services show each other who they are."""
        return self.folder / CERTS

    @property
    def archive(self) -> Path:
        """Where archived events are: part of the log."""
        return self.folder / ARCHIVE

    @contextmanager
    def held(self) -> Iterator[None]:
        """This run alone uses the folder. Raises SuiteError."""
        self._make()
        with (self.folder / LOCK).open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise SuiteError(
                    f"{self.folder} is in use by another run (process {lock.read().strip()}); "
                    "stop that one or choose another folder with --data"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
            (self.folder / NOTE).unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / LOCK).touch()
        except OSError as error:
            raise SuiteError(
                f"cannot write to {self.folder} ({error.strerror}); "
                "choose another folder with --data"
            ) from None

    def require_room(self) -> None:
        """Raises SuiteError when the disk is too full to begin."""
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE_BYTES:
            raise SuiteError(
                f"the disk under {self.folder} is full: {free // 1024**2} MB are free, "
                f"{LEAST_FREE_BYTES // 1024**2} MB are needed to start; free some space "
                "or choose another folder with --data"
            )

    def discard(self) -> None:
        """Throw away what an earlier run left; only what such a run makes. Hold the folder."""
        for own in (self.key_file, self.signing_key, self.identity_key, self.emr_key):
            own.unlink(missing_ok=True)
        shutil.rmtree(self.archive, ignore_errors=True)
        shutil.rmtree(self.certs, ignore_errors=True)
        for name in SERVERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            for suffix in (".log", ".password"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)

    def leave(self, note: Note) -> None:
        path = self.folder / NOTE
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(note)))
        new.replace(path)  # whoever reads it meanwhile finds all of one

    def left(self) -> Note | None:
        """The note of the last run, whether or not it still runs."""
        try:
            return Note.read((self.folder / NOTE).read_text())
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def running(self) -> Note | None:
        """The note of the suite that runs here now."""
        note = self.left()
        return note if note is not None and self._is_held() else None

    def _is_held(self) -> bool:
        try:
            with (self.folder / LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False
