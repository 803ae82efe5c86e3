"""Writing a demo study to a folder: pictures, fixations, brain responses, objects, and the truth; all simulated."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile, PngInfo

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.observers import VIEWING_MS, population_density, simulate_fixations
from gazeapp.engine.demo.scenes import TASKS, Scene, captions, make_scene, scene_seeds
from gazeapp.engine.neural.regions.built_in import DESIKAN, built_in_atlas
from gazeapp.engine.neural.simulation.drives import CELLS, contrast_drive
from gazeapp.engine.neural.simulation.files import write_responses, write_truth
from gazeapp.engine.neural.simulation.plan import CONTRAST, PEOPLE
from gazeapp.engine.neural.simulation.simulate import SimulationSettings, simulate_responses
from gazeapp.engine.neural.simulation.truth import truth_rows
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.types import Json

PICTURE_SIZE = 512
DENSITY_SIZE = 128
COLUMNS = ("image", "subject", "task", "fixation_index", "x", "y", "start_ms", "duration_ms")
OBJECTS = "objects.csv"
RESPONSES = "responses.npz"
RESPONSES_TRUTH = "responses_truth.csv"
OBJECT_COLUMNS = ("image", "label", "x", "y", "width", "height")
_MARK = ("gazeapp:world", "demo-world")
_SCENES_PER_SEED = 1000


@dataclass(frozen=True, slots=True)
class DemoStudy:
    """Where the parts of a written demo study are.

    Parameters
    ----------
    folder
        The study's folder.
    images
        Its pictures, in order.
    fixations
        Fixation table of each task.
    densities
        True fixation density of each (task, image stem), float32 maps that sum to 1.
    objects
        Table of the boxes of objects and people, px.
    responses
        Simulated brain responses to the pictures, NPZ.
    responses_truth
        Table of what is planted in them, region by region.
    truth
        Scenes, boxes, captions and seeds, as JSON.
    """

    folder: Path
    images: tuple[Path, ...]
    fixations: dict[str, Path]
    densities: dict[tuple[str, str], Path]
    objects: Path
    responses: Path
    responses_truth: Path
    truth: Path


def demo_scenes(n_scenes: int, seed: int = 0) -> tuple[Scene, ...]:
    """Return the scenes of a demo study; no captioner was trained or tested on any of them."""
    if not 0 < n_scenes <= _SCENES_PER_SEED:
        raise ValueError(f"a demo study has 1 to {_SCENES_PER_SEED} scenes, not {n_scenes}")
    return tuple(make_scene(s) for s in scene_seeds("demo", n_scenes, start=seed * _SCENES_PER_SEED))


def write_demo_study(
    folder: Path,
    n_scenes: int = 48,
    n_observers: int = 12,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> DemoStudy:
    """Write a demo study: the same arguments always give the same data.

    Parameters
    ----------
    folder
        Where to write; made if need be, files of the same names are replaced.
    n_scenes, n_observers
        Number of pictures, and of simulated observers, each of whom sees all pictures under both tasks.
    seed
        Seed of scenes and observers.
    progress
        Called with (done, total, message) after each scene.
    """
    scenes = demo_scenes(n_scenes, seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images: list[Path] = []
    densities: dict[tuple[str, str], Path] = {}
    for i, scene in enumerate(scenes):
        path = folder / "images" / _picture_name(i)
        _write_picture(path, scene)
        images.append(path)
        for task in TASKS:
            densities[task, path.stem] = _write_density(folder, path.stem, scene, task)
        if progress is not None:
            progress(i + 1, n_scenes, "drawing scenes")
    names = [path.name for path in images]
    tables = {task: _write_fixations(folder, task, scenes, names, n_observers, seed) for task in TASKS}
    objects = write_objects(folder, scenes)
    responses, responses_truth = write_simulated_responses(folder, scenes, seed)
    truth = folder / "truth.json"
    truth.write_text(json.dumps(_truth(scenes, names, n_observers, seed), indent=1) + "\n", "utf-8")
    return DemoStudy(folder, tuple(images), tables, densities, objects, responses, responses_truth, truth)


def write_objects(folder: Path, scenes: tuple[Scene, ...]) -> Path:
    """Write the table of what is where in the pictures of a study, under the nouns of its captions."""
    path = folder / OBJECTS
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(OBJECT_COLUMNS)
        for i, scene in enumerate(scenes):
            for noun, box in zip(scene.nouns, scene.boxes, strict=True):
                place = (box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)
                row = (f"{value * PICTURE_SIZE:.2f}" for value in place)
                table.writerow((_picture_name(i), noun, *row))
    return path


def write_simulated_responses(folder: Path, scenes: tuple[Scene, ...], seed: int) -> tuple[Path, Path]:
    """Write simulated brain responses to the pictures of a study, and the table of what is planted in them."""
    names = [_picture_name(i) for i in range(len(scenes))]
    pictures = (read_picture(folder / "images" / name)[0] for name in names)
    drives = {CONTRAST: np.stack([contrast_drive(picture) for picture in pictures])}
    for task in TASKS:
        drives[PEOPLE[task]] = np.stack([population_density(scene, task, CELLS, CELLS) for scene in scenes])
    simulation = simulate_responses(drives, names, built_in_atlas(DESIKAN).regions, SimulationSettings(seed))
    responses, truth = folder / RESPONSES, folder / RESPONSES_TRUTH
    write_truth(truth, truth_rows(simulation), simulation.responses)
    write_responses(responses, simulation.responses)
    return responses, truth


def is_demo_image(path: Path) -> bool:
    """Return whether a picture file says that it was drawn by the demo world; reads only its head."""
    try:
        with Image.open(path) as image:
            return isinstance(image, PngImageFile) and image.text.get(_MARK[0]) == _MARK[1]
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError):
        return False


def _picture_name(number: int) -> str:
    return f"scene-{number + 1:03d}.png"


def _write_picture(path: Path, scene: Scene) -> None:
    mark = PngInfo()
    mark.add_text(*_MARK)
    Image.fromarray(render(scene, PICTURE_SIZE)).save(path, pnginfo=mark)


def _write_density(folder: Path, stem: str, scene: Scene, task: str) -> Path:
    path = folder / "true_density" / task / f"{stem}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, population_density(scene, task, DENSITY_SIZE, DENSITY_SIZE), allow_pickle=False)
    return path


def _write_fixations(
    folder: Path, task: str, scenes: tuple[Scene, ...], names: list[str], n_observers: int, seed: int
) -> Path:
    path = folder / f"fixations_{task}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for observer in range(n_observers):
            for scene, name in zip(scenes, names, strict=True):
                seen = simulate_fixations(
                    scene, task, observer, seed=seed, width=PICTURE_SIZE, height=PICTURE_SIZE
                )
                for i in range(len(seen)):
                    # Cut, not rounded: rounding could move a fixation onto the image's far edge.
                    x, y = (np.floor(v * 100) / 100 for v in (seen.x[i], seen.y[i]))
                    row = (f"{x:.2f}", f"{y:.2f}", f"{seen.start_ms[i]:.1f}", f"{seen.duration_ms[i]:.1f}")
                    table.writerow((name, f"sim-{observer + 1:02d}", task, i + 1, *row))
    return path


def _truth(scenes: tuple[Scene, ...], names: list[str], n_observers: int, seed: int) -> Json:
    return {
        "simulated": True,
        "seed": seed,
        "n_observers": n_observers,
        "picture_size": PICTURE_SIZE,
        "viewing_ms": VIEWING_MS,
        "boxes_are": "left, top, right, bottom in unit coordinates: objects, people, held objects",
        "scenes": [
            {
                "image": name,
                **asdict(scene),
                "boxes": [[box.x0, box.y0, box.x1, box.y1] for box in scene.boxes],
                "heads": [[p.head.x0, p.head.y0, p.head.x1, p.head.y1] for p in scene.people],
                "captions": {
                    task: {"text": truth.text, "words": truth.words, "boxes": truth.boxes}
                    for task, truth in captions(scene).items()
                },
            }
            for scene, name in zip(scenes, names, strict=True)
        ],
    }
