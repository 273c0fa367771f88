"""Whether a service answers, asked as an orchestrator would."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rehab_cli.credential import Credential

TIMEOUT_S = 2.0
IN_DEVELOPMENT = Credential()


async def health(address: str, name: str = "ready", shown: Credential = IN_DEVELOPMENT) -> str:
    """ "serving", "not_serving", or "absent" when nothing answers in time."""
    async with shown.channel(address) as connection:
        stub = health_pb2_grpc.HealthStub(connection)
        try:
            answer = await stub.Check(
                health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError:
            return "absent"
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status).lower()
