"""The curves of trainings: what is drawn, when, and where."""

import numpy as np
import pytest

from gazeapp.ui.panels import training_lines
from gazeapp.ui.panels.training_curves import TrainingCurves
from gazeapp.ui.training_folder import TrainingReader
from tests.ui.test_training_folder import Fake, evaluation, line


@pytest.fixture
def curves(qtbot):
    made = TrainingCurves()
    qtbot.addWidget(made)
    made.resize(800, 600)
    return made


def training(folder, *lines):
    fake = Fake(folder)
    fake.status()
    fake.add(*lines)
    return TrainingReader(folder).read()


def lit(curves, colour):
    """Return pixels of the loss plot that have nearly a colour, as (row, column)."""
    image = curves.view.grab().toImage()
    box = curves.loss.vb.sceneBoundingRect().toRect()
    return [
        (y, x)
        for y in range(box.top(), box.bottom())
        for x in range(box.left(), box.right())
        if (seen := image.pixelColor(x, y)).isValid()
        and sum(abs(a - b) for a, b in zip(seen.getRgb()[:3], colour.getRgb()[:3], strict=True)) < 30
    ]


def test_one_loss_alone_is_seen(curves, tmp_path, qtbot):
    curves.show()
    curves.show_trainings([training(tmp_path / "a", line(5, 3.0))])
    qtbot.wait(50)
    assert len(lit(curves, curves._lines[0]._colour)) >= 9


def test_a_plot_without_data_is_hidden_and_steps_are_whole(curves, tmp_path):
    curves.show()
    losses = [line(step, 3.0, rate=None) for step in (3, 6)]
    curves.show_trainings([training(tmp_path / "a", *losses)])
    assert (curves.scores.isVisible(), curves.rate.isVisible()) == (False, False)
    axis = curves.loss.getAxis("bottom")
    assert axis.style["showValues"]
    assert all(spacing % 1 == 0 for spacing, _begin in axis.tickSpacing(3, 6, 600))
    assert axis.tickSpacing(3.1, 3.4, 600) == [(1.0, 0.0)]
    curves.show_trainings([training(tmp_path / "b", *losses, evaluation(6, 0.5, best=True), line(9))])
    assert (curves.scores.isVisible(), curves.rate.isVisible()) == (True, True)


def test_the_words_at_the_best_figure_stay_inside_the_plot(curves, tmp_path, qtbot):
    curves.show()
    lines = [line(3), evaluation(3, 0.1), line(6), evaluation(6, 0.2, best=True)]
    curves.show_trainings([training(tmp_path / "a", *lines)])
    qtbot.wait(50)
    said = curves._lines[0]._said
    assert said.toPlainText() == "best CIDEr-D 0.2"
    words = said.mapRectToScene(said.boundingRect())
    assert curves.scores.vb.sceneBoundingRect().adjusted(-1, -1, 1, 1).contains(words)


def test_a_long_training_gives_way_to_a_short_one(curves, tmp_path, qtbot):
    curves.show()
    curves.show_trainings([training(tmp_path / "long", line(20), line(2_000_000))])
    qtbot.wait(50)
    curves.show_trainings([training(tmp_path / "short", line(20), line(600))])
    qtbot.wait(50)
    low, high = curves.loss.vb.viewRange()[0]
    assert -100 < low <= 20
    assert 600 <= high < 800


def test_only_what_is_new_is_drawn_and_nothing_while_hidden(curves, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(training_lines, "smooth", lambda losses: drawn.append(len(losses)) or losses)
    fake = Fake(tmp_path / "a")
    fake.status()
    fake.add(line(20), line(40))
    reader = TrainingReader(fake.folder)
    curves.show_trainings([reader.read()])
    assert drawn == []
    curves.show()
    assert drawn == [2]
    fake.status(step=41)
    curves.show_trainings([reader.read()])
    assert drawn == [2]
    fake.add(line(60))
    curves.show_trainings([reader.read()])
    assert drawn == [2, 3]
    assert np.asarray(curves._lines[0]._loss.getOriginalDataset()[0]).tolist() == [20, 40, 60]
