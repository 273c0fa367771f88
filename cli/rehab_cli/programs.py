"""`rehab device` and `rehab apikey`: what acts for people."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Column, Table

from rehab.identity.v1 import api_key_service_pb2 as key_pb
from rehab.identity.v1 import device_service_pb2 as device_pb
from rehab.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.identity import AccountId, Reason, identity, shown

PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="Id of the patient.")]


def device_code(patient: PatientId, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """A code that enrols one device, once."""
    run(lambda: _device_code(find(data, port_base), patient))


def list_devices(patient: PatientId, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """A patient's devices."""
    run(lambda: _list_devices(find(data, port_base), patient))


def revoke_device(
    device: Annotated[str, typer.Argument(help="Id of the device.")],
    reason: Reason = "lost",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """End what a device may."""
    run(lambda: _revoke_device(find(data, port_base), device, reason))


def create_key(
    account: AccountId,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="ingest or read; may be repeated.")],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Make a key. Its secret is shown once."""
    run(lambda: _create_key(find(data, port_base), account, name, scope))


def list_keys(account: AccountId, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """An account's keys, without their secrets."""
    run(lambda: _list_keys(find(data, port_base), account))


KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Id of the key.")]


def rotate_key(
    key: KeyId,
    overlap_s: Annotated[
        int, typer.Option(min=0, max=604_800, help="Seconds for which the old secret works on.")
    ] = 3600,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Give a key a new secret, shown once."""
    run(lambda: _rotate_key(find(data, port_base), key, overlap_s))


def revoke_key(key: KeyId, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """End a key."""
    run(lambda: _revoke_key(find(data, port_base), key))


async def _device_code(addresses: Addresses, patient: str) -> int:
    request = device_pb.CreateEnrolmentCodeRequest(patient_id=patient)
    async with identity(addresses, DeviceServiceStub) as ask:
        answer = await ask("CreateEnrolmentCode", request)
    out.print(f"{answer.code}  until {shown(answer.expires_at)}, for one device")
    return 0


async def _list_devices(addresses: Addresses, patient: str) -> int:
    async with identity(addresses, DeviceServiceStub) as ask:
        answer = await ask("ListDevices", device_pb.ListDevicesRequest(patient_id=patient))
    table = Table(Column("device", no_wrap=True), "model", "enrolled", "revoked", box=None)
    for one in answer.devices:
        table.add_row(one.device_id, one.model, shown(one.enrolled_at), _revoked(one))
    out.print(table)
    return 0


async def _revoke_device(addresses: Addresses, device: str, reason: str) -> int:
    request = device_pb.RevokeDeviceRequest(device_id=device, reason=reason)
    async with identity(addresses, DeviceServiceStub) as ask:
        await ask("RevokeDevice", request)
    out.print(f"{device} may do nothing any more")
    return 0


async def _create_key(addresses: Addresses, account: str, name: str, scopes: list[str]) -> int:
    request = key_pb.CreateApiKeyRequest(account_id=account, name=name, scopes=scopes)
    async with identity(addresses, ApiKeyServiceStub) as ask:
        _show_secret((await ask("CreateApiKey", request)).secret)
    return 0


async def _list_keys(addresses: Addresses, account: str) -> int:
    async with identity(addresses, ApiKeyServiceStub) as ask:
        answer = await ask("ListApiKeys", key_pb.ListApiKeysRequest(account_id=account))
    table = Table(Column("key", no_wrap=True), "name", "scopes", "expires", "revoked", box=None)
    for one in answer.api_keys:
        scopes = ", ".join(one.scopes)
        table.add_row(one.key_id, one.name, scopes, shown(one.expires_at), _revoked(one))
    out.print(table)
    return 0


async def _rotate_key(addresses: Addresses, key: str, overlap_s: int) -> int:
    request = key_pb.RotateApiKeyRequest(key_id=key, overlap_s=overlap_s)
    async with identity(addresses, ApiKeyServiceStub) as ask:
        _show_secret((await ask("RotateApiKey", request)).secret)
    return 0


async def _revoke_key(addresses: Addresses, key: str) -> int:
    async with identity(addresses, ApiKeyServiceStub) as ask:
        await ask("RevokeApiKey", key_pb.RevokeApiKeyRequest(key_id=key))
    out.print(f"{key} works no more")
    return 0


def _show_secret(secret: str) -> None:
    """On a line of its own, unbroken, so that it can be piped."""
    out.print(secret, soft_wrap=True, highlight=False, markup=False)


def _revoked(one: Any) -> str:
    return shown(one.revoked_at) if one.HasField("revoked_at") else ""
