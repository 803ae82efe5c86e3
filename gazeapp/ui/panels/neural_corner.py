"""What stands in the title of the neural panel: its pages, what was done, what can be taken."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import Elided, Segments, icon_button, plain

REGIONS, REGION, DISSOCIATION, CORTEX, IMAGES = "Regions", "One region", "Dissociation", "Cortex", "Images"
PAGES = {
    REGIONS: "All regions by all sources",
    REGION: "The region in hand: every source with its interval, differences, and what is unique and shared",
    DISSOCIATION: "Agreement with fixations against prediction of the region in hand, a point for each model",
    CORTEX: "The same numbers on the cortex",
    IMAGES: "The images to which the region in hand responds most and least",
}
"""Name of a page -> what it shows."""
_PAGE = "neural/page"


class NeuralCorner(QWidget):
    """The pages, of which the one in front is remembered, and a button that copies and saves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.said = Elided()
        self.said.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.pages = Segments("Which page of the neural panel is shown")
        stored = str(QSettings().value(_PAGE, REGIONS))
        self.pages.set_values(list(PAGES), stored if stored in PAGES else REGIONS)
        self.take = icon_button("export", "Copy or save the table or the figure")
        self.take.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self.said, 1)
        row.addWidget(self.pages)
        row.addWidget(self.take)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.show_page(self.pages.current)

    def show_page(self, page: str) -> None:
        """Mark the page in front, and remember it."""
        self.pages.set_current(page)
        self.pages.setToolTip(plain(PAGES[page]))
        QSettings().setValue(_PAGE, page)

    @Slot(str)
    def say(self, words: str) -> None:
        """Say what was done, in a few words."""
        self.said.say(words)
