"""Scoring against pysaliency in one run: the same maps and fixations, each metric and end to end.

    python benchmarks/scoring.py [--quick] [--json]

One thread on both sides. pysaliency is the benchmark's own code and is not needed by gazeapp:
`pip install pysaliency scikit-learn` (compiles with Cython).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Read by the libraries when they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring import metrics as own
from gazeapp.engine.scoring.baselines import OtherImages, Positions
from gazeapp.engine.scoring.image import ImageJob, Rules, Source, SourceMap, score_image
from gazeapp.engine.types import FloatArray, Rect

WIDTH, HEIGHT, SIGMA = 1024, 768, 24.0
N_FIXATIONS, N_SUBJECTS = 150, 15
GOAL = 10.0


class Study:
    """Images as fixations and maps, made from a seed; maps have the size of the image on both sides."""

    def __init__(self, n_images: int, n_models: int) -> None:
        rng = np.random.default_rng(0)
        self.x, self.y, self.maps = [], [], []
        for _ in range(n_images):
            places = rng.uniform(0.2, 0.8, (4, 2)) * (WIDTH, HEIGHT)
            points = places[rng.integers(0, 4, N_FIXATIONS)] + rng.normal(0, 60, (N_FIXATIONS, 2))
            self.x.append(np.clip(points[:, 0], 0, WIDTH - 1))
            self.y.append(np.clip(points[:, 1], 0, HEIGHT - 1))
            self.maps.append([self._map(rng, points) for _ in range(n_models)])
        self.n_images, self.n_models = n_images, n_models
        positions = {k: Positions(self.x[k] / WIDTH, self.y[k] / HEIGHT) for k in range(n_images)}
        self.others = OtherImages(positions)
        self.fixated = [own.pixels(x, y, HEIGHT, WIDTH) for x, y in zip(self.x, self.y, strict=True)]
        self.negatives = [self.others.pixels(k, HEIGHT, WIDTH) for k in range(n_images)]
        self.human = [human_map(x, y, HEIGHT, WIDTH, SIGMA) for x, y in zip(self.x, self.y, strict=True)]
        self.targets = [own.HumanTarget(values) for values in self.human]

    @staticmethod
    def _map(rng: np.random.Generator, points: FloatArray) -> FloatArray:
        chosen = np.clip(points[rng.integers(0, len(points), 20)], 0, (WIDTH - 1, HEIGHT - 1))
        density = human_map(chosen[:, 0], chosen[:, 1], HEIGHT, WIDTH, 70.0)
        return density + np.float32(0.1 * density.max()) * rng.random((HEIGHT, WIDTH), dtype=np.float32)

    def each(self) -> list[tuple[int, int]]:
        """Return (image, model) pairs."""
        return [(k, m) for k in range(self.n_images) for m in range(self.n_models)]


class Theirs:
    """The study as pysaliency sees it."""

    def __init__(self, study: Study) -> None:
        # Its ROC code calls np.trapz, which numpy 2.4 no longer has.
        if not hasattr(np, "trapz"):
            np.trapz = np.trapezoid
        import pysaliency

        self.pysaliency = pysaliency
        self.study = study
        pictures = [np.full((HEIGHT, WIDTH, 3), k, np.uint8) for k in range(study.n_images)]
        self.stimuli = pysaliency.Stimuli(pictures)
        n = np.repeat(np.arange(study.n_images), N_FIXATIONS)
        self.fixations = pysaliency.Fixations.create_without_history(
            x=np.concatenate(study.x), y=np.concatenate(study.y), n=n
        )
        self.human = self._model(study.human)

    def _model(self, maps: list[FloatArray]) -> object:
        by_id = {self.stimuli.stimulus_ids[k]: values for k, values in enumerate(maps)}
        return self._class()(by_id)

    def models(self) -> list[object]:
        """Return one pysaliency model for each of the study's models; nothing cached yet."""
        return [self._model([maps[m] for maps in self.study.maps]) for m in range(self.study.n_models)]

    def _class(self) -> type:
        from pysaliency.datasets import Stimulus

        class Given(self.pysaliency.SaliencyMapModel):
            """Hands out maps that are in memory."""

            def __init__(self, maps: dict[str, FloatArray]) -> None:
                super().__init__(caching=False)
                self.maps = maps

            def _saliency_map(self, stimulus: object) -> FloatArray:
                return self.maps[Stimulus(stimulus).stimulus_id]

        return Given

    def blurred(self) -> object:
        """Return its human maps, blurred with the same Gaussian when first asked for."""
        return self.pysaliency.FixationMap(self.stimuli, self.fixations, kernel_size=SIGMA)

    def metric(self, name: str, model: object, human: object) -> float:
        """Return one metric of one model, averaged as it averages."""
        eps = 2.2204e-16
        calls: dict[str, Callable[[], object]] = {
            "nss": lambda: model.NSSs(self.stimuli, self.fixations),
            "auc": lambda: model.AUCs(self.stimuli, self.fixations),
            "sauc": lambda: model.AUCs(self.stimuli, self.fixations, nonfixations="shuffled"),
            "cc": lambda: model.CC(self.stimuli, human),
            "sim": lambda: model.SIM(self.stimuli, human),
            "kl": lambda: model.image_based_kl_divergence(
                self.stimuli, human, minimum_value=0, log_regularization=eps, quotient_regularization=eps
            ),
        }
        return float(np.mean(calls[name]()))


