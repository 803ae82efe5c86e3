"""How long a move of the brush takes on a photograph of twelve megapixels, beside pyqtgraph's own painting.

Seven panes show the photograph, a map and the mask. A brush of 200 px is drawn along a curve in one of them; each move
is timed from the mouse's event until all seven panes have been painted. Beside it stand seven linked pyqtgraph views
of the same photograph with a mask that is painted by ``ImageItem.drawAt``; that leaves gaps between moves, cannot be
undone, and is stored nowhere, and its views draw no titles and captions.

    python benchmarks/painting.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyqtgraph as pg
from painted import Painted, settle, wait
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.compare import ComparePanel
from gazeapp.ui.selection import Selection
from gazeapp.ui.theme import Theme

PANES = 7
PICTURE = (4000, 3000)
WINDOWS = ((1280, 800), (2560, 1440))
BRUSH = 200
TASK = "free"


def photograph() -> np.ndarray:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(PICTURE, Image.Resampling.BICUBIC))


def write_project(folder: Path, picture: np.ndarray) -> Path:
    path = folder / "bench.gaze"
    rng = np.random.default_rng(5)
    with Project.create(path) as project, project.transaction():
        settings = project.settings.put("bench", {})
        project.tasks.add(TASK)
        file = folder / "large.jpg"
        Image.fromarray(picture).save(file, quality=92)
        image = project.images.add(file, file.name, sha256_of(file), *PICTURE, "photograph")
        rect = project.images.get(image).rect
        words = (Word("a", -0.3, False), Word("scene", -0.3, True))
        for model in range(PANES - 1):
            project.runs.put_model(ModelInfo(id=f"m{model}", name=f"Model {model + 1}", kind="captioner"))
            maps = rng.gamma(0.5, 1.0, (2, 24, 32)).astype(np.float32)
            caption = Caption(words, maps, np.ones(2, np.float32), rect, TASK, "attention")
            project.runs.put(image, f"m{model}", TASK, caption, caption.mean_map(), settings, 0.0)
    return path


class Gazeapp:
    """gazeapp's compare view with painting on."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.selection, self.loader = Selection(), Loader()
        self.panel = ComparePanel(self.selection, self.loader)
        self.panel.resize(*size)
        self.panel.show()
        self.loader.open(path)
        self.panel.masks.open(path)
        wait(lambda: bool(self.loader.catalogue.images))
        image = self.loader.catalogue.images[0].id
        self.selection.update(image_id=image, task=TASK, painting=True)
        wait(lambda: self.panel.painter.editor is not None and len(self.panel.panes) == PANES)
        self.panel.painter.set_pen(size=float(BRUSH))
        settle()
        self.view = self.panel.panes[0].view
        self.painted = Painted([pane.view for pane in self.panel.panes])

    def begin(self) -> None:
        self._send(QEvent.Type.MouseButtonPress, self._at(0.0), Qt.MouseButton.LeftButton)

    def move(self, share: float) -> float:
        return self.painted.time(lambda: self._send(QEvent.Type.MouseMove, self._at(share)))

    def end(self) -> None:
        self._send(QEvent.Type.MouseButtonRelease, self._at(1.0), Qt.MouseButton.LeftButton)

    def undo(self) -> float:
        return self.painted.time(self.panel.masks.undo)

    def close(self) -> None:
        self.panel.masks.close()
        self.loader.close()
        self.panel.close()

    def _at(self, share: float) -> QPointF:
        rect = self.view.image_rect()
        down = 0.5 + 0.2 * np.sin(12 * share)
        return QPointF(rect.x() + (0.1 + 0.8 * share) * rect.width(), rect.y() + down * rect.height())

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
        held = Qt.MouseButton.LeftButton
        away = self.view.mapToGlobal(at)
        QApplication.sendEvent(
            self.view, QMouseEvent(kind, at, away, button, held, Qt.KeyboardModifier.NoModifier)
        )


