"""The live view in the terminal: what is counted, how it goes, and how sure the device is."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rehab_edge.observed import Observed

SPARKS = "▁▂▃▄▅▆▇█"
HISTORY = 60
"""Frames in the trace."""
SHOWN_REPS = 8
REDRAWS_S = 8
GOOD_FROM, FAIR_FROM = 70.0, 50.0


@dataclass
class View:
    """What is shown. Feeding it costs a frame next to nothing; it is drawn a few times a second."""

    exercise: str
    source: str
    angle_name: str = ""
    frames: int = 0
    t_s: float = 0.0
    seen: float = 1.0
    after_pose_us: float = 0.0
    waiting: int | None = None
    note: str = ""
    reps: list[Observed] = field(default_factory=list)
    _trace: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def frame(self, t_s: float, angle_deg: float, seen: float, took_us: float) -> None:
        self.frames += 1
        self.t_s, self.seen, self.after_pose_us = t_s, seen, took_us
        self._trace.append(angle_deg)

    def __rich__(self) -> RenderableType:
        return Panel(
            Group(self._heading(), self._angle(), self._table(), self._footing()),
            title=f"{self.exercise.replace('_', ' ')} · {self.source}",
        )

    def _heading(self) -> Text:
        told = Text(f"{len(self.reps)} repetitions", style="bold")
        scored = [rep.score for rep in self.reps if rep.score is not None]
        if scored:
            told.append(f"   last score {scored[-1]:.0f}", style=style_of(scored[-1]))
        if self.seen < 0.5:
            told.append("   I cannot see you well", style="bold red")
        return told

    def _angle(self) -> Text:
        now = self._trace[-1] if self._trace else float("nan")
        shown = "  -" if math.isnan(now) else f"{now:3.0f}"
        return Text(f"{self.angle_name} {shown}° {sparkline(self._trace)}")

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for name in ("rep", "seconds", "range", "score", "sure", "what was off"):
            table.add_column(name, justify="left" if name == "what was off" else "right")
        for rep in self.reps[-SHOWN_REPS:]:
            table.add_row(*_cells(rep), style=style_of(rep.score))
        return table

    def _footing(self) -> Text:
        told = (
            f"{self.t_s:6.1f} s  {self.frames} frames  {self.after_pose_us / 1000:.2f} ms a frame"
        )
        if self.waiting is not None:
            told += f"  {self.waiting} events wait"
        return Text(f"{told}  {self.note}".rstrip(), style="dim")


def _cells(rep: Observed) -> Sequence[str]:
    off = [one.code for one in rep.compensations] + list(rep.faults)
    score = f"{rep.score:.0f}" if rep.score is not None else rep.unscored or "-"
    return (
        f"{rep.index}{' ' + rep.side[0].upper() if rep.side in ('left', 'right') else ''}",
        f"{rep.duration_s:.1f}",
        "-" if rep.rom_deg is None else f"{rep.rom_deg:.0f}°",
        score.replace("_", " "),
        f"{100 * rep.confidence:.0f} %",
        ", ".join(dict.fromkeys(off)).replace("_", " "),
    )


def sparkline(values: Sequence[float] | deque[float]) -> str:
    """One character a value between the least and the largest; a gap where there is none."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return ""
    low, span = min(known), max(max(known) - min(known), 1.0)
    steps = len(SPARKS) - 1
    return "".join(
        " " if math.isnan(value) else SPARKS[round(steps * (value - low) / span)]
        for value in values
    )


def style_of(score: float | None) -> str:
    if score is None:
        return "dim"
    return "green" if score >= GOOD_FROM else "yellow" if score >= FAIR_FROM else "red"


def shown(view: View, console: Console) -> Live:
    """Use as a context; `console` decides whether there is a terminal to draw on."""
    return Live(view, console=console, refresh_per_second=REDRAWS_S, transient=False)
