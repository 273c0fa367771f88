"""`rehab keys`: what keys there are, and new ones."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from rehab.eventstore.v1 import key_admin_service_pb2 as pb
from rehab.eventstore.v1.key_admin_service_pb2_grpc import KeyAdminServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError


def status(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Count data keys by what wraps them."""
    run(lambda: _status(find(data, port_base)))


def rotate(
    subject: Annotated[
        str, typer.Argument(help="A patient whose data key is rotated; else what wraps all keys.")
    ] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Seal with a new key from now on; what was sealed still opens."""
    run(lambda: _rotate(find(data, port_base), subject))


def rewrap(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Put every data key under the newest version of what wraps them."""
    run(lambda: _rewrap(find(data, port_base)))


def move(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Move every data key to EVENTSTORE_KEYS from EVENTSTORE_KEYS_ALSO; may be interrupted."""
    run(lambda: move_keys(find(data, port_base)))


async def _status(addresses: Addresses) -> int:
    async with asking(addresses.eventstore) as connection:
        told = await _told(KeyAdminServiceStub(connection))
    table = Table("key-encryption key", "version", "wraps", "sealing", "destroyed", "", box=None)
    for kek in told.keks:
        counts = (kek.living, kek.sealing, kek.destroyed)
        note = "newest" if kek.newest else "to be rewrapped" if kek.living else ""
        table.add_row(kek.kek_id, kek.kek_version, *(f"{count:,}" for count in counts), note)
    out.print(table)
    moving = f", and by {told.source} until they are moved" if told.source else ""
    out.print(f"kept by: {told.keeper}{moving}")
    if told.HasField("oldest_sealing_at"):
        out.print(f"oldest data key in use: {told.oldest_sealing_at.ToJsonString()}")
    return 0


async def _rotate(addresses: Addresses, subject: str) -> int:
    async with asking(addresses.eventstore) as connection:
        stub = KeyAdminServiceStub(connection)
        if subject:
            request = pb.RotateDataKeyRequest(subject_id=subject)
            key = await stub.RotateDataKey(request, metadata=METADATA, timeout=TIMEOUT_S)
            out.print(f"{subject} is sealed with data key {key.key_id} from now on")
        else:
            kek = await stub.RotateKek(pb.RotateKekRequest(), metadata=METADATA, timeout=TIMEOUT_S)
            out.print(f"{kek.kek_id} has version {kek.kek_version} now")
            out.print("back the key file up, then move the data keys: rehab keys rewrap")
    return 0


async def move_keys(addresses: Addresses) -> int:
    """0 when every living data key is wrapped by the keeper that they are to be moved to."""
    async with asking(addresses.eventstore) as connection:
        stub = KeyAdminServiceStub(connection)
        before = await _told(stub)
        if not before.source:
            raise SuiteError(
                f"the event store keeps keys in {before.keeper} only; to move them, tell the new "
                "keeper in EVENTSTORE_KEYS, the old one in EVENTSTORE_KEYS_ALSO, and start it again"
            )
        last = await _rewrapped(stub)
        left = _left(await _told(stub))
    out.print(f"{last.moved:,} data keys moved from {before.source} to {before.keeper}")
    if left:
        out.print(
            f"{left:,} are left, {last.refused:,} of them cannot be opened: see the event store's"
        )
        out.print("log, see that no replica wraps by the old keeper any more, and move again")
        return 1
    out.print("all are moved: unset EVENTSTORE_KEYS_ALSO and start the event store again")
    out.print(
        "backups of the database from before still need the old keeper: keep it as long as they"
    )
    return 0


async def _told(stub: KeyAdminServiceStub) -> pb.GetKeyStatusResponse:
    request = pb.GetKeyStatusRequest()
    told: pb.GetKeyStatusResponse = await stub.GetKeyStatus(
        request, metadata=METADATA, timeout=TIMEOUT_S
    )
    return told


def _left(told: pb.GetKeyStatusResponse) -> int:
    """Living data keys that are not under the newest key-encryption key."""
    return sum(kek.living for kek in told.keks if not kek.newest)


async def _rewrap(addresses: Addresses) -> int:
    async with asking(addresses.eventstore) as connection:
        last = await _rewrapped(KeyAdminServiceStub(connection))
    out.print(f"{last.moved:,} data keys moved, {last.refused:,} cannot be opened")
    return 1 if last.refused else 0


async def _rewrapped(stub: KeyAdminServiceStub) -> pb.RewrapDataKeysResponse:
    """Rewrap, with a bar; what was told last is returned."""
    steps = stub.RewrapDataKeys(pb.RewrapDataKeysRequest(), metadata=METADATA)
    last = pb.RewrapDataKeysResponse()
    with bar("data keys") as moved:
        async for last in steps:
            done = last.moved + last.refused
            moved(done, done + last.left)
    return last
