"""`rehab policy alerts|digest|ack|resolve|explain`: what rules found, and what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Column, Table

from rehab.events.v1.common_pb2 import Severity
from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError
from rehab_runtime.auth import Principal, bearer

PAGE = 500
Clinic = Annotated[str, typer.Argument(help="The clinic's id.")]
AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="Id of the alert.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]
Who = Annotated[
    str, typer.Option("--as", help="Who does it, as role:clinic:account; in development only.")
]
STATUSES = {"any": 0, "open": 1, "acknowledged": 2, "resolved": 3}


def alerts(
    clinic: Clinic,
    patient: Annotated[str, typer.Option(help="One patient's.")] = "",
    therapist: Annotated[str, typer.Option(help="One therapist's.")] = "",
    status: Annotated[str, typer.Option(help="any, open, acknowledged or resolved.")] = "open",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    as_json: AsJson = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """A clinic's alerts, newest first."""
    if status not in STATUSES:
        raise typer.BadParameter(f"must be one of {', '.join(STATUSES)}", param_hint="--status")
    request = pb.ListAlertsRequest(
        clinic_id=clinic,
        only_patient_id=patient,
        therapist_id=therapist,
        status=pb.AlertStatus.ValueType(STATUSES[status]),
    )
    run(lambda: _alerts(find(data, port_base), request, limit, as_json=as_json))


def digest(
    clinic: Clinic,
    therapist: Annotated[str, typer.Argument(help="The therapist's id.")],
    day: Annotated[str, typer.Option(help="2026-03-02; all days without.")] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Open alerts that were held for a digest, because the day's budget was used up."""
    request = pb.ListDigestRequest(clinic_id=clinic, therapist_id=therapist, local_date=day)
    run(lambda: _digest(find(data, port_base), request))


def ack(alert: AlertId, who: Who = "", data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Take an alert: somebody looks at it."""
    run(lambda: _ack(find(data, port_base), alert, metadata_of(who)))


def resolve(
    alert: AlertId,
    outcome: Annotated[str, typer.Option(help="acted, no_action or false_alarm.")],
    useful: Annotated[
        bool | None, typer.Option("--useful/--not-useful", help="Whether it helped.")
    ] = None,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """End an alert, and say whether it helped."""
    request = pb.ResolveAlertRequest(alert_id=alert, outcome=outcome)
    if useful is not None:
        request.useful = useful
    run(lambda: _resolve(find(data, port_base), request, metadata_of(who)))


def explain(alert: AlertId, who: Who = "", data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Which facts made an alert's rule fire: patient data."""
    run(lambda: _explain(find(data, port_base), alert, metadata_of(who)))


def metadata_of(who: str) -> Any:
    """The command line's own without. Raises SuiteError for somebody who is nobody."""
    if not who:
        return METADATA
    told = who.split(":")
    if len(told) != 3 or not all(told):
        raise SuiteError("--as must be role:clinic:account, such as admin:clinic-1:ann")
    return (bearer(Principal(told[2], told[0], told[1])),)


@asynccontextmanager
async def policy(addresses: Addresses, stub: Any) -> AsyncIterator[Any]:
    if not addresses.policy:
        raise SuiteError("this suite runs without policy; start it again with: rehab up")
    async with asking(addresses.policy) as connection:
        yield stub(connection)


async def _alerts(
    addresses: Addresses, request: pb.ListAlertsRequest, limit: int, *, as_json: bool
) -> int:
    found: list[pb.RaisedAlert] = []
    request.page_size = min(limit or PAGE, PAGE)
    async with policy(addresses, PolicyServiceStub) as stub:
        while True:
            answer = await stub.ListAlerts(request, metadata=METADATA, timeout=TIMEOUT_S)
            found += answer.alerts
            request.page_token = answer.next_page_token
            if not request.page_token or 0 < limit <= len(found):
                break
    _print(found[: limit or None], as_json=as_json)
    return 0


async def _digest(addresses: Addresses, request: pb.ListDigestRequest) -> int:
    async with policy(addresses, PolicyServiceStub) as stub:
        answer = await stub.ListDigest(request, metadata=METADATA, timeout=TIMEOUT_S)
    _print(answer.alerts, as_json=False)
    out.print(f"{answer.budget} alerts a day are told at once")
    return 0


async def _ack(addresses: Addresses, alert: str, metadata: Any) -> int:
    request = pb.AcknowledgeAlertRequest(alert_id=alert)
    async with policy(addresses, PolicyServiceStub) as stub:
        answer = await stub.AcknowledgeAlert(request, metadata=metadata, timeout=TIMEOUT_S)
    out.print(f"{alert} is taken by {answer.alert.acknowledged_by or answer.alert.resolved_by}")
    return 0


async def _resolve(addresses: Addresses, request: pb.ResolveAlertRequest, metadata: Any) -> int:
    async with policy(addresses, PolicyServiceStub) as stub:
        answer = await stub.ResolveAlert(request, metadata=metadata, timeout=TIMEOUT_S)
    out.print(f"{request.alert_id} ended: {answer.alert.outcome} by {answer.alert.resolved_by}")
    return 0


async def _explain(addresses: Addresses, alert: str, metadata: Any) -> int:
    request = pb.ExplainRequest(alert_id=alert)
    async with policy(addresses, PolicyServiceStub) as stub:
        answer = await stub.Explain(request, metadata=metadata, timeout=TIMEOUT_S)
    if not answer.reproduced:
        out.print("the fold of the log does not raise it again: rehab log verify", style="red")
        return 1
    told = answer.alert
    out.print(f"{told.rule_id} version {told.rule_version} fired for {told.patient_id}")
    if told.times > 1:
        out.print(f"and {told.times - 1} times again while it was open, {shown(told.last_at)} last")
    out.print(f"when {answer.condition.strip()}", markup=False)
    table = Table("fact", "value", "source", box=None)
    for fact in answer.facts:
        table.add_row(fact.name, f"{fact.value} {fact.unit}".strip(), fact.source)
    out.print(table)
    for event in answer.events:
        out.print(f"{shown(event.recorded_at)}  {event.kind}  {event.event_id}")
    out.print(f"{answer.rationale.strip()} ({answer.source})", markup=False)
    if answer.review:
        out.print("a clinician must look at this rule before it is relied on")
    return 0


def _print(found: Iterable[pb.RaisedAlert], *, as_json: bool) -> None:
    if as_json:
        for one in found:
            out.print(MessageToJson(one, indent=None), markup=False, soft_wrap=True)
        return
    table = Table(
        Column("alert", no_wrap=True), "raised", "severity", "rule", "patient", "status", "route",
        "times", "last",
        box=None,
    )  # fmt: skip
    for one in found:
        table.add_row(
            one.alert_id,
            shown(one.raised_at),
            Severity.Name(one.severity).removeprefix("SEVERITY_").lower(),
            one.rule_id,
            one.patient_id,
            pb.AlertStatus.Name(one.status).removeprefix("ALERT_STATUS_").lower(),
            pb.AlertRoute.Name(one.route).removeprefix("ALERT_ROUTE_").lower(),
            str(one.times),
            shown(one.last_at) if one.times > 1 else "",
        )
    out.print(table)


def shown(at: Timestamp) -> str:
    return at.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
