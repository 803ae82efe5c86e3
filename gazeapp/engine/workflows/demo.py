"""The demo study: drawn scenes, simulated observers and brain responses, four models, scores and a report."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.demo.scenes import TASKS
from gazeapp.engine.demo.world import (
    OBJECTS,
    RESPONSES,
    demo_scenes,
    write_demo_study,
    write_objects,
    write_simulated_responses,
)
from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.neural.simulation.truth import folds_of
from gazeapp.engine.project import Project
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Stage, Summary
from gazeapp.engine.workflows.encode import EncodeSettings, encode
from gazeapp.engine.workflows.evaluate import evaluate
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.import_responses import ImportResponsesSettings, import_responses
from gazeapp.engine.workflows.lesion import LesionSettings, lesion
from gazeapp.engine.workflows.objects import ImportObjectsSettings, import_objects
from gazeapp.engine.workflows.report import ReportSettings, report
from gazeapp.engine.workflows.scanpaths import CompareScanpathsSettings, compare_scanpaths
from gazeapp.engine.workflows.score import ScoreSettings

TRUTH_NAME = "True density (simulated)"
SIGMA_PX = 20.0
"""Blur of the demo's human maps: half the width of the blobs that its observers look at."""
OBJECTS_ORIGIN = "demo world (simulated)"
RESPONSES_NAME = "Brain responses (simulated)"
FEWEST_ENCODED = 8
"""Scenes below which no encoding model is learnt: folds, and folds within them, would be too small."""


@dataclass(frozen=True)
class DemoSettings:
    """Size and place of the demo study.

    Parameters
    ----------
    folder
        Where it is written; made if missing.
    n_scenes, n_observers
        How many scenes and simulated observers.
    seed
        Seed of the scenes and observers.
    device
        Where the models run.
    """

    folder: str
    n_scenes: int = 48
    n_observers: int = 12
    seed: int = 0
    device: str = "auto"

    @property
    def project_path(self) -> Path:
        """Path of the demo's project file."""
        return Path(self.folder) / "demo.gaze"

    @property
    def report_path(self) -> Path:
        """Path of the demo's report."""
        return Path(self.folder) / "report.html"


def build_demo(settings: DemoSettings, progress: Progress) -> Summary:
    """Build the demo study, or finish one that was interrupted; what is there is not made again.

    Raises
    ------
    GazeError
        If the folder cannot be written or holds another project of that name.
    """
    started = time.perf_counter()
    folder = Path(settings.folder)
    stage = Stage(progress, "drawing scenes and simulating observers")
    is_written = _is_written(settings)
    try:
        if not is_written:
            write_demo_study(
                folder, settings.n_scenes, settings.n_observers, settings.seed, progress=stage.report
            )
        else:
            _add_missing(folder, settings)
    except OSError as error:
        raise GazeError(
            f"The demo study cannot be written ({error.strerror or error}).",
            where=settings.folder,
            todo="Choose a folder that you may write to, with some 100 MB of free space.",
        ) from error
    path = settings.project_path
    with Project.open(path) if path.exists() else Project.create(path) as project:
        summaries = _run_verbs(project, settings, progress)
    details: Json = {
        "project": str(path),
        "report": str(settings.report_path),
        "steps": [summary.as_json() for summary in summaries],
    }
    return Summary(
        verb="demo",
        done=sum(s.done for s in summaries),
        skipped=sum(s.skipped for s in summaries),
        failed=sum(s.failed for s in summaries),
        cancelled=progress.cancelled,
        seconds=time.perf_counter() - started,
        problems=tuple(problem for s in summaries for problem in s.problems),
        details=details,
    )


def _add_missing(folder: Path, settings: DemoSettings) -> None:
    """Write what studies of earlier versions lack."""
    scenes = demo_scenes(settings.n_scenes, settings.seed)
    if not (folder / OBJECTS).exists():
        write_objects(folder, scenes)
    # The responses are written after their truth.
    if not (folder / RESPONSES).exists():
        write_simulated_responses(folder, scenes, settings.seed)


def _lesions(settings: DemoSettings) -> LesionSettings:
    """Return the demo's experiment: each half of the scenes in turn, nearly and entirely taken away."""
    return LesionSettings(tasks=TASKS, strengths=(0.9, 1.0), device=settings.device)


def demo_encoding(settings: DemoSettings) -> EncodeSettings:
    """Return how the demo's brain responses are predicted: as by default, with fewer folds of few scenes."""
    n_folds = folds_of(settings.n_scenes)
    fitted = settings.n_scenes - math.ceil(settings.n_scenes / n_folds)
    return EncodeSettings(RESPONSES_NAME, n_folds=n_folds, n_inner=min(5, fitted // 2))


def _is_written(settings: DemoSettings) -> bool:
    # The truth is written last, so a study that has it is whole.
    truth = Path(settings.folder) / "truth.json"
    if not truth.exists():
        return False
    try:
        facts = json.loads(truth.read_text("utf-8"))
        found = (len(facts["scenes"]), facts["n_observers"], facts["seed"])
    except (ValueError, KeyError, TypeError):
        found = None
    if found != (settings.n_scenes, settings.n_observers, settings.seed):
        raise GazeError(
            "The folder holds another demo study.",
            where=settings.folder,
            todo="Choose another folder, or delete it.",
        )
    return True


def _run_verbs(project: Project, settings: DemoSettings, progress: Progress) -> list[Summary]:
    folder = Path(settings.folder)
    for task in TASKS:
        project.tasks.add(task)
    objects = ImportObjectsSettings((str(folder / OBJECTS),), origin=OBJECTS_ORIGIN)
    steps: list[tuple[str, Callable[[Progress], Summary]]] = [
        ("adding images", lambda p: add_images(project, AddImagesSettings((str(folder / "images"),)), p)),
        ("reading objects", lambda p: import_objects(project, objects, p)),
    ]
    for task in TASKS:
        gaze = ImportGazeSettings(
            files=(str(folder / f"fixations_{task}.csv"),),
            task=task,
            simulated=True,
            choices=GazeChoices(sigma=SIGMA_PX),
        )
        truth = ImportMapsSettings(str(folder / "true_density" / task), TRUTH_NAME, (task,), kind="truth")
        steps.append((f"reading fixations, {task}", lambda p, s=gaze: import_gaze(project, s, p)))  # type: ignore[misc]
        steps.append((f"reading true densities, {task}", lambda p, s=truth: import_maps(project, s, p)))  # type: ignore[misc]
    steps.append(
        ("extracting", lambda p: extract(project, ExtractSettings(tasks=TASKS, device=settings.device), p))
    )
    steps.append(("taking halves away", lambda p: lesion(project, _lesions(settings), p)))
    steps.append(("scoring", lambda p: evaluate(project, ScoreSettings(sigma=SIGMA_PX, sigma_unit="px"), p)))
    steps.append(("comparing scanpaths", lambda p: compare_scanpaths(project, CompareScanpathsSettings(), p)))
    responses = ImportResponsesSettings(str(folder / RESPONSES), RESPONSES_NAME)
    steps.append(("reading brain responses", lambda p: import_responses(project, responses, p)))
    if settings.n_scenes >= FEWEST_ENCODED:
        steps.append(("predicting brain responses", lambda p: encode(project, demo_encoding(settings), p)))
    summaries: list[Summary] = []
    for name, step in steps:
        if progress.cancelled:
            return summaries
        summaries.append(step(Stage(progress, name)))
    if any(s.done for s in summaries) or not settings.report_path.exists():
        output = ReportSettings(output=str(settings.report_path))
        summaries.append(report(project, output, Stage(progress, "writing the report")))
    return summaries
