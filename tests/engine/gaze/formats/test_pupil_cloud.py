"""Pupil Cloud's enrichments: mapped fixations are read, raw ones refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, pupil_cloud
from gazeapp.engine.gaze.records import Contents, Frame, Why
from gazeapp.engine.gaze.source import Source

BASE = "section id,recording id,fixation id,start timestamp [ns],end timestamp [ns],duration [ms]"
BEGIN = 1_700_000_000_000_000_000


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path) -> Contents:
    return pupil_cloud.read(Source(path), ReadOptions())


def test_marker_mapper(tmp_path: Path) -> None:
    folder = tmp_path / "MARKER-MAPPER_Poster_csv"
    head = BASE + ",fixation detected on surface,fixation x [normalized],fixation y [normalized]\n"
    rows = [
        f"s1,r1,1,{BEGIN},{BEGIN + 200_000_000},200,True,0.5,0.25",
        f"s1,r1,2,{BEGIN + 300_000_000},{BEGIN + 400_000_000},100,False,,",
        f"s2,r2,5,{BEGIN},{BEGIN + 90_000_000},90,True,0.75,1.0",
    ]
    path = write(folder / "fixations.csv", head + "\n".join(rows))
    write(
        folder / "sections.csv",
        "section id,recording id,recording name,wearer id,wearer name\ns1,r1,x,w1,Ann\n",
    )
    contents = read(path)
    assert [(t.subject, t.image, t.label) for t in contents.trials] == [
        ("Ann", "Poster", "s1"),
        ("r2", "Poster", "s2"),
    ]
    table = contents.fixations
    assert table.index.tolist() == [1, 2, 5]
    np.testing.assert_array_equal(table.x, [0.5, np.nan, 0.75])
    assert table.unusable.tolist() == [Why.USED, Why.NOT_ON_SURFACE, Why.USED]
    assert table.start_ms[1] - table.start_ms[0] == pytest.approx(300, abs=0.001)
    assert table.duration_ms.tolist() == [200, 100, 90]
    assert contents.facts.frame == Frame(of="image", unit="share")


def test_reference_image_mapper_is_in_px(tmp_path: Path) -> None:
    head = BASE + ",fixation detected in reference image,fixation x [px],fixation y [px]\n"
    contents = read(write(tmp_path / "f.csv", head + f"s1,r1,1,{BEGIN},{BEGIN},200,true,812.5,33\n"))
    assert contents.facts.frame.is_image_px
    assert contents.fixations.x.tolist() == [812.5]
    assert any("sections.csv" in note for note in contents.facts.notes)


def test_manual_mapper_marks_what_was_not_mapped(tmp_path: Path) -> None:
    head = BASE + ",fixation status,fixation x [px],fixation y [px]\n"
    rows = f"s1,r1,1,{BEGIN},{BEGIN},200,True,8,3\ns1,r1,2,{BEGIN},{BEGIN},200,Not mapped,,\n"
    contents = read(write(tmp_path / "f.csv", head + rows))
    assert contents.fixations.unusable.tolist() == [Why.USED, Why.NOT_ON_SURFACE]


def test_raw_fixations_are_refused(tmp_path: Path) -> None:
    head = BASE + ",fixation x [px],fixation y [px],azimuth [deg],elevation [deg]\n"
    path = write(tmp_path / "fixations.csv", head + f"s1,r1,1,{BEGIN},{BEGIN},200,812.5,33,1,2\n")
    guess = pupil_cloud.recognise(Source(path))
    assert guess is not None
    assert guess.confidence > 0.9
    with pytest.raises(GazeError, match="Marker Mapper"):
        read(path)
