"""What the studies of several benchmarks are made of: pictures, a recording and its fixations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gazeapp.engine.gaze.records import IMAGE, Frame
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow

PICTURES = 8


def write_pictures(
    folder: Path, suffix: str, size: tuple[int, int], rng: np.random.Generator
) -> list[tuple[Path, str]]:
    """Write a few smooth pictures of `size` (width, height) px; return each with its SHA-256."""
    made = []
    for number in range(PICTURES):
        coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
        file = folder / f"picture-{number}{suffix}"
        coarse.resize(size).save(file)
        made.append((file, sha256_of(file)))
    return made


def add_recording(project: Project, name: str, task: str, settings: int) -> int:
    """Add a simulated recording in image px; return its id."""
    return project.gaze.add_recording(
        path=project.folder / f"{name}.csv",
        sha256=name,
        format="csv",
        confidence=1.0,
        task=task,
        facts={},
        simulated=True,
        settings_id=settings,
        frame=Frame(of=IMAGE).as_json(),
        geometry={},
    )


def fixation_rows(trials: Sequence[int], points: np.ndarray) -> Iterator[FixationRow]:
    """Yield fixations that share `points`, shape (trials x n, 2), image px, n to each trial in turn."""
    n = len(points) // len(trials)
    for row, (x, y) in enumerate(points.tolist()):
        k = row % n
        yield FixationRow(trials[row // n], k + 1, k + 1, x, y, 250.0 * k, 220.0, "left", "", "")
