"""How to be let in."""

from __future__ import annotations

import json

import grpc

from rehab.identity.v1 import session_service_pb2 as pb
from rehab.identity.v1 import session_service_pb2_grpc as pb_grpc
from rehab_identity import messages
from rehab_identity.access import require_own
from rehab_identity.entering import Entering, Revoked
from rehab_identity.peers import Sources
from rehab_identity.signer import Signer
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.sessions import Sessions
from rehab_runtime.auth import current_principal, require_service
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext


class SessionServicer(pb_grpc.SessionServiceServicer):
    def __init__(
        self,
        entering: Entering,
        accounts: Accounts,
        sessions: Sessions,
        signer: Signer,
        clock: Clock,
        revoked: Revoked,
        sources: Sources,
    ) -> None:
        self._sources = sources
        self._entering = entering
        self._accounts = accounts
        self._sessions = sessions
        self._signer = signer
        self._clock = clock
        self._revoked = revoked

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        require_valid(request)
        let = await self._entering.by_password(
            request.clinic_id, request.email, request.password, self._sources.of(context)
        )
        return pb.LogInResponse(tokens=messages.tokens(let))

    async def LogInDevice(
        self, request: pb.LogInDeviceRequest, context: Context
    ) -> pb.LogInDeviceResponse:
        require_valid(request)
        let = await self._entering.by_device(request.assertion, self._sources.of(context))
        return pb.LogInDeviceResponse(tokens=messages.tokens(let))

    async def CreateNonce(
        self, request: pb.CreateNonceRequest, context: Context
    ) -> pb.CreateNonceResponse:
        require_valid(request)
        nonce, until = self._entering.nonce(request.issuer)
        return pb.CreateNonceResponse(nonce=nonce, expires_at=messages.stamp(until))

    async def ExchangeToken(
        self, request: pb.ExchangeTokenRequest, context: Context
    ) -> pb.ExchangeTokenResponse:
        require_valid(request)
        let = await self._entering.by_issuer(request.id_token, self._sources.of(context))
        return pb.ExchangeTokenResponse(tokens=messages.tokens(let))

    async def RefreshSession(
        self, request: pb.RefreshSessionRequest, context: Context
    ) -> pb.RefreshSessionResponse:
        require_valid(request)
        let = await self._entering.refresh(request.refresh_token)
        return pb.RefreshSessionResponse(tokens=messages.tokens(let))

    async def EndSession(
        self, request: pb.EndSessionRequest, context: Context
    ) -> pb.EndSessionResponse:
        require_valid(request)
        caller = current_principal()
        session_id = request.session_id or caller.session_id
        if not session_id:
            raise NotFound("a caller without a session")
        session = await self._sessions.get(session_id)
        # one's own, a device's too
        if caller.session_id != session.session_id:
            require_own(await self._accounts.get(session.account_id))
        self._revoked(await self._sessions.end(session.session_id, self._clock.now()))
        return pb.EndSessionResponse()

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_own(account)
        found = await self._sessions.of(account.account_id, self._clock.now())
        return pb.ListSessionsResponse(sessions=[messages.session(one) for one in found])

    async def GetJwks(self, request: pb.GetJwksRequest, context: Context) -> pb.GetJwksResponse:
        jwks = json.dumps(await self._signer.jwks())
        return pb.GetJwksResponse(jwks=jwks, issuer=self._signer.issuer)

    async def RotateSigningKey(
        self, request: pb.RotateSigningKeyRequest, context: Context
    ) -> pb.RotateSigningKeyResponse:
        require_service({"cli"})
        made = await self._signer.rotate()
        return pb.RotateSigningKeyResponse(
            key_id=made.key_id, signs_from=messages.stamp(made.signs_from)
        )
