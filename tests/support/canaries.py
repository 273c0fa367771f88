"""Strings that must be found nowhere, and places where they are looked for."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import asyncpg
import nats
import redis.asyncio as redis
from nats.js.errors import NotFoundError

_NUL = b"\0"
LEAST = 8
"""Bytes of a form that sealed data does not hold by chance."""
READ_AT_ONCE = 16 * 1024**2
SYSTEM = ("template0", "template1")


class Canaries:
    """Finds strings as they are in any case of letters, in UTF-8 and UTF-16, in base64 wherever it
    begins, in hexadecimal, and as PostgreSQL and JSON write them."""

    def __init__(self, told: Iterable[str]) -> None:
        self._needles: dict[tuple[bytes, bool], str] = {}
        for one in told:
            assert len(one) >= 6, f"{one!r} is found by chance"
            for form in _forms(one):
                self._needles[form] = one
        self._longest = max(len(form) for form, _ in self._needles)

    def found(self, data: bytes) -> set[str]:
        # zero bytes stand between the letters of UTF-16, and fill files
        folded = data.translate(None, _NUL)
        lowered = folded.lower()
        return {
            one
            for (form, folds), one in self._needles.items()
            if form in (lowered if folds else folded)
        }

    def found_in_file(self, path: Path) -> set[str]:
        """The same, piece by piece; what is gone meanwhile holds nothing."""
        seen: set[str] = set()
        rest = b""
        try:
            with path.open("rb") as file:
                while piece := file.read(READ_AT_ONCE):
                    seen |= self.found(rest + piece)
                    rest = piece[-4 * self._longest :]
        except FileNotFoundError:
            pass
        return seen

    def found_in_folder(self, folder: Path) -> Mapping[str, set[str]]:
        found = {
            str(path.relative_to(folder)): self.found_in_file(path)
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        return {name: seen for name, seen in found.items() if seen}


def _forms(text: str) -> Iterator[tuple[bytes, bool]]:
    """With whether the case of letters does not matter."""
    yield text.lower().encode(), True
    for one in (text, text.lower()):
        yield one.encode().hex().encode(), True
        for shift in range(3):
            whole = base64.b64encode(b"?" * shift + one.encode())
            # what neighbours have a part in is left out
            if len(form := whole[(0, 2, 3)[shift] : -4]) >= LEAST:
                yield form, False


async def rows_of(dsn: str) -> Mapping[str, bytes]:
    """Every table of every database of a server, values as they are stored, uncompressed."""
    server = await asyncpg.connect(dsn)
    try:
        await server.execute("CHECKPOINT")
        names = [row["datname"] for row in await server.fetch("SELECT datname FROM pg_database")]
    finally:
        await server.close()
    told: dict[str, bytes] = {}
    for name in names:
        if name not in SYSTEM:
            told.update(await _tables_of(f"{dsn.rsplit('/', 1)[0]}/{name}", name))
    return told


async def _tables_of(dsn: str, database: str) -> Mapping[str, bytes]:
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT nspname, relname FROM pg_class AS c JOIN pg_namespace AS n "
            "ON c.relnamespace = n.oid "
            "WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        told = {}
        for schema, table in tables:
            out = io.BytesIO()
            await connection.copy_from_table(table, schema_name=schema, output=out, format="binary")
            told[f"{database}.{schema}.{table}"] = out.getvalue()
        return told
    finally:
        await connection.close()


async def messages_of(url: str) -> Mapping[str, bytes]:
    """Every message of every JetStream stream: subjects, headers and contents, by stream."""
    connection = await nats.connect(url)
    try:
        context, told = connection.jetstream(), {}
        for info in await context.streams_info():
            parts = [repr(info.config).encode()]
            for sequence in range(info.state.first_seq, info.state.last_seq + 1):
                try:
                    message = await context.get_msg(info.config.name, seq=sequence)
                except NotFoundError:
                    continue
                headers = repr(message.headers).encode()
                parts += [(message.subject or "").encode(), headers, message.data or b""]
            told[str(info.config.name)] = b"\n".join(parts)
        return told
    finally:
        await connection.close()


async def values_of(url: str) -> Mapping[str, bytes]:
    """Every key of Valkey, with its value as it would be dumped."""
    client = redis.Redis.from_url(url)
    try:
        told = {}
        async for key in client.scan_iter():
            dumped = await client.dump(key)
            text = await client.get(key) if await client.type(key) == b"string" else b""
            told[key.decode(errors="replace")] = key + (dumped or b"") + (text or b"")
        return told
    finally:
        await client.aclose()


def where(canaries: Canaries, told: Mapping[str, bytes]) -> Mapping[str, Collection[str]]:
    """Which canaries are found under which name; nothing where there are none."""
    found = {name: canaries.found(name.encode() + b"\n" + data) for name, data in told.items()}
    return {name: seen for name, seen in found.items() if seen}
