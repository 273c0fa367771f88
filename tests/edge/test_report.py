"""A session's report shows what was seen and what was not judged, and needs nothing else."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from rehab_edge.angles import ANGLES, AT
from rehab_edge.errors import EdgeError
from rehab_edge.live import View, sparkline
from rehab_edge.observed import Compensated, Observed
from rehab_edge.report import Stage, Summary, write
from rehab_edge.report.plots import moved_most

REPS = (
    Observed(
        1,
        1.0,
        3.5,
        "both",
        (1.0, 0.2, 1.0, 0.3),
        104.2,
        symmetry_pct=-4.0,
        compensations=(Compensated("trunk_lean", 31.0),),
        score=81.0,
        confidence=0.9,
        faults=("trunk_lean", "shallow<b>"),
    ),
    Observed(2, 4.0, 6.5, "both", unscored="occluded", confidence=0.2, usable=0.4),
)


@pytest.fixture
def summary() -> Summary:
    t_s = np.arange(0, 8, 1 / 30)
    angles = np.full((len(t_s), ANGLES), np.nan, dtype=np.float32)
    for column, reach in (("knee_l", 100), ("knee_r", 96), ("hip_l", 60), ("trunk", 20)):
        angles[:, AT[column]] = reach * np.sin(t_s) ** 2
    primary = [AT["knee_l"], AT["knee_r"]]
    stages = [Stage("angles", 240, 41.0, 88.0)]
    return Summary("deep squat", "squat.csv", t_s, angles, primary, REPS, stages, ("a <note>",))


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_a_page_stands_alone_and_tells_every_repetition(summary: Summary, tmp_path: Path) -> None:
    path = tmp_path / "session.html"
    write(summary, path)
    text = path.read_text()
    reader = Reader(text)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    assert not re.findall(r"https?://", text)
    said = " ".join(reader.said)
    for expected in ("deep squat", "1 of 2", "104°", "not scored: occluded", "trunk lean 31°"):
        assert expected in said
    assert "shallow<b>" in said  # as text
    assert "b" in {tag for tag, _ in reader.tags}
    assert "a <note>" in said


def test_the_picture_in_the_page_is_the_picture(summary: Summary, tmp_path: Path) -> None:
    page, picture = tmp_path / "session.html", tmp_path / "session.png"
    write(summary, page)
    write(summary, picture)
    image = Image.open(picture)
    image.load()
    assert image.format == "PNG"
    assert image.width > 800
    colours = image.convert("RGB").getcolors(10_000_000)
    assert colours is not None
    assert len(colours) > 50  # something is drawn
    found = re.search(r"base64,([^\"]+)", page.read_text())
    assert found is not None
    assert base64.b64decode(found[1]) == picture.read_bytes()


def test_a_session_in_which_nothing_was_seen_has_a_report_too(tmp_path: Path) -> None:
    nothing = np.empty((0, ANGLES), dtype=np.float32)
    write(Summary("deep squat", "camera", np.empty(0), nothing, [0], ()), tmp_path / "none.html")
    unseen = np.full((90, ANGLES), np.nan, dtype=np.float32)
    summary = Summary("deep squat", "camera", np.arange(90) / 30, unseen, [0, 1], ())
    write(summary, tmp_path / "unseen.html")
    assert "0 of 0" in (tmp_path / "unseen.html").read_text()


def test_a_report_of_another_kind_is_refused(summary: Summary, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="html"):
        write(summary, tmp_path / "session.pdf")


def test_beside_the_primary_angles_those_are_shown_that_moved_most(summary: Summary) -> None:
    summary.angles[:, AT["trunk_twist"]] = np.where(np.arange(240) % 2, 179, -179)  # hardly
    found = moved_most(summary.angles, summary.primary)
    assert found == [[AT["hip_l"]], [AT["trunk"]], [AT["trunk_twist"]]]


def test_the_live_view_tells_counts_scores_and_doubt() -> None:
    view = View("deep_squat", "camera", "knee_l")
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        for number in range(100):
            view.frame(number / 30, 50 + 50 * np.sin(number / 10), 0.9, 800.0)
        view.reps += REPS
        console.print(view)
        view.frame(4.0, float("nan"), 0.2, 800.0)
        console.print(view)
    said = console.export_text()
    assert "2 repetitions" in said
    assert "last score 81" in said
    assert "occluded" in said
    assert "shallow" in said
    assert said.count("I cannot see you well") == 1


def test_a_trace_leaves_gaps_where_nothing_was_seen() -> None:
    assert sparkline([0.0, float("nan"), 70.0]) == "▁ █"
    assert sparkline([float("nan")]) == ""
