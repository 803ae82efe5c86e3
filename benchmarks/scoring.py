"""Scoring against pysaliency in one run: the same maps and fixations, each metric and a whole study.

    python benchmarks/scoring.py [--quick] [--json]

The study: 200 images of 1024 x 768 px under 2 tasks, 15 people with 10 fixations each, the maps of 6 models,
8 metrics and the human maps that they need. Maps are made image by image while no clock runs. gazeapp scores
all of it, once on one thread and once on two; pysaliency, which has one thread, scores one image of each batch
between the two. A map serves both tasks (a model that is shown the image alone), or each task has its own (a
model that is told the task). What the score command takes for a project is in `scoring_growth.py`.

pysaliency is the benchmark's own code and is not needed by gazeapp: `pip install pysaliency scikit-learn`
(compiles with Cython).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

# Read by the libraries when they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
from scoring_pysaliency import Theirs

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring import metrics as own
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.densities.information import information_gain
from gazeapp.engine.types import FloatArray

WIDTH, HEIGHT, SIGMA = 1024, 768, 24.0
N_TASKS, N_FIXATIONS = 2, 150
ON_MAPS = ("nss", "auc", "auc_judd", "sauc", "cc", "sim", "kl")
METRICS = (*ON_MAPS, "ig")
GOALS = {"shared": 30.0, "own": 15.0}
MODES = {"shared": "one map for both tasks", "own": "a map for each task"}
"""Each goal is how many times faster than pysaliency on one thread, with two threads on two idle cores."""


@dataclass(frozen=True)
class Looked:
    """Where people looked on an image under a task, and what is given to both sides beside it.

    ``negatives`` are the fixations of the task's other images, at most 20,000 of them; ``centre`` is the
    density of these, the baseline of information gain.
    """

    x: FloatArray
    y: FloatArray
    negatives: own.Pixels
    centre: FloatArray


@dataclass(frozen=True)
class Pictured:
    """An image: where people looked under each task, and each model's map under each task."""

    looked: list[Looked]
    maps: list[list[FloatArray]]


class Study:
    """Images, made from a seed one by one."""

    def __init__(self, n_images: int, n_models: int) -> None:
        rng = np.random.default_rng(0)
        self.n_images, self.n_models = n_images, n_models
        self._points = [[self._fixations(rng) for _ in range(n_images)] for _ in range(N_TASKS)]
        self._others = [
            OtherImages({k: Positions(p[:, 0] / WIDTH, p[:, 1] / HEIGHT) for k, p in enumerate(points)})
            for points in self._points
        ]

    def image(self, k: int, mode: str) -> Pictured:
        """Make an image; with the mode ``shared`` both tasks have the same maps."""
        looked = [self._looked(task, k) for task in range(N_TASKS)]
        rng = np.random.default_rng((1, k))
        tasks = range(1 if mode == "shared" else N_TASKS)
        maps = [[self._map(rng, self._points[task][k]) for _ in range(self.n_models)] for task in tasks]
        return Pictured(looked, [maps[task % len(maps)] for task in range(N_TASKS)])

    def batches(self, size: int, mode: str) -> Iterator[list[Pictured]]:
        """Yield all images, ``size`` at a time."""
        for start in range(0, self.n_images, size):
            yield [self.image(k, mode) for k in range(start, min(start + size, self.n_images))]

    def _looked(self, task: int, k: int) -> Looked:
        x, y = self._points[task][k].T
        others = self._others[task]
        centre = others.centre_bias(k, HEIGHT, WIDTH, SIGMA)
        return Looked(x.copy(), y.copy(), others.pixels(k, HEIGHT, WIDTH), centre)

    @staticmethod
    def _fixations(rng: np.random.Generator) -> FloatArray:
        places = rng.uniform(0.2, 0.8, (4, 2)) * (WIDTH, HEIGHT)
        points = places[rng.integers(0, 4, N_FIXATIONS)] + rng.normal(0, 60, (N_FIXATIONS, 2))
        return np.clip(points, 0, (WIDTH - 1, HEIGHT - 1))

    @staticmethod
    def _map(rng: np.random.Generator, points: FloatArray) -> FloatArray:
        chosen = points[rng.integers(0, len(points), 20)]
        density = human_map(chosen[:, 0], chosen[:, 1], HEIGHT, WIDTH, 70.0)
        return density + np.float32(0.1 * density.max()) * rng.random((HEIGHT, WIDTH), dtype=np.float32)


