"""What a key file promises: nobody else reads it, nothing tears it, and it says what is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab_runtime import keyfile
from rehab_runtime.clock import EPOCH, FixedClock
from rehab_runtime.keepers.local import CAUTION, LocalKeys
from rehab_runtime.keepers.wrapper import KeyRefused, KeysUnavailable, Unwrapped, Wrapped
from rehab_runtime.keyfile import KeyFileError
from rehab_runtime.startup import StartupError


@pytest.fixture
def path(tmp_path: Path, clock: FixedClock) -> Path:
    path = tmp_path / "kek"
    keyfile.create(path, clock)
    return path


def key(number: int = 1) -> Unwrapped:
    return Unwrapped(f"patient-{number}", os.urandom(64))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(
    tmp_path: Path, clock: FixedClock, umask: int
) -> None:
    before = os.umask(umask)
    try:
        keyfile.create(tmp_path / "kek", clock)
        assert (tmp_path / "kek").stat().st_mode & 0o777 == 0o600
        keyfile.rotate(tmp_path / "kek", clock)
        assert (tmp_path / "kek").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_is_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"open to others .mode {mode:04o}.*run: chmod 600"):
        LocalKeys(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_alone_is_taken(path: Path, mode: int) -> None:
    path.chmod(mode)
    LocalKeys(path)


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(path, 65_534, -1)
    else:  # only root gives files away
        monkeypatch.setattr(os, "geteuid", lambda: 65_534)
    with pytest.raises(KeyFileError, match="another user"):
        LocalKeys(path)


def test_a_folder_and_a_fifo_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name in ("folder", "fifo"):
        with pytest.raises(KeyFileError, match=r"no regular file|cannot read"):
            LocalKeys(tmp_path / name)


def test_a_file_is_never_replaced(path: Path, clock: FixedClock) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="exists"):
        keyfile.create(path, clock)
    assert path.read_bytes() == before


def test_a_dangling_link_is_not_followed(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "kek").symlink_to(tmp_path / "gone")
    with pytest.raises(KeyFileError):
        LocalKeys.open(tmp_path / "kek", clock)
    assert not (tmp_path / "gone").exists()


def test_a_missing_file_says_what_hangs_on_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"there is no key file .*restore it"):
        LocalKeys(tmp_path / "kek")


def test_a_folder_that_is_missing_is_named(tmp_path: Path, clock: FixedClock) -> None:
    with pytest.raises(KeyFileError, match="No such file or directory"):
        keyfile.create(tmp_path / "gone" / "kek", clock)


def test_rotation_appends_and_keeps(path: Path, clock: FixedClock) -> None:
    old = keyfile.read(path)
    clock.advance(60)
    new = keyfile.rotate(path, clock)
    assert keyfile.read(path) == new
    assert new.id == old.id
    assert new.newest == 2
    assert new.versions[1] == old.versions[1]
    assert new.versions[2].created_at == clock.now()
    assert new.versions[2].key != old.versions[1].key


def test_rotations_at_once_all_count(path: Path, clock: FixedClock) -> None:
    threads = [threading.Thread(target=keyfile.rotate, args=(path, clock)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keyfile.read(path).versions) == list(range(1, 10))


def test_of_replicas_that_start_at_once_one_makes_the_file(
    tmp_path: Path, clock: FixedClock
) -> None:
    opened: list[str] = []

    def start() -> None:
        opened.append(repr(LocalKeys.open(tmp_path / "kek", clock)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    assert len(set(opened)) == 1


@pytest.mark.parametrize("left", [b"", b'{"format": "rehab-kek', b"\0" * 100])
def test_a_writer_killed_before_the_rename_leaves_the_old_file_good(
    path: Path, clock: FixedClock, left: bytes
) -> None:
    half = path.with_name(f".{path.name}.new")
    half.write_bytes(left)
    old = keyfile.read(path)
    assert keyfile.rotate(path, clock).versions.keys() == {1, 2}
    assert keyfile.read(path).versions[1] == old.versions[1]
    assert not half.exists()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), full)
        with pytest.raises(KeyFileError, match="No space left on device"):
            keyfile.rotate(path, clock)
    assert path.read_bytes() == before
    assert {found.name for found in path.parent.iterdir()} == {"kek", ".kek.lock"}


def damaged(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    def damage(text: bytes) -> bytes:
        told = json.loads(text)
        change(told)
        return json.dumps(told).encode()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: b"[]",
        lambda text: b"\xff\xfe",
        damaged(lambda told: told.update(format="rehab-kek-2")),
        damaged(lambda told: told.update(versions={})),
        damaged(lambda told: told.update(id="")),
        damaged(lambda told: told["versions"].update(x=told["versions"]["1"])),
        damaged(lambda told: told["versions"].update({"0": told["versions"]["1"]})),
        damaged(lambda told: told["versions"]["1"].pop("check")),
        damaged(lambda told: told["versions"]["1"].update(key="AAAA")),
        damaged(lambda told: told["versions"]["1"].update(key="A" * 43 + "=")),
        damaged(lambda told: told["versions"]["1"].update(created_at="yesterday")),
    ],
)
def test_a_damaged_file_is_refused_and_not_quoted(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    secret = json.loads(path.read_bytes())["versions"]["1"]["key"]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(KeyFileError, match="is damaged") as caught:
        LocalKeys(path)
    assert secret not in f"{caught.value!r} {caught.value}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_rotation_is_seen_by_those_who_have_the_file_open(
    path: Path, clock: FixedClock
) -> None:
    keys, other = LocalKeys(path), LocalKeys(path)
    keyfile.rotate(path, clock)
    one = key()
    wrapped = await keys.wrap([one])
    assert wrapped[0].kek.version == "2"
    assert await other.unwrap(wrapped) == [one]


async def test_a_file_that_goes_missing_is_trouble_that_passes(path: Path) -> None:
    keys = LocalKeys(path)
    away = path.with_name("away")
    os.rename(path, away)
    with pytest.raises(KeysUnavailable, match="restore it"):
        await keys.newest()
    os.rename(away, path)
    assert (await keys.newest()).version == "1"


async def test_destroyed_versions_open_nothing_any_more(path: Path, clock: FixedClock) -> None:
    keys = LocalKeys(path)
    living, dead = key(1), key(2)
    backup = list(await keys.wrap([living, dead]))
    keyfile.rotate(path, clock)
    (rewrapped,) = await keys.rewrap(backup[:1])
    keyfile.destroy_older_than(path, 2)
    for refused in await keys.unwrap(backup):
        assert isinstance(refused, KeyRefused)
        assert "no version 1" in refused.line
    assert isinstance(rewrapped, Wrapped)
    assert await keys.unwrap([rewrapped]) == [living]


def test_the_newest_version_is_never_destroyed(path: Path) -> None:
    with pytest.raises(KeyFileError, match="no version 2 or newer"):
        keyfile.destroy_older_than(path, 2)
    assert keyfile.read(path).newest == 1


async def test_two_key_files_do_not_open_each_others_keys(
    path: Path, tmp_path: Path, clock: FixedClock
) -> None:
    wrapped = await LocalKeys(path).wrap([key()])
    (refused,) = await LocalKeys.open(tmp_path / "other", clock).unwrap(wrapped)
    assert isinstance(refused, KeyRefused)
    assert "not by the key file in use" in refused.line


def test_only_production_is_cautioned(path: Path) -> None:
    keys = LocalKeys(path)
    assert keys.caution(production=True) == CAUTION
    assert keys.caution(production=False) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["wrap", "rotate", "rewrap", "reopen"]), max_size=25))
def test_every_key_opens_after_whatever_happened_to_the_file(steps: list[str]) -> None:
    async def happen(path: Path) -> None:
        clock = FixedClock(EPOCH)
        keys = LocalKeys.open(path, clock)
        secrets: list[Unwrapped] = []
        stored: list[Wrapped] = []
        for step in steps:
            if step == "wrap":
                secrets.append(key(len(secrets)))
                stored += await keys.wrap(secrets[-1:])
            elif step == "rotate":
                keyfile.rotate(path, clock)
            elif step == "rewrap":
                stored = [one for one in await keys.rewrap(stored) if isinstance(one, Wrapped)]
            else:
                keys = LocalKeys(path)
            assert await keys.unwrap(stored) == secrets
        rotations = steps.count("rotate")
        assert (await keys.newest()).version == str(rotations + 1)

    with TemporaryDirectory() as folder:
        asyncio.run(happen(Path(folder) / "kek"))
