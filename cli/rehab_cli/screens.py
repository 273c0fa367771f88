"""What the demo looks like in a terminal."""

from __future__ import annotations

from rich.table import Table

from rehab.events.v1.common_pb2 import Severity
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_cli.demo import Demo

TOP = 8


def figures(demo: Demo, lag: pb.ProjectionLag | None) -> list[tuple[str, str]]:
    progress = demo.progress
    rows = [
        (
            "events acknowledged",
            f"{progress.acked:,} of {progress.sent:,} sent, {progress.rejected} rejected",
        ),
        ("events/s", f"{progress.rate:,.0f}"),
        ("ack p50 / p99", f"{progress.quantile(0.5):.1f} / {progress.quantile(0.99):.1f} ms"),
    ]
    if lag is not None:
        rows += [
            ("projected", f"{lag.position:,} of {lag.head:,}"),
            ("commit to visible p50 / p99", f"{lag.lag_p50_ms:.1f} / {lag.lag_p99_ms:.1f} ms"),
        ]
    return rows


def overview(demo: Demo, lag: pb.ProjectionLag | None, queue: list[pb.WorkItem]) -> Table:
    table = Table(
        title="RehabTrack: a simulated clinic", show_header=False, box=None, pad_edge=False
    )
    for name, value in figures(demo, lag):
        table.add_row(f"[bold]{name}", value)
    table.add_section()
    for item in queue[:TOP]:
        severity = Severity.Name(item.severity).removeprefix("SEVERITY_").lower()
        reasons = ", ".join(reason.code for reason in item.reasons)
        table.add_row(
            f"{item.rank}. {item.patient_id}",
            f"[{COLOURS.get(severity, 'white')}]{severity}[/] {reasons}",
        )
    return table


COLOURS = {"critical": "bold red", "high": "yellow", "low": "cyan"}
