"""What painting must never lose: a stroke before a kill, and any of 200 steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gazeapp.engine.project import Project
from tests.ui.masks.conftest import stored
from tests.ui.small_study import HEIGHT, WIDTH

_PAINT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from gazeapp.ui import theme
from gazeapp.ui.app import make_app
from gazeapp.ui.main_window import MainWindow
from gazeapp.ui.masks import session
from gazeapp.ui.notifications import Notifications

session._SAVE_S = 10  # a machine under test may be slower than any that is painted on
path, settings = Path(sys.argv[1]), sys.argv[2]
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
app = make_app()
look = theme.Theme(app, "light")
window = MainWindow(look, Notifications(app))
window.show()
window.session.open(path)
while window.session.study is None or window.bench.compare.scene is None:
    app.processEvents()
window.actions_["mask.paint"].trigger()
compare = window.bench.compare
while compare.painter.editor is None:
    app.processEvents()
view = compare.panes[0].view
middle = view.rect().center()
for row in range(3):
    place = middle + QPoint(0, 12 * row)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=place - QPoint(30, 0))
    QTest.mouseMove(view, place)
    QTest.mouseMove(view, place + QPoint(30, 0))
    if row == 2:
        (path.parent / "expected.bin").write_bytes(compare.masks.mask.tobytes())
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=place + QPoint(30, 0))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught")
def test_a_kill_right_after_a_stroke_loses_nothing(tmp_path, study) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    root = Path(__file__).resolve().parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", _PAINT_AND_DIE, str(study.path), str(tmp_path / "settings")],
        env=environment,
        cwd=root,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    # The brush had passed everywhere when this was written, just before the button was let go.
    expected = np.frombuffer((study.path.parent / "expected.bin").read_bytes(), np.uint8)
    assert expected.any()
    np.testing.assert_array_equal(
        stored(study.path, "mask 1", study.images[0]), expected.reshape(HEIGHT, WIDTH)
    )
    with Project.open(study.path) as project:
        assert project.integrity_problems() == []


def test_200_strokes_undo_and_redo_to_identical_masks(window_hand, open_window) -> None:
    hand, rng = window_hand, np.random.default_rng(0)
    undo, redo = open_window.actions_["edit.undo"], open_window.actions_["edit.redo"]
    states = [hand.mask]
    for number in range(200):
        hand.painter.set_pen(size=float(rng.uniform(2, 40)), softness=float(number % 3) / 3)
        way = [hand.pixel(*rng.uniform(0, 1, 2)) for _ in range(2)]
        button = Qt.MouseButton.RightButton if number % 4 == 3 else Qt.MouseButton.LeftButton
        hand.drag(*way, button=button)
        if not np.array_equal(hand.mask, states[-1]):
            states.append(hand.mask)
    assert len(states) > 150
    assert undo.text().startswith(("Undo brush stroke", "Undo eraser stroke"))
    for state in reversed(states[:-1]):
        undo.trigger()
        np.testing.assert_array_equal(hand.mask, state)
    assert not undo.isEnabled()
    for state in states[1:]:
        redo.trigger()
        np.testing.assert_array_equal(hand.mask, state)
    assert not redo.isEnabled()
    hand.kept()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", hand.study.images[0]), states[-1])
