"""Accounts, and what is known of the people behind them."""

from __future__ import annotations

from datetime import UTC

import grpc

from rehab.identity.v1 import account_service_pb2 as pb
from rehab.identity.v1 import account_service_pb2_grpc as pb_grpc
from rehab_identity import messages
from rehab_identity.access import is_own, require_admin, require_own
from rehab_identity.crypto.passwords import Passwords
from rehab_identity.domain.credentials import new_id
from rehab_identity.domain.normal import normal_password
from rehab_identity.domain.people import ACTIVE, DISABLED, ERASED, Account
from rehab_identity.entering import Entering, Revoked
from rehab_identity.issuers import Issuers
from rehab_identity.peers import Sources
from rehab_identity.storage.accounts import Accounts
from rehab_runtime.access.streams import is_audit
from rehab_runtime.clock import Clock
from rehab_runtime.errors import AlreadyExists, Erased, InvalidArgument, NotFound, Violation
from rehab_runtime.logging import get_logger
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext

PAGE = 50
log = get_logger("accounts")


class AccountServicer(pb_grpc.AccountServiceServicer):
    def __init__(
        self,
        accounts: Accounts,
        entering: Entering,
        passwords: Passwords,
        issuers: Issuers,
        clock: Clock,
        revoked: Revoked,
        sources: Sources,
    ) -> None:
        self._sources = sources
        self._accounts = accounts
        self._entering = entering
        self._passwords = passwords
        self._issuers = issuers
        self._clock = clock
        self._revoked = revoked

    async def CreateAccount(
        self, request: pb.CreateAccountRequest, context: Context
    ) -> pb.CreateAccountResponse:
        require_valid(request)
        require_admin(request.clinic_id)
        if is_audit(request.account_id):
            rule = "must name no audit stream"
            raise InvalidArgument(violations=[Violation("account_id", "account_id.person", rule)])
        wanted = Account(
            request.account_id or new_id(),
            request.clinic_id,
            messages.role_name(request.role),
            ACTIVE,
            self._clock.now().astimezone(UTC),
            request.profile,
        )
        password = normal_password(request.password)
        made = await self._repeated(wanted, password) if request.account_id else None
        if made is None:
            made = await self._made(wanted, password)
        return pb.CreateAccountResponse(account=messages.account(made))

    async def GetAccount(
        self, request: pb.GetAccountRequest, context: Context
    ) -> pb.GetAccountResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_own(account)
        return pb.GetAccountResponse(account=messages.account(account))

    async def ListAccounts(
        self, request: pb.ListAccountsRequest, context: Context
    ) -> pb.ListAccountsResponse:
        require_valid(request)
        require_admin(request.clinic_id)
        size = request.page_size or PAGE
        found = await self._accounts.page(
            request.clinic_id,
            after=messages.page_start(request.page_token),
            role=messages.role_name(request.role) if request.role else "",
            email=request.email,
            limit=size + 1,
        )
        more = messages.page_token(found[size - 1].account_id) if len(found) > size else ""
        return pb.ListAccountsResponse(
            accounts=[messages.account(one) for one in found[:size]], next_page_token=more
        )

    async def UpdateProfile(
        self, request: pb.UpdateProfileRequest, context: Context
    ) -> pb.UpdateProfileResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_own(account)
        await self._accounts.set_profile(account, request.profile)
        changed = await self._accounts.get(request.account_id)
        return pb.UpdateProfileResponse(account=messages.account(changed))

    async def SetAccountStatus(
        self, request: pb.SetAccountStatusRequest, context: Context
    ) -> pb.SetAccountStatusResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_admin(account.clinic_id)
        status = ACTIVE if request.status == pb.ACCOUNT_STATUS_ACTIVE else DISABLED
        now = self._clock.now()
        self._revoked(
            await self._accounts.set_status(account.account_id, status, now, request.reason)
        )
        log.info("an account's status was set", status=status, reason=request.reason)
        return pb.SetAccountStatusResponse()

    async def SetPassword(
        self, request: pb.SetPasswordRequest, context: Context
    ) -> pb.SetPasswordResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        caller = require_own(account)
        if account.status == ERASED:
            raise Erased
        kept = ""
        if is_own(caller, account):
            await self._entering.require_password(account, request.old, self._sources.of(context))
            kept = caller.session_id
        hashed = await self._passwords.hash(normal_password(request.new))
        self._revoked(
            await self._accounts.set_password(
                account.account_id, hashed, self._clock.now(), but_session=kept
            )
        )
        return pb.SetPasswordResponse()

    async def LinkIssuer(
        self, request: pb.LinkIssuerRequest, context: Context
    ) -> pb.LinkIssuerResponse:
        require_valid(request)
        account = await self._accounts.get(request.account_id)
        require_admin(account.clinic_id)
        if request.issuer not in self._issuers:
            message = "must be an issuer of IDENTITY_ISSUERS"
            raise InvalidArgument(violations=[Violation("issuer", "issuer.configured", message)])
        if account.status == ERASED:
            raise Erased
        await self._accounts.link(account, request.issuer, request.subject)
        return pb.LinkIssuerResponse()

    async def _made(self, wanted: Account, password: str) -> Account:
        hashed = await self._passwords.hash(password) if password else None
        try:
            if await self._accounts.add(wanted, hashed):
                return wanted
        except AlreadyExists:
            # of two at once with the same content the second is told of the address first
            if (made := await self._repeated(wanted, password)) is None:
                raise
            return made
        made = await self._repeated(wanted, password)
        if made is None:
            raise AlreadyExists("the account id")
        return made

    async def _repeated(self, wanted: Account, password: str) -> Account | None:
        """The account that is there, when it is the one wanted; None when there is none. Raises
        AlreadyExists for another."""
        try:
            there = await self._accounts.get(wanted.account_id)
        except NotFound:
            return None
        same = (there.clinic_id, there.role) == (wanted.clinic_id, wanted.role)
        if not same or there.status == ERASED or there.profile != wanted.profile:
            raise AlreadyExists("the account id")
        hashed = await self._accounts.password(there.account_id)
        if (hashed is None) != (not password):
            raise AlreadyExists("the account id")
        if hashed and await self._passwords.verify([hashed], password) is None:
            raise AlreadyExists("the account id")
        return there
