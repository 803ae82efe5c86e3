"""A training whose work several processes share, one for each graphics card, started through Accelerate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.fitting import Progress
from gazeapp.engine.models.captioner.training.lock import alone_in, telling_failure
from gazeapp.engine.models.captioner.training.records import NOTES, SETTINGS, STATUS, STOP
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.environment import best_device
from gazeapp.engine.replacing import replacing

_LOOK_EVERY_S = 0.5
_STARTED = "GAZEAPP_TRAINS_TOGETHER"
"""Tells processes that they were started here, so that none of them starts others."""


def train_on_several(settings: TrainSettings, progress: Progress, as_json: bool = False) -> int:
    """Start the processes of a training, wait for them, and return an exit code: 0 when the captioner is there.

    Parameters
    ----------
    settings
        Settings with ``gpus`` above 1; with the device ``cpu`` there are as many processes on the processor.
    progress
        Says whether to stop; the first process draws how far the training is.
    as_json
        Whether the first process prints the captioner's figures as JSON.

    Raises
    ------
    GazeError
        When there are not that many graphics cards, this gazeapp cannot start processes, or another training works in
        the folder.
    """
    if os.environ.get(_STARTED):
        raise GazeError(f"Accelerate did not start {settings.gpus} processes.", todo="Train with gpus 1.")
    with alone_in(Path(settings.out)), telling_failure(settings):
        return _launch(settings, progress, as_json)


def _launch(settings: TrainSettings, progress: Progress, as_json: bool) -> int:
    notes = Path(settings.out) / NOTES
    command = launch_command(settings, notes / SETTINGS, as_json)
    with replacing(notes / SETTINGS) as partial:
        partial.write_text(json.dumps(asdict(settings), indent=1) + "\n", "utf-8")
    # A session of their own keeps Ctrl-C from them: the file tells all of them to stop after the same step.
    launched = subprocess.Popen(
        command,
        start_new_session=True,
        env={"OMP_NUM_THREADS": "1", **os.environ, _STARTED: "1"},
        preexec_fn=_outlive_warnings if os.name == "posix" else None,
    )
    while True:
        try:
            launched.wait(_LOOK_EVERY_S)
            break
        except subprocess.TimeoutExpired:
            if progress.cancelled:
                (notes / STOP).touch()
    try:
        status = json.loads((notes / STATUS).read_text("utf-8"))
    except (OSError, ValueError):
        status = {}
    return 0 if launched.returncode == 0 and status.get("state") == "finished" else 1


def launch_command(settings: TrainSettings, file: Path, as_json: bool) -> list[str]:
    """Return the command that starts a training in several processes.

    Raises
    ------
    GazeError
        When there are not that many graphics cards, or this gazeapp cannot start processes.
    """
    if getattr(sys, "frozen", False):
        raise GazeError(
            "This gazeapp has no Python of its own to start several processes with.",
            todo="Install gazeapp with pip to train on several graphics cards.",
        )
    on_cards = best_device(settings.device) == "cuda"
    if not on_cards and settings.device != "cpu":
        raise GazeError(
            f"There are no {settings.gpus} NVIDIA graphics cards here.",
            todo="Train with gpus 1, or with device cpu in several processes.",
        )
    if on_cards:
        _check_cards(settings.gpus)
    # Precision and device are gazeapp's to say; --multi_gpu stands for several processes on either.
    options: Iterable[str] = (
        "--num_processes", str(settings.gpus), "--num_machines", "1", "--mixed_precision", "no",
        "--dynamo_backend", "no", "--main_process_port", "0", "--multi_gpu",
    )  # fmt: skip
    words = ["train", "--settings", str(file), *(["--json"] if as_json else [])]
    return [sys.executable, "-m", "accelerate.commands.launch", *options, "-m", "gazeapp", *words]


def _outlive_warnings() -> None:
    """Let a cluster's warning that time is short not end the launcher, which knows nothing of it."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def _check_cards(wanted: int) -> None:
    import torch

    there = torch.cuda.device_count()
    if there < wanted:
        raise GazeError(
            f"There are {there} graphics cards here, not {wanted}.", todo=f"Use gpus {there} or fewer."
        )
