"""Keys for programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc

from rehab.identity.v1 import api_key_service_pb2 as pb
from rehab.identity.v1 import api_key_service_pb2_grpc as pb_grpc
from rehab_identity import messages
from rehab_identity.access import require_own
from rehab_identity.crypto.passwords import Passwords
from rehab_identity.crypto.roots import Roots
from rehab_identity.domain.credentials import api_key, new_key_id, new_secret
from rehab_identity.domain.people import ApiKey
from rehab_identity.entering import Revoked
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.api_keys import ApiKeys
from rehab_identity.verifying import Verifier
from rehab_runtime.access.tokens import to_message
from rehab_runtime.auth import require_service
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, NotFound, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext

LONGEST = timedelta(days=366)


class ApiKeyServicer(pb_grpc.ApiKeyServiceServicer):
    def __init__(
        self,
        accounts: Accounts,
        api_keys: ApiKeys,
        verifier: Verifier,
        passwords: Passwords,
        roots: Roots,
        clock: Clock,
        revoked: Revoked,
    ) -> None:
        self._accounts = accounts
        self._api_keys = api_keys
        self._verifier = verifier
        self._passwords = passwords
        self._roots = roots
        self._clock = clock
        self._revoked = revoked

    async def CreateApiKey(
        self, request: pb.CreateApiKeyRequest, context: Context
    ) -> pb.CreateApiKeyResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_own(account)
        now = self._clock.now()
        expires_at = now + LONGEST
        if request.HasField("expires_at"):
            expires_at = _asked(request, now)
        key_id, secret = new_key_id(), new_secret()
        key = ApiKey(
            key_id,
            account.account_id,
            request.name,
            tuple(request.scopes),
            now,
            expires_at,
            hash=await self._passwords.hash(secret),
        )
        await self._api_keys.add(key)
        return pb.CreateApiKeyResponse(
            api_key=messages.api_key(key),
            secret=api_key(self._roots.checksum_key, key_id, secret),
        )

    async def ListApiKeys(
        self, request: pb.ListApiKeysRequest, context: Context
    ) -> pb.ListApiKeysResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_own(account)
        found = await self._api_keys.of(account.account_id)
        return pb.ListApiKeysResponse(api_keys=[messages.api_key(one) for one in found])

    async def RotateApiKey(
        self, request: pb.RotateApiKeyRequest, context: Context
    ) -> pb.RotateApiKeyResponse:
        require_valid(request)
        key = await self._own(request.key_id)
        now = self._clock.now()
        if not key.hashes(now):
            raise NotFound("an API key that works")
        secret = new_secret()
        hashed = await self._passwords.hash(secret)
        until = now + timedelta(seconds=request.overlap_s)
        await self._api_keys.rotate(key.key_id, hashed, until, now)
        whole = api_key(self._roots.checksum_key, key.key_id, secret)
        return pb.RotateApiKeyResponse(secret=whole)

    async def RevokeApiKey(
        self, request: pb.RevokeApiKeyRequest, context: Context
    ) -> pb.RevokeApiKeyResponse:
        require_valid(request)
        key = await self._own(request.key_id)
        self._revoked(await self._api_keys.revoke(key.key_id, self._clock.now()))
        return pb.RevokeApiKeyResponse()

    async def VerifyApiKey(
        self, request: pb.VerifyApiKeyRequest, context: Context
    ) -> pb.VerifyApiKeyResponse:
        require_service()
        require_valid(request)
        principal, until = await self._verifier.verify(request.secret)
        return pb.VerifyApiKeyResponse(
            principal=to_message(principal), expires_at=messages.stamp(until)
        )

    async def _own(self, key_id: str) -> ApiKey:
        key = await self._api_keys.get(key_id)
        require_own(await self._accounts.get(key.account_id))
        return key


def _asked(request: pb.CreateApiKeyRequest, now: datetime) -> datetime:
    expires_at = request.expires_at.ToDatetime(tzinfo=UTC)
    if not now < expires_at <= now + LONGEST:
        message = "must be in the future, within a year"
        raise InvalidArgument(
            violations=[Violation("expires_at", "expires_at.within_a_year", message)]
        )
    return expires_at
