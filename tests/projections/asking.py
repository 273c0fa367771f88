"""Asks the services of the single read models, as one principal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from rehab.projections.v1 import (
    billing_service_pb2,
    billing_service_pb2_grpc,
    progress_service_pb2,
    progress_service_pb2_grpc,
    projections_service_pb2,
    projections_service_pb2_grpc,
    vitals_service_pb2,
    vitals_service_pb2_grpc,
    work_service_pb2,
    work_service_pb2_grpc,
)
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.channels import channel
from rehab_runtime.errors import from_rpc_error
from tests.projections.service import THERAPIST, Clinic

_SERVICES = {
    "Vitals": (vitals_service_pb2, vitals_service_pb2_grpc.VitalsServiceStub),
    "Billing": (billing_service_pb2, billing_service_pb2_grpc.BillingServiceStub),
    "Progress": (progress_service_pb2, progress_service_pb2_grpc.ProgressServiceStub),
    "Projections": (
        projections_service_pb2,
        projections_service_pb2_grpc.ProjectionsServiceStub,
    ),
    "Work": (work_service_pb2, work_service_pb2_grpc.WorkServiceStub),
}


def watch_of(rpc: str) -> str:
    """The name of the call that watches a read."""
    return "Watch" + rpc.removeprefix("Get").removeprefix("List")


class Asking:
    """`await asking("Vitals", "ListReadings", patient_id=…)`; raises the RehabError answered."""

    def __init__(self, connection: grpc.aio.Channel, principal: Principal) -> None:
        self._stubs = {name: stub(connection) for name, (_, stub) in _SERVICES.items()}
        self._metadata = (bearer(principal),)

    async def __call__(self, service: str, rpc: str, **asked: Any) -> Any:
        request = getattr(_SERVICES[service][0], f"{rpc}Request")(**asked)
        try:
            call = getattr(self._stubs[service], rpc)
            return await call(request, metadata=self._metadata, timeout=15)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def watch(self, service: str, rpc: str, **asked: Any) -> AsyncIterator[Any]:
        """What a watch tells of the read with that name; close it, for it never ends."""
        read = f"{rpc}Request"
        watched = watch_of(rpc)
        request = getattr(_SERVICES[service][0], f"{watched}Request")
        question = getattr(_SERVICES[service][0], read)(**asked)
        call = getattr(self._stubs[service], watched)(
            request(asked=question), metadata=self._metadata, timeout=30
        )
        try:
            async for told in call:
                yield told
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def pages(self, service: str, rpc: str, field: str, **asked: Any) -> list[list[Any]]:
        """Every page of a list; bounded, so that a token that never ends is found."""
        pages, token = [], ""
        for _ in range(50):
            page = await self(service, rpc, page_token=token, **asked)
            pages.append(list(getattr(page, field)))
            token = page.next_page_token
            if not token:
                return pages
        raise AssertionError("the pages do not end")


@asynccontextmanager
async def asking(clinic: Clinic, principal: Principal = THERAPIST) -> AsyncIterator[Asking]:
    async with channel(clinic.address) as connection:
        yield Asking(connection, principal)
