"""Patients' data keys in PostgreSQL, wrapped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab_eventstore.crypto.keys import UNUSED, DataKey, Keyring, KeyUse, key_context
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import Erased
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeyWrapper,
    Unwrapped,
    Wrapped,
)
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries

REWRAP_AT_ONCE = 500

log = get_logger("keys")


@dataclass(frozen=True)
class NamedKey:
    """A key that somebody asked for. Without a key it was destroyed, or cannot be opened."""

    subject: str
    key_id: str
    key: DataKey | None
    refused: bool = False


@dataclass(frozen=True)
class KekCount:
    """How many data keys a key-encryption key wraps, and how many that it wrapped are destroyed."""

    kek: Kek
    living: int
    newest: int
    destroyed: int


@dataclass(frozen=True)
class Rewrapped:
    """One step: data keys moved under another key-encryption key, and those that cannot be."""

    moved: int
    refused: int


async def census(database: Database, queries: Queries) -> list[KekCount]:
    """How many data keys each key-encryption key wraps."""
    return [
        KekCount(
            Kek(row["kek_id"], row["kek_version"]), row["living"], row["newest"], row["destroyed"]
        )
        for row in await database.fetch(queries["data_key_census"])
    ]


class KeyStore:
    """Every method raises Unavailable when PostgreSQL, or what unwraps keys, does not answer, and
    KeyRefused when a key cannot be unwrapped at all."""

    def __init__(self, database: Database, queries: Queries, wrapper: KeyWrapper) -> None:
        self._database = database
        self._queries = queries
        self._wrapper = wrapper

    async def load(self, patients: Collection[str]) -> Mapping[str, Keyring]:
        """The keys of those patients who have living ones. One whose newest key is refused is
        raised if asked for alone, and left out beside others."""
        rows = await self._database.fetch(self._queries["data_keys"], list(patients))
        opened: dict[str, list[DataKey]] = {}
        uses: dict[str, KeyUse] = {}
        for row, key in zip(rows, await self._unwrap(rows), strict=True):
            if row["newest"]:
                uses[row["stream_id"]] = KeyUse(row["age_s"], row["sealed"])
            if isinstance(key, DataKey):
                opened.setdefault(row["stream_id"], []).append(key)
                continue
            _tell(row["key_id"], key)
            if row["newest"]:
                opened.pop(row["stream_id"], None)
                if len(patients) == 1:
                    raise key
        return {
            patient: Keyring.of(patient, *keys, use=uses.get(patient, UNUSED))
            for patient, keys in opened.items()
        }

    async def make(self, patients: Collection[str]) -> None:
        """Give each patient a first key, unless there is one, or the patient is being erased."""
        made = {patient: DataKey.new(str(uuid7())) for patient in patients}
        await self._database.execute(
            self._queries["add_data_keys"], *_columns(await self._wrap(made))
        )

    async def renew(self, keyrings: Collection[Keyring]) -> int:
        """A new newest key for each patient whose newest is still the one told; those before still
        open what they sealed. How many were made is returned."""
        olds = {one.patient: one.newest for one in keyrings}
        made = {patient: old.rotated(str(uuid7())) for patient, old in olds.items()}
        wrapped = await self._wrap(made)
        async with self._database.transaction() as connection:
            retired = await connection.fetch(
                self._queries["retire_data_keys"],
                list(olds),
                [old.key_id for old in olds.values()],
            )
            living = {row["stream_id"] for row in retired}
            await connection.execute(
                self._queries["add_data_keys"],
                *_columns(one for one in wrapped if one[0] in living),
            )
        return len(living)

    async def rotate(self, patient: str) -> str:
        """A new newest key for one patient. Its id is returned, that of another's rotation when
        there were two at once. Raises Erased without a living key."""
        keyring = (await self.load([patient])).get(patient)
        if keyring is None:
            raise Erased("the subject has no living key")
        await self.renew([keyring])
        now = (await self.load([patient])).get(patient)
        if now is None:
            raise Erased("the subject was erased meanwhile")
        return now.newest.key_id

    async def _wrap(self, keys: Mapping[str, DataKey]) -> list[tuple[str, str, Wrapped]]:
        """Patients' new keys with their ids, wrapped."""
        wrapped = await self._wrapper.wrap(
            [
                Unwrapped(key_context(patient, key.key_id), key.expose())
                for patient, key in keys.items()
            ]
        )
        return [
            (patient, key.key_id, one)
            for (patient, key), one in zip(keys.items(), wrapped, strict=True)
        ]

    async def rewrap(self) -> AsyncIterator[Rewrapped]:
        """Put every living key under the newest key-encryption key, step by step."""
        kek = await self._wrapper.newest()
        after = ("", "")
        while rows := await self._database.fetch(
            self._queries["data_keys_of_old_keks"], *kek, *after, REWRAP_AT_ONCE
        ):
            after = rows[-1]["stream_id"], rows[-1]["key_id"]
            yield await self._rewrap(rows)

    async def _rewrap(self, rows: Sequence[asyncpg.Record]) -> Rewrapped:
        answers = await self._wrapper.rewrap([_wrapped(row) for row in rows])
        done = []
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, KeyRefused):
                _tell(row["key_id"], answer)
            else:
                done.append((row["stream_id"], row["key_id"], answer))
        moved = await self._database.fetch(self._queries["rewrap_data_keys"], *_columns(done))
        return Rewrapped(len(moved), len(rows) - len(done))

    async def named(self, subjects: Sequence[str], key_ids: Sequence[str]) -> list[NamedKey]:
        """All keys of these subjects, and those with these ids."""
        rows = await self._database.fetch(
            self._queries["data_keys_named"], list(subjects), list(key_ids)
        )
        living = [row for row in rows if row["wrapped"] is not None]
        opened = {
            row["key_id"]: key for row, key in zip(living, await self._unwrap(living), strict=True)
        }
        return [
            NamedKey(
                row["stream_id"],
                row["key_id"],
                key if isinstance(key := opened.get(row["key_id"]), DataKey) else None,
                isinstance(key, KeyRefused),
            )
            for row in rows
        ]

    async def census(self) -> list[KekCount]:
        return await census(self._database, self._queries)

    async def oldest_sealing_at(self) -> datetime | None:
        """When the oldest key that still seals was made."""
        row = await self._database.fetchrow(self._queries["oldest_sealing_key"])
        return row["created_at"] if row is not None else None

    async def newest_kek(self) -> Kek:
        return await self._wrapper.newest()

    async def _unwrap(self, rows: Sequence[asyncpg.Record]) -> list[DataKey | KeyRefused]:
        if not rows:
            return []
        answers = await self._wrapper.unwrap([_wrapped(row) for row in rows])
        return [
            answer if isinstance(answer, KeyRefused) else DataKey(row["key_id"], answer.secret)
            for row, answer in zip(rows, answers, strict=True)
        ]


def _tell(key_id: str, refused: KeyRefused) -> None:
    log.error(
        "a data key cannot be opened", key_id=key_id, reason=refused.line, remedy=refused.remedy
    )


def _wrapped(row: asyncpg.Record) -> Wrapped:
    context = key_context(row["stream_id"], row["key_id"])
    return Wrapped(context, Kek(row["kek_id"], row["kek_version"]), row["wrapped"])


def _columns(keys: Iterable[tuple[str, str, Wrapped]]) -> list[list[object]]:
    """Wrapped keys with their patients and ids, as the columns of a statement."""
    rows = [(patient, key_id, *key.kek, key.blob) for patient, key_id, key in keys]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 5
