"""How long until gazeapp's window is painted, beside a bare PySide6 and pyqtgraph window in the same run.

    python benchmarks/startup.py [--quick] [--json]

``first_paint`` is the time from the start of a fresh Python process to the first paint of its window,
``all_panels_made`` to the end of making every panel (gazeapp makes those of a project after its welcome
page is painted), ms, median over the runs; the two kinds take turns, so that a busy machine slows both.
``ratio`` is gazeapp's time over the bare window's. The bench
also says how long importing takes and whether anything heavy was loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAVY = ("torch", "torchvision", "transformers", "timm", "matplotlib", "scipy")

# Qt paints a window while it handles the window's first expose event, so the turn after that is painted.
_WATCHED = """
import json, sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Expose:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self.painted)
        return False
    def painted(self):
        self.at = time.time()
        self.finish()
    def finish(self):
        if getattr(window, "_bench", True) is None:  # gazeapp makes its panels after the first paint
            QTimer.singleShot(0, self.finish)
            return
        heavy = [name for name in HEAVY if name in sys.modules]
        print(json.dumps({"painted": self.at, "ready": time.time(), "heavy": heavy}), flush=True)
        window.close()
        QApplication.instance().quit()
def watched(kind):
    class Watched(kind):
        def showEvent(self, event):
            global window, watch
            super().showEvent(event)
            window, watch = self, Watch()
            self.windowHandle().installEventFilter(watch)
    return Watched
"""
BARE = f"""
HEAVY = {HEAVY!r}
{_WATCHED}
from PySide6.QtWidgets import QMainWindow
import pyqtgraph as pg
app = QApplication([])
made = watched(QMainWindow)()
made.setCentralWidget(pg.GraphicsLayoutWidget())
made.resize(1280, 800)
made.show()
app.exec()
"""
GAZEAPP = f"""
HEAVY = {HEAVY!r}
{_WATCHED}
from gazeapp.ui import app
app.MainWindow = watched(app.MainWindow)
app.main(None)
"""


def start(code: str, folder: Path) -> tuple[float, float, list[str]]:
    """Run ``code`` in a fresh process: ms until its window is painted, until all is made, what was loaded."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    began = time.time()
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    said = json.loads(run.stdout.splitlines()[0])
    return (said["painted"] - began) * 1000.0, (said["ready"] - began) * 1000.0, said["heavy"]


def import_ms() -> float:
    """Return ms to import the window in a fresh process, Python's own start not counted."""
    code = "import time; t = time.perf_counter(); import gazeapp.ui.app; print(time.perf_counter() - t)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return float(run.stdout) * 1000.0


def measure(runs: int) -> dict[str, object]:
    """Return the figures of both windows over ``runs`` turns."""
    times: dict[str, list[float]] = {"bare": [], "gazeapp": []}
    all_made: dict[str, list[float]] = {"bare": [], "gazeapp": []}
    heavy: set[str] = set()
    with tempfile.TemporaryDirectory() as name:
        for turn in range(runs + 1):
            for kind, code in (("bare", BARE), ("gazeapp", GAZEAPP)):
                painted, ready, loaded = start(code, Path(name))
                heavy.update(loaded if kind == "gazeapp" else [])
                if turn:  # the first turn fills the disk cache
                    times[kind].append(painted)
                    all_made[kind].append(ready)
    imports = [import_ms() for _ in range(runs)]
    bare, own = (statistics.median(times[kind]) for kind in ("bare", "gazeapp"))
    ready_bare, ready_own = (statistics.median(all_made[kind]) for kind in ("bare", "gazeapp"))
    return {
        "benchmark": "startup",
        "unit": "ms",
        "runs": runs,
        "first_paint": {
            "gazeapp": round(own, 1),
            "bare_pyside6_pyqtgraph": round(bare, 1),
            "ratio": round(own / bare, 3),
        },
        "all_panels_made": {
            "gazeapp": round(ready_own, 1),
            "bare_pyside6_pyqtgraph": round(ready_bare, 1),
            "ratio": round(ready_own / ready_bare, 3),
        },
        "import_gazeapp_ui": round(statistics.median(imports), 1),
        "heavy_modules_loaded": sorted(heavy),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="three turns instead of ten")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    figures = measure(3 if arguments.quick else 10)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    paint = figures["first_paint"]
    print(
        f"first paint: gazeapp {paint['gazeapp']} ms, bare window {paint['bare_pyside6_pyqtgraph']} ms, "
        f"ratio {paint['ratio']}"
    )
    print(f"importing the window: {figures['import_gazeapp_ui']} ms")
    print(f"heavy modules loaded: {', '.join(figures['heavy_modules_loaded']) or 'none'}")


if __name__ == "__main__":
    main()
