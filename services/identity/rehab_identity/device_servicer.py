"""Devices that act for a patient."""

from __future__ import annotations

from datetime import timedelta

import grpc

from rehab.identity.v1 import device_service_pb2 as pb
from rehab.identity.v1 import device_service_pb2_grpc as pb_grpc
from rehab_identity import messages
from rehab_identity.access import require_near, require_own
from rehab_identity.domain.codes import new_code, read_code
from rehab_identity.domain.people import ACTIVE, Account
from rehab_identity.entering import Entering, Revoked
from rehab_identity.peers import Sources
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.devices import Devices
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext


class DeviceServicer(pb_grpc.DeviceServiceServicer):
    def __init__(
        self,
        entering: Entering,
        accounts: Accounts,
        devices: Devices,
        clock: Clock,
        revoked: Revoked,
        code_s: float,
        sources: Sources,
    ) -> None:
        self._sources = sources
        self._entering = entering
        self._accounts = accounts
        self._devices = devices
        self._clock = clock
        self._revoked = revoked
        self._code_s = code_s

    async def CreateEnrolmentCode(
        self, request: pb.CreateEnrolmentCodeRequest, context: Context
    ) -> pb.CreateEnrolmentCodeResponse:
        require_valid(request)
        patient = await self._patient(request.patient_id)
        require_near(patient)
        if patient.status != ACTIVE:
            raise NotFound("a patient who is let in")
        now = self._clock.now()
        code, expires_at = new_code(), now + timedelta(seconds=self._code_s)
        kept = read_code(code)
        assert kept is not None
        await self._devices.add_code(kept, patient, expires_at, now)
        return pb.CreateEnrolmentCodeResponse(code=code, expires_at=messages.stamp(expires_at))

    async def EnrolDevice(
        self, request: pb.EnrolDeviceRequest, context: Context
    ) -> pb.EnrolDeviceResponse:
        require_valid(request)
        device = await self._entering.enrol(
            request.code, request.public_key, request.model, self._sources.of(context)
        )
        return pb.EnrolDeviceResponse(
            device_id=device.device_id, patient_id=device.patient_id, clinic_id=device.clinic_id
        )

    async def ListDevices(
        self, request: pb.ListDevicesRequest, context: Context
    ) -> pb.ListDevicesResponse:
        require_valid(request)
        patient = await self._patient(request.patient_id)
        require_near(patient)
        found = await self._devices.of(patient.account_id)
        return pb.ListDevicesResponse(devices=[messages.device(one) for one in found])

    async def RevokeDevice(
        self, request: pb.RevokeDeviceRequest, context: Context
    ) -> pb.RevokeDeviceResponse:
        require_valid(request)
        device = await self._devices.get(request.device_id)
        require_own(await self._accounts.get(device.patient_id))
        self._revoked(
            await self._devices.revoke(device.device_id, self._clock.now(), request.reason)
        )
        return pb.RevokeDeviceResponse()

    async def _patient(self, patient_id: str) -> Account:
        account = await self._accounts.get(patient_id)
        if not account.patient_id:
            raise NotFound("a patient")
        return account
