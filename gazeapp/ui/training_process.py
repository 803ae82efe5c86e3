"""Trainings as processes of their own: how they are called, started so that they outlive the window, and stopped."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.factorial_settings import read_factorial, read_training
from gazeapp.engine.models.captioner.training.settings import (
    DEMO_WORLD,
    TrainSettings,
    photograph_settings,
)
from gazeapp.ui.training_folder import ERRORS, NOTES, STOP

TRAIN, FACTORIAL = "train", "factorial"

_ALWAYS = ("data", "encoder", "decoder", "out", "encoder_rate")
_EXACTLY = (*_ALWAYS, "encoder_weights", "frozen", "patience")
"""Also those that follow from others where they are not named: what goes on has them as they were."""
_OPTIONS = {
    **{
        name: f"--{name}"
        for name in ("data", "images", "encoder", "decoder", "name", "steps", "batch", "seed")
    },
    **{name: f"--{name}" for name in ("accumulate", "device", "gpus", "precision")},
    "tasks": "--task",
    "out": "--output",
    "n_scenes": "--scenes",
    "encoder_weights": "--encoder-weights",
    "start_from": "--start-from",
}
"""Options of the commands by setting; any other is given as ``--set``."""

_children: list[subprocess.Popen[bytes]] = []


def words_to_go_on(root: Path, folder: Path) -> tuple[list[str], Path]:
    """Return what takes a training up again, and the folder that it writes to.

    The words are made of the settings in the folder, which name and hold nothing but what `TrainSettings` knows, and
    they name the folder as it is called now: it may have been copied or moved, and it may be a stranger's.

    Parameters
    ----------
    root
        Folder that is followed. If it holds a factorial design of which the training is a part, that goes on.
    folder
        Folder of the training.

    Raises
    ------
    GazeError
        When the settings cannot be read, or are none.
    """
    design = read_factorial(root) if root in folder.parents else None
    if design is None:
        return training_words(TRAIN, asdict(read_training(folder)), always=_EXACTLY), folder
    of_each = ("encoder", "decoder", "name", "seed", "encoder_weights")
    values = {name: value for name, value in asdict(design.shared).items() if name not in of_each}
    words = training_words(FACTORIAL, values, design.encoders, _EXACTLY)
    for start in design.encoder_weights or (design.shared.encoder_weights,):
        words += _option("encoder_weights", start)
    for seed in design.seeds:
        words += _option("seed", seed)
    return words, root


def training_words(
    command: str,
    values: Mapping[str, Any],
    encoders: Sequence[str] = (),
    always: Sequence[str] = _ALWAYS,
) -> list[str]:
    """Return the words after ``gazeapp`` that start a training with settings, each named that is not as usual."""
    usual = asdict(TrainSettings() if values["data"] == DEMO_WORLD else photograph_settings())
    words = [command]
    for encoder in encoders:
        words += ["--encoder", encoder]
    for name, value in values.items():
        if encoders and name in ("encoder", "decoder", "name"):
            continue
        if name in always or value != usual[name]:
            words += _option(name, value)
    return words


def terminal_line(words: Sequence[str]) -> str:
    """Return what to type on a terminal of this kind of computer."""
    line = ["gazeapp", *words]
    return subprocess.list2cmdline(line) if sys.platform == "win32" else shlex.join(line)


def own_program() -> list[str]:
    """Return what starts this gazeapp in another process."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "gazeapp"]


def start(words: Sequence[str], folder: Path) -> int:
    """Start gazeapp with ``words`` in a process that outlives this one; what it says in need goes to a file.

    Parameters
    ----------
    words
        Command and its options.
    folder
        Folder of the captioner.

    Returns
    -------
    int
        Number of the process.

    Raises
    ------
    GazeError
        When it cannot be started.
    """
    notes = folder / NOTES
    try:
        notes.mkdir(parents=True, exist_ok=True)
        (notes / STOP).unlink(missing_ok=True)
        (notes / ERRORS).write_bytes(b"")
    except OSError as error:
        raise _not_writable(notes, error) from error
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    try:
        with (notes / ERRORS).open("ab") as errors:
            process = subprocess.Popen(
                [*own_program(), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                **apart,
            )
    except (OSError, ValueError) as error:  # a word with a zero byte is no word for a process
        raise GazeError(
            f"The training could not be started: {getattr(error, 'strerror', None) or error}.",
            where=str(folder),
            todo=f"Start it on a terminal: {terminal_line(words)}",
        ) from error
    _children[:] = [child for child in _children if child.poll() is None]
    _children.append(process)  # one that nobody holds is reported as forgotten
    return process.pid


def _option(name: str, value: Any) -> list[str]:
    if name == "frozen":
        return ["--frozen" if value else "--fine-tune"]
    option = _OPTIONS.get(name)
    if name == "tasks":
        return [word for task in value for word in (str(option), str(task))]
    if option is not None:
        return [option, str(value)]
    said = ",".join(map(str, value)) if isinstance(value, (tuple, list)) else value
    return ["--set", f"{name}={said}"]


def ask_to_stop(folder: Path) -> None:
    """Ask a training to stop after the step in hand, wherever it runs; it keeps a checkpoint to go on from.

    Raises
    ------
    GazeError
        When nothing can be written into its folder.
    """
    path = folder / NOTES / STOP
    try:
        path.write_text("Stop after the step in hand.\n", "utf-8")
    except OSError as error:
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> GazeError:
    return GazeError(
        f"Nothing can be written there: {error.strerror or error}.",
        where=str(path),
        todo="Choose another folder, or give yourself the right to write.",
    )
