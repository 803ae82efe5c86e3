"""How long the compare view takes, beside a bare pyqtgraph window that does the same.

A user's alternative is a script: five linked pyqtgraph views, each with the photograph and a map
over it. Both windows are drawn here, in one process, one after the other in turns, with the same
photographs, and every measured step ends when all five views have been painted. gazeapp's window
also draws titles, captions, fixations and colour bars; the bare one draws none of them.

A second part opens a study of 10,000 images and a million fixations and scrolls its list of images, beside
a bare list of the same rows; ``ui_large.py`` has it.

    python benchmarks/ui.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyqtgraph as pg
from made_gaze import add_recording, fixation_rows
from painted import Painted, settle, wait
from PIL import Image
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget
from ui_large import measure_large

from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import NewTrial
from gazeapp.ui.canvas.view import Region
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.compare import ComparePanel
from gazeapp.ui.selection import Selection
from gazeapp.ui.theme import Theme

PANES = 5
PICTURE = (1024, 768)
WINDOW = (1600, 1000)
GRID = (24, 32)
TASK = "free"
CAPTION = ("a", "man", "holds", "a", "red", "ball", "in", "a", "park")


def photographs(count: int) -> list[np.ndarray]:
    """Return pictures with detail at every scale, so that scaling them costs what photographs cost."""
    rng = np.random.default_rng(3)
    pictures = []
    for _ in range(count):
        picture = np.zeros((PICTURE[1], PICTURE[0], 3))
        for cells in (4, 16, 64, 256):
            coarse = Image.fromarray(rng.integers(0, 255, (cells, cells, 3), dtype=np.uint8))
            picture += np.asarray(coarse.resize(PICTURE, Image.Resampling.BICUBIC), float) / 4
        pictures.append(picture.astype(np.uint8))
    return pictures


def attention(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.gamma(0.5, 1.0, GRID).astype(np.float32)
    return values / values.sum()


def write_project(folder: Path, pictures: list[np.ndarray]) -> Path:
    path = folder / "bench.gaze"
    words = tuple(Word(text, -0.3, len(text) > 2) for text in CAPTION)
    rng = np.random.default_rng(5)
    with Project.create(path) as project, project.transaction():
        settings = project.settings.put("bench", {})
        project.tasks.add(TASK)
        recording = add_recording(project, "bench", TASK, settings)
        for model in range(PANES - 1):
            project.runs.put_model(ModelInfo(id=f"m{model}", name=f"Model {model + 1}", kind="captioner"))
        for number, pixels in enumerate(pictures):
            file = folder / f"{number:04}.jpg"
            Image.fromarray(pixels).save(file, quality=92)
            image = project.images.add(file, file.name, sha256_of(file), *PICTURE, "photograph")
            rect = project.images.get(image).rect
            project.maps.put_human(image, TASK, attention(number), rect, settings)
            for model in range(PANES - 1):
                maps = np.stack([attention(100 * number + 10 * model + k) for k in range(len(words))])
                ones = np.ones(len(words), np.float32)
                caption = Caption(words, maps, ones, rect, TASK, "attention")
                project.runs.put(image, f"m{model}", TASK, caption, caption.mean_map(), settings, 0.0)
            trials = [
                NewTrial(f"S{subject:02}", TASK, image, "", file.name, n_fixations=10, n_kept=10)
                for subject in range(15)
            ]
            points = rng.random((10 * len(trials), 2)) * PICTURE
            project.gaze.add_fixations(fixation_rows(project.gaze.add_trials(recording, trials), points))
    return path


class Gazeapp:
    """gazeapp's compare view on a real project file."""

    def __init__(self, path: Path) -> None:
        self.selection = Selection()
        self.loader = Loader()
        self.panel = ComparePanel(self.selection, self.loader)
        self.panel.resize(*WINDOW)
        self.panel.show()
        self.loader.open(path)
        wait(lambda: bool(self.loader.catalogue.images))
        self.images = [entry.id for entry in self.loader.catalogue.images]
        self.selection.update(image_id=self.images[0], task=TASK)
        wait(lambda: len(self.panel.panes) == PANES)
        wait(lambda: self.panel.panes[-1].view.layer is not None)
        self.painted = Painted([pane.view for pane in self.panel.panes])
        self.place = 0

    def next_image(self) -> float:
        self.place = (self.place + 1) % len(self.images)
        target = self.images[self.place]
        if self.place == 0:  # the first image is no neighbour of the last
            self.selection.image_id = target
            wait(lambda: self.panel.scene.image_id == target)
            return self.next_image()
        wait(lambda: self.loader.is_ready(target, TASK))
        return self.painted.time(lambda: self.selection.update(image_id=target))

    def unread_image(self) -> float:
        """Jump to an image that has not been read ahead."""
        self.loader.refresh()
        near = [
            self.images[k]
            for k in (self.place - 1, self.place + 1, self.place + 2)
            if 0 <= k < len(self.images)
        ]
        wait(lambda: all(self.loader.is_ready(image, TASK) for image in near))
        settle()
        self.place = (self.place + len(self.images) // 2) % len(self.images)
        target = self.images[self.place]
        start = time.perf_counter()
        self.selection.update(image_id=target)
        while self.panel.scene is None or self.panel.scene.image_id != target:
            QCoreApplication.processEvents()
        return (time.perf_counter() - start) * 1000.0

    def opacity(self, value: float) -> float:
        return self.painted.time(lambda: self.selection.update(opacity=value))

    def zoom(self, zoom: float) -> float:
        first = self.panel.panes[0].view
        return self.painted.time(lambda: first.choose_region(Region(0.45, 0.55, zoom)))

    def close(self) -> None:
        self.loader.close()
        self.panel.close()


class Bare:
    """Linked pyqtgraph views, each with a photograph and a map over it."""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        pg.setConfigOptions(imageAxisOrder="row-major")
        self.pictures = pictures
        self.window = QWidget()
        layout = QGridLayout(self.window)
        self.views, self.boxes, self.bases, self.heats = [], [], [], []
        colours = pg.colormap.get("viridis").getLookupTable(nPts=256, alpha=True)
        for place in range(PANES):
            view = pg.GraphicsView()
            box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
            view.setCentralItem(box)
            base, heat = pg.ImageItem(), pg.ImageItem()
            heat.setLookupTable(colours)
            heat.setOpacity(0.6)
            box.addItem(base)
            box.addItem(heat)
            if self.boxes:
                box.setXLink(self.boxes[0])
                box.setYLink(self.boxes[0])
            layout.addWidget(view, place // 3, place % 3)
            self.views.append(view)
            self.boxes.append(box)
            self.bases.append(base)
            self.heats.append(heat)
        maps = [[attention(100 * n + p) for p in range(PANES)] for n in range(len(pictures))]
        self.maps = [[np.rint(m / m.max() * 255).astype(np.uint8) for m in row] for row in maps]
        self.window.resize(*WINDOW)
        self.window.show()
        self.place = -1
        self.painted = Painted([view.viewport() for view in self.views])
        self.next_image()

    def next_image(self) -> float:
        self.place = (self.place + 1) % len(self.pictures)
        return self.painted.time(self._set)

    def _set(self) -> None:
        for place, (base, heat) in enumerate(zip(self.bases, self.heats, strict=True)):
            base.setImage(self.pictures[self.place], autoLevels=False, levels=(0, 255))
            heat.setImage(self.maps[self.place][place], autoLevels=False, levels=(0, 255))
            heat.setRect(0, 0, *PICTURE)

    def opacity(self, value: float) -> float:
        def change() -> None:
            for heat in self.heats:
                heat.setOpacity(value)

        return self.painted.time(change)

    def zoom(self, zoom: float) -> float:
        width, height = PICTURE[0] / zoom, PICTURE[1] / zoom
        x, y = (PICTURE[0] - width) * 0.45, (PICTURE[1] - height) * 0.55
        return self.painted.time(
            lambda: self.boxes[0].setRange(xRange=(x, x + width), yRange=(y, y + height), padding=0)
        )

    def close(self) -> None:
        self.window.close()


def measure(path: Path, pictures: list[np.ndarray], rounds: int) -> dict[str, object]:
    ours, bare = Gazeapp(path), Bare(pictures)
    settle()
    figures: dict[str, tuple[list[float], list[float]]] = {}
    for name, step in (
        ("next_image", lambda side, _k: side.next_image()),
        ("opacity", lambda side, k: side.opacity(0.3 + 0.1 * (k % 5))),
        ("zoom", lambda side, k: side.zoom(1.5 + 0.5 * (k % 6))),
    ):
        sides: tuple[list[float], list[float]] = ([], [])
        for k in range(rounds + 3):
            for side, kept in zip((ours, bare), sides, strict=True):
                elapsed = step(side, k)
                if k >= 3:
                    kept.append(elapsed)
                settle() if name == "next_image" else None
        figures[name] = sides
    unread = [ours.unread_image() for _ in range(min(rounds, 8))]
    ours.close()
    bare.close()
    return {
        "benchmark": "ui",
        "panes": PANES,
        "picture_px": PICTURE,
        "window_px": WINDOW,
        "rounds": rounds,
        "unit": "ms, median",
        "comparisons": {
            name: {
                "gazeapp_ms": round(statistics.median(ours_ms), 2),
                "bare_pyqtgraph_ms": round(statistics.median(bare_ms), 2),
                "gazeapp_p95_ms": round(float(np.percentile(ours_ms, 95)), 2),
                "bare_pyqtgraph_p95_ms": round(float(np.percentile(bare_ms, 95)), 2),
                "ratio": round(statistics.median(ours_ms) / statistics.median(bare_ms), 3),
            }
            for name, (ours_ms, bare_ms) in figures.items()
        },
        "unread_image_ms": round(statistics.median(unread), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    Theme(app, "light")
    pictures = photographs(6 if options.quick else 12)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(write_project(Path(folder), pictures), pictures, 8 if options.quick else 40)
    scroll, result["large_study"] = measure_large(options.quick)
    result["comparisons"]["scroll"] = scroll
    if options.json:
        print(json.dumps(result, indent=2))
        return 0
    print(f"{PANES} panes, pictures of {PICTURE[0]} x {PICTURE[1]} px; ratio below 1: gazeapp is faster")
    for name, row in result["comparisons"].items():
        bare = next(value for key, value in row.items() if key.startswith("bare"))
        print(
            f"{name.replace('_', ' '):12} gazeapp {row['gazeapp_ms']:6.1f} ms   "
            f"bare {'list' if name == 'scroll' else 'pyqtgraph'} {bare:6.1f} ms   ratio {row['ratio']:.2f}"
        )
    print(f"image that was not read ahead: {result['unread_image_ms']:.0f} ms")
    large = result["large_study"]
    print(
        f"{large['images']:,} images, {large['fixations']:,} fixations: list shown {large['list_shown_ms']:.0f} ms "
        f"after asking for the project, first image {large['image_shown_ms']:.0f} ms, "
        f"quality of {large['trials']:,} trials {large['quality_shown_ms']:.0f} ms after asking for it"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
