"""Asking a script to describe an image: what goes out, and what has to come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.runners.arrays import ArrayRefusedError, Expected, read_arrays
from gazeapp.engine.runners.process import Answer, RunnerProcess, never, silent
from gazeapp.engine.runners.protocol import RunnerProgress
from gazeapp.engine.runners.script import DESCRIBE
from gazeapp.engine.types import DoubleArray, ImageArray, Json, Rect

ARRAYS_NAME = "arrays.npz"
"""File of the arrays of an answer, in the folder of its request."""

_SLACK = 1e-3
"""How far shares may lie above 1 and log-probabilities above 0: what half precision rounds."""
_MOST_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class Description:
    """What a script said about an image, token by token, checked.

    Parameters
    ----------
    tokens
        Text of each token; all of them joined are the caption, spaces included.
    log_probabilities
        Natural logarithm of each token's probability, shape (n_tokens,).
    attention
        Attention of each token over the grid, shape (n_tokens, rows, columns), non-negative, in whatever unit; row 0
        is the top.
    image_mass
        Share of each token's attention that fell on the image at all, shape (n_tokens,), 0 to 1.
    rect
        Rectangle of the image that the grid covers, image px.
    facts
        What else the script observed, JSON-able.
    """

    tokens: tuple[str, ...]
    log_probabilities: DoubleArray
    attention: DoubleArray
    image_mass: DoubleArray
    rect: Rect
    facts: Json


def describe(
    process: RunnerProcess,
    image: ImageArray,
    *,
    prompt: str,
    decoding: Json,
    method: str,
    progress: RunnerProgress = silent,
    should_stop: Callable[[], bool] = never,
) -> Description:
    """Have a script describe an image.

    Parameters
    ----------
    process
        The script.
    image
        RGB image, shape (height, width, 3).
    prompt
        What the model is asked, in words.
    decoding
        How tokens are chosen, JSON-able: ``max_tokens``, ``temperature``, ``top_p``, ``seed``.
    method
        Map method, one of the script's.
    progress, should_stop
        As for `RunnerProcess.request`.

    Raises
    ------
    GazeError
        As `RunnerProcess.request`, and if what comes back is not a description.
    StoppedError
        If ``should_stop`` said so.
    """

    def write(folder: Path) -> Json:
        Image.fromarray(image).save(folder / "image.png", compress_level=1)
        return {"image": "image.png", "prompt": prompt, "decoding": decoding, "method": method}

    height, width = image.shape[:2]
    with process.request(DESCRIBE, write, progress, should_stop) as answer:
        try:
            return _checked(answer, width, height)
        except ArrayRefusedError as error:
            raise GazeError(
                f"“{process.script.name}” gave an answer that cannot be used. {error}",
                where=str(process.script.path),
                todo="Its author can compare it with the guide to runners (docs/runners.md).",
            ) from error


def _checked(answer: Answer, width: int, height: int) -> Description:
    tokens = _tokens(answer.values.get("tokens"))
    n = len(tokens)
    arrays = read_arrays(
        answer.folder / ARRAYS_NAME,
        {
            "log_probabilities": Expected((n,)),
            "attention": Expected((n, None, None)),
            "image_mass": Expected((n,)),
            "rect": Expected((4,)),
        },
    )
    attention, mass, logs = arrays["attention"], arrays["image_mass"], arrays["log_probabilities"]
    if 0 in attention.shape:
        raise ArrayRefusedError("Its grid has no cells.")
    if attention.min() < 0 or mass.min() < 0 or mass.max() > 1 + _SLACK:
        raise ArrayRefusedError("Attention has to be 0 or more, and its share on the image between 0 and 1.")
    if logs.max() > _SLACK:
        raise ArrayRefusedError("Logarithms of probabilities have to be 0 or less.")
    facts = answer.values.get("facts", {})
    return Description(
        tokens,
        np.minimum(logs, 0.0),
        attention,
        np.minimum(mass, 1.0),
        _rect(arrays["rect"], width, height),
        facts if isinstance(facts, dict) else {},
    )


def _tokens(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise ArrayRefusedError("It has no list of 'tokens'.")
    if not "".join(value).strip() or len(value) > _MOST_TOKENS:
        raise ArrayRefusedError("Its 'tokens' say nothing, or far more than a caption.")
    return tuple(value)


def _rect(values: DoubleArray, width: int, height: int) -> Rect:
    x, y, across, down = (float(value) for value in values)
    if across <= 0 or down <= 0:
        raise ArrayRefusedError("The rectangle that its grid covers has no size.")
    # Padding of a model's own canvas may lie outside the image, but some of the grid has to be on it.
    if x >= width or y >= height or x + across <= 0 or y + down <= 0:
        raise ArrayRefusedError("The rectangle that its grid covers lies outside the image.")
    return Rect(x, y, across, down)