def score_image(image: Pictured) -> list[list[dict[str, float]]]:
    """Score an image from fixations and maps to all metrics: task -> model -> metric -> value."""
    tasks = []
    for looked in image.looked:
        target = own.HumanTarget(human_map(looked.x, looked.y, HEIGHT, WIDTH, SIGMA))
        fixated = own.pixels(looked.x, looked.y, HEIGHT, WIDTH)
        tasks.append((fixated, looked.negatives, target, own.PreparedMap(looked.centre)))
    found: list[list[dict[str, float]]] = [[] for _ in tasks]
    for of_model in zip(*image.maps, strict=True):
        ready, before = None, None
        for values, rows, (fixated, negatives, target, centre) in zip(of_model, found, tasks, strict=True):
            if values is not before:
                ready, before = own.PreparedMap(values), values
            row = own.score_map(ready, fixated, negatives, target, metrics=ON_MAPS)
            rows.append(row | {"ig": information_gain(ready, centre, fixated)})
    return found


def score_batch(images: list[Pictured], threads: int) -> None:
    """Score images, as many at a time as threads."""
    if threads == 1:
        for image in images:
            score_image(image)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(score_image, images))


Seconds = tuple[float, float]
"""On the clock, and of the processor: other programs weigh less on the latter."""


def seconds(call: Callable[[], object]) -> Seconds:
    """Return how long a call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def fastest(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest processor time of some calls, s."""
    return min(seconds(call)[1] for _ in range(repeats))


def whole_study(study: Study, mode: str, batch: int, say: Callable[[str], None]) -> dict[str, object]:
    """Score the whole study with gazeapp and one image of each batch with pysaliency, in turn."""
    times: dict[str, list[Seconds]] = {"one": [], "theirs": [], "two": []}
    differences = dict.fromkeys(METRICS, 0.0)
    pairs_of_image = N_TASKS * study.n_models
    for images in study.batches(batch, mode):
        theirs = Theirs(images[0], SIGMA)
        calls = {
            "one": (lambda images=images: score_batch(images, 1), len(images)),
            "theirs": (theirs.score, 1),
            "two": (lambda images=images: score_batch(images, 2), len(images)),
        }
        for name, (call, n) in calls.items():
            wall, processor = seconds(call)
            times[name].append((wall / n / pairs_of_image, processor / n / pairs_of_image))
        for ours, other in zip(score_image(images[0]), theirs.found, strict=True):
            for one, two in zip(ours, other, strict=True):
                for metric in METRICS:
                    differences[metric] = max(differences[metric], abs(one[metric] - two[metric]))
        say(f"{MODES[mode]}: {len(times['one']) * batch} of {study.n_images} images")
    wall = {name: 1000 * float(np.median([one[0] for one in rows])) for name, rows in times.items()}
    processor = {name: 1000 * float(np.median([one[1] for one in rows])) for name, rows in times.items()}
    return {
        "what": MODES[mode],
        "pairs": study.n_images * pairs_of_image,
        "pairs_of_pysaliency": len(times["theirs"]) * pairs_of_image,
        "two_threads": _row(wall["two"], wall["theirs"]),
        # What the clock would show if nothing else ran: the work of both threads, shared by two cores.
        "two_threads_processor": _row(processor["two"] / 2, processor["theirs"]),
        "one_thread": _row(wall["one"], wall["theirs"]),
        "one_thread_processor": _row(processor["one"], processor["theirs"]),
        "study_s": round(sum(one[0] for one in times["two"]) * batch * pairs_of_image, 1),
        "goal": GOALS[mode],
        "largest_difference": differences,
    }


