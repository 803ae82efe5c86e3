"""Encoding models against himalaya in one run: the same features, responses, folds and penalties.

    python benchmarks/encoding.py [--quick] [--json]

200 images x 196 features x 20,484 vertices. First gazeapp alone with 200 to 10,000 images, each number in a
process of its own, for time and peak memory. Then the same work on both sides: a penalty of 20 chosen for each
vertex by 5 folds, a model fitted to all images, and these predicted; himalaya's `RidgeCV` with numpy and with
torch on the processor, in single precision, with one thread or two, whichever is faster. Then what gazeapp does
for a study: all this for each of 5 outer folds, and the scores. At last 1,000 permutations of 180 regions,
everything anew in each; of himalaya one is timed, and counted 1,000 times. A study asks 20 for each region, of those
regions whose first 1,000 leave p small: that is timed of gazeapp alone.

himalaya is the benchmark's own and is not needed by gazeapp: `pip install himalaya scikit-learn`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Read by the libraries when they are imported.
os.environ["OMP_NUM_THREADS"] = "2"
os.environ["OPENBLAS_NUM_THREADS"] = "2"
os.environ["MKL_NUM_THREADS"] = "2"

import numpy as np
from threadpoolctl import threadpool_limits

from gazeapp.engine.neural.encoding import RidgeSettings, encode, permutation_test
from gazeapp.engine.neural.encoding.folds import split
from gazeapp.engine.neural.encoding.nested import chunks, side_by_side
from gazeapp.engine.neural.encoding.ridge import NestedFold
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

GOAL = 3.0
"""How many times faster than himalaya's faster backend, doing the same work, on two idle cores."""
GOAL_MB = 2048
OURS = "gazeapp"
SETTINGS = RidgeSettings()
Seconds = tuple[float, float]
"""On the clock, and of the processor: other programs weigh less on the latter."""

_GROWTH = """
import json, resource, sys, time
import numpy as np
from gazeapp.engine.neural.encoding import encode
n, p, targets = map(int, sys.argv[1:])
rng = np.random.default_rng(0)
features, responses = rng.normal(size=(n, p)), np.empty((n, targets), np.float32)
for row in responses:
    row[:] = rng.standard_normal(targets, dtype=np.float32)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start, processor = time.perf_counter(), time.process_time()
encode(features, responses)
print(json.dumps({
    "seconds": round(time.perf_counter() - start, 2),
    "processor_s": round(time.process_time() - processor, 2),
    "responses_mb": round(responses.nbytes / 2**20),
    "before_mb": round(before),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    images: int = 200
    features: int = 196
    vertices: int = 20_484
    regions: int = 180
    permutations: int = 1000
    repeats: int = 5
    growth: tuple[int, ...] = (200, 1000, 3000, 10_000)
    torch: bool = True


QUICK = Sizes(60, 49, 2500, 20, 20, 1, (60, 300), torch=False)


def study(sizes: Sizes) -> tuple[DoubleArray, FloatArray]:
    """Return z-scored features and responses, from none to nine tenths of whose variance goes with them."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(sizes.images, sizes.features))
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    signal = features @ rng.normal(size=(sizes.features, sizes.vertices))
    share = np.linspace(0, 0.9, sizes.vertices)
    noise = rng.normal(size=signal.shape)
    responses = np.sqrt(share) * signal / signal.std(axis=0) + np.sqrt(1 - share) * noise
    return features, (responses - responses.mean(axis=0)).astype(np.float32)


def gazeapp_once(
    features: DoubleArray, responses: FloatArray, fold: IntArray
) -> tuple[FloatArray, DoubleArray]:
    """Choose penalties by folds, fit to all images and predict them; decompositions are part of the work."""
    everything = np.arange(len(features))
    penalties = np.array(SETTINGS.penalties)
    predictions, chosen = np.empty_like(responses), np.empty(responses.shape[1], dtype=np.int64)
    with threadpool_limits(1, "blas"):
        model = NestedFold(features, everything, everything, fold, penalties, np.float32)

        def work(targets: slice) -> None:
            predictions[:, targets], chosen[targets] = model.predict(responses[:, targets])

        parts = chunks(np.ones(responses.shape[1], dtype=bool), len(responses))
        for _ in side_by_side(work, parts, 2, never):
            pass
    return predictions, penalties[chosen]


