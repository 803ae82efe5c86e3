"""Neglect: what happens when a part of the image is taken away, on this image and over the whole set."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions
from gazeapp.ui.lesions.live import LiveLesion
from gazeapp.ui.lesions.runs import LesionRuns
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.panels.neglect_experiment import ExperimentPage
from gazeapp.ui.panels.neglect_image import ImagePage
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import Segments

THIS_IMAGE, EXPERIMENT = "This image", "Experiment"


class NeglectPanel(QWidget):
    """Two pages: the lesion of the image in hand, which follows the mask, and the experiment over the set."""

    def __init__(
        self,
        selection: Selection,
        session: Session,
        actions: Actions,
        masks: MaskSession,
        live: LiveLesion,
        runs: LesionRuns,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.image = ImagePage(selection, actions, masks, live, runs)
        self.experiment = ExperimentPage(selection, session, actions)
        self.pages = Segments("Which page of the neglect panel is shown")
        self.pages.set_values([THIS_IMAGE, EXPERIMENT], THIS_IMAGE)
        self.pages.chosen.connect(self.show_page)
        self.corner = QWidget()
        row = QHBoxLayout(self.corner)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.addStretch(1)
        row.addWidget(self.pages)
        self.corner.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._stack = QStackedWidget()
        self._stack.setObjectName("dockBody")
        self._stack.addWidget(self.image)
        self._stack.addWidget(self.experiment)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def show_study(self, study: StudyView | None) -> None:
        """Show what belongs to ``study``; None when no project is open."""
        self.image.show_study(study)
        self.experiment.show_study(study)

    @Slot(str)
    def show_page(self, page: str) -> None:
        """Bring a page to the front."""
        self.pages.set_current(page)
        self._stack.setCurrentWidget(self.experiment if page == EXPERIMENT else self.image)
