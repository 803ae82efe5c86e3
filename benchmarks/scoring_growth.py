"""What the score command takes for a whole project, and how that grows with the number of images.

    python benchmarks/scoring_growth.py [--quick] [--json] [--images N]... [--side PX] [--threads N]

A project is written through the stores into a folder that is removed afterwards: 15 people with 10 fixations
each on every image under 2 tasks, and the maps of 6 models (grids of 14 x 14), which differ between the tasks.
Then a process of its own scores it with the default settings: seven metrics, seven baselines, ceilings,
the summary with 10,000 resamples and the findings. Reported are its time and its peak memory. Images are small
(128 px), so that thousands fit into minutes: what grows with the number of images does not depend on their
size, and what does depend on it is shown by a few images of 1024 px.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from made_gaze import add_recording, fixation_rows, write_pictures

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.types import Rect

TASKS, SUBJECTS, FIXATIONS, MODELS = ("describe", "people"), 15, 10, 6
SMALL, LARGE = 128, 1024
GOAL_MB = 1500

_SCORE = """
import json, resource, sys, time
from dataclasses import replace
import numpy as np
from gazeapp.engine.project import Project
from gazeapp.engine.workflows import score as verb
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.score import ScoreSettings, score

def changed(found, rng):
    def vary(value):
        if isinstance(value, dict):
            return {key: vary(one) for key, one in value.items()}
        return value * (1 + 0.1 * rng.standard_normal(np.shape(value)))
    names = ("scores", "ceilings", "scores_without", "ceilings_without", "scores_of_each", "ceilings_of_each")
    return replace(found, **{name: vary(getattr(found, name)) for name in names})

if sys.argv[4] == "store":
    real, first, rng = verb.score_image, [], np.random.default_rng(0)
    def stand_in(*given):
        if not first:
            first.append(real(*given))
        return changed(first[0], rng)
    verb.score_image = stand_in
