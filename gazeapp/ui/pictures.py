"""Pictures of the window, for machines without a display and for the user guide."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gazeapp.engine.errors import GazeError

SIZES = {"": (1280, 800), "-large": (2560, 1440)}
_PATIENCE_S = 60.0


def save_window_pictures(project_path: Path, folder: Path) -> list[Path]:
    """Open the window on a project without a display and save pictures of it.

    Parameters
    ----------
    project_path
        The project to show; it is not changed.
    folder
        Where ``window-light.png``, ``window-dark.png``, the same with ``-large``, and
        ``window-word-light.png`` go; made if missing.

    Returns
    -------
    list of pathlib.Path
        The pictures, in the order in which they were made.

    Raises
    ------
    GazeError
        If the project does not open or the folder cannot be written.
    """
    if QGuiApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as settings_folder:
        # The user's own window state must neither shape the pictures nor be changed by them.
        old = QSettings.defaultFormat()
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings_folder)
        try:
            return _Photographer(Path(project_path), Path(folder)).run()
        finally:
            QSettings.setDefaultFormat(old)


class _Photographer:
    def __init__(self, project: Path, folder: Path) -> None:
        from gazeapp.ui import theme
        from gazeapp.ui.app import make_app
        from gazeapp.ui.main_window import MainWindow
        from gazeapp.ui.notifications import Notifications

        self._app: QApplication = make_app()
        self._project = project
        self._folder = folder
        self._look = theme.Theme(self._app, "light")
        self._window = MainWindow(self._look, Notifications(self._app))
        self._errors: list[GazeError] = []
        self._window.session.failed_to_open.connect(self._note_error)

    def run(self) -> list[Path]:
        window = self._window
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            window.resize(*SIZES[""])
            window.show()
            window.session.open(self._project)
            self._wait(lambda: bool(self._errors) or window.session.study is not None)
            if self._errors:
                raise self._errors[0]
            self._wait(self._drawn)
            return [self._save(size, mode) for size in SIZES for mode in ("light", "dark")] + self._words()
        finally:
            window.stop()
            window.deleteLater()
            self._app.processEvents()

    def _note_error(self, _path: object, error: object) -> None:
        self._errors.append(
            GazeError(
                getattr(error, "what", ""), where=getattr(error, "where", ""), todo=getattr(error, "todo", "")
            )
        )

    def _drawn(self) -> bool:
        window = self._window
        if window.selection.image_id is None:
            return True
        scene = window.bench.compare.scene
        return scene is not None and scene.image_id == window.selection.image_id

    def _save(self, size: str, mode: str, name: str = "window") -> Path:
        self._look.set_mode(mode)
        self._window.resize(*SIZES[size])
        self._settle()
        path = self._folder / f"{name}-{mode}{size}.png"
        if not self._window.grab().save(str(path)):
            raise GazeError(
                "The picture of the window cannot be written.", where=str(path), todo="Choose another folder."
            )
        return path

    def _words(self) -> list[Path]:
        """Show the word whose map is most concentrated, where there is one."""
        scene = self._window.bench.compare.scene
        spoken = [model for model in scene.models if model.words] if scene else []
        if not spoken:
            return []
        model = spoken[0]
        content = [i for i, each in enumerate(model.words) if each.is_content] or [0]
        word = max(
            content, key=lambda i: float(model.word_maps[i].max()) if model.word_maps is not None else 0
        )
        self._window.selection.update(source=model.id, word=word)
        return [self._save("", "light", "window-word")]

    def _settle(self) -> None:
        """Let layouts, thumbnails and queued results arrive."""
        end = time.monotonic() + 0.4
        self._wait(lambda: time.monotonic() > end)

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not done():
            if time.monotonic() > end:
                raise GazeError("The window did not get ready in time.", where=str(self._project))
            self._app.processEvents()
            time.sleep(0.01)
