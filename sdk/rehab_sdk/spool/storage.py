"""The file: SQLite in WAL mode, held by one process at a time, a transaction for every change."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from rehab_sdk.errors import RehabError

APPLICATION_ID = 0x52_48_53_50  # "RHSP", in the header of the file
VERSION = 1
QUERIES = dict(
    re.findall(
        r"-- name: (\w+):[^\n]*\n(.*?)(?=\n-- name:|\Z)",
        files("rehab_sdk.spool").joinpath("queries.sql").read_text(),
        flags=re.DOTALL,
    )
)
_SETTINGS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # before WAL: no shared memory, and nobody else comes in
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",  # what was sent does not stay legible in free pages
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA trusted_schema = OFF",
)


class SpoolError(RehabError):
    """The spool cannot be used: another process has it, it is another device's, damaged, or its
    disk is full. `reason` is empty; `metadata["rule"]` says which."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message, metadata={"rule": rule})

    @property
    def rule(self) -> str:
        return self.metadata["rule"]


class Storage:
    """Raises SpoolError."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.is_new = False
        self._lock = threading.RLock()  # a program may look at what was dropped from a thread
        _create(Path(path))
        with _translated():
            self._connection = sqlite3.connect(
                path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        with _translated():
            for setting in _SETTINGS:
                self._connection.execute(setting)
            with self.changing():
                self._begin()

    def _begin(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (version, application, tables) == (0, 0, 0):
            self.is_new = True
            for name in ("spool", "event", "event_by_rank", "aside"):
                self._connection.execute(QUERIES[f"create_{name}"])
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif application != APPLICATION_ID:
            raise SpoolError("spool.format", "the file is no spool")
        elif version != VERSION:
            raise SpoolError("spool.version", f"the spool is of version {version}, not {VERSION}")

    @contextmanager
    def changing(self, *, durable: bool = False) -> Iterator[None]:
        """All or nothing. What must outlive a loss of power as well is synced to the disk before
        this ends (with everything before it), the rest at the next checkpoint."""
        with self._lock:
            yield from self._change(durable=durable)

    def _change(self, *, durable: bool) -> Iterator[None]:
        with _translated():
            if durable:
                self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with _translated():
                yield
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            if durable:
                self._connection.execute("PRAGMA synchronous = NORMAL")

    def execute(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """A query of queries.sql by name: its rows."""
        with self._lock, _translated():
            return self._connection.execute(QUERIES[query], values).fetchall()

    def newest_id(self, table: str) -> int:
        """The newest id ever given in a table; ids are never given twice."""
        ((newest,),) = self.execute("newest_id", table)
        assert isinstance(newest, int)
        return newest

    def close(self) -> None:
        with _translated():
            self._connection.close()


def _create(path: Path) -> None:
    """A file that only its owner may read; its log inherits that."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SpoolError("spool.file", f"the spool cannot be opened: {error.strerror}") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _spool_error(error) from error


def _spool_error(error: sqlite3.Error) -> SpoolError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return SpoolError("spool.in_use", "another process has the spool open")
    if name.startswith("SQLITE_FULL"):
        return SpoolError("spool.disk_full", "the spool's disk is full")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return SpoolError("spool.damaged", "the file is damaged, or no spool")
    return SpoolError("spool.failed", f"the spool failed: {name or type(error).__name__}")
