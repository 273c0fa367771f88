"""The three key wrappers on real servers and files, each with a way to rotate its key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from rehab_runtime import keyfile
from rehab_runtime.clock import FixedClock
from rehab_runtime.keepers.kms import KmsKeys
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.keepers.moving import Moving, is_of
from rehab_runtime.keepers.vault import VaultKeys
from rehab_runtime.keepers.vault_session import KubernetesLogin, VaultSession
from rehab_runtime.keepers.wrapper import KeyWrapper
from tests.support.vault_server import VaultServer, serving

REGION = "eu-central-1"
ALIAS = "alias/patients"


@dataclass
class Kept:
    """A wrapper, and what rotates its key."""

    keys: KeyWrapper
    rotate: Callable[[], object]


class Kms:
    """Keys behind an alias, as an operator has them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: Any = botocore.session.get_session().create_client(
            "kms", region_name=REGION, endpoint_url=endpoint
        )
        self.client.create_alias(AliasName=ALIAS, TargetKeyId=self.new_key())

    def new_key(self) -> str:
        return self.client.create_key()["KeyMetadata"]["KeyId"]

    def rotate(self) -> None:
        self.client.update_alias(AliasName=ALIAS, TargetKeyId=self.new_key())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def vault(clock: FixedClock) -> Iterator[VaultServer]:
    with serving(clock) as server:
        yield server


@pytest.fixture
def jwt(tmp_path: Path) -> Path:
    path = tmp_path / "jwt"
    path.write_text("pod-jwt\n")
    return path


@pytest.fixture
async def session(vault: VaultServer, clock: FixedClock, jwt: Path) -> AsyncIterator[VaultSession]:
    async with vault_session(vault, clock, jwt) as session:
        yield session


def vault_session(vault: VaultServer, clock: FixedClock, jwt: Path) -> VaultSession:
    return VaultSession(vault.address, KubernetesLogin("eventstore", token=jwt), clock)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NO_PROXY", "127.0.0.1")
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def kms(moto: str) -> Iterator[Kms]:
    made = Kms(moto)
    yield made
    made.client.close()


@pytest.fixture(params=["local", "vault", "kms", "moving"])
async def kept(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Kept]:
    if request.param == "local":
        path = tmp_path / "kek"
        yield Kept(LocalKeys.open(path, clock), lambda: keyfile.rotate(path, clock))
    elif request.param == "moving":
        path = tmp_path / "kek"
        vault = request.getfixturevalue("vault")
        async with vault_session(vault, clock, request.getfixturevalue("jwt")) as session:
            source = VaultKeys(session, "patients")
            target = LocalKeys.open(path, clock)
            moving = Moving(target, source, partial(is_of, "vault"))
            yield Kept(moving, lambda: keyfile.rotate(path, clock))
    elif request.param == "vault":
        vault = request.getfixturevalue("vault")
        async with vault_session(vault, clock, request.getfixturevalue("jwt")) as session:
            yield Kept(VaultKeys(session, "patients"), vault.rotate)
    else:
        kms = request.getfixturevalue("kms")
        async with KmsKeys(ALIAS, region=REGION, endpoint=kms.endpoint) as keys:
            yield Kept(keys, kms.rotate)
