"""Where the suite is, and as whom a client speaks to it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_sdk import auth
from rehab_sdk.calls import Calls, Token
from rehab_sdk.clock import Clock
from rehab_sdk.credentials import ApiKey, Credentials, DeviceKey, Password, Renewable
from rehab_sdk.errors import invalid
from rehab_sdk.events import Actor, Context
from rehab_sdk.login import Login
from rehab_sdk.options import Options
from rehab_sdk.replicas import Address, Replicas
from rehab_sdk.spool import Limits, Spool
from rehab_sdk.tokens import TokenStore

INGEST = "127.0.0.1:7101"
PROJECTIONS = "127.0.0.1:7102"
IDENTITY = "127.0.0.1:7103"


def who(
    token: Token | Credentials, clinic_id: str, device_id: str, actor: Actor | None
) -> dict[str, Any]:
    """Clinic, device and actor: as told, else as the token or the credentials name them."""
    match token:
        case str():
            clinic_id = clinic_id or auth.clinic_of(token)
            actor = actor or auth.actor_of(token)
        case DeviceKey():
            clinic_id = clinic_id or token.clinic_id
            device_id = device_id or token.device_id
        case Password():
            clinic_id = clinic_id or token.clinic
    actor = actor or (Actor(device_id, "device") if device_id else None)
    if not clinic_id or actor is None:
        raise invalid("clinic_id, actor", "required", "must be told, or named by the token")
    return {"clinic_id": clinic_id, "device_id": device_id, "actor": actor}


def open_channel(
    address: Address, credentials: grpc.ChannelCredentials | None, options: Options
) -> grpc.aio.Channel:
    """A channel with the client's own patience, in the clear without credentials. Raises
    Invalid."""
    if not isinstance(address, str):
        if not address:
            raise invalid("address", "required", "must be host:port, or a list of them")
        return Replicas([open_channel(one, credentials, options) for one in address])
    chosen = options.channel_options()
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=chosen)
    return grpc.aio.secure_channel(address, credentials, options=chosen)


@asynccontextmanager
async def admission(
    token: Token | Credentials,
    *,
    channel: Callable[[], grpc.aio.Channel],
    store: TokenStore,
    clock: Clock,
    options: Options,
) -> AsyncIterator[Token | ApiKey | Login]:
    """What calls show: the token, or what is made of credentials while this is open. `channel`
    leads to identity, and is opened when it is needed."""
    if not isinstance(token, Renewable):
        yield token
        return
    async with channel() as opened:
        login = Login(
            token,
            stub=SessionServiceStub(opened),
            call=Calls("", options).once,
            store=store,
            clock=clock,
            backoff=options.backoff,
        )
        try:
            yield login
        finally:
            await login.close()


def open_spool(
    path: str | os.PathLike[str], context: Context, key: bytes | None, limits: Limits
) -> Spool:
    """The device's spool. Raises Invalid or SpoolError."""
    if not context.device_id:
        raise invalid("device_id", "required", "must be told when connecting, to use a spool")
    return Spool(
        path,
        clinic_id=context.clinic_id,
        device_id=context.device_id,
        key=key,
        limits=limits,
        clock=context.clock,
    )