def each_metric(study: Study, repeats: int) -> dict[str, dict[str, float]]:
    """Time each metric on its own, ms of the processor for each map, with a map that nothing is known of."""
    image = study.image(0, "shared")
    looked, maps = image.looked[0], image.maps[0]
    theirs = Theirs(Pictured([looked], [maps]), SIGMA)
    theirs.score()
    fixated = own.pixels(looked.x, looked.y, HEIGHT, WIDTH)
    target = own.HumanTarget(human_map(looked.x, looked.y, HEIGHT, WIDTH, SIGMA))
    centre = own.PreparedMap(looked.centre)

    def ours(metric: str) -> None:
        for values in maps:
            if metric == "ig":
                information_gain(values, centre, fixated)
            else:
                own.score_map(values, fixated, looked.negatives, target, metrics=[metric])

    rows = {}
    for metric in METRICS:
        ours(metric)
        mine = fastest(lambda metric=metric: ours(metric), repeats)
        other = fastest(lambda metric=metric: theirs.metric(metric), max(1, repeats // 2))
        rows[metric] = _row(1000 * mine / len(maps), 1000 * other / len(maps))
    blur = fastest(lambda: human_map(looked.x, looked.y, HEIGHT, WIDTH, SIGMA), repeats)
    rows["human_map"] = _row(1000 * blur, 1000 * fastest(theirs.blur, repeats))
    return rows


def only_here(study: Study, repeats: int) -> dict[str, float]:
    """Return the time of the metrics that pysaliency does not have, ms for each map."""
    image = study.image(0, "shared")
    looked, values = image.looked[0], image.maps[0][0]
    target = own.HumanTarget(human_map(looked.x, looked.y, HEIGHT, WIDTH, SIGMA))
    fixated = own.pixels(looked.x, looked.y, HEIGHT, WIDTH)

    def score(metric: str) -> None:
        own.score_map(values, fixated, looked.negatives, target, metrics=[metric])

    score("spearman")  # ranks the human map, once for all maps
    return {
        metric: round(1000 * fastest(lambda metric=metric: score(metric), repeats), 1)
        for metric in ("spearman", "emd")
    }


def compare(quick: bool, say: Callable[[str], None]) -> dict[str, object]:
    """Time both sides in turn and return the figures, ms for each (image, task, model)."""
    # It takes the logarithm of zeros of blurred maps, and says so each time.
    warnings.filterwarnings("ignore", "divide by zero", RuntimeWarning, "pysaliency")
    study = Study(16 if quick else 200, 3 if quick else 6)
    repeats = 2 if quick else 5
    metrics = each_metric(study, repeats)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "benchmark": "scoring",
        "size": [WIDTH, HEIGHT],
        "fixations": N_FIXATIONS,
        "images": study.n_images,
        "models": study.n_models,
        "tasks": N_TASKS,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "programs_running_before": load,
        "ms_per_map": metrics,
        **{mode: whole_study(study, mode, 4 if quick else 8, say) for mode in MODES},
        "only_here_ms": only_here(study, repeats),
    }


def _row(ours: float, theirs: float) -> dict[str, float]:
    return {
        "gazeapp_ms": round(ours, 3),
        "pysaliency_ms": round(theirs, 3),
        "ratio": round(theirs / ours, 1),
    }


def show(figures: dict[str, object]) -> None:
    """Print the figures as tables."""
    print(
        f"{WIDTH} x {HEIGHT} px, {N_FIXATIONS} fixations ({figures['machine']}, "
        f"load {figures['programs_running_before']})"
    )
    print("\neach metric alone, ms of the processor for each map, one thread")
    for name, row in figures["ms_per_map"].items():
        print(_line(name, row))
    print("only here:", ", ".join(f"{name} {value} ms" for name, value in figures["only_here_ms"].items()))
    for mode, what in MODES.items():
        found = figures[mode]
        print(
            f"\n{figures['images']} images x {figures['models']} models x {N_TASKS} tasks x {len(METRICS)} metrics "
            f"and human maps, {what}; ms for each (image, task, model), median over batches"
        )
        print(_line("one thread, of the processor", found["one_thread_processor"]))
        print(_line("one thread, on the clock", found["one_thread"]))
        print(_line("two threads, of the processor / 2", found["two_threads_processor"]))
        print(_line("two threads, on the clock", found["two_threads"]))
        print(f"whole study on two threads {found['study_s']} s on the clock")
        for how, name in (("on the clock", "two_threads"), ("of the processor", "two_threads_processor")):
            reached = "reached" if found[name]["ratio"] >= found["goal"] else "not reached"
            print(f"goal with two threads {found['goal']:.0f} x, {how}: {reached} ({found[name]['ratio']} x)")
        print(
            f"largest differences over {found['pairs_of_pysaliency']} pairs:",
            ", ".join(f"{name} {value:.0e}" for name, value in found["largest_difference"].items()),
        )


def _line(name: str, row: dict[str, float]) -> str:
    return (
        f"{name:34s} gazeapp {row['gazeapp_ms']:8.3f}   pysaliency {row['pysaliency_ms']:8.3f}   "
        f"{row['ratio']:6.1f} x"
    )


def main() -> int:
    """Run the benchmark and print its figures; 2 when pysaliency is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer images, models and repeats")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        figures = compare(arguments.quick, lambda text: print(text, file=sys.stderr))
    except ModuleNotFoundError as error:
        print(
            f"This benchmark compares with pysaliency, and {error.name} is not installed. "
            "Install it beside gazeapp with: pip install pysaliency scikit-learn",
            file=sys.stderr,
        )
        return 2
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
