"""A caller of the erasure service."""

from __future__ import annotations

from typing import Any

import grpc

from rehab.eventstore.v1 import erasure_service_pb2 as pb
from rehab.eventstore.v1.erasure_service_pb2_grpc import ErasureServiceStub
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.errors import from_rpc_error
from tests.eventstore.store import Store


class Erasing:
    """Calls the erasure service of a store; raises the RehabError that it answers."""

    def __init__(self, of: Store, principal: Principal | None = None) -> None:
        self._stub = ErasureServiceStub(of.connection)
        self._metadata = (bearer(principal or service_principal("cli")),)

    async def ask(self, rpc: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=20)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def prepare(self, stream: str, reason: str = "request") -> pb.PrepareErasureResponse:
        answer: pb.PrepareErasureResponse = await self.ask(
            "PrepareErasure", pb.PrepareErasureRequest(subject_id=stream, reason=reason)
        )
        return answer

    async def confirm(self, stream: str, token: str) -> pb.EraseSubjectResponse:
        answer: pb.EraseSubjectResponse = await self.ask(
            "EraseSubject", pb.EraseSubjectRequest(subject_id=stream, token=token)
        )
        return answer

    async def erase(self, stream: str) -> pb.EraseSubjectResponse:
        return await self.confirm(stream, (await self.prepare(stream)).token)

    async def report(self, stream: str) -> pb.ErasureReport:
        answer = await self.ask("GetErasureReport", pb.GetErasureReportRequest(subject_id=stream))
        (report,) = answer.reports
        assert isinstance(report, pb.ErasureReport)
        return report

    async def hold(self, stream: str) -> None:
        await self.ask(
            "PlaceLegalHold", pb.PlaceLegalHoldRequest(subject_id=stream, reason="court")
        )

    async def release(self, stream: str) -> None:
        await self.ask("ReleaseLegalHold", pb.ReleaseLegalHoldRequest(subject_id=stream))
