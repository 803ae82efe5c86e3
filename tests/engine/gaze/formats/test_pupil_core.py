"""Pupil Core: fixations on a surface are read, those in the scene video refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, pupil_core
from gazeapp.engine.gaze.records import Frame, Why
from gazeapp.engine.gaze.source import Source

HEAD = (
    "world_timestamp,world_index,fixation_id,start_timestamp,duration,dispersion,"
    "norm_pos_x,norm_pos_y,x_scaled,y_scaled,on_surf\n"
)
ROWS = """100.01,1,7,100.0,220.5,1.2,0.20,0.90,20,90,True
100.04,2,7,100.0,220.5,1.2,0.30,0.80,30,80,True
100.07,3,7,100.0,220.5,1.2,1.90,0.80,190,80,False
100.40,9,8,100.4,100.0,1.2,-0.50,0.50,-50,50,False
100.43,10,8,100.4,100.0,1.2,-0.70,0.50,-70,50,False
100.60,12,9,100.6,80.0,1.2,0.50,0.10,50,10,True
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_fixations_stand_once_and_those_off_the_surface_are_marked(tmp_path: Path) -> None:
    path = write(
        tmp_path / "S01" / "000" / "exports" / "000" / "surfaces" / "fixations_on_surface_Poster 1.csv",
        HEAD + ROWS,
    )
    contents = pupil_core.read(Source(path), ReadOptions())
    (trial,) = contents.trials
    assert (trial.subject, trial.image) == ("S01-000", "Poster 1")
    table = contents.fixations
    assert table.index.tolist() == [7, 8, 9]
    np.testing.assert_allclose(table.x, [0.25, -0.6, 0.5])
    np.testing.assert_allclose(table.y, [0.85, 0.5, 0.1])
    np.testing.assert_allclose(table.start_ms, [100_000, 100_400, 100_600])
    np.testing.assert_allclose(table.duration_ms, [220.5, 100, 80])
    assert table.unusable.tolist() == [Why.USED, Why.NOT_ON_SURFACE, Why.USED]
    assert contents.facts.frame == Frame(of="image", unit="share", y_up=True)


def test_names_from_the_file_and_the_older_spelling(tmp_path: Path) -> None:
    path = write(
        tmp_path / "P3_fixations_on_surface_Wall_1466499419.751.csv",
        HEAD.replace("on_surf\n", "on_srf\n") + ROWS,
    )
    (trial,) = pupil_core.read(Source(path), ReadOptions()).trials
    assert (trial.subject, trial.image) == ("P3", "Wall")


def test_fixations_in_the_scene_video_are_refused(tmp_path: Path) -> None:
    head = "id,start_timestamp,duration,start_frame_index,end_frame_index,norm_pos_x,norm_pos_y,dispersion,confidence\n"
    path = write(tmp_path / "fixations.csv", head + "1,100.0,200,1,9,0.5,0.5,1.1,0.98\n")
    guess = pupil_core.recognise(Source(path))
    assert guess is not None
    assert guess.confidence > 0.9
    with pytest.raises(GazeError, match="fixations_on_surface"):
        pupil_core.read(Source(path), ReadOptions())