def our_metric(study: Study, name: str) -> list[float]:
    """Return one metric of every model, averaged over images, each call on its own."""
    found = np.zeros((study.n_images, study.n_models))
    for k, m in study.each():
        values = own.score_map(
            study.maps[k][m], study.fixated[k], study.negatives[k], study.targets[k], metrics=[name]
        )
        found[k, m] = values[name]
    return found.mean(axis=0).tolist()


def our_study(study: Study, threads: int = 1) -> None:
    """Score the study from fixations and maps to all metrics, as many images at a time as threads."""

    def score(k: int) -> None:
        target = own.HumanTarget(human_map(study.x[k], study.y[k], HEIGHT, WIDTH, SIGMA))
        fixated = own.pixels(study.x[k], study.y[k], HEIGHT, WIDTH)
        negatives = study.others.pixels(k, HEIGHT, WIDTH)
        for values in study.maps[k]:
            own.score_map(values, fixated, negatives, target)

    if threads == 1:
        for k in range(study.n_images):
            score(k)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(score, range(study.n_images)))


def their_study(theirs: Theirs) -> None:
    """Score the study from fixations and maps to all metrics, with pysaliency."""
    human = theirs.blurred()
    for model in theirs.models():
        for name in NAMES:
            theirs.metric(name, model, human)


def our_verb(study: Study) -> None:
    """Score one image as the score verb does: with ceilings and baselines."""
    subject = np.array([f"s{k % N_SUBJECTS}" for k in range(N_FIXATIONS)])
    maps = tuple(
        SourceMap(Source("model", str(m)), values, Rect.of_image(WIDTH, HEIGHT))
        for m, values in enumerate(study.maps[0])
    )
    score_image(ImageJob(0, WIDTH, HEIGHT, study.x[0], study.y[0], subject, maps, study.others), Rules())


NAMES = ("nss", "auc", "sauc", "cc", "sim", "kl")


