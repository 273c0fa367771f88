"""`rehab keys identity`: what wraps the keys of accounts, and new versions of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from rehab.identity.v1 import key_admin_service_pb2 as pb
from rehab.identity.v1.key_admin_service_pb2_grpc import KeyAdminServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, asking
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.identity import identity


def status(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Count what each version wraps."""
    run(lambda: _status(find(data, port_base)))


def rotate(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Wrap with a new version from now on; what is wrapped still opens."""
    run(lambda: _rotate(find(data, port_base)))


def rewrap(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Put all that is wrapped under the newest version; may be interrupted."""
    run(lambda: _rewrap(find(data, port_base)))


def destroy(
    sure: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Without being asked.",
            prompt="Backups of the database "
            "that older versions wrap will never open again. Destroy them?",
        ),
    ],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Drop all versions but the newest."""
    if not sure:
        raise typer.Abort
    run(lambda: _destroy(find(data, port_base)))


async def _status(addresses: Addresses) -> int:
    async with identity(addresses, KeyAdminServiceStub) as ask:
        told = await ask("GetKeyStatus", pb.GetKeyStatusRequest())
    table = Table("version", "accounts", "own secrets", "", box=None)
    for one in told.versions:
        wraps = one.accounts + one.secrets
        note = "newest" if one.newest else "to be rewrapped" if wraps else "may be destroyed"
        table.add_row(str(one.version), f"{one.accounts:,}", f"{one.secrets:,}", note)
    out.print(f"key-encryption key: {told.kek_id}")
    out.print(table)
    return 0


async def _rotate(addresses: Addresses) -> int:
    async with identity(addresses, KeyAdminServiceStub) as ask:
        told = await ask("RotateKek", pb.RotateKekRequest())
    out.print(f"version {told.version} wraps from now on")
    out.print("back the key file up, then: rehab keys identity rewrap")
    return 0


async def _rewrap(addresses: Addresses) -> int:
    last = pb.RewrapKeysResponse()
    async with asking(addresses.identity) as connection:
        steps = KeyAdminServiceStub(connection).RewrapKeys(
            pb.RewrapKeysRequest(), metadata=METADATA
        )
        with bar("keys") as moved:
            async for last in steps:
                moved(last.moved, last.moved + last.left)
    out.print(f"{last.moved:,} keys are under the newest version")
    return 0


async def _destroy(addresses: Addresses) -> int:
    async with identity(addresses, KeyAdminServiceStub) as ask:
        told = await ask("DestroyOldKeks", pb.DestroyOldKeksRequest())
    out.print(f"only version {told.version} is left; old backups of the key file still hold others")
    return 0
