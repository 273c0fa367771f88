"""Requests made wrong, as bytes, to every RPC that takes one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import grpc

from rehab_runtime.auth import Principal, bearer
from tests.fuzz.finding import Finding, untyped
from tests.fuzz.house import House
from tests.fuzz.messages import asked, caller, request, service_of
from tests.fuzz.mutator import Mutator
from tests.support.contract import METHODS
from tests.support.hostile import CANARY

TARGET = "calls"
AT_ONCE = 32
WAIT_S, LOOK_S = 60.0, 0.3
"""How long an answer may take, and how long somebody watches what has nothing to tell."""


async def throw(house: House, seed: int, number: int) -> None:
    """Input `number` of a run. Raises Finding."""
    made = Mutator(f"{seed}:{TARGET}:{number}")
    name = asked(made.random)
    who = caller(name, made.random)
    told = made.mutated(request(name, made.random))
    headers = []
    if made.random.random() < 0.1:
        headers = [("x-correlation-id", _header(made)), ("traceparent", "00-" + _header(made))]
    if what := await answered(house, name, told, who, headers):
        raise Finding(TARGET, seed, number, told, f"{name} {what}")


async def answered(
    house: House,
    name: str,
    told: bytes,
    who: Principal,
    headers: Sequence[tuple[str, str]] = (),
) -> str:
    """What is wrong with the answer to a request; empty for nothing."""
    channel, metadata = house.channels[service_of(name)], [bearer(who), *headers]
    try:
        if METHODS[name].server_streaming:
            await _watched(channel, name, told, metadata)
        else:
            await channel.unary_unary(name)(told, metadata=metadata, timeout=WAIT_S)
    except grpc.aio.AioRpcError as error:
        return untyped(error)
    return ""


def _header(made: Mutator) -> str:
    """What gRPC lets somebody send. A correlation id is told back, so there is no canary in it."""
    told = made.text("0af7651916cd43dd8448eb211c80319c").replace(CANARY, "")
    return "".join(one for one in told if " " <= one <= "~")


async def _watched(
    channel: grpc.aio.Channel, name: str, told: bytes, metadata: list[tuple[str, str]]
) -> None:
    """What is told first, and what follows at once."""
    call = channel.unary_stream(name)(told, metadata=metadata)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                while await call.read() is not grpc.aio.EOF:
                    pass
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.CANCELLED:  # by whoever looked on long enough
            raise
    finally:
        call.cancel()
