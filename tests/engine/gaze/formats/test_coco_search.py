"""COCO-Search18's and COCO-FreeView's JSON lists."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, coco_search
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES
from gazeapp.engine.gaze.geometry import Geometry, shown_at
from gazeapp.engine.gaze.reading import guess_formats, read_recording
from gazeapp.engine.gaze.records import BROKEN_LINE, NO_IMAGE_NAME, NO_SUBJECT, Contents, Why
from gazeapp.engine.gaze.source import Source

ITEMS = [
    {
        "name": "000000400966.jpg", "subject": 2, "task": "microwave", "condition": "present",
        "bbox": [67, 114, 78, 42], "X": [848.2, 799.2, -3.0], "Y": [517.2, 476.2, 1100.5],
        "T": [73, 159, 240], "length": 3, "correct": 1, "RT": 1159, "split": "train",
    },
    {
        "name": "000000400966.jpg", "subject": 10, "task": "bowl", "condition": "absent",
        "X": [840.0], "Y": [525.0], "T": [300], "length": 1, "correct": 0, "split": "valid",
    },
    {
        "name": "000000000009.jpg", "subject": 1, "task": "none", "condition": "freeview",
        "X": [], "Y": [], "T": [], "length": 0, "split": "train",
    },
]  # fmt: skip
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, items: list[object], **how: object) -> Path:
    path.write_text(json.dumps(items, **how), encoding="utf-8")
    return path


def read(path: Path) -> Contents:
    return coco_search.read(Source(path), ReadOptions())


@pytest.mark.parametrize("how", [{}, {"indent": 2}])
def test_every_number_is_that_of_the_file(tmp_path: Path, how: dict[str, int]) -> None:
    recording = read_recording(write(tmp_path / "fixations.json", ITEMS, **how))
    assert recording.format == "coco-search"
    assert [(t.subject, t.image, t.task, t.label) for t in recording.trials] == [
        ("s02", "000000400966.jpg", "search: microwave", "microwave present, right answer"),
        ("s10", "000000400966.jpg", "search: bowl", "bowl absent, wrong answer"),
        ("s01", "000000000009.jpg", "free viewing", "free viewing"),
    ]
    table = recording.fixations
    np.testing.assert_array_equal(table.x, [848.2, 799.2, -3.0, 840.0])
    np.testing.assert_array_equal(table.y, [517.2, 476.2, 1100.5, 525.0])
    np.testing.assert_array_equal(table.duration_ms, [73, 159, 240, 300])
    np.testing.assert_array_equal(table.index, [1, 2, 3, 1])
    assert recording.facts.screen == (1680.0, 1050.0)
    assert recording.facts.lost_rows == {}


def test_images_lie_on_the_display_as_large_as_fits(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "f.json", ITEMS))
    where = shown_at(
        Geometry(screen=contents.facts.screen), contents.trials[0].placement, contents.facts.frame, 640, 480
    )
    # 480 px become 1050, 640 become 1400, with bars of 140 px left and right.
    assert (where.offset_x, where.offset_y, where.shown_width, where.shown_height) == (140, 0, 1400, 1050)
    x, y = where.apply(840.0, 525.0)
    assert (float(x), float(y)) == pytest.approx((320, 240))
    padded = shown_at(
        Geometry(screen=contents.facts.screen), contents.trials[0].placement, contents.facts.frame, 1680, 1050
    )
    assert (padded.offset_x, padded.shown_width) == (0, 1680)


def test_items_that_fit_nowhere_are_counted(tmp_path: Path) -> None:
    odd = [
        ITEMS[0],
        {**ITEMS[0], "X": [1.0]},
        {**ITEMS[0], "Y": "none"},
        {**ITEMS[0], "name": None},
        {**ITEMS[0], "subject": [1]},
        17,
        {**ITEMS[1], "T": [1, 2], "X": [None], "correct": [1]},
    ]
    contents = read(write(tmp_path / "f.json", odd))
    assert len(contents.trials) == 2
    assert contents.facts.lost_rows == {
        NOT_TWO_COORDINATES: 2,
        NO_IMAGE_NAME: 3,
        NO_SUBJECT: 3,
        BROKEN_LINE: 1,
    }
    assert contents.fixations.unusable[-1] == Why.NO_POSITION
    assert np.isnan(contents.fixations.duration_ms[-1])


def test_a_list_longer_than_a_block_is_read_whole(tmp_path: Path) -> None:
    many = [{**ITEMS[0], "subject": k % 10, "X": [k, k + 0.5, -k]} for k in range(4000)]
    path = write(tmp_path / "f.json", many)
    assert path.stat().st_size > 2 * coco_search._BLOCK
    contents = read(path)
    assert len(contents.trials) == 4000
    np.testing.assert_array_equal(contents.fixations.x[2::3], -np.arange(4000.0))


def test_damage_in_the_middle_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    good = json.dumps(ITEMS[0])
    path.write_text(f"[\n{good},\n{good},\n{{'name': 3}}\n]")
    with pytest.raises(GazeError, match="line 4") as caught:
        read(path)
    assert "damaged" in caught.value.what


def test_other_json_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text('[{"name": "a", "webgazer_data": []}]')
    assert coco_search.recognise(Source(path)) is None
    path.write_text('{"X": []}')
    with pytest.raises(GazeError, match="list"):
        read(path)


def test_a_list_without_end_of_nesting_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("[" * 100_000)
    with pytest.raises(GazeError, match="damaged"):
        read(path)


def test_a_million_character_item_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text('[{"name": "' + "x" * 2_000_000)
    with pytest.raises(GazeError, match="damaged"):
        read(path)


@given(cut=st.integers(0, 600))
@few
def test_a_truncated_list_is_a_sentence(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.json"
    whole = json.dumps(ITEMS)
    path.write_text(whole[: min(cut, len(whole) - 1)])
    with pytest.raises(GazeError):
        read(path)


@given(noise=st.binary(max_size=200))
@few
def test_random_bytes_never_end_in_a_traceback(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "noise.json"
    path.write_bytes(b"[" + json.dumps(ITEMS[0]).encode() + b"," + noise)
    with suppress(GazeError):
        guess_formats(Source(path))
        read(path)


@given(
    item=st.dictionaries(
        st.sampled_from(["name", "subject", "task", "condition", "X", "Y", "T", "correct"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ),
    )
)
@few
def test_items_of_any_content_are_read_or_counted(tmp_path: Path, item: dict[str, object]) -> None:
    path = write(tmp_path / "odd.json", [ITEMS[0], item])
    contents = read(path)
    assert len(contents.trials) - 1 + len(contents.facts.lost_rows) in (0, 1)
