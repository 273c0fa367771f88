"""What a client shows, and where the newest of it is kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from rehab_sdk import ApiKey, DeviceKey, FileTokenStore, Password, RefreshToken, errors
from rehab_sdk.auth import life_s
from rehab_sdk.credentials import Credentials
from tests.sdk.given import CLINIC, START

PASSWORD = Password(CLINIC, "ann@example.org", "correct horse")


async def test_a_device_may_sign_where_its_key_stays() -> None:
    said: list[bytes] = []

    def sign(message: bytes) -> bytes:
        said.append(message)
        return b"signature"

    made = DeviceKey("device-1", sign).assertion(START)
    signed, _, signature = made.rpartition(".")
    assert said == [signed.encode()]
    assert base64.urlsafe_b64decode(signature + "==") == b"signature"
    claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("device-1", "device-1", "rehab")
    assert claims["exp"] - claims["iat"] == 60
    assert DeviceKey("device-1", sign).assertion(START) != made


def test_a_file_that_others_may_read_is_not_trusted(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path / "session")
    store.save("owner", "token")
    assert store.load("owner") == "token"
    assert store.load("somebody else") == ""
    (tmp_path / "session").chmod(0o640)
    with pytest.raises(errors.Invalid) as refused:
        store.load("owner")
    assert refused.value.violations[0].rule == "file.mode"


def test_a_torn_file_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "session").write_text('{"owner": "ow')
    (tmp_path / "session").chmod(0o600)
    assert FileTokenStore(tmp_path / "session").load("owner") == ""


@pytest.mark.parametrize(
    "shown",
    [PASSWORD, DeviceKey("d", b"correct horse"), RefreshToken("correct horse"), ApiKey("correct")],
)
def test_credentials_do_not_show_their_secret(shown: Credentials) -> None:
    assert "correct" not in repr(shown)


@pytest.mark.parametrize("token", ["", "dev.patient.clinic-1.p", "a.b.c", "..", "a.e30.c"])
def test_a_token_that_does_not_say_how_long_it_holds_has_no_life(token: str) -> None:
    assert life_s(token) is None


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        DeviceKey("device-1", b"short").assertion(START)