def himalaya_once(
    features: DoubleArray, responses: FloatArray, fold: IntArray, wanted: DoubleArray
) -> tuple[FloatArray, DoubleArray]:
    """The same with himalaya and the backend that is set; ``wanted`` is predicted."""
    from himalaya.backend import get_backend
    from himalaya.ridge import RidgeCV
    from sklearn.model_selection import PredefinedSplit

    backend = get_backend()
    model = RidgeCV(
        alphas=np.array(SETTINGS.penalties, dtype=np.float32),
        fit_intercept=True,
        cv=PredefinedSplit(fold),
        solver_params={"warn": False},
    )
    model.fit(backend.asarray(features.astype(np.float32)), backend.asarray(responses))
    predictions = backend.to_numpy(model.predict(backend.asarray(wanted.astype(np.float32))))
    return predictions, backend.to_numpy(model.best_alphas_)


def himalaya_nested(features: DoubleArray, responses: FloatArray) -> FloatArray:
    """Predict each outer fold from the others."""
    outer = split(len(features), SETTINGS.n_folds, SETTINGS.seed)
    predictions = np.empty_like(responses)
    for k in range(SETTINGS.n_folds):
        train = outer != k
        mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
        rows = (features - mean) / deviation
        inner = split(int(train.sum()), SETTINGS.n_inner, SETTINGS.seed, k + 1)
        predictions[~train], _ = himalaya_once(rows[train], responses[train], inner, rows[~train])
    return predictions


def backends() -> list[str]:
    """Return the backends of himalaya that can be had here."""
    from himalaya.backend import set_backend

    found = ["numpy"]
    try:
        set_backend("torch", on_error="raise")
        found.append("torch")
    except ImportError:
        pass
    return found


def with_himalaya(backend: str, threads: int, call: Callable[[], object]) -> Callable[[], object]:
    """Return a call that runs with a backend of himalaya and so many threads."""
    from himalaya.backend import set_backend

    def run() -> object:
        set_backend(backend)
        if backend == "torch":
            import torch

            torch.set_num_threads(threads)
        with threadpool_limits(threads):
            return call()

    return run


def fastest(calls: dict[str, Sequence[Callable[[], object]]], repeats: int) -> dict[str, Seconds]:
    """Return the shortest time of each one's calls on the clock and of the processor; all take turns."""
    best = dict.fromkeys(calls, (float("inf"), float("inf")))
    for _ in range(repeats):
        for name, alternatives in calls.items():
            for call in alternatives:
                wall, processor = time.perf_counter(), time.process_time()
                call()
                took = time.perf_counter() - wall, time.process_time() - processor
                best[name] = min(best[name][0], took[0]), min(best[name][1], took[1])
    return best


