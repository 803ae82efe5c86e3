"""Studies made straight through the project's stores, for tests that read a project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import CHOICES, FixationRow, NewTrial
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.copied import copy_study

SIZE = (120, 90)
MEAN, SPREAD = (50.0, 40.0), (14.0, 10.0)
"""Where the fixations of every image are drawn from, px."""
SIGMA = 6.0
WORDS = (("a", False), ("red", True), ("ball", True), ("near", False), ("a", False), ("person", True))
READING = {
    "file": "/home/someone/fixations.csv",
    "format": "csv",
    "rules": {"preset": "auto", "start": "", "end": "", "image": ""},
    "profile": None,
    "match": {"names": {}, "order": []},
    "geometry": {},
    "detect": False,
    "detection": {"method": "auto"},
}
"""Settings of the recording."""
MODELS = (("cnn-lstm", "CNN-LSTM"), ("cnn-transformer", "CNN-Transformer"), ("vit-lstm", "ViT-LSTM"))


def build_study(
    folder: Path,
    *,
    n_images: int = 4,
    n_subjects: int = 5,
    tasks: tuple[str, ...] = ("general", "social"),
    simulated: bool = True,
    hostile: str = "",
    origin: str = "demo-world",
    scored: bool = True,
    models: tuple[tuple[str, str], ...] = MODELS,
) -> Path:
    """Write images and a project with recordings, runs and (if ``scored``) scores; return its path.

    ``hostile`` replaces the name of the first image and the caption of its runs.
    """
    rng = np.random.default_rng(7)
    path = folder / "study.gaze"
    with Project.create(path) as project:
        for task in tasks:
            project.tasks.add(task)
        names = [f"scene-{k:03d}.png" for k in range(1, n_images + 1)]
        if hostile:
            names[0] = hostile
        for k, name in enumerate(names):
            _image(project, folder / "images" / f"scene-{k + 1:03d}.png", name, origin, rng)
        _recording(project, n_subjects, simulated, rng)
        for task in tasks:
            _people(project, task)
            _runs(project, task, hostile, rng, models)
        if simulated:
            _truth(project, tasks)
        if scored:
            score(project, ScoreSettings(sigma=SIGMA, n_splits=10, n_bootstrap=200, threads=1), SILENT)
    return path


@pytest.fixture(scope="session")
def built_studies(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that builds a study once for all tests and returns the project's path."""
    built: dict[str, Path] = {}

    def build(**options: object) -> Path:
        key = repr(sorted(options.items()))
        if key not in built:
            built[key] = build_study(tmp_path_factory.mktemp("study"), **options)  # type: ignore[arg-type]
        return built[key]

    return build


