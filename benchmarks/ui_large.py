"""How long a large study takes to open, and its list of images to scroll, beside a bare list of the same rows.

The study is written through the stores into a folder that is removed afterwards: 10,000 images, a million
fixations in 100,000 trials, in 20 recordings. Opening is timed in a window whose modules are loaded, from asking
for the project until its list of images has rows, and until the first image is drawn. Scrolling is timed frame by
frame, from moving the scroll bar until the list has been painted; gazeapp reads its thumbnails meanwhile, the bare
QListView has them all in memory before it starts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from made_gaze import add_recording, fixation_rows, write_pictures
from painted import Painted, settle, wait
from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QIcon, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QListView

from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import NewTrial
from gazeapp.ui.main_window import MainWindow
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.theme import Theme

TASK = "free"
SIZE = (640, 480)
RECORDINGS, SUBJECTS, FIXATIONS = 20, 10, 10
"""Recordings of the study, subjects in each, fixations in a trial."""

WINDOW = (1280, 800)
WARM_UP = 5
STEP_PX = 120
"""What a notch of a mouse wheel scrolls, px."""


def write_large(folder: Path, n_images: int) -> Path:
    """Write a study of ``n_images``, each with 100 fixations of 10 subjects."""
    rng = np.random.default_rng(7)
    path = folder / "large.gaze"
    files = [(file.read_bytes(), sha256) for file, sha256 in write_pictures(folder, ".jpg", SIZE, rng)]
    with Project.create(path) as project, project.transaction():
        settings = project.settings.put("bench", {})
        project.tasks.add(TASK)
        images = []
        for number in range(n_images):
            content, sha256 = files[number % len(files)]
            file = folder / f"{number:05}.jpg"
            file.write_bytes(content)
            images.append((project.images.add(file, file.name, sha256, *SIZE, "photograph"), file.name))
        for number in range(RECORDINGS):
            _add_recording(project, number, images[number::RECORDINGS], settings, rng)
    return path


def _add_recording(
    project: Project, number: int, images: list[tuple[int, str]], settings: int, rng: np.random.Generator
) -> None:
    recording = add_recording(project, f"recording-{number:02}", TASK, settings)
    trials = [
        NewTrial(
            f"S{number * SUBJECTS + subject:03}",
            *(TASK, image, "", name),
            eye="left",
            quality=_quality(rng),
            n_fixations=FIXATIONS,
            n_kept=FIXATIONS,
        )
        for image, name in images
        for subject in range(SUBJECTS)
    ]
    ids = project.gaze.add_trials(recording, trials)
    project.gaze.add_fixations(fixation_rows(ids, rng.random((len(ids) * FIXATIONS, 2)) * SIZE))


def _quality(rng: np.random.Generator) -> dict[str, float]:
    return {
        "n_recorded": FIXATIONS,
        "n_fixations": FIXATIONS,
        "share_unusable": 0.0,
        "share_outside": 0.0,
        "median_duration_ms": float(rng.normal(220, 20)),
        "n_duplicates": 0,
        "n_samples": 3000,
        "share_lost": float(rng.beta(2, 40)),
        "rate_hz": 1000.0,
        "gaps": int(rng.poisson(1)),
        "longest_gap_ms": float(rng.gamma(2, 60)),
    }


def measure_large(quick: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Return the comparison of scrolling, and what opening took, in ms."""
    n_images = 500 if quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        path = write_large(Path(folder), n_images)
        app = QApplication.instance()
        look = Theme(app, "light")
        window = MainWindow(look, Notifications(app))
        window.resize(*WINDOW)
        window.show()
        settle()
        bench = window.bench
        facts = {
            "images": n_images,
            "fixations": n_images * SUBJECTS * FIXATIONS,
            "trials": n_images * SUBJECTS,
            **_open(window, path),
        }
        view = bench.images.view
        ours, theirs = _bare_beside(view, n_images, 60 if quick else 400)
        start = time.perf_counter()
        bench.show_quality()
        wait(lambda: bench.quality.quality is not None)
        facts["quality_shown_ms"] = round((time.perf_counter() - start) * 1000.0, 1)
        window.close()
    return (
        {
            "gazeapp_ms": round(statistics.median(ours), 3),
            "bare_list_ms": round(statistics.median(theirs), 3),
            "gazeapp_p95_ms": round(float(np.percentile(ours, 95)), 3),
            "bare_list_p95_ms": round(float(np.percentile(theirs, 95)), 3),
            "ratio": round(statistics.median(ours) / statistics.median(theirs), 3),
        },
        facts,
    )


def _open(window: MainWindow, path: Path) -> dict[str, float]:
    start = time.perf_counter()
    window.session.open(path)
    wait(lambda: window.bench.images.model.rowCount() > 0)
    listed = time.perf_counter()
    wait(lambda: window.bench.compare.scene is not None)
    drawn = time.perf_counter()
    settle()
    return {
        "list_shown_ms": round((listed - start) * 1000.0, 1),
        "image_shown_ms": round((drawn - start) * 1000.0, 1),
    }


def _bare_beside(view: QListView, rows: int, frames: int) -> tuple[list[float], list[float]]:
    bare = _bare(view, rows)
    ours = [_scroll(view, place) for place in range(frames + WARM_UP)]
    for _ in range(5):  # until its last thumbnails have come, they would cost the other list's frames
        settle()
    theirs = [_scroll(bare, place) for place in range(frames + WARM_UP)]
    bare.close()
    return ours[WARM_UP:], theirs[WARM_UP:]


def _bare(view: QListView, rows: int) -> QListView:
    """Return a QListView with the names, counts and thumbnails of the rows, all in memory."""
    picture = QPixmap(56, 42)
    picture.fill(Qt.GlobalColor.gray)
    icon = QIcon(picture)
    model = QStandardItemModel()
    for row in range(rows):
        model.appendRow(QStandardItem(icon, f"{row:05}.jpg\n100 fixations"))
    bare = QListView()
    model.setParent(bare)
    bare.setModel(model)
    bare.setUniformItemSizes(True)
    bare.setIconSize(QSize(56, 42))
    bare.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
    bare.resize(view.size())
    bare.show()
    settle()
    return bare


def _scroll(view: QListView, place: int) -> float:
    bar, painted = view.verticalScrollBar(), Painted([view.viewport()])
    elapsed = painted.time(lambda: bar.setValue((place + 1) * STEP_PX))
    view.viewport().removeEventFilter(painted)
    return elapsed
