"""A small project with planted maps, so that what the window draws can be checked against what is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.types import FloatArray

WIDTH, HEIGHT = 160, 96
TASK = "general"
MODELS = (
    ("cnn-lstm", "CNN-LSTM"),
    ("cnn-transformer", "CNN-Transformer"),
    ("vit-lstm", "ViT-LSTM"),
    ("vit-transformer", "ViT-Transformer"),
)
CAPTION = ["a", "man", "holds", "a", "red", "ball"]
GRAMMAR = {"a", "two", "and", "the", "on", "of", "in", "at", "to"}


@dataclass(frozen=True)
class Study:
    path: Path
    images: tuple[int, ...]


def blob(rows: int, columns: int, across: float, down: float, spread: float) -> FloatArray:
    """A Gaussian bump at (across, down) shares of the map, summing to 1."""
    y, x = np.mgrid[0:rows, 0:columns]
    distance = ((x + 0.5) / columns - across) ** 2 + ((y + 0.5) / rows - down) ** 2
    values = np.exp(-distance / (2 * spread**2)) + 1e-3
    return (values / values.sum()).astype(np.float32)


def draw(path: Path, width: int, height: int, seed: int) -> None:
    """A plain picture: sky, ground and a few discs."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (width, height), (176, 206, 230))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, height * 0.6, width, height), fill=(120, 150, 96))
    for _ in range(5):
        x, y, r = rng.uniform(0, width), rng.uniform(0.3, 0.9) * height, rng.uniform(0.04, 0.12) * height
        pen.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(c) for c in rng.integers(40, 230, 3)))
    picture.save(path)


def build(
    folder: Path,
    *,
    images: int = 3,
    models: int = 4,
    subjects: int = 4,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    pictures: list[Path] | None = None,
    captions: tuple[list[str], ...] = (CAPTION,),
    tasks: tuple[str, ...] = (TASK,),
    simulated: bool = True,
    origin: str = "demo-world",
    scored: bool = True,
) -> Study:
    """Write a project file; word k of a caption looks at (k + 0.5) / n across and 0.5 down."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.gaze"
    rng = np.random.default_rng(1)
    with Project.create(path) as project, project.transaction():
        settings = project.settings.put("test", {"seed": 1})
        for task in tasks:
            project.tasks.add(task)
        ids = []
        for number in range(images):
            file = pictures[number] if pictures else folder / f"scene-{number + 1:03}.png"
            width, height = size
            if pictures:
                with Image.open(file) as opened:
                    width, height = opened.size
            else:
                draw(file, width, height, number)
            ids.append(project.images.add(file, file.name, sha256_of(file), width, height, origin))
        for model, name in MODELS[:models]:
            project.runs.put_model(ModelInfo(id=model, name=name, kind="captioner", domain="demo-world"))
        for task in tasks:
            if subjects:
                _add_gaze(project, ids, subjects, task, rng, settings, simulated)
            for image_id in ids:
                for place, (model, _name) in enumerate(MODELS[:models]):
                    add_run(project, image_id, model, task, captions[place % len(captions)], settings)
            if scored and models:
                _add_scores(project, ids, models, task, settings)
    return Study(path, tuple(ids))


def _add_gaze(project, ids, subjects, task, rng, settings, simulated) -> None:
    recording = project.gaze.add_recording(
        path=project.folder / "made.csv",
        sha256=f"r{task}",
        format="csv",
        confidence=1.0,
        task=task,
        facts={},
        simulated=simulated,
        settings_id=settings,
        frame=Frame(of="image").as_json(),
        geometry={},
    )
    trials, scanpaths = [], []
    for image_id in ids:
        row = project.images.get(image_id)
        spots = [(0.3, 0.55), (0.68, 0.42)]
        density = sum(blob(48, round(48 * row.width / row.height), *spot, 0.06) for spot in spots) / 2
        project.maps.put_human(image_id, task, density.astype(np.float32), row.rect, settings)
        for number in range(subjects):
            scanpaths.append(_scanpath(row, spots, rng))
            n = len(scanpaths[-1])
            trials.append(
                NewTrial(f"S{number + 1:02}", task, image_id, "", row.name, n_fixations=n, n_kept=n)
            )
    trial_ids = project.gaze.add_trials(recording, trials)
    project.gaze.add_fixations(
        FixationRow(trial, k + 1, k + 1, *fixation, "", "", "")
        for trial, scanpath in zip(trial_ids, scanpaths, strict=True)
        for k, fixation in enumerate(scanpath)
    )


def _scanpath(row, spots, rng) -> list[tuple[float, float, float, float]]:
    """x, y in image px, start and duration in ms of the fixations of a trial."""
    fixations, start = [], 0.0
    for _ in range(int(rng.integers(7, 13))):
        x, y = np.array(spots[rng.integers(2)]) + rng.normal(0, 0.07, 2)
        duration = float(rng.gamma(6, 42))
        across, down = (float(np.clip(share, 0.01, 0.99)) for share in (x, y))
        fixations.append((across * row.width, down * row.height, start, duration))
        start += duration + 40
    return fixations


def add_run(project, image_id, model, task, words, settings) -> None:
    """Store a run with a caption of `words` and planted maps."""
    row = project.images.get(image_id)
    maps = np.stack([blob(8, 8, (k + 0.5) / len(words), 0.5, 0.12) for k in range(len(words))])
    content = [word not in GRAMMAR for word in words]
    caption = Caption(
        words=tuple(Word(word, -0.2 - 0.1 * k, content[k]) for k, word in enumerate(words)),
        maps=maps,
        image_mass=np.ones(len(words), np.float32),
        rect=row.rect,
        task=task,
        method="attention",
    )
    project.runs.put(image_id, model, task, caption, caption.mean_map(), settings, 0.1)


def _add_scores(project, ids, models, task, settings) -> None:
    task_id = project.tasks.id_of(task)
    for metric, top in (("nss", 2.0), ("cc", 0.8)):
        for place, (model, _name) in enumerate(MODELS[:models]):
            for number, image_id in enumerate(ids):
                project.db.execute(
                    "INSERT INTO scores (image_id, source_kind, source, task_id, metric, preset, value,"
                    " settings_id, settings_hash, inputs_hash) "
                    "VALUES (?, 'model', ?, ?, ?, 'tuebingen', ?, ?, 'h', 'i')",
                    (image_id, model, task_id, metric, _score(top, place, number), settings),
                )
            project.db.execute(
                "INSERT INTO summary (source_kind, source, task_id, metric, preset, n_images, n_subjects, "
                "mean, ceiling, percent, ci_low, ci_high, settings_id, settings_hash) "
                "VALUES ('model', ?, ?, ?, 'tuebingen', ?, 4, 1, ?, ?, ?, ?, ?, 'h')",
                (model, task_id, metric, len(ids), top, *(p - 12 * place for p in (86, 80, 92)), settings),
            )
        for image_id in ids:
            project.db.execute(
                "INSERT INTO ceilings (image_id, task_id, metric, preset, estimator, value, n_subjects,"
                " settings_id, settings_hash, inputs_hash) VALUES (?, ?, ?, 'tuebingen', 'loso', ?, 4, ?, 'h', 'i')",
                (image_id, task_id, metric, top, settings),
            )


def _score(top: float, model: int, image: int) -> float:
    return top * (0.9 - 0.1 * model) - 0.1 * (image % 7)
