"""What is known, as messages of the contract."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import api_key_service_pb2 as key_pb
from rehab.identity.v1 import device_service_pb2 as device_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab_identity.domain.people import Account, ApiKey, Device, Session
from rehab_identity.entering import Let
from rehab_runtime.errors import InvalidArgument, Violation

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def stamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made


def role_name(role: int) -> str:
    return Role.Name(role).removeprefix("ROLE_").lower()


def account(one: Account) -> account_pb.Account:
    return account_pb.Account(
        account_id=one.account_id,
        clinic_id=one.clinic_id,
        role=Role.Value(f"ROLE_{one.role.upper()}"),
        status=account_pb.AccountStatus.Value(f"ACCOUNT_STATUS_{one.status.upper()}"),
        profile=one.profile,
        created_at=stamp(one.created_at),
    )


def session(one: Session) -> session_pb.Session:
    return session_pb.Session(
        session_id=one.session_id,
        device_id=one.device_id,
        method=one.method,
        created_at=stamp(one.created_at),
        refreshed_at=stamp(one.refreshed_at),
        expires_at=stamp(one.expires_at),
    )


def tokens(let: Let) -> session_pb.Tokens:
    return session_pb.Tokens(
        access_token=let.access_token,
        access_expires_at=stamp(let.access_expires_at),
        refresh_token=let.refresh_token,
        refresh_expires_at=stamp(let.session.expires_at),
        session_id=let.session.session_id,
    )


def device(one: Device) -> device_pb.Device:
    return device_pb.Device(
        device_id=one.device_id,
        model=one.model,
        enrolled_at=stamp(one.enrolled_at),
        revoked_at=stamp(one.revoked_at),
    )


def api_key(one: ApiKey) -> key_pb.ApiKey:
    return key_pb.ApiKey(
        key_id=one.key_id,
        account_id=one.account_id,
        name=one.name,
        scopes=one.scopes,
        created_at=stamp(one.created_at),
        expires_at=stamp(one.expires_at),
        revoked_at=stamp(one.revoked_at),
    )


def page_token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def page_start(token: str) -> str:
    """The id after which a page begins. Raises InvalidArgument."""
    if not token:
        return ""
    try:
        after = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        after = ""
    if not _ID.fullmatch(after):
        message = "must be the next_page_token of the page before"
        raise InvalidArgument(
            violations=[Violation("page_token", "page_token.of_this_request", message)]
        )
    return after
