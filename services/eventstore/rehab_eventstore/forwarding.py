"""Appends handed to the replica that leads the shard, so that two writers do not get in each
other's way. Whatever comes of it, the append may still be written here: it is known by its ids."""

from __future__ import annotations

from typing import Any, Protocol

import grpc

from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_eventstore import metrics
from rehab_eventstore.leadership import Leadership
from rehab_runtime.auth import ON_BEHALF, current_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import from_rpc_error
from rehab_runtime.logging import get_logger
from rehab_runtime.tls import Tls

FORWARDED = "x-rehab-forwarded"
KEPT = ("authorization", "x-correlation-id", "traceparent")
TIMEOUT_S = 5.0
UNKNOWN = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""The leader is gone, stuck or leaving: it may have appended or not."""

log = get_logger("forwarding")


class Context(Protocol):
    def invocation_metadata(self) -> Any: ...

    def time_remaining(self) -> float | None: ...


class Forwarding:
    """Channels to the other replicas. To be closed."""

    def __init__(self, tls: Tls | None = None) -> None:
        self._tls = tls
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def ask(
        self, leadership: Leadership, rpc: str, request: Any, context: Context
    ) -> Any | None:
        """The leader's answer; None when the append is to be written here: this replica leads, no
        leader is known, or it does not answer. Raises what the leader refuses."""
        leader = leadership.leader
        if not leader:
            return None
        told = dict(context.invocation_metadata() or ())
        if FORWARDED in told:
            return None
        metadata = [(key, told[key]) for key in KEPT if key in told]
        if self._tls is not None:
            caller = told.get(ON_BEHALF) or current_principal().service
            metadata.append((ON_BEHALF, caller))
        left = context.time_remaining()
        try:
            answer = await getattr(self._stub(leader), rpc)(
                request,
                metadata=[*metadata, (FORWARDED, "1")],
                timeout=TIMEOUT_S if left is None else min(TIMEOUT_S, left / 2),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() not in UNKNOWN:
                metrics.forwarded.inc()
                raise from_rpc_error(error) from None
            log.warning(
                "the shard's leader does not answer: appends are written here",
                address=leader,
                status=error.code().name,
            )
            leadership.distrust()
            return None
        metrics.forwarded.inc()
        return answer

    def _stub(self, address: str) -> EventStoreServiceStub:
        found = self._channels.get(address)
        if found is None:
            found = self._channels[address] = channel(address, tls=self._tls)
        return EventStoreServiceStub(found)

    async def close(self) -> None:
        for one in self._channels.values():
            await one.close()
