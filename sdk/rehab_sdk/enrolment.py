"""How a device gets its key."""

from __future__ import annotations

import grpc

from rehab.identity.v1 import device_service_pb2 as pb
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.connection import IDENTITY, open_channel
from rehab_sdk.credentials import DeviceKey, new_key
from rehab_sdk.options import Options
from rehab_sdk.replicas import Address


async def enrol_device(
    code: str,
    *,
    identity: Address = IDENTITY,
    model: str = "",
    credentials: grpc.ChannelCredentials | None = None,
    options: Options = Options(),  # noqa: B008 - frozen
) -> DeviceKey:
    """Make a key pair and enrol its public half: the key with which the device logs in from now on.
    Keep it where nobody reads it. Needs the extra `rehab-sdk[device]`. A code works once; while the
    server is away the call is repeated until the deadline. Raises RehabError."""
    private, public = new_key()
    async with open_channel(identity, credentials, options) as channel:
        request = pb.EnrolDeviceRequest(code=code, public_key=public, model=model)
        enrolled: pb.EnrolDeviceResponse = await Calls("", options).unary(
            DeviceServiceStub(channel).EnrolDevice, request
        )
    return DeviceKey(
        enrolled.device_id, private, clinic_id=enrolled.clinic_id, patient_id=enrolled.patient_id
    )
