"""`rehab emr subscription|rotate-token`: systems that are notified and pull."""

from __future__ import annotations

import typer
from rich.table import Table

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_cli.addresses import Addresses
from rehab_cli.alerts import Clinic, shown
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.emr import EndpointId, ask

CONTENTS = {
    "empty": pb.NOTIFICATION_CONTENT_EMPTY,
    "id-only": pb.NOTIFICATION_CONTENT_ID_ONLY,
    "full-resource": pb.NOTIFICATION_CONTENT_FULL_RESOURCE,
}


def notified(content: str, heartbeat_s: int) -> pb.Notify:
    """Raises BadParameter."""
    if content not in CONTENTS:
        raise typer.BadParameter(f"must be one of {', '.join(CONTENTS)}", param_hint="--notify")
    return pb.Notify(content=CONTENTS[content], heartbeat_s=heartbeat_s)


def print_token(token: str) -> None:
    out.print(
        f"its token for pulling, told this once: {token}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def subscription(
    clinic: Clinic, endpoint: EndpointId, data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """How far a system that is notified and pulls has got."""
    request = pb.GetSubscriptionRequest(clinic_id=clinic, endpoint_id=endpoint)
    run(lambda: _subscription(find(data, port_base), request))


def rotate_token(
    clinic: Clinic, endpoint: EndpointId, data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """Another token for a system that pulls; the one before ends at once."""
    request = pb.RotatePullTokenRequest(clinic_id=clinic, endpoint_id=endpoint)
    run(lambda: _rotate(find(data, port_base), request))


async def _subscription(addresses: Addresses, request: pb.GetSubscriptionRequest) -> int:
    told = await ask(addresses, "GetSubscription", request)
    table = Table("status", "events", "accepted", "last accepted", "url", box=None)
    counts = (str(told.events), str(told.accepted))
    table.add_row(told.status, *counts, shown(told.accepted_at), told.url)
    out.print(table)
    return 0


async def _rotate(addresses: Addresses, request: pb.RotatePullTokenRequest) -> int:
    print_token((await ask(addresses, "RotatePullToken", request)).pull_token)
    return 0