class Bare:
    """Linked pyqtgraph views, each with the photograph and the mask over it."""

    def __init__(self, picture: np.ndarray, size: tuple[int, int]) -> None:
        pg.setConfigOptions(imageAxisOrder="row-major")
        self.mask = np.zeros((PICTURE[1], PICTURE[0]), np.uint8)
        self.window = QWidget()
        layout = QGridLayout(self.window)
        self.views, self.items = [], []
        first = None
        for place in range(PANES):
            view, box = pg.GraphicsView(), pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
            view.setCentralItem(box)
            item = pg.ImageItem(self.mask, autoLevels=False, levels=(0, 255))
            item.setOpacity(0.5)
            box.addItem(pg.ImageItem(picture, autoLevels=False, levels=(0, 255)))
            box.addItem(item)
            if first is not None:
                box.setXLink(first)
                box.setYLink(first)
            first = first or box
            layout.addWidget(view, place // 3, place % 3)
            self.views.append(view)
            self.items.append(item)
        y, x = np.mgrid[:BRUSH, :BRUSH] - (BRUSH - 1) / 2
        disc = np.where(np.hypot(x, y) <= BRUSH / 2, 255, 0).astype(np.uint8)
        self.items[0].setDrawKernel(disc, mask=(disc > 0), center=(BRUSH // 2, BRUSH // 2), mode="set")
        self.window.resize(*size)
        self.window.show()
        settle()
        self.painted = Painted([view.viewport() for view in self.views])

    def move(self, share: float) -> float:
        def draw() -> None:
            x, y = (0.1 + 0.8 * share) * PICTURE[0], (0.5 + 0.2 * np.sin(12 * share)) * PICTURE[1]
            self.items[0].drawAt(pg.Point(int(x), int(y)))
            for item in self.items[1:]:
                item.updateImage(autoLevels=False)

        return self.painted.time(draw)

    def close(self) -> None:
        self.window.close()


def measure(path: Path, picture: np.ndarray, size: tuple[int, int], moves: int) -> dict[str, object]:
    ours = Gazeapp(path, size)
    ours.begin()
    own = [ours.move(k / moves) for k in range(1, moves)]
    ours.end()
    settle()
    undone = ours.undo()
    ours.close()
    bare = Bare(picture, size)
    count = max(moves // 8, 4)  # each takes long enough
    other = [bare.move(k / count) for k in range(1, count)]
    bare.close()
    return {
        "window_px": size,
        "gazeapp_ms": round(statistics.median(own), 2),
        "gazeapp_p95_ms": round(float(np.percentile(own, 95)), 2),
        "bare_pyqtgraph_ms": round(statistics.median(other), 2),
        "ratio": round(statistics.median(own) / statistics.median(other), 3),
        "undo_ms": round(undone, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer moves")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    Theme(app, "light")
    picture = photograph()
    rows = {}
    for size in WINDOWS:
        with tempfile.TemporaryDirectory() as folder:
            path = write_project(Path(folder), picture)
            rows["x".join(map(str, size))] = measure(path, picture, size, 40 if options.quick else 200)
    result = {
        "benchmark": "painting",
        "panes": PANES,
        "picture_px": PICTURE,
        "brush_px": BRUSH,
        "unit": "ms for a move until all panes are painted, median",
        "comparisons": rows,
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return 0
    print(
        f"{PANES} panes, {PICTURE[0]} x {PICTURE[1]} px, brush of {BRUSH} px; ratio below 1: gazeapp is faster"
    )
    for name, row in rows.items():
        print(
            f"{name:10} gazeapp {row['gazeapp_ms']:6.1f} ms (95 %: {row['gazeapp_p95_ms']:.1f})   "
            f"bare pyqtgraph {row['bare_pyqtgraph_ms']:6.1f} ms   ratio {row['ratio']:.3f}   "
            f"undo {row['undo_ms']:.0f} ms"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