def seconds(
    call: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the shortest time of some calls, s.

    Of the processor, unless another clock is asked for: other programs weigh less on it than on the wall's.
    """
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def extra_ms(study: Study, repeats: int) -> dict[str, float]:
    """Return the time of the metrics that pysaliency's benchmark does not have, ms for each map."""

    def score(metric: str) -> None:
        for values in study.maps[0]:
            own.score_map(values, study.fixated[0], study.negatives[0], study.targets[0], metrics=[metric])

    score("spearman")  # ranks the human map, once for all maps
    return {
        metric: round(1000 * seconds(lambda metric=metric: score(metric), repeats) / study.n_models, 1)
        for metric in ("auc_judd", "spearman", "emd")
    }


def compare(quick: bool) -> dict[str, object]:
    """Time both sides in turn and return the figures, ms for each (image, model)."""
    # It takes the logarithm of zeros of blurred maps, and says so each time.
    warnings.filterwarnings("ignore", "divide by zero", RuntimeWarning, "pysaliency")
    study = Study(2 if quick else 4, 4 if quick else 6)
    theirs = Theirs(study)
    repeats = 2 if quick else 4
    pairs = study.n_images * study.n_models
    our_study(study)
    rows: dict[str, dict[str, float]] = {}
    for name in NAMES:
        models = theirs.models()
        their_values = [theirs.metric(name, model, theirs.human) for model in models]
        difference = float(np.max(np.abs(np.subtract(our_metric(study, name), their_values))))
        ours = seconds(lambda name=name: our_metric(study, name), repeats) / pairs
        pysaliency = (
            seconds(
                lambda name=name, models=models: [theirs.metric(name, one, theirs.human) for one in models],
                max(1, repeats // 2),
            )
            / pairs
        )
        rows[name] = _row(ours, pysaliency) | {"largest_difference": difference}
    blur_ours = seconds(lambda: human_map(study.x[0], study.y[0], HEIGHT, WIDTH, SIGMA), repeats)
    blur_theirs = seconds(lambda: theirs.blurred().saliency_map(theirs.stimuli[0]), repeats)
    rows["human_map"] = _row(blur_ours, blur_theirs)
    ours = seconds(lambda: our_study(study), repeats) / pairs
    pysaliency = seconds(lambda: their_study(theirs), max(1, repeats // 2)) / pairs
    both = seconds(lambda: our_study(study, 2), repeats, time.perf_counter) / pairs
    alone = seconds(lambda: their_study(theirs), max(1, repeats // 2), time.perf_counter) / pairs
    verb = seconds(lambda: our_verb(study), repeats)
    return {
        "benchmark": "scoring",
        "size": [WIDTH, HEIGHT],
        "fixations": N_FIXATIONS,
        "images": study.n_images,
        "models": study.n_models,
        "threads": 1,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "ms_per_map": rows,
        "end_to_end": _row(ours, pysaliency),
        "ratio": round(pysaliency / ours, 1),
        "two_threads": _row(both, alone),
        "only_here_ms": extra_ms(study, repeats),
        "goal": GOAL,
        "score_image_ms": {
            "value": round(1000 * verb, 1),
            "what": f"one image with {study.n_models} models, 2 baselines, ceilings of {N_SUBJECTS} people",
        },
    }


def _row(ours: float, theirs: float) -> dict[str, float]:
    return {
        "gazeapp_ms": round(1000 * ours, 3),
        "pysaliency_ms": round(1000 * theirs, 3),
        "ratio": round(theirs / ours, 1),
    }


def main() -> int:
    """Run the benchmark and print its figures; 2 when pysaliency is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer images and repeats")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        figures = compare(arguments.quick)
    except ModuleNotFoundError as error:
        print(
            f"This benchmark compares with pysaliency, and {error.name} is not installed. "
            "Install it beside gazeapp with: pip install pysaliency scikit-learn",
            file=sys.stderr,
        )
        return 2
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return 0
    print(
        f"{WIDTH} x {HEIGHT} px, {N_FIXATIONS} fixations, ms for each map, one thread ({figures['machine']})"
    )
    for name, row in [*figures["ms_per_map"].items(), ("end to end", figures["end_to_end"])]:
        difference = f"   differs by {row['largest_difference']:.0e}" if "largest_difference" in row else ""
        print(
            f"{name:10s} gazeapp {row['gazeapp_ms']:9.3f}   pysaliency {row['pysaliency_ms']:9.3f}   "
            f"{row['ratio']:6.1f} x{difference}"
        )
    row = figures["two_threads"]
    print(
        f"on the clock, gazeapp on two threads {row['gazeapp_ms']:.3f}, pysaliency on one {row['pysaliency_ms']:.3f}: "
        f"{row['ratio']:.1f} x"
    )
    print("only here:", ", ".join(f"{name} {value} ms" for name, value in figures["only_here_ms"].items()))
    print(f"goal end to end: {GOAL:.0f} x")
    print(f"score verb: {figures['score_image_ms']['value']} ms for {figures['score_image_ms']['what']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
