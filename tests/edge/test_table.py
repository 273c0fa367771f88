"""Recordings in our own format: what was written is read, what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rehab_edge.errors import EdgeError, Unreadable
from rehab_edge.recorded import of_files, of_uiprmd
from rehab_edge.skeleton import Joint
from rehab_edge.sources.table import read_table, write_table
from tests.support.recordings import make_recordings

HEAD = "t_s,knee_l_x,knee_l_y,knee_l_z\n"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    one = next(of_uiprmd(make_recordings(tmp_path, subjects=(91,)), ["m01"]))
    one.frames.xyz[3, Joint.KNEE_L] = np.nan
    one.frames.visibility[3, Joint.KNEE_L] = 0
    write_table(tmp_path / "my squats.csv", one.frames, "deep_squat")
    (read,) = of_files([tmp_path / "my squats.csv"])
    assert read.exercise == one.exercise
    assert read.name == "my-squats"
    np.testing.assert_allclose(read.frames.t_s, one.frames.t_s, atol=1e-6)
    np.testing.assert_allclose(read.frames.xyz, one.frames.xyz, atol=1e-5)
    np.testing.assert_allclose(read.frames.visibility, one.frames.visibility, atol=1e-3)


def test_the_exercise_is_the_files_or_the_callers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "0,1,2,3\n0.1,1,2,3\n")
    assert next(of_files([path], "m05")).exercise.id == "m05"
    with pytest.raises(Unreadable, match="--exercise"):
        next(of_files([path]))
    path.write_text("# exercise: handstand\n" + HEAD + "0,1,2,3\n")
    with pytest.raises(EdgeError, match="handstand"):
        next(of_files([path]))


def test_what_is_left_out_is_unseen(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeff" + HEAD + "0,1,2,3\n0.1,1,,3\n", encoding="utf-8")
    frames, _ = read_table(path)
    assert frames.xyz[0, Joint.KNEE_L].tolist() == [1, 2, 3]
    assert frames.visibility[0, Joint.KNEE_L] == 1
    assert np.isnan(frames.xyz[1]).all()
    assert (frames.visibility[1] == 0).all()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no frames"),
        (HEAD, "no frames"),
        ("x,y\n1,2\n", "from t_s on"),
        ("t_s,t_s\n1,2\n", "each once"),
        ("t_s,knie_l_x\n1,2\n", "knie_l_x"),
        ("t_s,knee_l_w\n1,2\n", "knee_l_w"),
        (HEAD + "0,1,2\n", "3 cells"),
        (HEAD + "0,1,2,x\n", "frame 1: not all"),
        (HEAD + "nan,1,2,3\n", "frame 1: not all"),
        (HEAD + "0,1,2,inf\n", "frame 1: not all"),
        (HEAD + "0,1,2,3\n0,1,2,3\n", "line 3: t_s"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(Unreadable, match=why):
        read_table(path)


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"t_s\xff\xfe")
    with pytest.raises(Unreadable, match="no text"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(Unreadable, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")
