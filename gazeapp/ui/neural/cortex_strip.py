"""The line under the cortex: how it is looked at, what is under the cursor, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSizePolicy, QWidget

from gazeapp.engine.neural.surface.colouring import Colouring
from gazeapp.engine.neural.surface.mesh import FLAT, INFLATED
from gazeapp.engine.neural.surface.views import ANGLES
from gazeapp.ui import theme
from gazeapp.ui.widgets import capital, icon_button, label, wrapped

SCENES = (INFLATED, FLAT, *ANGLES)

_NAMES = {INFLATED: "Four angles", FLAT: "Flat"}
_GROW_MM = 10.0


class CortexStrip(QWidget):
    """Controls of a view of the cortex; what there is nothing for is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scenes = QComboBox()
        self.scenes.addItems([_NAMES.get(name, capital(name)) for name in SCENES])
        self.scenes.setProperty("role", "quiet")
        self.scenes.setAccessibleName("How the cortex is looked at")
        self.scenes.setToolTip("How the cortex is looked at; arrow keys change it, + and − zoom, 0 fits")
        self.readout = label("", "muted")
        self.readout.setMinimumWidth(5 * theme.STEP)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.threshold = _spin("Hide values nearer to 0 than this", 2, 0.01)
        self.threshold.setPrefix("hide below ")
        self.threshold.setToolTip("Where values are nearer to 0 than this the folds are shown")
        self.reach = _spin("Reach of a region that is grown", 0, 1.0)
        self.reach.setRange(0.0, 60.0)
        self.reach.setValue(_GROW_MM)
        self.reach.setSuffix(" mm")
        self.reach.setToolTip(
            "How far along the white surface a region reaches from the vertex that is clicked"
        )
        self.grower = icon_button("brush", "Grow a region around the vertex that is clicked")
        self.outliner = icon_button("path", "Draw around a region on the flat cortex")
        self.outliner.setToolTip(
            wrapped(
                "Draw around a region on the flat cortex: click corners; a double click or Enter ends, Escape cancels"
            )
        )
        self.borders = icon_button("polygon", "Show the borders of regions")
        self.borders.setChecked(True)
        self.solid = icon_button("solid", "Show the cortex as a solid body that can be turned")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.STEP, 2, theme.STEP, 2)
        row.setSpacing(theme.STEP)
        row.addWidget(self.scenes)
        row.addWidget(self.readout, 1)
        for part in (self.reach, self.grower, self.outliner, self.threshold, self.borders, self.solid):
            row.addWidget(part)
        for button in (self.grower, self.outliner, self.borders, self.solid):
            button.setCheckable(True)
        self.borders.setChecked(True)
        for part in (self.reach, self.grower, self.outliner, self.threshold, self.borders):
            part.hide()

    def show_scene(self, name: str) -> None:
        """Show which scene is looked at, without saying so."""
        with QSignalBlocker(self.scenes):
            self.scenes.setCurrentIndex(SCENES.index(name))

    def show_range(self, colouring: Colouring, has_values: bool) -> None:
        """Let values up to the limits of the colours be hidden."""
        self.threshold.setVisible(has_values)
        with QSignalBlocker(self.threshold):
            self.threshold.setMaximum(max(abs(colouring.low), abs(colouring.high), colouring.threshold))

    def show_threshold(self, colouring: Colouring) -> None:
        """Show below which size values are hidden, without saying so."""
        self.show_range(colouring, not self.threshold.isHidden())
        with QSignalBlocker(self.threshold):
            self.threshold.setValue(colouring.threshold)

    def disable_solid(self, reason: str) -> None:
        """Say why there is no solid view."""
        self.solid.setChecked(False)
        self.solid.setEnabled(False)
        self.solid.setToolTip(wrapped(reason))


def _spin(name: str, decimals: int, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(decimals)
    box.setSingleStep(step)
    box.setAccessibleName(name)
    return box
