"""Services know each other by certificates, and nobody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1 import eventstore_service_pb2_grpc as pb_grpc
from rehab_cli.authority import Authority
from rehab_eventstore.settings import Settings
from rehab_runtime.auth import (
    ON_BEHALF,
    Authenticator,
    DevelopmentAuthenticator,
    bearer,
    current_principal,
    service_principal,
)
from rehab_runtime.channels import channel
from rehab_runtime.server import GrpcServer, serve_grpc
from rehab_runtime.settings import SettingsError, load
from rehab_runtime.startup import StartupError
from rehab_runtime.tls import Tls, service_named


class Who(pb_grpc.EventStoreServiceServicer):
    """Answers who calls, in the place of an incarnation."""

    async def GetHead(self, request: pb.GetHeadRequest, context: Any) -> pb.GetHeadResponse:
        caller = current_principal()
        return pb.GetHeadResponse(incarnation=f"{caller.role} {caller.id}")


@asynccontextmanager
async def serving(
    tls: Tls, authenticator: Authenticator | None = None, **told: Any
) -> AsyncIterator[GrpcServer]:
    settings = Settings(
        postgres_dsn="postgresql://nobody@127.0.0.1:1/none",
        nats_url="nats://127.0.0.1:1",
        tls_cert=tls.cert,
        tls_key=tls.key,
        tls_ca=tls.ca,
        **{"peers_listen": "127.0.0.1:0", "drain_s": 0} | told,
    )

    def add(server: grpc.aio.Server) -> list[str]:
        pb_grpc.add_EventStoreServiceServicer_to_server(Who(), server)
        return []

    async with serve_grpc(settings, add, authenticator=authenticator) as server:
        yield server


async def asked(address: str, tls: Tls | None, metadata: tuple[tuple[str, str], ...] = ()) -> str:
    """Who the server takes us for, or the code of its refusal."""
    async with channel(address, tls=tls) as connection:
        stub = pb_grpc.EventStoreServiceStub(connection)
        try:
            answer = await stub.GetHead(pb.GetHeadRequest(), metadata=metadata, timeout=3)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return str(answer.incarnation)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certs")


async def test_a_service_is_who_its_certificate_says(authority: Authority) -> None:
    async with serving(authority.issued("eventstore")) as server:
        for name in ("ingest", "emr"):
            told = await asked(server.peers_address, authority.issued(name))
            assert told == f"service service-{name}"


async def test_a_token_says_nothing_beside_a_certificate(authority: Authority) -> None:
    async with serving(authority.issued("eventstore"), DevelopmentAuthenticator()) as server:
        token = (bearer(service_principal("cli")),)
        assert await asked(server.peers_address, authority.issued("emr"), token) == (
            "service service-emr"
        )
        assert await asked(server.address, None, token) == "service service-cli"


async def test_without_a_certificate_of_the_authority_nobody_is_let_in(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    async with serving(authority.issued("eventstore")) as server:
        own_ca = Tls(
            stranger.issued("ingest").cert, stranger.issued("ingest").key, tmp_path / "certs/ca.pem"
        )
        assert await asked(server.peers_address, own_ca) == "UNAVAILABLE"
        assert await asked(server.peers_address, stranger.issued("ingest")) == "UNAVAILABLE"
        assert await asked(server.peers_address, None) == "UNAVAILABLE"
        token = (bearer(service_principal("cli")),)
        assert await asked(server.address, None, token) == "UNAUTHENTICATED"


async def test_a_client_does_not_speak_with_a_server_of_another_authority(
    authority: Authority, tmp_path: Path
) -> None:
    async with serving(Authority(tmp_path / "stranger").issued("eventstore")) as server:
        assert await asked(server.peers_address, authority.issued("ingest")) == "UNAVAILABLE"


async def test_only_a_replica_hands_on_what_another_service_asked(authority: Authority) -> None:
    behalf = ((ON_BEHALF, "ingest"),)
    async with serving(authority.issued("eventstore")) as server:
        replica, emr = authority.issued("eventstore"), authority.issued("emr")
        assert await asked(server.peers_address, replica, behalf) == "service service-ingest"
        assert await asked(server.peers_address, emr, behalf) == "UNAUTHENTICATED"


async def test_a_service_that_no_person_calls_starts_in_production(authority: Authority) -> None:
    async with serving(authority.issued("eventstore"), environment="production") as server:
        assert await asked(server.peers_address, authority.issued("ingest")) == (
            "service service-ingest"
        )
        async with channel(server.address) as connection:
            stub = health_pb2_grpc.HealthStub(connection)
            answer = await stub.Check(health_pb2.HealthCheckRequest(service="ready"), timeout=3)
            assert answer.status


async def test_a_renewed_certificate_is_shown_without_a_restart(
    authority: Authority, tmp_path: Path
) -> None:
    """The authority itself is another one afterwards, so it shows at once which files are used."""
    used = authority.issued("eventstore")
    other = Authority(tmp_path / "other")
    async with serving(used) as server:
        assert await asked(server.peers_address, other.issued("ingest")) == "UNAVAILABLE"
        renewed = other.issued("eventstore")
        for old, new in zip(
            (used.cert, used.key, used.ca), (renewed.cert, renewed.key, renewed.ca), strict=True
        ):
            shutil.copy(new, old)
        assert await asked(server.peers_address, other.issued("ingest")) == (
            "service service-ingest"
        )


async def test_a_file_that_cannot_be_read_is_named_with_its_setting(authority: Authority) -> None:
    files = authority.issued("eventstore")
    os.remove(files.key)
    with pytest.raises(StartupError, match="EVENTSTORE_TLS_KEY"):
        async with serving(files):
            pass


def test_files_that_belong_together_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTSTORE_TLS_CERT", "cert.pem")
    monkeypatch.setenv("EVENTSTORE_POSTGRES_DSN", "postgresql://a@127.0.0.1:1/b")
    monkeypatch.setenv("EVENTSTORE_NATS_URL", "nats://127.0.0.1:1")
    with pytest.raises(SettingsError, match="TLS_CERT, TLS_KEY and TLS_CA belong together"):
        load(Settings)


def test_only_services_of_the_suite_have_a_services_name() -> None:
    assert service_named("spiffe://rehab.local/service/emr") == "emr"
    for peer in (
        "",
        "spiffe://rehab.local/person/emr",
        "spiffe://rehab.local/service/",
        "spiffe://rehab.local/service/emr/more",
        "https://rehab.local/service/emr",
    ):
        assert service_named(peer) == ""


def test_what_is_issued_stays_until_it_ends_soon(authority: Authority, tmp_path: Path) -> None:
    first = authority.issued("emr").cert.read_bytes()
    assert Authority(tmp_path / "certs").issued("emr").cert.read_bytes() == first
    assert authority.issued("emr").key.stat().st_mode & 0o077 == 0
    (tmp_path / "certs" / "emr.pem").write_bytes(b"broken")
    assert authority.issued("emr").cert.read_bytes() not in (first, b"broken")
