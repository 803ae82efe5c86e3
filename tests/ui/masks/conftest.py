"""A window that paints masks, and a hand that does so with the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from gazeapp.engine.project import Project
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks import keeper
from gazeapp.ui.panels.compare import ComparePanel
from gazeapp.ui.selection import Selection
from tests.ui.small_study import TASK


def stored(path, name, image_id):
    """The mask of an image as it is in the project; None where there is none."""
    with Project.open(path) as project:
        found = project.masks.get(name, image_id)
        return None if found is None else found.values


@pytest.fixture(autouse=True)
def soon_again(monkeypatch):
    """What cannot be stored is tried again sooner than a user would want."""
    monkeypatch.setattr(keeper, "_AGAIN_S", 0.1)
    monkeypatch.setattr(keeper, "_BUSY_MS", 100)


class Hand:
    """Paints in a compare view with real events, and knows where on the image the pixels of the screen lie."""

    def __init__(self, compare, selection, qtbot, study) -> None:
        self.compare = compare
        self.selection = selection
        self.qtbot = qtbot
        self.study = study
        self.session = compare.masks
        self.painter = compare.painter

    @property
    def view(self):
        return self.compare.panes[0].view

    @property
    def mask(self) -> np.ndarray:
        return self.session.mask.copy()

    def pixel(self, across, down) -> QPoint:
        """A pixel of the screen at these shares of the image."""
        rect = self.view.image_rect()
        return QPoint(round(rect.x() + across * rect.width()), round(rect.y() + down * rect.height()))

    def on_image(self, pixel: QPoint) -> tuple[float, float]:
        """Where a pixel of the screen lies on the image, px."""
        place = self.view.image_transform().inverted()[0].map(QPointF(pixel))
        return place.x(), place.y()

    def drag(self, *pixels: QPoint, button=Qt.MouseButton.LeftButton, release=True) -> None:
        self.qtbot.mousePress(self.view, button, pos=pixels[0])
        for pixel in pixels[1:]:
            self.qtbot.mouseMove(self.view, pixel)
        if release:
            self.qtbot.mouseRelease(self.view, button, pos=pixels[-1])

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.compare, key, modifier)

    def type(self, text) -> None:
        self.qtbot.keyClicks(self.compare, text)

    def kept(self) -> None:
        """Wait until everything is stored."""
        self.qtbot.waitUntil(lambda: self.session.keeper.wait(0) and not self.session.keeper.unsaved)

    def ready(self, image=None) -> None:
        """Wait until an image can be painted on."""
        wanted = image or self.study.images[0]
        self.qtbot.waitUntil(lambda: self.painter.editor is not None and self.session.image_id == wanted)

    def go(self, image) -> None:
        self.selection.image_id = image
        self.ready(image)


@pytest.fixture
def hand(qtbot, study):
    """A compare view on the small study, with painting on."""
    selection, loader = Selection(), Loader()
    compare = ComparePanel(selection, loader)
    qtbot.addWidget(compare)
    compare.resize(1000, 600)
    compare.show()
    loader.open(study.path)
    compare.masks.open(study.path)
    selection.update(image_id=study.images[0], task=TASK, painting=True)
    made = Hand(compare, selection, qtbot, study)
    made.ready()
    yield made
    compare.masks.close()
    loader.close()


@pytest.fixture
def window_hand(open_window, qtbot, study):
    """The whole window on the small study, with painting on."""
    open_window.actions_["mask.paint"].trigger()
    made = Hand(open_window.bench.compare, open_window.selection, qtbot, study)
    made.ready()
    return made
