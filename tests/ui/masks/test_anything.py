"""Whatever is done, in whatever order: what is seen is what is stored, for every mask and image."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from gazeapp.engine.project import Project
from tests.ui.masks.conftest import stored

KEYS = (
    *(Qt.Key(letter) for letter in b"PELROHGXAICKK"),
    *(Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Delete),
)
BUTTONS = (
    *[Qt.MouseButton.LeftButton] * 6,
    *[Qt.MouseButton.RightButton] * 2,
    Qt.MouseButton.MiddleButton,
)


@pytest.mark.parametrize("seed", [0, 1])
def test_any_order_of_things_ends_with_what_is_seen_in_the_project(hand, seed) -> None:
    rng = np.random.default_rng(seed)
    errors, numbers = [], count()
    hand.session.failed.connect(errors.append)
    hand.painter.failed.connect(errors.append)

    def somewhere() -> QPoint:
        return hand.pixel(*rng.uniform(-0.2, 1.2, 2))

    def press() -> None:
        hand.qtbot.mousePress(hand.view, BUTTONS[rng.integers(len(BUTTONS))], pos=somewhere())

    def release() -> None:
        hand.qtbot.mouseRelease(hand.view, BUTTONS[rng.integers(len(BUTTONS))], pos=somewhere())

    def drag() -> None:
        hand.drag(
            somewhere(), somewhere(), somewhere(), somewhere(), button=BUTTONS[rng.integers(len(BUTTONS))]
        )

    def image() -> None:
        hand.selection.image_id = hand.study.images[rng.integers(3)]

    def settle() -> None:
        if hand.selection.display.painting:
            hand.ready(hand.selection.image_id)

    doings = (
        *[drag] * 8,
        *[lambda: hand.key(KEYS[rng.integers(len(KEYS))])] * 6,
        *[hand.session.undo] * 3,
        hand.session.redo,
        press,
        release,
        lambda: hand.qtbot.mouseMove(hand.view, somewhere()),
        lambda: hand.qtbot.mouseDClick(hand.view, Qt.MouseButton.LeftButton, pos=somewhere()),
        image,
        *[settle] * 3,
        lambda: hand.selection.update(painting=bool(rng.integers(4))),
        lambda: hand.session.put_in(("left graded", "people 20%")[rng.integers(2)]),
        hand.session.duplicate,
        hand.session.new,
        hand.session.copy_to_next,
        hand.session.mirror,
        lambda: hand.session.rename(f"called {next(numbers)} so"),
        lambda: hand.session.choose(f"mask {rng.integers(1, 4)}"),
        lambda: hand.compare._loader.refresh(),
    )
    for _ in range(250):
        doings[rng.integers(len(doings))]()
    hand.key(Qt.Key.Key_Escape)
    hand.selection.update(painting=False)
    hand.selection.update(painting=True)
    hand.ready(hand.selection.image_id)
    hand.kept()
    hand.qtbot.wait(50)
    assert errors == []
    seen = {key: drawn.editor for key, drawn in hand.session._drawn}
    assert len(seen) >= 3
    for (name, image_id), editor in seen.items():
        there = stored(hand.study.path, name, image_id)
        if there is None:
            assert editor.is_empty, (name, image_id)
        else:
            np.testing.assert_array_equal(there, editor.mask, err_msg=f"{name} on {image_id}")
    with Project.open(hand.study.path) as project:
        assert project.integrity_problems() == []