start, processor = time.perf_counter(), time.process_time()
with Project.open(sys.argv[1]) as project:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    summary = score(project, ScoreSettings(sigma=float(sys.argv[2]), threads=int(sys.argv[3])), SILENT)
assert not summary.failed, summary
print(json.dumps({
    "units": summary.done,
    "seconds": time.perf_counter() - start,
    "processor_s": time.process_time() - processor,
    "before_mb": before,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def write_project(folder: Path, n_images: int, side: int) -> Path:
    """Write a study of ``n_images`` of ``side`` x 3/4 ``side`` px."""
    rng = np.random.default_rng(7)
    path, size = folder / "study.gaze", (side, side * 3 // 4)
    files = write_pictures(folder, ".png", size, rng)
    with Project.create(path) as project, project.transaction():
        settings = project.settings.put("bench", {})
        for model in range(MODELS):
            id = f"model {model}"
            encoder, decoder = ("cnn", "vit", "swin")[model % 3], ("lstm", "transformer")[model // 3]
            project.runs.put_model(
                ModelInfo(id, id.title(), "captioner", encoder=encoder, decoder=decoder, methods=("raw",))
            )
        images = []
        for number in range(n_images):
            file, sha256 = files[number % len(files)]
            name = f"{number:05}.png"
            images.append((project.images.add(file, name, sha256, *size, "photograph"), name))
        for task in TASKS:
            project.tasks.add(task)
            _look(project, task, images, size, settings, rng)
            for image, _ in images:
                for model in range(MODELS):
                    values = rng.random((14, 14), dtype=np.float32) ** 3
                    project.runs.put_map(
                        *(image, f"model {model}", task, "raw", values / values.sum()),
                        *(Rect.of_image(*size), settings),
                    )
    return path


def _look(
    project: Project,
    task: str,
    images: Sequence[tuple[int, str]],
    size: tuple[int, int],
    settings: int,
    rng: np.random.Generator,
) -> None:
    recording = add_recording(project, task, task, settings)
    trials = [
        NewTrial(
            *(f"S{subject:02}", task, image, "", name),
            eye="left",
            n_fixations=FIXATIONS,
            n_kept=FIXATIONS,
        )
        for image, name in images
        for subject in range(SUBJECTS)
    ]
    ids = project.gaze.add_trials(recording, trials)
    project.gaze.add_fixations(_fixations(ids, size, rng))


def _fixations(trials: list[int], size: tuple[int, int], rng: np.random.Generator) -> Iterator[FixationRow]:
    """Yield fixations about four places of each image, all of one image's trials in turn."""
    for start in range(0, len(trials), SUBJECTS):
        places = rng.uniform(0.2, 0.8, (4, 2))
        points = places[rng.integers(0, 4, SUBJECTS * FIXATIONS)]
        points = np.clip(points + rng.normal(0, 0.06, points.shape), 0, 0.999) * size
        yield from fixation_rows(trials[start : start + SUBJECTS], points)


def measure(n_images: int, side: int, threads: int, what: str) -> dict[str, float]:
    """Write a project and score it in a process of its own.

    ``what`` is ``score``, or ``store``: one image is scored and stands in, a little changed, for all others, so
    that reading, storing, the summary and the findings of thousands of images are measured within minutes.
    """
    with tempfile.TemporaryDirectory() as made:
        path = write_project(Path(made), n_images, side)
        command = [sys.executable, "-c", _SCORE, str(path), str(24.0 * side / LARGE), str(threads), what]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RuntimeError(result.stderr)
        found: dict[str, float] = json.loads(result.stdout)
    return {
        "what": what,
        "images": n_images,
        "side_px": side,
        "threads": threads,
        "ms_per_unit": round(1000 * found["seconds"] / found["units"], 1),
        "processor_ms_per_unit": round(1000 * found["processor_s"] / found["units"], 1),
        **{key: round(value, 1) for key, value in found.items()},
    }


def main() -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer and small images")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--images", type=int, action="append", help="a number of images, once for each")
    parser.add_argument("--side", type=int, help="longer side of the images of --images, px")
    parser.add_argument("--store", action="store_true", help="score one image, and let it stand in for all")
    parser.add_argument("--threads", type=int, default=2, help="images scored at the same time")
    arguments = parser.parse_args()
    if arguments.images:
        what = "store" if arguments.store else "score"
        sizes = [(n, arguments.side or SMALL, what) for n in arguments.images]
    elif arguments.quick:
        sizes = [(20, SMALL, "score"), (20, SMALL, "store"), (200, SMALL, "store")]
    else:
        sizes = [(n, SMALL, "score") for n in (20, 200)] + [(n, LARGE, "score") for n in (20, 60)]
        sizes += [(n, SMALL, "store") for n in (200, 1000, 3000, 10_000)]
    rows = []
    if not arguments.json:
        print(f"{len(TASKS)} tasks, {MODELS} models, {SUBJECTS} people; a unit is an image under a task")
    for n_images, side, what in sizes:
        rows.append(measure(n_images, side, arguments.threads, what))
        if not arguments.json:
            print(_line(rows[-1]), flush=True)
    if arguments.json:
        machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
        print(
            json.dumps({"benchmark": "scoring_growth", "machine": machine, "goal_mb": GOAL_MB, "rows": rows})
        )
    else:
        reached = max(row["peak_mb"] for row in rows) < GOAL_MB
        print(f"goal: peak memory below {GOAL_MB} MB: {'reached' if reached else 'not reached'}")
    return 0


def _line(row: dict[str, float]) -> str:
    return (
        f"{row['what']} {row['images']:6} images of {row['side_px']:4} px: "
        f"{row['ms_per_unit']:7.1f} ms a unit on the clock, "
        f"{row['processor_ms_per_unit']:7.1f} ms of the processor, {row['seconds']:8.1f} s in all, "
        f"peak {row['peak_mb']:6.0f} MB (before scoring {row['before_mb']:.0f})"
    )


if __name__ == "__main__":
    sys.exit(main())
