"""The mask editor: strokes against distances, undo against copies kept beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import on_image
from gazeapp.engine.lesions.masks.editor import MaskEditor
from gazeapp.engine.lesions.masks.shapes import ellipse
from tests.engine.lesions.masks.test_brush import distances

HEIGHT, WIDTH = 150, 290
"""Two tiles down and three across, the last ones partly filled."""


def stroke(editor, points, size, value=255, softness=0.0):
    editor.begin_stroke(*points[0], size, value, softness)
    for point in points[1:]:
        editor.stroke_to(*point)
    return editor.end_stroke()


def cover_of(points, radius, softness):
    """The greatest cover that any of the moves gives, 0 to 1."""
    nearest = np.min(
        [distances(a, b, HEIGHT, WIDTH) for a, b in zip(points, points[1:] + points[-1:], strict=True)],
        axis=0,
    )
    if softness == 0:
        return (nearest <= radius).astype(float)
    return np.clip((radius - nearest) / (radius * softness), 0, 1)


def exact_area(mask):
    return mask.astype(float).mean() / 255


POINTS = [(-20.3, 10.1), (140.7, 100.2), (150.2, 20.9), (260.4, 170.6)]


@pytest.mark.parametrize("softness", [0.0, 0.5])
@pytest.mark.parametrize(
    ("value", "text"), [(255, "brush stroke"), (0, "eraser stroke"), (100, "brush stroke")]
)
def test_a_stroke_brings_pixels_towards_its_value_by_its_cover(value, text, softness):
    before = on_image(ellipse(20, 20, 200, 140, HEIGHT, WIDTH, soft_px=60), HEIGHT, WIDTH)
    editor = MaskEditor(HEIGHT, WIDTH, before)
    stroke(editor, POINTS, 30.0, value, softness)
    cover = cover_of(POINTS, 15.0, softness)
    assert np.abs(editor.mask - (before + (value - before.astype(float)) * cover)).max() <= 1.01
    assert editor.undo_text == text
    assert editor.area == pytest.approx(exact_area(editor.mask), abs=1e-15)


def test_a_stroke_counts_once_however_slowly_and_often_it_passes():
    quick, slow = MaskEditor(HEIGHT, WIDTH), MaskEditor(HEIGHT, WIDTH)
    stroke(quick, [(30, 75), (250, 75)], 60, 255, 1.0)
    there = [(float(x), 75.0) for x in np.arange(30, 250.5, 0.5)]
    stroke(slow, [*there, *there[::-1], *there], 60, 255, 1.0)
    assert np.abs(quick.mask.astype(int) - slow.mask).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, WIDTH - 0.01), st.floats(0, HEIGHT - 0.01)), min_size=1, max_size=5),
    st.floats(0.1, 12),
)
def test_no_point_of_a_stroke_is_left_out(points, size):
    editor = MaskEditor(HEIGHT, WIDTH)
    stroke(editor, points, size)
    for start, end in zip(points, points[1:] + points[-1:], strict=True):
        for x, y in np.linspace(start, end, 200):
            assert editor.mask[int(y), int(x)] == 255


def test_nothing_can_be_undone_before_the_stroke_ends_and_a_cancelled_one_leaves_no_trace():
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.rectangle(0, 0, 100, 100)
    before = editor.mask.copy()
    box = editor.begin_stroke(90, 90, 40)
    assert (box.x0, box.y0, box.x1, box.y1) == (70, 70, 110, 110)
    assert editor.is_drawing
    assert editor.undo_text == "rectangle"
    assert editor.area == exact_area(editor.mask) > exact_area(before)
    whole = editor.stroke_to(200, 120).union(box)
    assert editor.cancel_stroke() == whole
    np.testing.assert_array_equal(editor.mask, before)
    assert editor.area == exact_area(before)
    assert (editor.undo_text, editor.is_drawing) == ("rectangle", False)
    assert editor.stroke_to(5, 5) is None
    assert editor.end_stroke() is None


def test_a_stroke_that_changes_nothing_is_no_step():
    editor = MaskEditor(HEIGHT, WIDTH)
    assert stroke(editor, [(-500, -500), (-90, -500)], 40) is None
    assert stroke(editor, [(50, 50), (90, 50)], 40, value=0) is None
    assert not editor.can_undo
    editor.fill()
    assert stroke(editor, [(50, 50), (90, 50)], 40) is None
    assert editor.undo_text == "fill"


def test_whatever_else_is_asked_ends_the_stroke_first():
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.begin_stroke(50, 50, 30)
    editor.invert()
    assert editor.undo_text == "invert"
    editor.begin_stroke(200, 50, 30, 0)
    assert editor.undo() is not None
    assert (editor.undo_text, editor.redo_text) == ("invert", "eraser stroke")
    editor.undo()
    assert editor.undo_text == "brush stroke"


def test_modes_raise_lower_or_become_the_mask():
    before = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    shape = on_image(ellipse(40, 10, 200, 130, HEIGHT, WIDTH, soft_px=30), HEIGHT, WIDTH)
    for mode, expected in (
        ("add", np.maximum(before, shape)),
        ("subtract", np.minimum(before, 255 - shape)),
        ("replace", shape),
    ):
        editor = MaskEditor(HEIGHT, WIDTH, before)
        editor.ellipse(40, 10, 200, 130, mode, 30)
        np.testing.assert_array_equal(editor.mask, expected)
        assert editor.area == pytest.approx(exact_area(expected), abs=1e-15)


def test_fill_clear_invert_and_sides():
    editor = MaskEditor(HEIGHT, WIDTH)
    assert editor.clear() is None
    editor.side("left", share=0.25)
    assert editor.area == 72 / 290  # 72.5 px, and the centre at 72.5 px is not left of it
    editor.invert()
    assert editor.area == 218 / 290
    editor.fill()
    assert editor.area == 1.0
    editor.clear()
    assert editor.is_empty
    texts = []
    while editor.can_undo:
        texts.append(editor.undo_text)
        editor.undo()
    assert texts == ["clear", "fill", "invert", "left side"]


def test_softening_keeps_the_sum_of_a_blob_and_gives_the_integral_of_a_gaussian_at_an_edge():
    from scipy.stats import norm

    for radius in (3.0, 12.0):
        editor = MaskEditor(HEIGHT, WIDTH)
        editor.side("left")
        editor.soften(radius)
        x = np.arange(WIDTH) + 0.5
        assert np.abs(editor.mask - 255 * norm.cdf((145 - x) / radius)).max() <= 1.5
        editor.clear()
        editor.ellipse(100, 50, 160, 100)
        area = editor.area
        editor.soften(radius / 2)
        assert editor.area == pytest.approx(area, rel=0.01)
        assert editor.undo_text == "soften"


operations = st.one_of(
    st.tuples(
        st.just("stroke"),
        st.lists(st.tuples(st.floats(-50, 340), st.floats(-50, 200)), min_size=1, max_size=4),
        st.floats(1, 80),
        st.sampled_from([0, 100, 255]),
        st.sampled_from([0.0, 0.7]),
    ),
    st.tuples(
        st.sampled_from(["rectangle", "ellipse"]),
        st.tuples(*[st.integers(-20, 300)] * 4),
        st.sampled_from(["add", "subtract", "replace"]),
        st.sampled_from([0.0, 9.0]),
    ),
    st.tuples(st.just("half_plane"), st.integers(0, 290), st.sampled_from(["add", "subtract"])),
    st.tuples(st.sampled_from(["fill", "clear", "invert", "undo", "redo"])),
)


def carry_out(editor, operation):
    name, *rest = operation
    if name == "stroke":
        stroke(editor, *rest)
    elif name in ("rectangle", "ellipse"):
        corners, mode, soft = rest
        getattr(editor, name)(*corners, mode, soft)
    elif name == "half_plane":
        editor.half_plane((rest[0], 75), (2, 1), rest[1])
    else:
        getattr(editor, name)()


@settings(max_examples=25, deadline=None)
@given(st.lists(operations, max_size=40))
def test_undo_and_redo_agree_with_copies_of_the_mask(plan):
    """The truth is a list of whole copies, one per step, and a place in it."""
    editor = MaskEditor(HEIGHT, WIDTH)
    states, now = [editor.mask.copy()], 0
    for operation in plan:
        carry_out(editor, operation)
        if operation[0] == "undo":
            now = max(now - 1, 0)
        elif operation[0] == "redo":
            now = min(now + 1, len(states) - 1)
        elif not np.array_equal(editor.mask, states[now]):
            states[now + 1 :] = [editor.mask.copy()]
            now += 1
        np.testing.assert_array_equal(editor.mask, states[now])
        assert (editor.can_undo, editor.can_redo) == (now > 0, now < len(states) - 1)
        assert editor.area == pytest.approx(exact_area(editor.mask), abs=1e-15)


def test_two_hundred_steps_undo_and_redo_to_identical_masks():
    rng = np.random.default_rng(3)
    editor = MaskEditor(HEIGHT, WIDTH)
    states = [editor.mask.copy()]
    while len(states) < 201:
        points = [tuple(point) for point in rng.uniform((-30, -30), (320, 180), (3, 2))]
        kind = rng.integers(0, 10)
        if kind < 7:
            value, softness = int(rng.integers(0, 2)) * 255, rng.choice([0.0, 0.8])
            done = stroke(editor, points, rng.uniform(2, 60), value, softness)
        elif kind == 7:
            done = editor.polygon(points, rng.choice(["add", "subtract"]), rng.choice([0.0, 8.0]))
        elif kind == 8:
            done = editor.gradient(points[0], points[1], rng.choice(["add", "subtract", "replace"]))
        else:
            done = editor.invert()
        if done is not None:
            outside = np.ones((HEIGHT, WIDTH), dtype=bool)
            outside[done.slices] = False
            assert not (editor.mask != states[-1])[outside].any()
            states.append(editor.mask.copy())
    for state in states[-2::-1]:
        assert editor.undo() is not None
        assert editor.mask.tobytes() == state.tobytes()
    assert editor.undo() is None
    assert editor.is_empty
    for state in states[1:]:
        assert editor.redo() is not None
        assert editor.mask.tobytes() == state.tobytes()
    assert editor.redo() is None


def test_a_new_step_forgets_what_was_taken_back():
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.fill()
    editor.undo()
    assert editor.redo_text == "fill"
    editor.side("top")
    assert not editor.can_redo


def test_the_oldest_steps_are_let_go_by_number_and_by_memory_but_never_the_newest():
    editor = MaskEditor(HEIGHT, WIDTH, undo_limit=3)
    for x in range(0, 50, 10):
        editor.rectangle(x, 0, x + 10, 10)
    assert [editor.undo() is not None for _ in range(5)] == [True, True, True, False, False]
    assert editor.area == 20 * 10 / (HEIGHT * WIDTH)

    rng = np.random.default_rng(0)
    editor = MaskEditor(HEIGHT, WIDTH, undo_bytes=100_000)
    for _ in range(5):
        editor.replace(rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8), "noise")
    # Noise does not compress: a step needs its 43500 bytes, so two fit.
    assert 3 * 43500 <= editor.n_bytes <= 43500 + 100_000
    assert [editor.undo() is not None for _ in range(3)] == [True, True, False]
    for _ in range(5):
        editor.replace(rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8), "noise")
        editor.undo()
    for _ in range(2):
        editor.replace(rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8), "noise")
    assert [editor.undo() is not None for _ in range(3)] == [True, True, False]
    editor = MaskEditor(HEIGHT, WIDTH, undo_bytes=10)
    editor.fill()
    editor.clear()
    assert [editor.undo() is not None for _ in range(2)] == [True, False]


def test_the_mask_is_live_read_only_and_apart_from_what_it_started_from():
    values = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    editor = MaskEditor(HEIGHT, WIDTH, values)
    seen = editor.mask
    editor.fill()
    assert (seen == 255).all()
    assert not values.any()
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0] = 3


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 4), np.uint8),
        np.zeros((HEIGHT, WIDTH), np.float32),
        np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    ],
)
def test_a_mask_of_another_size_or_kind_is_refused_and_nothing_is_lost(values):
    with pytest.raises(GazeError, match=r"\.$"):
        MaskEditor(HEIGHT, WIDTH, values)
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.side("left")
    before = editor.mask.copy()
    with pytest.raises(GazeError, match=r"\.$"):
        editor.replace(values, "other")
    np.testing.assert_array_equal(editor.mask, before)
    assert editor.undo_text == "left side"


def test_a_brush_at_no_place_is_a_sentence():
    editor = MaskEditor(HEIGHT, WIDTH)
    with pytest.raises(GazeError, match="numbers"):
        editor.begin_stroke(float("nan"), 3, 10)
    assert not editor.is_drawing
