"""The page that draws each trial on its image."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.dialogs.import_gaze.trial_browser import TrialBrowser
from gazeapp.ui.widgets import label
from gazeapp.ui.worker import JobRunner

_LEGEND = (
    "Filled circles are used, rings are left out; triangles lie beyond the edge. Point at one, or use the "
    "arrow keys, to see more."
)


class ScanpathPage(Page):
    """Scanpaths on their images, to see at once whether the geometry is right.

    Parameters
    ----------
    runner
        Reads pictures; best one that does not read recordings at the same time.
    """

    title = "On the images"

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self._file = ""
        self.browser = TrialBrowser(runner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP * 2, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(self.browser, 1)
        column.addWidget(label(_LEGEND, "muted", wrap=True))
        self.setFocusProxy(self.browser.view)

    def show_file(self, preview: Preview | None, _settings: FileSettings) -> None:
        """Draw the trials of a file; the one in sight stays while settings change."""
        if preview is None:
            return
        self.browser.show_plan(preview.plan, preview.images, stay=preview.file == self._file)
        self._file = preview.file

    def applies(self, preview: Preview | None) -> bool:
        """Return whether there is any trial to draw."""
        return preview is not None and preview.plan is not None and bool(preview.plan.trials)
