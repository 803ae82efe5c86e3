"""jsPsych data with WebGazer, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, webgazer
from gazeapp.engine.gaze.records import Contents
from gazeapp.engine.gaze.source import Source

STIMULUS = "#jspsych-image-keyboard-response-stimulus"
BOX = {
    "x": 320,
    "y": 100.5,
    "width": 640,
    "height": 480,
    "top": 100.5,
    "left": 320,
    "bottom": 580.5,
    "right": 960,
}
TRIALS: list[dict[str, Any]] = [
    {"trial_type": "webgazer-calibrate", "trial_index": 3, "stimulus": None, "subject": "W1"},
    {
        "trial_type": "image-keyboard-response", "trial_index": 4, "stimulus": "img/beach.png", "subject": "W1",
        "webgazer_data": [
            {"x": 400, "y": 300, "t": 10}, {"x": None, "y": None, "t": 45}, {"x": 410, "y": -20, "t": 80},
        ],
        "webgazer_targets": {STIMULUS: BOX},
    },
    {
        "trial_type": "html-keyboard-response", "trial_index": 5, "subject": "W1",
        "stimulus": '<p>Look, "please"</p><img class="a" src="img/street.jpg">',
        "webgazer_data": [{"x": 1, "y": 2, "t": 5}],
        "webgazer_targets": {"#left": BOX, "#right": BOX},
    },
]  # fmt: skip


def as_csv() -> str:
    names = ["trial_type", "trial_index", "stimulus", "subject", "webgazer_data", "webgazer_targets"]
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    table.writerow(names)
    for trial in TRIALS:
        cells = [trial.get(name, "") for name in names]
        table.writerow([json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in cells])
    return text.getvalue()


def read(path: Path, text: str) -> Contents:
    path.write_text(text, encoding="utf-8")
    return webgazer.read(Source(path), ReadOptions())


@pytest.mark.parametrize("text", [as_csv(), json.dumps(TRIALS), "\n".join(json.dumps([t]) for t in TRIALS)])
def test_trials_with_their_samples_and_places(tmp_path: Path, text: str) -> None:
    contents = read(tmp_path / "data", text)
    assert [(t.subject, t.image, t.label) for t in contents.trials] == [
        ("W1", "img/beach.png", "4"),
        ("W1", "img/street.jpg", "5"),
    ]
    assert contents.samples is not None
    first = contents.samples.part(contents.trials[0].sample_rows)
    np.testing.assert_array_equal(first.x, [400, np.nan, 410])
    np.testing.assert_array_equal(first.y, [300, np.nan, -20])
    assert first.t_ms.tolist() == [10, 45, 80]
    place = contents.trials[0].placement
    assert place is not None
    assert (place.anchor, place.x, place.y, place.width, place.height) == ("top_left", 320, 100.5, 640, 480)
    assert contents.trials[1].placement is None
    assert any("several rectangles" in note and note.endswith(": 1.") for note in contents.facts.notes)
    guess = webgazer.recognise(Source(tmp_path / "data"))
    assert guess is not None
    assert guess.confidence > 0.9


def test_cells_longer_than_a_table_may_have(tmp_path: Path) -> None:
    n = 5000
    data = [{"x": k, "y": 1, "t": 33 * k} for k in range(n)]
    cell = json.dumps(data).replace('"', '""')
    text = f'trial_type,trial_index,webgazer_data\r\n"image",1,"{cell}"\r\n'
    assert len(cell) > 131_072
    contents = read(tmp_path / "p9.csv", text)
    assert contents.facts.n_samples == n
    assert contents.trials[0].subject == "p9"
    assert contents.facts.rate_hz == pytest.approx(30.3, abs=0.1)


def test_damage_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=r"line 3.*not closed"):
        read(tmp_path / "a.csv", 'trial_type,webgazer_data\r\nx,"[]"\r\ny,"[{\n')
    with pytest.raises(GazeError, match="cut short"):
        read(tmp_path / "a.json", json.dumps(TRIALS)[:-30])
    with pytest.raises(GazeError, match="No trial has samples"):
        read(tmp_path / "b.json", json.dumps(TRIALS[:1]))


def test_a_trial_with_unreadable_samples_is_counted(tmp_path: Path) -> None:
    contents = read(tmp_path / "a.json", json.dumps([*TRIALS, {"trial_index": 9, "webgazer_data": "[{x:"}]))
    assert contents.facts.lost_rows == {"trial whose samples cannot be read": 1}
