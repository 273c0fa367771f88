"""The report as one HTML file without scripts, or its picture alone."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from rehab_edge.errors import EdgeError
from rehab_edge.observed import Observed
from rehab_edge.report.plots import colour_of, picture
from rehab_edge.report.summary import Summary

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1f23;max-width:1040px;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}p{margin:.4rem 0}img{max-width:100%;height:auto}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 2rem;margin:1rem 0;padding:0;list-style:none}
.facts b{display:block;font-size:1.25rem}table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #e3e6ea}
th:first-child,td:first-child,td.l,th.l{text-align:left}.dot{display:inline-block;width:.7em;
height:.7em;border-radius:50%;margin-right:.4em}small{color:#5a6068}
@media(prefers-color-scheme:dark){body{background:#fff}}
""".strip()
DOUBT = (
    "Scores are a model's opinion of the movement and no diagnosis. A repetition without a score "
    "is one that the device would not judge: it is not a bad one."
)


def write(summary: Summary, path: Path) -> None:
    """By the name's end: .html, or .png. Raises EdgeError."""
    if path.suffix not in (".html", ".png"):
        raise EdgeError(f"{path}: a report is an .html or a .png file")
    drawn = picture(summary)
    content = drawn if path.suffix == ".png" else page(summary, drawn).encode()
    try:
        path.write_bytes(content)
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}") from None


def page(summary: Summary, drawn: bytes) -> str:
    image = base64.b64encode(drawn).decode()
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in summary.notes)
    name = html.escape(summary.exercise)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style>"
        f"<h1>{name}</h1><p><small>{html.escape(summary.source)}</small></p>"
        f'<ul class="facts">{"".join(_facts(summary))}</ul>'
        + (f"<ul>{notes}</ul>" if notes else "")
        + '<img alt="Joint angles over time, repetitions marked" '
        f'src="data:image/png;base64,{image}">'
        f"<h2>Repetitions</h2>{_reps(summary.reps)}"
        + (f"<h2>Time taken</h2>{_stages(summary)}" if summary.stages else "")
        + f"<p><small>{DOUBT} {html.escape(summary.made_by)}</small></p></html>\n"
    )


def _facts(summary: Summary) -> Iterable[str]:
    scored = len(summary.scores)
    told = {
        "repetitions": str(len(summary.reps)),
        "scored": f"{scored} of {len(summary.reps)}",
        "median score": _told(summary.median_score, "{:.0f}"),
        "median range": _told(summary.median_rom_deg, "{:.0f}°"),
        "duration": f"{summary.duration_s:.0f} s",
        **summary.facts,
    }
    for name, value in told.items():
        yield f"<li><small>{html.escape(name)}</small><b>{html.escape(value)}</b></li>"


def _reps(reps: Sequence[Observed]) -> str:
    heads = "rep|side|from|seconds|range|phases|symmetry|score|sure|seen|what was off"
    rows = "".join(_row(rep) for rep in reps)
    return f"<table><tr>{''.join(f'<th>{one}</th>' for one in heads.split('|'))}</tr>{rows}</table>"


def _row(rep: Observed) -> str:
    off = [f"{one.code} {one.magnitude_deg:.0f}°" for one in rep.compensations]
    if rep.score is None:
        off.insert(0, f"not scored: {rep.unscored or 'no reason told'}")
    cells = [
        f'<span class="dot" style="background:{colour_of(rep)}"></span>{rep.index}',
        rep.side,
        f"{rep.start_s:.1f} s",
        f"{rep.duration_s:.2f}",
        _told(rep.rom_deg, "{:.0f}°"),
        " / ".join(f"{phase:.2f}" for phase in rep.phases_s) or "-",
        _told(rep.symmetry_pct, "{:+.0f} %"),
        _told(rep.score, "{:.0f}"),
        f"{100 * rep.confidence:.0f} %",
        f"{100 * rep.usable:.0f} %",
        html.escape(", ".join(dict.fromkeys([*off, *rep.faults])).replace("_", " ")),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _stages(summary: Summary) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(one.name)}</td><td>{one.count}</td>"
        f"<td>{one.p50_us:.0f} µs</td><td>{one.p99_us:.0f} µs</td></tr>"
        for one in summary.stages
    )
    return f"<table><tr><th>stage</th><th>times</th><th>p50</th><th>p99</th></tr>{rows}</table>"


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
