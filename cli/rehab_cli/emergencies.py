"""`rehab access emergencies --watch`: emergency access as it is taken."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC

from google.protobuf.json_format import MessageToDict

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, asking
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

AGAIN_S = 1.0


async def follow(addresses: Addresses, clinic: str, *, as_json: bool) -> int:
    """Until cancelled; after a cut it goes on where it was, and tells none twice. Raises SuiteError
    when identity does not answer at first."""
    seen: int | None = None
    told: set[str] = set()
    while True:
        request = pb.WatchEmergencyAccessRequest(clinic_id=clinic, after=seen)
        try:
            async with asking(addresses.identity) as connection:
                stub = IdentityServiceStub(connection)
                async for one in stub.WatchEmergencyAccess(request, metadata=METADATA):
                    if seen is None and not as_json:
                        out.print(f"watching emergency access in {clinic}; Ctrl-C ends it")
                    seen = one.seq
                    if one.HasField("notice") and one.notice.grant.grant_id not in told:
                        told.add(one.notice.grant.grant_id)
                        out.print(_line(one.notice, as_json=as_json), markup=False)
        except SuiteError:
            if seen is None:
                raise
        await asyncio.sleep(AGAIN_S)


def _line(notice: pb.EmergencyNotice, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(MessageToDict(notice, preserving_proto_field_name=True))
    grant = notice.grant
    taken, until = (
        stamp.ToDatetime(UTC).isoformat(sep=" ", timespec="seconds")
        for stamp in (grant.taken_at, grant.expires_at)
    )
    hearers = ", ".join(notice.recipients) or "nobody"
    return (
        f"{taken}  {grant.principal_id} took emergency access to {grant.patient_id} "
        f"({grant.reason}) until {until}; to hear of it: {hearers}; grant {grant.grant_id}"
    )
