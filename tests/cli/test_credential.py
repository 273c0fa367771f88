"""The command line against a suite in production: by its certificate, or with a person's token."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.authority import Authority
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.proof.signing import open_signer
from rehab_identity import main as identity_main
from rehab_projections import main as projections_main
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Nats
from rehab_runtime.tls import Tls
from tests.identity.facts.service import Place
from tests.projections.service import Place as Models
from tests.suite.test_commands import REHAB
from tests.support.proxy import proxy_to

CLINIC = "clinic-operated"
EMAIL, PASSWORD = "root@example.org", "correct horse battery staple"


@dataclass(frozen=True)
class Suite:
    """Where services show certificates, and where identity answers people behind TLS."""

    authority: Authority
    peers: dict[str, str]
    identity: str
    identity_with_tls: str

    @property
    def ca(self) -> Path:
        return self.authority.issued("cli").ca

    def as_service(self, name: str = "cli") -> list[str]:
        files = self.authority.issued(name)
        told = ["--ca", files.ca, "--cert", files.cert, "--key", files.key]
        for service, address in self.peers.items():
            told += [f"--{service}", address]
        return [str(word) for word in told]


def production(tls: Tls) -> dict[str, Any]:
    files = {"tls_cert": tls.cert, "tls_key": tls.key, "tls_ca": tls.ca}
    return {"environment": "production", "peers_listen": "127.0.0.1:0", **files}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(
    postgres: Any, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Suite]:
    folder = tmp_path_factory.mktemp("operated")
    authority = Authority(folder / "certs")
    place, peers = Place(postgres, nats.url, folder), {}
    models = Models(postgres, nats.url, name=place.name)
    open_signer(folder / "signing.pem", make=True)
    async with AsyncExitStack() as stack:

        async def start(name: str, made: Any, settings: Any) -> str:
            told = settings(**production(authority.issued(name)))
            service = await stack.enter_async_context(made.running(told))
            peers[name] = service.peers_address
            return str(service.address)

        signing = {"signing_key_file": str(folder / "signing.pem")}
        await start(
            "eventstore", eventstore_main, lambda **told: place.eventstore(**told, **signing)
        )
        identity = await start(
            "identity", identity_main, lambda **told: place.identity(peers["eventstore"], **told)
        )
        await start(
            "projections",
            projections_main,
            lambda **told: models.projections(
                peers["eventstore"], identity_address=peers["identity"], **told
            ),
        )
        await folding(peers["projections"], authority.issued("cli"))
        front = await stack.enter_async_context(proxy_to(identity, ends_tls(authority)))
        yield Suite(authority, peers, identity, front.address)


async def folding(address: str, tls: Tls) -> None:
    """Wait until the read models have begun, however busy the machine is."""
    async with channel(address, tls=tls) as connection, asyncio.timeout(60):
        stub = ProjectionsServiceStub(connection)
        while not (await stub.GetLag(read_pb.GetLagRequest(), timeout=30)).projections[0].holder:
            await asyncio.sleep(0.05)


def ends_tls(authority: Authority) -> ssl.SSLContext:
    files = authority.issued("front")
    ends = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ends.load_cert_chain(files.cert, files.key)
    ends.set_alpn_protocols(["h2"])
    return ends


async def rehab(*words: str, told: str = "", **env: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    running = await asyncio.create_subprocess_exec(
        *(REHAB, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200", **env},
    )
    said, _ = await asyncio.wait_for(running.communicate(told.encode()), 60)
    return running.returncode or 0, said.decode()


async def admin_token(suite: Suite) -> str:
    made = ("account", "create", CLINIC, "admin", "--email", EMAIL, "--password")
    code, said = await rehab(*suite.as_service(), *made, told=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0, said
    async with channel(suite.identity) as connection:
        asked = session_pb.LogInRequest(clinic_id=CLINIC, email=EMAIL, password=PASSWORD)
        answer = await SessionServiceStub(connection).LogIn(asked, timeout=20)
    return str(answer.tokens.access_token)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "words",
    [
        ("projections", "status"),
        ("projections", "versions"),
        ("log", "read", "--limit", "1"),
        ("log", "checkpoint"),
        ("keys", "status"),
        ("access", "emergencies", CLINIC),
        ("account", "list", CLINIC),
    ],
)
async def test_with_its_certificate_it_may_what_the_command_line_may(
    suite: Suite, words: tuple[str, ...]
) -> None:
    code, said = await rehab(*suite.as_service(), *words)
    assert code == 0, said


@pytest.mark.asyncio(loop_scope="module")
async def test_doctor_finds_all_of_a_suite_of_others_well(suite: Suite) -> None:
    told = suite.as_service()
    for other in ("ingest", "policy", "emr"):  # health is asked of, which every service tells
        told = [*told, f"--{other}", suite.peers["identity"]]
    code, said = await rehab(*told, "doctor")
    assert code == 0, said
    assert "read_models" in said


@pytest.mark.asyncio(loop_scope="module")
async def test_variables_tell_the_same_as_options(suite: Suite) -> None:
    files = suite.authority.issued("cli")
    env = {f"REHAB_TLS_{name.upper()}": str(getattr(files, name)) for name in ("ca", "cert", "key")}
    at = {f"REHAB_{name.upper()}_ADDRESS": address for name, address in suite.peers.items()}
    code, said = await rehab("projections", "status", **env, **at)
    assert code == 0, said


@pytest.mark.asyncio(loop_scope="module")
async def test_it_is_who_its_certificate_says(suite: Suite) -> None:
    code, said = await rehab(*suite.as_service("ingest"), "projections", "versions")
    assert code == 1
    assert "may not" in said or "not allowed" in said


@pytest.mark.asyncio(loop_scope="module")
async def test_without_a_certificate_of_the_authority_it_is_told_what_to_look_at(
    suite: Suite, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").issued("cli")
    files = ["--ca", str(suite.ca), "--cert", str(stranger.cert), "--key", str(stranger.key)]
    told = [*files, "--projections", suite.peers["projections"]]
    code, said = await rehab(*told, "projections", "status")
    assert (code, "no TLS with" in said) == (1, True), said
    code, said = await rehab("--eventstore", suite.peers["eventstore"], "log", "read")
    assert code == 1, said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_persons_token_is_shown_behind_tls_and_lets_in_who_may(
    suite: Suite, tmp_path: Path
) -> None:
    shown = tmp_path / "token"
    shown.write_text(await admin_token(suite) + "\n")
    there = ("--ca", str(suite.ca), "--identity", suite.identity_with_tls)
    asked = ("access", "emergencies", CLINIC)
    code, said = await rehab(*there, "--token-file", str(shown), *asked)
    assert code == 0, said
    code, said = await rehab(*there, *asked, REHAB_TOKEN=shown.read_text())
    assert code == 0, said
    code, said = await rehab(*there, "--token-file", str(shown), "access", "emergencies", "else")
    assert code == 1, said
    code, said = await rehab(*there, *asked, REHAB_TOKEN="rk_nobody_knows")
    assert code == 1, said
    code, said = await rehab(*there, *asked)
    assert code == 1, said


@pytest.mark.parametrize(
    "told",
    [
        ("--identity", "identity.example.org:443", "access", "emergencies", CLINIC),
        ("--ingest", "ingest.example.org:443", "watch", "queue", CLINIC),
        ("--projections", "projections.example.org:443", "watch", "queue", CLINIC),
        ("--projections", "192.0.2.1:443", "doctor"),
    ],
)
async def test_a_token_does_not_cross_the_network_in_the_clear(told: tuple[str, ...]) -> None:
    code, said = await rehab(*told, REHAB_TOKEN="secret-token")
    assert (code, "in the clear" in said, "secret-token" in said) == (1, True, False), said


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--cert", "a.pem"), "belong together"),
        (("--ca", "nowhere.pem"), "cannot read nowhere.pem"),
        (("--ca", "a", "--cert", "nowhere.pem", "--key", "b"), "correct REHAB_TLS_CERT"),
        (("--token-file", "nowhere"), "cannot read nowhere"),
        (("--identity", "nowhere"), "is no address"),
    ],
)
async def test_what_is_told_wrong_is_named_before_anything_is_asked(
    words: tuple[str, ...], rule: str
) -> None:
    code, said = await rehab(*words, "access", "emergencies", CLINIC)
    assert (code, rule in said) == (2, True), said
