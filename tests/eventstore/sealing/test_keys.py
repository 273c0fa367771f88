"""Data keys and keyrings, and that no secret is shown by anything that holds one."""

from __future__ import annotations

import copy
import pickle
from base64 import b64encode
from collections.abc import Callable

import pytest

from rehab_eventstore.crypto.keys import DataKey, Keyring
from rehab_runtime.clock import EPOCH
from rehab_runtime.keepers.vault_session import Lease
from rehab_runtime.keepers.wrapper import Kek, Unwrapped, Wrapped
from rehab_runtime.keyfile import KeyFile, Version

SECRET = b"a secret that is sixty-four bytes long, as one of data keys is.."
KEY = DataKey("key-1", SECRET)


@pytest.mark.parametrize(
    "held",
    [
        KEY,
        KEY.rotated("key-2"),
        Keyring.of("patient-1", KEY),
        Unwrapped("patient-1", SECRET),
        Wrapped("patient-1", Kek("kek", "1"), SECRET),
        Version(EPOCH, SECRET),
        KeyFile("kek", {1: Version(EPOCH, SECRET)}),
        Lease(SECRET.decode(), 10, True),
    ],
    ids=lambda held: type(held).__name__,
)
@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda held: f"{held!r:>0}"])
def test_no_secret_is_shown(held: object, show: Callable[[object], str]) -> None:
    shown = show(held)
    for part in (SECRET, SECRET[:32], SECRET[32:]):
        assert part.decode() not in shown
        assert part.hex() not in shown
        assert b64encode(part).decode() not in shown


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_data_key_is_not_copied_out(leave: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="wrapped or not at all"):
        leave(KEY)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        DataKey("key-1", bytes(length))


def test_new_keys_share_nothing() -> None:
    one, other = DataKey.new("one"), DataKey.new("other")
    assert one.expose()[:32] != other.expose()[:32]
    assert one.expose()[32:] != other.expose()[32:]


def test_rotation_renews_the_sealing_half_only() -> None:
    rotated = KEY.rotated("key-2")
    assert rotated.key_id == "key-2"
    assert rotated.expose()[:32] != KEY.expose()[:32]
    assert rotated.expose()[32:] == KEY.expose()[32:]


def test_a_keyring_has_its_newest_key_among_its_keys() -> None:
    newer = KEY.rotated("key-2")
    ring = Keyring.of("patient-1", KEY, newer)
    assert ring.newest is newer
    assert dict(ring.keys) == {"key-1": KEY, "key-2": newer}
    with pytest.raises(ValueError, match="newest"):
        Keyring("patient-1", newer, {"key-1": KEY})


def test_a_keyring_does_not_change_with_what_it_was_made_of() -> None:
    keys = {"key-1": KEY}
    ring = Keyring("patient-1", KEY, keys)
    keys.clear()
    assert dict(ring.keys) == {"key-1": KEY}
