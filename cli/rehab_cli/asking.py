"""Asking a running service, as the command line: an error becomes one line with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_cli.credential import PRINCIPAL, Shown, current
from rehab_cli.errors import SuiteError
from rehab_runtime.errors import ArchiveUnreadable, from_rpc_error

TIMEOUT_S = 10.0
METADATA = Shown()


__all__ = ["METADATA", "PRINCIPAL", "TIMEOUT_S", "asking", "shards_of"]


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel whose errors are told as a SuiteError."""
    shown = current()
    async with shown.channel(address) as connection:
        try:
            yield connection
        except grpc.aio.AioRpcError as error:
            told = from_rpc_error(error)
            if isinstance(told, ArchiveUnreadable):
                raise SuiteError(f"{address}: {_archive_line(told)}") from None
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise SuiteError(shown.unreached(address)) from None
            raise SuiteError(f"{address}: {told.message}") from None


def _archive_line(told: ArchiveUnreadable) -> str:
    about = {"segment": "?", "position": "?", "trouble": "?"} | told.metadata
    return (
        f"segment {about['segment']} of the archive is {about['trouble']}, from position "
        f"{about['position']} on; bring the object back from its copy, or see what stores it"
    )


async def shards_of(connection: grpc.aio.Channel) -> int:
    """How many shards the log has."""
    head = await EventStoreServiceStub(connection).GetHead(
        store_pb.GetHeadRequest(), metadata=METADATA, timeout=TIMEOUT_S
    )
    return int(head.shards)
