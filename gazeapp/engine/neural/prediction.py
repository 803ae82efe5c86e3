"""Asking a script for the responses that a model predicts: what goes out, and what has to come back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_VERTICES
from gazeapp.engine.runners.arrays import ArrayRefusedError, Expected, read_arrays, read_texts
from gazeapp.engine.runners.process import RunnerProcess, never, silent
from gazeapp.engine.runners.protocol import RunnerProgress, shown
from gazeapp.engine.runners.run import RunResult, run
from gazeapp.engine.types import FloatArray, Json

LONGEST_CLIP = 60.0
"""Seconds of the longest clip: longer ones are cut into several by the library of TRIBE v2."""
MOST_FPS = 60
SHORTEST_WINDOW = 1.0
"""Seconds of the shortest window: responses come once a second."""
FILE_NAME = "responses.npz"

_MOST_FACTS = 10_000
"""Characters of the longest facts that are taken."""


@dataclass(frozen=True, slots=True)
class Clip:
    """How a still image is shown to a model that watches films, and which of its responses count.

    Parameters
    ----------
    clip_seconds
        How long the image is held, s.
    fps
        Frames per second of the film.
    window
        First and last second, from the image's onset, that are averaged; None for the end of the clip. The model has
        taken the haemodynamic lag into account.
    whole_picture
        Whether the image is laid on a grey square, so that a model which looks at the middle of its film sees all of
        it.

    Raises
    ------
    GazeError
        If a number is out of its range, or the window is not inside the clip.
    """

    clip_seconds: float = 10.0
    fps: int = 10
    window: tuple[float, float | None] = (4.0, None)
    whole_picture: bool = False

    def __post_init__(self) -> None:
        if not SHORTEST_WINDOW <= self.clip_seconds <= LONGEST_CLIP:
            raise GazeError(
                f"Clips of {self.clip_seconds:g} s cannot be made.",
                todo=f"Choose a length between {SHORTEST_WINDOW:g} and {LONGEST_CLIP:g} s.",
            )
        if not 1 <= self.fps <= MOST_FPS:
            raise GazeError(
                f"Clips cannot have {self.fps:g} frames per second.",
                todo=f"Choose between 1 and {MOST_FPS} of them.",
            )
        first, last = self.window[0], self.clip_seconds if self.window[1] is None else self.window[1]
        if not (first >= 0 and last <= self.clip_seconds and last - first >= SHORTEST_WINDOW):
            raise GazeError(
                f"Responses from {first:g} to {last:g} s of a clip of {self.clip_seconds:g} s cannot be averaged.",
                todo=f"The window has to lie inside the clip and last at least {SHORTEST_WINDOW:g} s.",
            )

    def as_json(self) -> Json:
        """Return the settings for a script, or to be stored."""
        return {
            "clip_seconds": self.clip_seconds,
            "fps": self.fps,
            "window": list(self.window),
            "whole_picture": self.whole_picture,
        }


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image to predict responses to: its name in the project, its file, and the SHA-256 of that."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a script predicted, checked.

    Parameters
    ----------
    images
        Names of the images that it has responses to, in the order of the rows.
    values
        Responses, shape (n_images, 20484), float32, all finite.
    facts
        What it says of how they were made, JSON-able.
    problems
        (image, what is wrong) of those that it could not do.
    """

    images: tuple[str, ...]
    values: FloatArray
    facts: Json
    problems: tuple[tuple[str, str], ...]


def predict(
    process: RunnerProcess,
    images: Sequence[ImageFile],
    clip: Clip,
    folder: Path,
    *,
    device: str = "auto",
    progress: RunnerProgress = silent,
    should_stop: Callable[[], bool] = never,
) -> Predicted:
    """Have a script predict the responses to images.

    Parameters
    ----------
    process
        The script.
    images
        The images, each name once.
    clip
        How they are shown.
    folder
        Where the script may keep what it has made, to go on from there another time.
    device
        ``auto``, ``cpu`` or ``cuda``.
    progress, should_stop
        As for `RunnerProcess.request`.

    Raises
    ------
    GazeError
        As `RunnerProcess.request`, and if what comes back are not responses to these images.
    StoppedError
        If ``should_stop`` said so.
    MemoryError
        If the script says that memory ran out.
    """
    values = {
        "images": [
            {"name": image.name, "path": str(image.path.resolve()), "sha256": image.sha256}
            for image in images
        ],
        "settings": {**clip.as_json(), "device": device},
        "folder": str(folder.resolve()),
    }
    with tempfile.TemporaryDirectory(prefix="gazeapp-responses-") as place:
        result = run(process, values, Path(place), progress=progress, should_stop=should_stop)
        try:
            return _checked(result, [image.name for image in images])
        except ArrayRefusedError as error:
            raise GazeError(
                f"“{process.script.name}” gave an answer that cannot be used. {error}",
                where=str(process.script.path),
                todo="Its author can compare it with the guide to predicted responses (docs/tribe.md).",
            ) from error


def _checked(result: RunResult, asked: Sequence[str]) -> Predicted:
    problems = _problems(result.values.get("problems", []), asked)
    path = next((path for path in result.files if path.name == FILE_NAME), None)
    if path is None:
        if len(problems) < len(asked):
            raise ArrayRefusedError(f"It made no file '{FILE_NAME}'.")
        return Predicted((), np.zeros((0, N_VERTICES), np.float32), {}, problems)
    images = read_texts(path, "image_ids")
    strange = [image for image in images if image not in asked]
    if strange or len(set(images)) < len(images):
        raise ArrayRefusedError(
            f"It names the image '{shown(strange[0])}', which was not asked for."
            if strange
            else "It names an image twice."
        )
    values = read_arrays(path, {"Y": Expected((len(images), N_VERTICES))})["Y"]
    if np.abs(values).max(initial=0.0) > np.finfo(np.float32).max:
        raise ArrayRefusedError("Its array 'Y' holds values that are too large.")
    lost = set(asked) - set(images) - {name for name, _ in problems}
    problems += tuple((name, "The model gave no response to it.") for name in asked if name in lost)
    return Predicted(images, values.astype(np.float32), _facts(read_texts(path, "meta_json")), problems)


def _problems(told: object, asked: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, list):
        raise ArrayRefusedError("Its 'problems' are no list.")
    found = {}
    for one in told:
        if not isinstance(one, dict) or one.get("name") not in asked:
            raise ArrayRefusedError("Its 'problems' are not about the images that were asked for.")
        found[str(one["name"])] = shown(str(one.get("what", ""))) or "The model could not use it."
    return tuple(found.items())


def _facts(texts: Sequence[str]) -> Json:
    """Return what the script says of how responses were made."""
    if len(texts) != 1 or len(texts[0]) > _MOST_FACTS:
        raise ArrayRefusedError("Its 'meta_json' is not one short text.")
    try:
        facts = json.loads(texts[0], parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ArrayRefusedError("Its 'meta_json' is no JSON.") from error
    if not isinstance(facts, dict):
        raise ArrayRefusedError("Its 'meta_json' is no JSON object.")
    return facts


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
