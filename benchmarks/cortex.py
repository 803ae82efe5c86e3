"""The cortex: colouring it anew, drawing it first, opening it again, beside nilearn's and matplotlib's pictures of it.

Everything is timed on one thread, in ms of the processor, so that other programs on the machine hardly count. Beside
gazeapp stand what a user would call instead: ``nilearn.plotting.plot_surf`` for each inflated view, and matplotlib's
``tripcolor`` for the flat surface; both draw from scratch for each change of a value, into a picture of the same size.

    python benchmarks/cortex.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gazeapp.engine.neural.records import Region
from gazeapp.engine.neural.surface import cache
from gazeapp.engine.neural.surface.colouring import Colouring, colour_table
from gazeapp.engine.neural.surface.mesh import load_mesh, load_sulci
from gazeapp.engine.neural.surface.picture import Regions, Shown, compose
from gazeapp.engine.neural.surface.scene import Scene, scene, scene_for
from gazeapp.engine.neural.surface.views import View, layout_size

SMALL = (400, 320)
ROOMS = ((1200, 760), (2480, 1400))
"""Room for the cortex in windows of 1280 x 800 and 2560 x 1440 px."""
DPI = 100


def processor_ms(work: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append((time.process_time() - start) * 1000)
    return statistics.median(spent)


def values() -> np.ndarray:
    places = np.concatenate([load_mesh("white", side).vertices for side in ("left", "right")])
    return (np.sin(places[:, 1] / 14) * np.cos(places[:, 2] / 11) * 0.4).astype(np.float32)


def regions() -> Regions:
    """Return 68 regions: slices from front to back, 34 in each hemisphere."""
    made = []
    for first, side in ((0, "left"), (10_242, "right")):
        order = np.argsort(load_mesh("white", side).vertices[:, 1])
        for k, part in enumerate(np.array_split(order, 34)):
            made.append(Region(f"region {k}", side, np.sort(part) + first))
    return Regions(tuple(made))


def shown(signal: np.ndarray, drawn: Regions | None) -> Shown:
    colouring = Colouring(-0.4, 0.4, diverging=True)
    return Shown(colouring, signal, drawn) if drawn else Shown(colouring, signal)


def recolour(made: Scene, drawn: Regions | None, times: int) -> float:
    signals = [values() * sign for sign in (1, -1)]
    compose(made, shown(signals[0], drawn))
    turn = iter(range(10**9))
    return processor_ms(lambda: compose(made, shown(signals[next(turn) % 2], drawn)), times)


def hover(made: Scene) -> float:
    rng = np.random.default_rng(1)
    places = rng.uniform((0, 0), (made.width, made.height), (2000, 2))
    _ = made.rows, made.nearest
    return processor_ms(lambda: [made.spot(x, y) for x, y in places], 3) / len(places) * 1000


def first_and_again(room: tuple[int, int], name: str) -> tuple[float, float]:
    """Return ms to the first picture of a scene, drawn and then from the cache."""
    spent = []
    signal = values()
    colour_table("viridis")  # imports matplotlib's colours, which the other side has too
    for _ in range(2):
        scene.cache_clear()
        start = time.process_time()
        compose(scene_for(name, *room), shown(signal, None))
        spent.append((time.process_time() - start) * 1000)
    return spent[0], spent[1]


def nilearn_view(signal: np.ndarray, size: tuple[int, int]) -> Callable[[], object]:
    import matplotlib.pyplot as plt
    from nilearn.plotting import plot_surf

    mesh, depth = load_mesh("inflated", "left"), load_sulci("left")

    def draw() -> None:
        figure = plot_surf(
            [mesh.vertices.copy(), mesh.faces.copy()],
            signal[:10_242],
            bg_map=depth.copy(),
            view="lateral",
            hemi="left",
            cmap="coolwarm",
            vmin=-0.4,
            vmax=0.4,
            engine="matplotlib",
        )
        figure.set_size_inches(size[0] / DPI, size[1] / DPI)
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        plt.close(figure)

    return draw


def matplotlib_flat(signal: np.ndarray, size: tuple[int, int]) -> Callable[[], object]:
    mesh = load_mesh("flat", "left")

    def draw() -> None:
        figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        x, y = mesh.vertices[:, :2].T
        axes.tripcolor(
            x, y, mesh.faces, signal[:10_242], shading="gouraud", cmap="coolwarm", vmin=-0.4, vmax=0.4
        )
        axes.set_aspect("equal")
        canvas.draw()

    return draw


def one_view(view: View, size: tuple[int, int]) -> Scene:
    """Return a picture of one view that fits ``size``."""
    across, down = layout_size(((view,),))
    return scene(((view,),), min(size[0] / across, size[1] / down))


def compare(ours: float, theirs: float) -> dict[str, float]:
    return {"gazeapp_ms": round(ours, 2), "beside_ms": round(theirs, 2), "ratio": round(ours / theirs, 4)}


def measure(quick: bool) -> dict[str, object]:
    times = 5 if quick else 25
    signal, parcels = values(), regions()
    lateral, flat = View("inflated", "left", "lateral"), View("flat", "left")
    few = 2 if quick else 5
    result: dict[str, object] = {
        "recolour_inflated_400x320_beside_plot_surf": compare(
            recolour(one_view(lateral, SMALL), None, times), processor_ms(nilearn_view(signal, SMALL), few)
        ),
        "recolour_flat_400x320_beside_tripcolor": compare(
            recolour(one_view(flat, SMALL), None, times), processor_ms(matplotlib_flat(signal, SMALL), few)
        ),
    }
    alone: dict[str, dict[str, object]] = {}
    for room in ROOMS:
        for name in ("inflated", "flat"):
            first, again = first_and_again(room, name)
            made = scene_for(name, *room)
            alone[f"{name} in {room[0]}x{room[1]}"] = {
                "picture_px": [made.width, made.height],
                "cortex_px": len(made.pixels),
                "recolour_ms": round(recolour(made, None, times), 2),
                "recolour_with_68_regions_ms": round(recolour(made, parcels, times), 2),
                "first_ms": round(first),
                "from_cache_ms": round(again),
                "hover_us": round(hover(made), 2),
            }
    return {"comparisons": result, "scenes": alone}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache.cache_folder = lambda: Path(folder)
        result = {"benchmark": "cortex", "unit": "ms of the processor, one thread, median"}
        result |= measure(options.quick)
    if options.json:
        print(json.dumps(result, indent=2))
        return 0
    for name, row in result["comparisons"].items():
        print(
            f"{name:45} gazeapp {row['gazeapp_ms']:7.2f} ms   beside {row['beside_ms']:8.1f} ms   {row['ratio']:.4f}"
        )
    for name, row in result["scenes"].items():
        print(
            f"{name:22} {row['cortex_px']:9,} px   recolour {row['recolour_ms']:5.1f} ms, with regions "
            f"{row['recolour_with_68_regions_ms']:5.1f} ms   first {row['first_ms']} ms, from cache "
            f"{row['from_cache_ms']} ms   hover {row['hover_us']:.1f} us"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
