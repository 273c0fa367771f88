"""`rehab account` and `rehab session`: who there is, and where they are logged in."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer
from rich.table import Column, Table

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.identity import AccountId, Reason, identity, shown

ROLES = ("patient", "therapist", "admin", "emergency")
PAGES = 1000
"""Pages of accounts that are listed at most."""


Clinic = Annotated[str, typer.Argument(help="Id of the clinic.")]


def create_account(
    clinic: Clinic,
    role: Annotated[str, typer.Argument(help="patient, therapist, admin or emergency.")],
    account: Annotated[str, typer.Option("--id", help="Id wanted; made when empty.")] = "",
    given_name: Annotated[str, typer.Option(help="Given name.")] = "",
    family_name: Annotated[str, typer.Option(help="Family name.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address, to log in with.")] = "",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password, or read it from a pipe.")
    ] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Make an account. The password is never a word of the command."""
    if role not in ROLES:
        raise typer.BadParameter("must be one of " + ", ".join(ROLES), param_hint="ROLE")
    profile = account_pb.Profile(given_name=given_name, family_name=family_name, email=email)
    request = account_pb.CreateAccountRequest(
        account_id=account, clinic_id=clinic, role=Role.Value(f"ROLE_{role.upper()}")
    )
    request.profile.CopyFrom(profile)
    request.password = _password() if password else ""
    run(lambda: _create_account(find(data, port_base), request))


def list_accounts(
    clinic: Clinic,
    email: Annotated[str, typer.Option(help="The one with this address.")] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """A clinic's accounts, without names: those are personal data."""
    run(lambda: _list_accounts(find(data, port_base), clinic, email))


def disable_account(
    account: AccountId,
    reason: Reason = "disabled",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Let it in no more; its sessions, keys and devices end for good."""
    run(lambda: _disable(find(data, port_base), account, reason))


def list_sessions(account: AccountId, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Where an account is logged in."""
    run(lambda: _list_sessions(find(data, port_base), account))


def end_session(
    session: Annotated[str, typer.Argument(help="Id of the session.")],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Log a session out."""
    run(lambda: _end_session(find(data, port_base), session))


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("password: ")
    return sys.stdin.readline().rstrip("\n")


async def _create_account(addresses: Addresses, request: account_pb.CreateAccountRequest) -> int:
    async with identity(addresses, AccountServiceStub) as ask:
        out.print((await ask("CreateAccount", request)).account.account_id)
    return 0


async def _list_accounts(addresses: Addresses, clinic: str, email: str) -> int:
    table = Table(Column("account", no_wrap=True), "role", "status", "since", box=None)
    request = account_pb.ListAccountsRequest(clinic_id=clinic, email=email, page_size=500)
    async with identity(addresses, AccountServiceStub) as ask:
        for _ in range(PAGES):
            page = await ask("ListAccounts", request)
            for one in page.accounts:
                role = Role.Name(one.role).removeprefix("ROLE_").lower()
                status = account_pb.AccountStatus.Name(one.status)
                status = status.removeprefix("ACCOUNT_STATUS_").lower()
                table.add_row(one.account_id, role, status, shown(one.created_at))
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
    out.print(table)
    return 0


async def _disable(addresses: Addresses, account: str, reason: str) -> int:
    request = account_pb.SetAccountStatusRequest(
        account_id=account, status=account_pb.ACCOUNT_STATUS_DISABLED, reason=reason
    )
    async with identity(addresses, AccountServiceStub) as ask:
        await ask("SetAccountStatus", request)
    out.print(f"{account} is not let in any more; its sessions, keys and devices have ended")
    return 0


async def _list_sessions(addresses: Addresses, account: str) -> int:
    async with identity(addresses, SessionServiceStub) as ask:
        answer = await ask("ListSessions", session_pb.ListSessionsRequest(account_id=account))
    table = Table(Column("session", no_wrap=True), "by", "since", "until", box=None)
    for one in answer.sessions:
        by = one.device_id or one.method
        table.add_row(one.session_id, by, shown(one.created_at), shown(one.expires_at))
    out.print(table)
    return 0


async def _end_session(addresses: Addresses, session: str) -> int:
    async with identity(addresses, SessionServiceStub) as ask:
        await ask("EndSession", session_pb.EndSessionRequest(session_id=session))
    out.print(f"{session} has ended")
    return 0
