"""Resources in SQLite, every version kept, committed before an answer leaves."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    type TEXT, id TEXT, version INTEGER, content TEXT, PRIMARY KEY (type, id, version));
CREATE TABLE IF NOT EXISTS token (type TEXT, name TEXT, value TEXT, id TEXT, at REAL);
CREATE INDEX IF NOT EXISTS token_value ON token (type, name, value);
CREATE TABLE IF NOT EXISTS request (kind TEXT, status INTEGER);
CREATE TABLE IF NOT EXISTS seen (jti TEXT PRIMARY KEY);
"""


@dataclass(frozen=True)
class Write:
    """`id` empty makes a new resource."""

    type: str
    id: str
    content: dict[str, Any]


class Store:
    """Another process may have the file after this one was killed."""

    def __init__(self, path: Path) -> None:
        self.written = 0
        """How often something was stored."""
        self._base = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.executescript(SCHEMA)

    def found(self, type_: str, name: str, value: str, lag_s: float = 0.0) -> list[str]:
        """Ids of resources with a token "system|value", as it was so long ago."""
        rows = self._base.execute(
            "SELECT DISTINCT id FROM token WHERE type = ? AND name = ? AND value = ? AND at <= ?",
            (type_, name, value, time.time() - lag_s),
        )
        return [row[0] for row in rows]

    def get(self, type_: str, id_: str) -> tuple[int, dict[str, Any]] | None:
        row = self._base.execute(
            "SELECT version, content FROM resource WHERE type = ? AND id = ? "
            "ORDER BY version DESC LIMIT 1",
            (type_, id_),
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def all(self, type_: str) -> list[dict[str, Any]]:
        rows = self._base.execute(
            "SELECT content, max(version) FROM resource WHERE type = ? GROUP BY id", (type_,)
        )
        return [json.loads(row[0]) for row in rows]

    def versions(self, type_: str, id_: str) -> list[dict[str, Any]]:
        rows = self._base.execute(
            "SELECT content FROM resource WHERE type = ? AND id = ? ORDER BY version", (type_, id_)
        )
        return [json.loads(row[0]) for row in rows]

    def write(self, writes: Sequence[Write]) -> list[tuple[str, int]]:
        """All or none: ids and versions."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            done = [self._one(one) for one in writes]
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")
        self.written += bool(done)
        return done

    def _one(self, write: Write) -> tuple[str, int]:
        id_ = write.id or uuid.uuid4().hex
        before = self.get(write.type, id_) if write.id else None
        version = before[0] + 1 if before else 1
        meta = {**write.content.get("meta", {}), "versionId": str(version)}
        content = {**write.content, "id": id_, "meta": meta}
        self._base.execute(
            "INSERT INTO resource VALUES (?, ?, ?, ?)",
            (write.type, id_, version, json.dumps(content)),
        )
        at = 0 if before else time.time()
        self._base.execute("DELETE FROM token WHERE type = ? AND id = ?", (write.type, id_))
        self._base.executemany(
            "INSERT INTO token VALUES (?, ?, ?, ?, ?)",
            [(write.type, name, value, id_, at) for name, value in tokens(content)],
        )
        return id_, version

    def count(self, kind: str, status: int) -> None:
        self._base.execute("INSERT INTO request VALUES (?, ?)", (kind, status))

    def counts(self) -> dict[str, int]:
        rows = self._base.execute("SELECT kind, status, count(*) FROM request GROUP BY 1, 2")
        return {f"{kind} {status}": count for kind, status, count in rows}

    def is_new(self, jti: str) -> bool:
        """An assertion's id is good once."""
        done = self._base.execute("INSERT OR IGNORE INTO seen VALUES (?)", (jti,))
        return done.rowcount == 1


def tokens(content: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for one in content.get("identifier") or []:
        yield "identifier", f"{one.get('system', '')}|{one.get('value', '')}"
    for one in (content.get("meta") or {}).get("tag") or []:
        yield "_tag", f"{one.get('system', '')}|{one.get('code', '')}"
