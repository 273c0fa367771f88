"""Looking after the key-encryption key: what it wraps, a new version, the end of old ones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from rehab.identity.v1 import key_admin_service_pb2 as pb
from rehab.identity.v1 import key_admin_service_pb2_grpc as pb_grpc
from rehab_identity.storage.wrapped import Count, Wrapping
from rehab_runtime.auth import require_service
from rehab_runtime.box import Box
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.logging import get_logger

Context = grpc.aio.ServicerContext

log = get_logger("keys")


class KeyAdminServicer(pb_grpc.KeyAdminServiceServicer):
    def __init__(self, box: Box, wrapping: Wrapping) -> None:
        self._box = box
        self._wrapping = wrapping

    async def GetKeyStatus(
        self, request: pb.GetKeyStatusRequest, context: Context
    ) -> pb.GetKeyStatusResponse:
        require_service()
        known = {number: Count(number, 0, 0) for number in self._box.versions}
        known |= {one.version: one for one in await self._wrapping.census()}
        newest = self._box.newest
        return pb.GetKeyStatusResponse(
            kek_id=self._box.id,
            versions=[
                pb.KekVersion(
                    version=number,
                    accounts=one.accounts,
                    secrets=one.secrets,
                    newest=number == newest,
                )
                for number, one in sorted(known.items())
            ],
        )

    async def RotateKek(
        self, request: pb.RotateKekRequest, context: Context
    ) -> pb.RotateKekResponse:
        require_service()
        version = await self._box.rotate()
        log.info("the key-encryption key was rotated", version=version)
        return pb.RotateKekResponse(version=version)

    async def RewrapKeys(
        self, request: pb.RewrapKeysRequest, context: Context
    ) -> AsyncIterator[pb.RewrapKeysResponse]:
        require_service()
        await self._box.rewrap()
        left, moved = await self._wrapping.left(), 0
        yield pb.RewrapKeysResponse(left=left)
        async for step in self._wrapping.rewrap():
            moved += step
            yield pb.RewrapKeysResponse(moved=moved, left=max(0, left - moved))
        log.info("keys were wrapped anew", count=moved)

    async def DestroyOldKeks(
        self, request: pb.DestroyOldKeksRequest, context: Context
    ) -> pb.DestroyOldKeksResponse:
        require_service()
        if left := await self._wrapping.left():
            message = f"{left} keys are wrapped by older versions: wrap them anew first"
            raise InvalidArgument(violations=[Violation("", "kek.rewrapped", message)])
        version = await self._box.destroy_older()
        log.info("older versions of the key-encryption key were destroyed", version=version)
        return pb.DestroyOldKeksResponse(version=version)