@pytest.fixture
def study(tmp_path: Path, built_studies: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that puts a study into the test's folder and returns the project's path."""

    def place(**options: object) -> Path:
        return copy_study(built_studies(**options), tmp_path)

    return place


def _image(project: Project, file: Path, name: str, origin: str, rng: np.random.Generator) -> None:
    file.parent.mkdir(exist_ok=True)
    width, height = SIZE
    ramp = np.linspace(60, 190, width)[None, :, None] * np.ones((height, 1, 3))
    x, y = rng.integers(10, width - 30), rng.integers(10, height - 30)
    ramp[y : y + 20, x : x + 20] = rng.integers(0, 255, 3)
    Image.fromarray(ramp.astype(np.uint8)).save(file)
    project.images.add(file, name, sha256_of(file), width, height, origin)


def _recording(project: Project, n_subjects: int, simulated: bool, rng: np.random.Generator) -> None:
    settings_id = project.settings.put("read recording", READING | {"simulated": simulated})
    project.settings.set_current(CHOICES, GazeChoices(sigma=SIGMA).as_json())
    recording = project.gaze.add_recording(
        path=project.folder / "recordings" / "fixations.csv",
        sha256="ab" * 32,
        format="csv",
        confidence=0.97,
        task="",
        facts={"space": "image", "rate_hz": 500},
        simulated=simulated,
        settings_id=settings_id,
        frame=Frame(of="image").as_json(),
        geometry={},
    )
    trials, fixations = [], []
    for image in project.images.all():
        for task in project.tasks.all():
            for subject in range(1, n_subjects + 1):
                label = f"t{len(trials) + 1}"
                trials.append(
                    NewTrial(
                        *(f"S{subject:02d}", task, image.id, label, image.name),
                        eye="left",
                        n_fixations=7,
                        n_kept=6,
                    )
                )
                fixations.append(_fixations(rng))
    trials.append(
        NewTrial("S01", project.tasks.all()[0], None, "stray", "unknown.png", None, None, "", {}, 1, 1)
    )
    fixations.append([(1, 1, 5.5, 6.5, None, None, "", "", "")])
    ids = project.gaze.add_trials(recording, trials)
    project.gaze.add_fixations(
        FixationRow(trial, *row) for trial, rows in zip(ids, fixations, strict=True) for row in rows
    )


def _fixations(rng: np.random.Generator) -> list[tuple]:
    x = np.clip(rng.normal(MEAN[0], SPREAD[0], 6), 1, SIZE[0] - 1)
    y = np.clip(rng.normal(MEAN[1], SPREAD[1], 6), 1, SIZE[1] - 1)
    rows = [(k + 1, k + 1, float(x[k]), float(y[k]), 200.0 * k, 180.0 + k, "left", "", "") for k in range(6)]
    return [*rows, (7, 7, SIZE[0] + 30.0, 10.0, 1400.0, 150.0, "left", "", "outside image")]


def _people(project: Project, task: str) -> None:
    settings_id = project.settings.put("human map", {"sigma": SIGMA, "sigma_unit": "px"})
    for image in project.images.all():
        table = project.gaze.fixations(image.id, task)
        values = human_map(table.x, table.y, image.height, image.width, SIGMA)
        project.maps.put_human(image.id, task, values, image.rect, settings_id)


def _density(rows: int, columns: int) -> np.ndarray:
    """Return the density that fixations are drawn from, on a grid over the image; it sums to 1."""
    x = (np.arange(columns) + 0.5) * SIZE[0] / columns
    y = (np.arange(rows) + 0.5) * SIZE[1] / rows
    density = np.exp(-(((y - MEAN[1]) / SPREAD[1]) ** 2) / 2)[:, None] * np.exp(
        -(((x - MEAN[0]) / SPREAD[0]) ** 2) / 2
    )
    return density / density.sum()


def _truth(project: Project, tasks: tuple[str, ...]) -> None:
    name = "true density (simulated)"
    project.runs.put_model(ModelInfo("true_density_(simulated)", name, "truth", methods=("imported",)))
    for task in tasks:
        settings_id = project.settings.put("import maps", {"model": "truth", "task": task, "kind": "truth"})
        for image in project.images.all():
            values = _density(*SIZE[::-1]).astype(np.float32)
            project.runs.put_map(
                image.id, "true_density_(simulated)", task, "imported", values, image.rect, settings_id
            )


def _runs(
    project: Project, task: str, hostile: str, rng: np.random.Generator, models: tuple[tuple[str, str], ...]
) -> None:
    for number, (model, name) in enumerate(models):
        encoder, _, decoder = model.partition("-")
        facts = {
            "parameters": 1_234_567 + number,
            "held_out": {"object_f1": 0.91},
            "training": "2,000 drawn scenes",
        }
        project.runs.put_model(
            ModelInfo(
                model,
                name,
                "captioner",
                f"demo/{model}",
                "c0ffee" * 8,
                encoder,
                decoder,
                domain="demo-world",
                facts=facts,
            )
        )
        settings_id = project.settings.put(
            "extract", {"model": model, "task": task, "method": "raw", "words": "content"}
        )
        for k, image in enumerate(project.images.all()):
            noise = rng.dirichlet(np.full(49, 0.3), len(WORDS)).reshape(-1, 7, 7)
            share = 0.9 - 0.3 * number
            grids = (share * _density(7, 7) + (1 - share) * noise).astype(np.float32)
            words = tuple(Word(text, -0.3, content) for text, content in WORDS)
            if hostile and k == 0:
                words = (Word(hostile, -0.3, True), *words[1:])
            caption = Caption(
                *(words, grids, np.ones(len(words), np.float32), Rect.of_image(*SIZE), task, "raw"),
                facts={"tokens": list(range(len(words)))},
            )
            project.runs.put(image.id, model, task, caption, caption.mean_map(), settings_id, 0.02)
