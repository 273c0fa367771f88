"""What the demo looks like: a live table in a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rehab.events.v1.common_pb2 import Severity
from rehab.policy.v1.policy_service_pb2 import RaisedAlert
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_cli.checking import Verdict
from rehab_cli.demo import Demo
from rehab_cli.lag import Lag

TOP = 8
NEWEST = 3
ALERTS_ASKED = 500
DIFFERENCES_SHOWN = 20
COLOURS = {"critical": "bold red", "high": "yellow", "low": "cyan"}


def figures(demo: Demo, lag: Lag) -> list[tuple[str, str]]:
    progress = demo.progress
    clinic_time = progress.clinic_time or demo.start
    return [
        ("clinic's time", f"{clinic_time:%a %d %b %H:%M} UTC"),
        ("sent", f"{progress.sent:,}"),
        ("acknowledged", f"{progress.acked:,}, {progress.rejected} rejected"),
        ("stored", f"{lag.stored:,}"),
        ("projected", f"{lag.projected:,}"),
        ("events/s", f"{progress.rate():,.0f}"),
        ("ack p50 / p99", f"{progress.ack_ms(0.5):.1f} / {progress.ack_ms(0.99):.1f} ms"),
        ("commit to visible p50 / p99", f"{lag.p50_ms:.1f} / {lag.p99_ms:.1f} ms"),
    ]


def line(demo: Demo, lag: Lag, queue: Sequence[pb.WorkItem], alerts: Sequence[RaisedAlert]) -> str:
    told = [f"{name} {value}" for name, value in figures(demo, lag)]
    first = f"; first in the work queue: {_who(queue[0])}" if queue else ""
    newest = f"; {_raised(alerts)}, the newest {alerts[0].rule_id}" if alerts else ""
    return "; ".join(told) + first + newest


def overview(
    demo: Demo, lag: Lag, queue: Sequence[pb.WorkItem], alerts: Sequence[RaisedAlert]
) -> Table:
    table = Table(
        title="RehabTrack: a simulated clinic", show_header=False, box=None, pad_edge=False
    )
    for name, value in figures(demo, lag):
        table.add_row(f"[bold]{name}", value)
    table.add_section()
    table.add_row("[bold]alerts", _raised(alerts))
    for alert in alerts[:NEWEST]:
        severity = _word(alert.severity)
        table.add_row(
            alert.patient_id, f"[{COLOURS.get(severity, 'white')}]{severity}[/] {alert.rule_id}"
        )
    table.add_section()
    table.add_row("[bold]work queue", f"{len(queue)} patients")
    for item in queue[:TOP]:
        severity = _severity(item)
        colour = COLOURS.get(severity, "white")
        table.add_row(f"{item.rank}. {item.patient_id}", f"[{colour}]{severity}[/] {_why(item)}")
    return table


def summary(demo: Demo, verdict: Verdict) -> Table:
    progress = demo.progress
    table = Table(show_header=False, box=None)
    for name, value in (
        ("patients", f"{len(demo.clinic.patients):,}"),
        ("sent", f"{verdict.sent:,}"),
        ("acknowledged", f"{verdict.acked:,}"),
        ("stored", f"{verdict.stored:,}"),
        ("projected", f"{verdict.projected:,} of {verdict.head:,} in the log"),
        ("differences", f"{len(verdict.differences):,}"),
        ("time", f"{progress.seconds:.1f} s, {progress.mean_rate():,.0f} events/s"),
        ("ack p50 / p99", f"{progress.ack_ms(0.5):.1f} / {progress.ack_ms(0.99):.1f} ms"),
    ):
        table.add_row(name, value)
    return table


def _who(item: pb.WorkItem) -> str:
    return f"{item.patient_id} ({_severity(item)}: {_why(item)})"


def _raised(alerts: Sequence[RaisedAlert]) -> str:
    more = "+" if len(alerts) >= ALERTS_ASKED else ""
    return f"{len(alerts)}{more} open"


def _severity(item: pb.WorkItem) -> str:
    return _word(item.severity)


def _word(severity: Severity) -> str:
    return Severity.Name(severity).removeprefix("SEVERITY_").lower()


def _why(item: pb.WorkItem) -> str:
    return ", ".join(reason.code for reason in item.reasons)
