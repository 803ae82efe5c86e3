"""How a training stands, in words."""

from __future__ import annotations

import time

import numpy as np

from gazeapp.ui.panels.training_lines import MEASURES, best_of
from gazeapp.ui.training_folder import (
    FAILED,
    FINISHED,
    RUNNING,
    SILENT,
    STOPPED,
    STOPPING,
    UNREADABLE,
    WAITING,
    Training,
)
from gazeapp.ui.worker import duration

_PACE_LINES = 50
_TOLD_LINES = 5
_DAY_S = 86_400.0

ICONS = {
    RUNNING: "play",
    STOPPING: "clock",
    STOPPED: "pause",
    FINISHED: "check",
    FAILED: "warning",
    SILENT: "warning",
    WAITING: "clock",
    UNREADABLE: "warning",
}


def pace(training: Training) -> float:
    """Return steps a second over the last lines of a training; 0 when that cannot be told."""
    steps, seconds = training.curve.steps[-_PACE_LINES:], training.curve.seconds[-_PACE_LINES:]
    if len(steps) < 2 or not np.isfinite(seconds).all():
        return 0.0
    backwards = np.flatnonzero(np.diff(seconds) <= 0)  # the clock of a training that went on may begin again
    first = int(backwards[-1]) + 1 if len(backwards) else 0
    if first >= len(steps) - 1:
        return 0.0
    return float((steps[-1] - steps[first]) / (seconds[-1] - seconds[first]))


def in_a_sentence(training: Training) -> str:
    """Return how far a training is, how fast, and what is left; for one that ended, how."""
    state = training.state
    if state == WAITING:
        return "Nothing is here yet: no training has written into this folder."
    if state == UNREADABLE:
        return f"This folder cannot be read: {training.message.rstrip('.')}."
    if state == RUNNING and not len(training.curve.steps):
        return f"{_progress(training)}  ·  starting".strip(" ·")
    if state == STOPPING:
        return f"{_progress(training)}  ·  stopping after the step in hand"
    if state == RUNNING:
        return "  ·  ".join(
            part for part in (_progress(training), _loss(training), *_speed(training)) if part
        )
    if state == FINISHED:
        best = best_of(training)
        said = f"best {MEASURES[best[1]]} {best[2]:.3f} at step {best[0]:,}" if best else ""
        ended = (
            "Finished" if training.step >= training.steps else f"Finished early, at step {training.step:,}"
        )
        return "  ·  ".join(part for part in (ended, _loss(training), said, _took(training)) if part)
    if state == STOPPED:
        next_ = "it goes on when its turn comes" if training.taken else "it can go on from there"
        return f"Stopped  ·  {_progress(training)}  ·  {next_}"
    if state == FAILED:
        when = f"after step {training.step:,}" if training.step else "before its first step"
        return f"Failed {when}. {training.message}".strip()
    return _silent(training)


def in_a_few_words(training: Training) -> str:
    """Return the same for a line of a list."""
    share = f" {training.step * 100 // training.steps} %" if training.steps else ""
    words = {
        RUNNING: f"running{share}",
        STOPPING: "stopping",
        STOPPED: f"stopped{share}",
        FINISHED: "finished",
        FAILED: "failed",
        SILENT: "no word",
        WAITING: "nothing yet",
        UNREADABLE: "cannot be read",
    }
    return words[training.state]


def details(training: Training) -> str:
    """Return the last lines that the process wrote before it ended in need; empty when there is no need."""
    if training.state not in (FAILED, SILENT):
        return ""
    said = "\n".join(training.errors.splitlines()[-_TOLD_LINES:])
    return "" if training.message and said.strip() in training.message else said


def _progress(training: Training) -> str:
    return f"Step {training.step:,} of {training.steps:,}" if training.steps else f"Step {training.step:,}"


def _loss(training: Training) -> str:
    losses = training.curve.losses
    if not len(losses):
        return ""
    return f"loss {losses[-1]:.3f}" if np.isfinite(losses[-1]) else "the loss is not a number"


def _speed(training: Training) -> tuple[str, str]:
    speed = pace(training)
    if speed <= 0:
        return "", ""
    said = f"{speed:.3g} steps a second" if speed >= 1 else f"{1 / speed:.3g} s a step"
    left = (training.steps - training.step) / speed
    return said, f"about {span(left)} left" if training.steps > training.step else ""


def span(seconds: float) -> str:
    """Return a time span in words, in days where it is long."""
    if seconds < 2 * _DAY_S:
        return duration(seconds)
    return f"{int(seconds // _DAY_S)} days {round(seconds % _DAY_S / 3600)} h"


def _took(training: Training) -> str:
    seconds = training.curve.seconds
    return f"took {span(float(seconds[-1]))}" if len(seconds) and np.isfinite(seconds[-1]) else ""


def _silent(training: Training) -> str:
    ago = span(max(1.0, time.time() - training.updated))
    if training.was_here:
        last = training.errors.splitlines()[-1] if training.errors else ""
        when = f"after step {training.step:,}" if training.step else "before its first step"
        said = f"Its process ended {when}: {last}" if last else f"Its process ended without a word {when}."
        return f"{said} Go on takes it up at its last checkpoint." if training.settings else said
    return (
        f"No word for {ago}, after step {training.step:,}, and its process is not on this computer. If it has ended "
        "elsewhere, too, Go on takes it up here."
    )
