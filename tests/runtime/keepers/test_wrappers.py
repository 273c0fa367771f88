"""What every KeyWrapper promises, held against each of them on a real file or socket."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rehab_eventstore.crypto.keys import key_context
from rehab_runtime.clock import FixedClock
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    Unwrapped,
    Wrapped,
    carry_over,
    context_digest,
    require_private,
)
from rehab_runtime.startup import StartupError
from tests.runtime.keepers.conftest import Kept


def some(count: int) -> list[Unwrapped]:
    return [
        Unwrapped(key_context(f"patient-{number}", "key-1"), os.urandom(64))
        for number in range(count)
    ]


async def test_what_was_wrapped_is_unwrapped_in_order(kept: Kept) -> None:
    keys = some(20)
    wrapped = await kept.keys.wrap(keys)
    assert [one.context for one in wrapped] == [one.context for one in keys]
    assert await kept.keys.unwrap(wrapped) == keys


async def test_nothing_asked_is_nothing_answered(kept: Kept) -> None:
    assert list(await kept.keys.wrap([])) == []
    assert list(await kept.keys.unwrap([])) == []
    assert list(await kept.keys.rewrap([])) == []


async def test_no_secret_stands_in_what_is_stored(kept: Kept) -> None:
    (key,) = some(1)
    (one,) = await kept.keys.wrap([key])
    assert key.secret not in one.blob
    assert key.secret.hex() not in f"{one!r} {kept.keys!r}"


async def test_the_same_key_is_never_wrapped_alike(kept: Kept) -> None:
    (key,) = some(1)
    one, other = await kept.keys.wrap([key, key])
    assert one.blob != other.blob


async def test_wrapping_names_the_newest_kek(kept: Kept) -> None:
    before = await kept.keys.newest()
    (old,) = await kept.keys.wrap(some(1))
    kept.rotate()
    after = await kept.keys.newest()
    (new,) = await kept.keys.wrap(some(1))
    assert old.kek == before != after == new.kek


async def test_old_keys_are_unwrapped_and_rewrapped_after_rotations(kept: Kept) -> None:
    keys = some(4)
    stored: list[Wrapped] = []
    for key in keys:
        stored += await kept.keys.wrap([key])
        kept.rotate()
    assert len({one.kek for one in stored}) == 4
    assert await kept.keys.unwrap(stored) == keys
    again = await kept.keys.rewrap(stored)
    newest = await kept.keys.newest()
    assert [one.kek for one in again if isinstance(one, Wrapped)] == [newest] * 4
    assert await kept.keys.unwrap([one for one in again if isinstance(one, Wrapped)]) == keys
    assert await kept.keys.unwrap(stored) == keys


async def test_a_key_that_was_moved_or_changed_is_refused_and_its_neighbours_are_not(
    kept: Kept,
) -> None:
    keys = some(5)
    stored = list(await kept.keys.wrap(keys))
    stored[1] = replace(stored[1], context=keys[2].context)
    stored[3] = replace(stored[3], blob=flipped(stored[3].blob))
    opened = await kept.keys.unwrap(stored)
    assert isinstance(opened[1], KeyRefused)
    assert isinstance(opened[3], KeyRefused)
    assert [opened[0], opened[2], opened[4]] == [keys[0], keys[2], keys[4]]
    for refused in (opened[1], opened[3]):
        assert refused.remedy
        for key in keys:
            assert key.secret.hex() not in f"{refused!r} {refused}"


async def test_a_moved_key_is_refused_after_a_rewrap_too(kept: Kept) -> None:
    one, other = some(2)
    (stored, _) = await kept.keys.wrap([one, other])
    kept.rotate()
    (again,) = await kept.keys.rewrap([replace(stored, context=other.context)])
    if isinstance(again, Wrapped):
        (again,) = await kept.keys.unwrap([again])
    assert isinstance(again, KeyRefused)


async def test_one_refused_key_does_not_keep_others_from_being_rewrapped(kept: Kept) -> None:
    keys = some(3)
    stored = list(await kept.keys.wrap(keys))
    stored[1] = replace(stored[1], blob=flipped(stored[1].blob))
    kept.rotate()
    first, second, third = await kept.keys.rewrap(stored)
    assert isinstance(second, KeyRefused)
    assert isinstance(first, Wrapped)
    assert isinstance(third, Wrapped)
    assert await kept.keys.unwrap([first, third]) == [keys[0], keys[2]]


@pytest.mark.parametrize("blob", [b"", b"\0", b"vault:v1:", b"\xff" * 200, b"x" * 10])
async def test_what_was_never_wrapped_is_refused(kept: Kept, blob: bytes) -> None:
    (real,) = await kept.keys.wrap(some(1))
    (opened,) = await kept.keys.unwrap([replace(real, blob=blob)])
    assert isinstance(opened, KeyRefused)


async def test_a_key_of_another_wrapper_is_refused_by_name(kept: Kept) -> None:
    (real,) = await kept.keys.wrap(some(1))
    (opened,) = await kept.keys.unwrap([replace(real, kek=Kek("somebody-else", "1"))])
    assert isinstance(opened, KeyRefused)


async def test_keys_are_carried_over_to_another_wrapper(
    kept: Kept, tmp_path: Path, clock: FixedClock
) -> None:
    source = LocalKeys.open(tmp_path / "old", clock)
    keys = some(3)
    stored = list(await source.wrap(keys))
    stored[1] = replace(stored[1], blob=flipped(stored[1].blob))
    first, second, third = await carry_over(stored, source, kept.keys)
    assert isinstance(second, KeyRefused)
    assert isinstance(first, Wrapped)
    assert isinstance(third, Wrapped)
    assert await kept.keys.unwrap([first, third]) == [keys[0], keys[2]]


def flipped(blob: bytes) -> bytes:
    # a letter within the ciphertext, which stays a letter where the blob is text
    at = len(blob) // 2
    changed = b"A" if blob[at : at + 1] != b"A" else b"B"
    return blob[:at] + changed + blob[at + 1 :]


def test_contexts_differ_where_their_parts_run_together() -> None:
    contexts = [key_context("a", "b/c"), key_context("a/b", "c"), key_context("1:a", "b")]
    assert len({context_digest(context) for context in contexts}) == 3


@pytest.mark.parametrize(
    "url",
    ["https://vault.clinic", "http://127.0.0.1:8200", "http://localhost", "http://[::1]:8200"],
)
def test_keys_travel_encrypted_or_not_at_all(url: str) -> None:
    require_private(url, "Vault")


@pytest.mark.parametrize(
    "url",
    ["http://vault.clinic", "http://10.0.0.1", "vault", "", "https://", "http://localhost.evil.io"],
)
def test_keys_do_not_travel_in_the_clear(url: str) -> None:
    with pytest.raises(StartupError, match="must begin with https://"):
        require_private(url, "Vault")
