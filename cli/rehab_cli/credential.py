"""Who the command line is to a suite, and where that suite answers: told before the command, or by
variables. Without either it is a suite of this machine, in development."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, overload

import grpc
import typer

from rehab_cli.addresses import Addresses
from rehab_cli.console import problem
from rehab_cli.errors import SuiteError
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.startup import StartupError, split
from rehab_runtime.tls import Tls

PRINCIPAL = service_principal("cli")
SYSTEM = "system"
"""In the place of a file: the authorities that this machine trusts."""


@dataclass(frozen=True)
class Credential:
    """`tls` is who the command line is among the services; else a person's or program's `token` is
    shown to servers of the authority `ca`. `at` are the addresses told."""

    tls: Tls | None = None
    ca: str = ""
    token: str = field(default="", repr=False)
    at: tuple[tuple[str, str], ...] = ()

    @property
    def metadata(self) -> tuple[str, str]:
        """Beside a certificate it says nothing."""
        return ("authorization", f"Bearer {self.token}") if self.token else bearer(PRINCIPAL)

    @property
    def bearer(self) -> str:
        return self.metadata[1].removeprefix("Bearer ")

    def of_channels(self, *addresses: str) -> grpc.ChannelCredentials | None:
        """None for channels in the clear. Raises SuiteError where a token would cross the network
        in one of them."""
        far = [address for address in addresses if not _is_here(address)]
        if self.token and not self.ca and far:
            raise SuiteError(
                f"a token is not shown to {far[0]} in the clear; tell the authority of its "
                "certificate with --ca FILE, or --ca system"
            )
        if self.tls is not None:
            return self.tls.for_client()
        if self.ca:
            own = None if self.ca == SYSTEM else Path(self.ca).read_bytes()
            return grpc.ssl_channel_credentials(own)
        return None

    def channel(self, address: str) -> grpc.aio.Channel:
        """Raises SuiteError as `of_channels`."""
        return channel(address, credentials=self.of_channels(address))

    def among(self, addresses: Addresses) -> Addresses:
        """Addresses with those that were told in their places."""
        for service, address in self.at:
            addresses = addresses.with_one(service, address)
        return addresses

    def unreached(self, address: str) -> str:
        """What to look at when nothing answers."""
        if self.tls is None and not self.ca:
            return f"nothing answers at {address}; start it with: rehab up"
        return (
            f"no TLS with {address}: see that it answers there (services show certificates at "
            "*_PEERS_LISTEN), and that --ca, --cert and --key are of its authority and not past "
            "their end"
        )


class Shown(Sequence[tuple[str, str]]):
    """The metadata of the command's calls."""

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, str]]: ...

    def __getitem__(self, index: int | slice) -> tuple[str, str] | Sequence[tuple[str, str]]:
        return (current().metadata,)[index]


_current: ContextVar[Credential] = ContextVar("credential")


def current() -> Credential:
    """That of the command that runs."""
    return _current.get(Credential())


Ca = Annotated[
    str,
    typer.Option(
        "--ca",
        envvar="REHAB_TLS_CA",
        help="Authority of the suite's certificates, PEM; `system` for those of this machine.",
    ),
]
Cert = Annotated[
    Path | None,
    typer.Option(
        "--cert", envvar="REHAB_TLS_CERT", help="Certificate of the command line, PEM: rehab certs."
    ),
]
Key = Annotated[
    Path | None, typer.Option("--key", envvar="REHAB_TLS_KEY", help="Key of the certificate, PEM.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with a token or API key; or REHAB_TOKEN."),
]


def _address(service: str) -> object:
    variable = f"REHAB_{service.upper()}_ADDRESS"
    return typer.Option(
        f"--{service}", envvar=variable, help=f"host:port of {service}; with --cert its peers'."
    )


def tell(
    ca: Ca = "",
    cert: Cert = None,
    key: Key = None,
    token_file: TokenFile = None,
    eventstore: Annotated[str, _address("eventstore")] = "",
    ingest: Annotated[str, _address("ingest")] = "",
    projections: Annotated[str, _address("projections")] = "",
    identity: Annotated[str, _address("identity")] = "",
    policy: Annotated[str, _address("policy")] = "",
    emr: Annotated[str, _address("emr")] = "",
) -> None:
    """Run RehabTrack and look inside."""
    told = {
        "eventstore": eventstore,
        "ingest": ingest,
        "projections": projections,
        "identity": identity,
        "policy": policy,
        "emr": emr,
    }
    try:
        made = Credential(
            tls=_tls(ca, cert, key),
            ca=ca,
            token=_token(token_file),
            at=tuple((name, _place(address)) for name, address in told.items() if address),
        )
        if made.tls is not None and made.token:
            raise SuiteError("a certificate or a token: beside a certificate a token says nothing")
    except (SuiteError, StartupError) as error:
        problem(str(error))
        raise typer.Exit(2) from None
    _current.set(made)


def _tls(ca: str, cert: Path | None, key: Path | None) -> Tls | None:
    if cert is None and key is None:
        if ca not in ("", SYSTEM):
            _read(Path(ca))
        return None
    if cert is None or key is None or ca in ("", SYSTEM):
        raise SuiteError("--cert, --key and --ca FILE belong together")
    tls = Tls(cert, key, Path(ca))
    tls.require_readable("REHAB_")
    return tls


def _token(file: Path | None) -> str:
    """Never on the command line: every process of the machine sees that."""
    shown = _read(file).decode(errors="replace") if file else os.environ.get("REHAB_TOKEN", "")
    shown = shown.strip()
    if not shown.isascii() or not shown.isprintable() or " " in shown:
        raise SuiteError("the token is none: it has characters that no token has")
    return shown


def _place(address: str) -> str:
    try:
        split(address)
    except ValueError as error:
        raise SuiteError(f"{address!r} is no address: it {error}") from None
    return address


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SuiteError(f"cannot read {file} ({error.strerror})") from None


def _is_here(address: str) -> bool:
    host = split(address)[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