def compare(sizes: Sizes, say: Callable[[str], None]) -> dict[str, object]:
    """Time both sides in turn and return the figures."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    # First: a process counts the memory of the one that started it as its own.
    say("growth")
    grown = [growth(n, sizes) for n in sizes.growth]
    names = backends() if sizes.torch else ["numpy"]
    features, responses = study(sizes)
    fold = split(sizes.images, 5, 0)

    def himalaya(call: Callable[[], object]) -> dict[str, Sequence[Callable[[], object]]]:
        # Two threads are slower than one where other programs are running.
        return {name: [with_himalaya(name, threads, call) for threads in (1, 2)] for name in names}

    say("one choice of penalties and fit")
    ours = gazeapp_once(features, responses, fold)
    theirs = with_himalaya("numpy", 1, lambda: himalaya_once(features, responses, fold, features))()
    same = np.isclose(ours[1], theirs[1], rtol=1e-4)
    calls = himalaya(lambda: himalaya_once(features, responses, fold, features))
    once = fastest({OURS: [lambda: gazeapp_once(features, responses, fold)]} | calls, sizes.repeats)
    say("nested folds")
    calls = himalaya(lambda: himalaya_nested(features, responses))
    nested = fastest({OURS: [lambda: encode(features, responses)]} | calls, -(-sizes.repeats // 2))
    say("permutations")
    places = np.linspace(0, sizes.vertices - 1, sizes.regions).astype(int)
    regions = np.ascontiguousarray(responses[:, places])
    calls = {OURS: [lambda: permutation_test(features, regions, SETTINGS, sizes.permutations)]}
    permuted = fastest(calls, -(-sizes.repeats // 2))
    of_study = 20 * sizes.regions
    calls = {OURS: [lambda: permutation_test(features, regions, SETTINGS, of_study)]}
    (asked,) = fastest(calls, 1).values()
    some = fastest(himalaya(lambda: himalaya_nested(features, regions)), sizes.repeats)
    permuted |= {
        name: (wall * sizes.permutations, work * sizes.permutations) for name, (wall, work) in some.items()
    }
    return {
        "benchmark": "encoding",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "programs_running_before": load,
        "size": [sizes.images, sizes.features, sizes.vertices],
        "penalties": len(SETTINGS.penalties),
        "regions": sizes.regions,
        "permutations": sizes.permutations,
        "study": {"permutations": of_study, "seconds": round(asked[0], 3), "processor_s": round(asked[1], 3)},
        "same_penalties": float(same.mean()),
        "largest_difference": float(np.abs(ours[0] - theirs[0])[:, same].max()),
        "goal": GOAL,
        "goal_mb": GOAL_MB,
        "comparisons": {
            f"{what}_{name}": _row(times[OURS], times[name])
            for what, times in (("once", once), ("nested", nested), ("permutations", permuted))
            for name in names
        },
        "growth": grown,
    }


def growth(n_images: int, sizes: Sizes) -> dict[str, float]:
    """Encode so many images in a process of its own."""
    command = [sys.executable, "-c", _GROWTH, str(n_images), str(sizes.features), str(sizes.vertices)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr)
    return {"images": n_images, **json.loads(result.stdout)}


def _row(ours: Seconds, theirs: Seconds) -> dict[str, float]:
    return {
        "gazeapp_s": round(ours[0], 4),
        "himalaya_s": round(theirs[0], 4),
        "ratio": round(theirs[0] / ours[0], 2),
        "gazeapp_processor_s": round(ours[1], 4),
        "himalaya_processor_s": round(theirs[1], 4),
        "ratio_processor": round(theirs[1] / ours[1], 2),
    }


def show(figures: dict[str, object]) -> None:
    """Print the figures as tables."""
    images, features, vertices = figures["size"]
    print(
        f"{images} images x {features} features x {vertices} vertices, {figures['penalties']} penalties "
        f"({figures['machine']}, load {figures['programs_running_before']})"
    )
    what = {
        "once": "penalties by 5 folds, one fit",
        "nested": "the same in 5 outer folds, scores",
        "permutations": f"{figures['permutations']} permutations x {figures['regions']} regions",
    }
    for key, row in figures["comparisons"].items():
        kind, _, backend = key.partition("_")
        print(
            f"{what[kind]:36s} gazeapp {row['gazeapp_s']:8.3f} s   himalaya ({backend}) "
            f"{row['himalaya_s']:8.3f} s {row['ratio']:6.1f} x   of the processor "
            f"{row['gazeapp_processor_s']:8.3f}, {row['himalaya_processor_s']:8.3f} s "
            f"{row['ratio_processor']:6.1f} x"
        )
    asked = figures["study"]
    print(
        f"{asked['permutations']} permutations x {figures['regions']} regions where p is small: "
        f"{asked['seconds']:.3f} s, {asked['processor_s']:.3f} s of the processor"
    )
    rows = [row for key, row in figures["comparisons"].items() if key.startswith("once")]
    for how, key in (("on the clock", "ratio"), ("of the processor", "ratio_processor")):
        least = min(row[key] for row in rows)
        reached = "reached" if least >= figures["goal"] else "not reached"
        print(f"goal {figures['goal']:.0f} x for the same work, {how}: {reached} ({least} x)")
    print(
        f"the same penalty for {100 * figures['same_penalties']:.2f} % of the vertices, whose predictions differ "
        f"by at most {figures['largest_difference']:.0e} standard deviations"
    )
    for row in figures["growth"]:
        print(
            f"{row['images']:6} images: {row['seconds']:7.2f} s on the clock, {row['processor_s']:7.2f} s of the "
            f"processor, peak {row['peak_mb']:5.0f} MB (before {row['before_mb']:.0f}, of that responses "
            f"{row['responses_mb']:.0f})"
        )
    reached = max(row["peak_mb"] for row in figures["growth"]) < figures["goal_mb"]
    print(f"goal: peak memory below {figures['goal_mb']} MB: {'reached' if reached else 'not reached'}")


def main() -> int:
    """Run the benchmark and print its figures; 2 when himalaya is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer images, vertices and repeats, no torch")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        figures = compare(QUICK if arguments.quick else Sizes(), lambda text: print(text, file=sys.stderr))
    except ModuleNotFoundError as error:
        print(
            f"This benchmark compares with himalaya, and {error.name} is not installed. "
            "Install it beside gazeapp with: pip install himalaya scikit-learn",
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
