"""What the adapter for KMS promises beyond what every wrapper does."""

from __future__ import annotations

import json
import os
import socket
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rehab_runtime.embedded import Nats
from rehab_runtime.keepers.kms import KmsKeys
from rehab_runtime.keepers.steady import Steady
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeysUnavailable,
    Unwrapped,
    Wrapped,
    context_digest,
)
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, event
from tests.eventstore.store import settings_for, store
from tests.runtime.keepers.conftest import ALIAS, REGION, Kms

KEY = Unwrapped("patient-1", os.urandom(64))


@pytest.fixture
async def keys(kms: Kms) -> AsyncIterator[KmsKeys]:
    async with KmsKeys(ALIAS, region=REGION, endpoint=kms.endpoint) as made:
        yield made


class Answering:
    """A server that answers every request alike, quoting it."""

    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code
        self.requests = 0
        self.endpoint = ""


@contextmanager
def answering(status: int, code: str) -> Iterator[Answering]:
    made = Answering(status, code)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            text = json.dumps({"__type": code, "message": f"you said {body}"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_the_context_is_a_digest_that_names_nobody(keys: KmsKeys, kms: Kms) -> None:
    (stored,) = await keys.wrap([KEY])
    context = {"rehab": context_digest(KEY.context).hex()}
    told = kms.client.decrypt(CiphertextBlob=stored.blob, EncryptionContext=context)
    assert told["Plaintext"] == KEY.secret
    assert KEY.context not in str(context)


async def test_an_old_key_behind_the_alias_stays_in_use_until_it_is_deleted(
    keys: KmsKeys, kms: Kms
) -> None:
    stored = await keys.wrap([KEY])
    kms.rotate()
    (again,) = await keys.rewrap(stored)
    assert isinstance(again, Wrapped)
    assert again.kek.id != stored[0].kek.id
    assert await keys.unwrap(stored) == [KEY]
    with pytest.raises(kms.client.exceptions.ClientError):
        kms.client.decrypt(CiphertextBlob=again.blob)


async def test_a_key_that_is_under_the_newest_already_comes_back_as_it_is(keys: KmsKeys) -> None:
    stored = await keys.wrap([KEY])
    assert await keys.rewrap(stored) == stored


@pytest.mark.parametrize("state", ["disable_key", "schedule_key_deletion"])
async def test_a_key_that_is_not_enabled_wraps_nothing(keys: KmsKeys, kms: Kms, state: str) -> None:
    kms.rotate()
    newest = await keys.newest()
    getattr(kms.client, state)(KeyId=newest.id.rpartition("/")[2])
    with pytest.raises(KeyRefused, match="not enabled"):
        await keys.wrap([KEY])
    kms.rotate()
    await keys.wrap([KEY])


async def test_a_key_that_is_not_there_is_refused_with_what_to_do(kms: Kms) -> None:
    async with KmsKeys("alias/nobody", region=REGION, endpoint=kms.endpoint) as keys:
        with pytest.raises(KeyRefused, match=r"NotFoundException.*key's id, region"):
            await keys.newest()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ThrottlingException"),
        (400, "LimitExceededException"),
        (500, "KMSInternalException"),
        (500, "KeyUnavailableException"),
        (503, "DependencyTimeoutException"),
        (502, "Whatever"),
        (429, "Whatever"),
    ],
)
async def test_trouble_is_transient_asked_once_and_says_nothing_of_what_was_sent(
    moto: str, status: int, code: str
) -> None:
    with answering(status, code) as server:
        async with KmsKeys(ALIAS, region=REGION, endpoint=server.endpoint) as keys:
            with pytest.raises(KeysUnavailable, match=f"KMS answers {status}") as caught:
                await keys.unwrap([Wrapped("patient-1", Kek("key", ""), b"secret blob")])
        assert server.requests == 1
    error = caught.value
    assert error.__context__ is None
    assert b64encode(b"secret blob").decode() not in f"{error!r} {error} {error.message}"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDeniedException", "KMS refuses: AccessDeniedException"),
        ("InvalidCiphertextException", "KMS refuses: InvalidCiphertextException"),
        ("SomethingNew", "KMS refuses with 400"),
    ],
)
async def test_what_kms_refuses_for_good_is_a_verdict_on_that_key(
    moto: str, code: str, told: str
) -> None:
    with answering(400, code) as server:
        async with KmsKeys(ALIAS, region=REGION, endpoint=server.endpoint) as keys:
            (refused,) = await keys.unwrap([Wrapped("patient-1", Kek("key", ""), b"blob")])
    assert isinstance(refused, KeyRefused)
    assert refused.line == told
    assert refused.remedy
    assert b64encode(b"blob").decode() not in f"{refused!r} {refused}"


async def test_steady_asks_kms_again(moto: str) -> None:
    async def no_sleep(_: float) -> None:
        pass

    with answering(400, "ThrottlingException") as server:
        async with KmsKeys(ALIAS, region=REGION, endpoint=server.endpoint) as keys:
            with pytest.raises(KeysUnavailable):
                await Steady(keys, attempts=3, sleep=no_sleep).newest()
        assert server.requests == 3


async def test_a_kms_that_is_not_there_is_transient(moto: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with KmsKeys(ALIAS, region=REGION, endpoint=f"http://127.0.0.1:{port}") as keys:
        with pytest.raises(KeysUnavailable, match="cannot be reached"):
            await keys.newest()


async def test_an_answer_that_does_not_come_is_not_waited_for(moto: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with KmsKeys(ALIAS, region=REGION, endpoint=endpoint, timeout_s=0.1) as keys:
            with pytest.raises(KeysUnavailable, match="in time"):
                await keys.newest()


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto: str) -> str:
    """An environment that knows no AWS account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return moto


async def test_without_credentials_nothing_is_asked(nobody: str) -> None:
    async with KmsKeys(ALIAS, region=REGION, endpoint=nobody) as keys:
        with pytest.raises(KeyRefused, match="no AWS credentials"):
            await keys.newest()


def test_without_a_region_no_client_is_made(nobody: str) -> None:
    with pytest.raises(KeyRefused, match="set the AWS region"):
        KmsKeys(ALIAS)


def test_an_endpoint_in_the_clear_is_refused() -> None:
    with pytest.raises(StartupError, match="KMS must begin with https://"):
        KmsKeys(ALIAS, region=REGION, endpoint="http://kms.clinic")


async def test_a_closed_client_answers_trouble(keys: KmsKeys) -> None:
    keys.close()
    with pytest.raises(KeysUnavailable, match="closed"):
        await keys.newest()


async def test_a_store_starts_though_its_alias_has_another_key_meanwhile(
    database_dsn: str, nats: Nats, kms: Kms
) -> None:
    told = settings_for(
        database_dsn,
        nats.url,
        keys="kms",
        kms_key=ALIAS,
        kms_region=REGION,
        kms_endpoint=kms.endpoint,
        key_cache_s=0.001,
    )
    async with store(told) as made:
        await made.append(append("p", event("p", b"one", phi=True, consent_id="c-1")))
    kms.rotate()
    async with store(told) as made:
        await made.append(append("p", event("p", b"two", phi=True, consent_id="c-1")))
        read = await made.stream("p")
        await made.open(read)
        assert [one.body for one in read] == [b"one", b"two"]
