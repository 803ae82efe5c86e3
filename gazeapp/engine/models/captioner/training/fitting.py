"""The steps of a training: one loop for every encoder, decoder, data source and machine, seeded, counted in steps."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.data.source import CaptionSource
from gazeapp.engine.models.captioner.io import LARGEST_STORED
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.batches import StepReader, draw_variation, step_chance
from gazeapp.engine.models.captioner.training.checkpoint import Checkpoints, Standing, check_weights
from gazeapp.engine.models.captioner.training.loss import counts, part_loss, trimmed
from gazeapp.engine.models.captioner.training.machine import Machine
from gazeapp.engine.models.captioner.training.material import Unreadable, joined
from gazeapp.engine.models.captioner.training.records import Records
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import ImageArray, IntArray, Json

_LINE_EVERY = 20
"""Steps between lines of the history."""

_LONGEST_GRADIENT = 1.0


class Progress(Protocol):
    """How a training tells how far it is, and learns that it should stop."""

    def report(self, done: int, total: int, message: str) -> None:
        """Say that ``done`` of ``total`` steps are finished."""

    @property
    def cancelled(self) -> bool:
        """Whether the training should stop after the step in hand."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained captioner, the loss of every step, how long it took, s, and what evaluations gave on the way.

    Parameters
    ----------
    model
        With the weights of the best evaluation, or of the last step where there was none.
    losses, seconds
        The loss of every step, and the time.
    evaluations
        Figures on validation pictures, by step.
    hardware
        What it was trained on.
    origin
        Where the weights that it started from came from; empty for random ones.
    unreadable
        Names of pictures that could not be read in any run of the training, by what they are for.
    """

    model: Captioner
    losses: tuple[float, ...]
    seconds: float
    evaluations: tuple[Json, ...] = ()
    hardware: str = ""
    origin: Json = field(default_factory=dict)
    unreadable: Unreadable = field(default_factory=dict)

    @property
    def last_loss(self) -> float:
        """Mean loss of the last 100 steps."""
        return float(np.mean(self.losses[-100:]))


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a training keeps its state, to go on after a stop."""

    folder: Path
    fingerprint: str = ""

    def checkpoints(self, settings: TrainSettings) -> Checkpoints:
        """Return the checkpoint of a training with these settings."""
        return Checkpoints(self.folder, {**settings.to_json(), "fingerprint": self.fingerprint})


Judge = Callable[[Captioner], Json]
"""Gives figures on validation pictures by name: ``cider``, ``bleu4``, ``validation_loss``."""


def fit(
    config: CaptionerConfig,
    data: CaptionSource,
    settings: TrainSettings,
    progress: Progress,
    *,
    start: Callable[[Captioner], Json] | None = None,
    judge: Judge | None = None,
    keeping: Keeping | None = None,
    unreadable: Callable[[], Unreadable] = dict,
) -> Trained:
    """Train a captioner on ``data``.

    The loss is the cross-entropy of every word of every task's caption, and for LSTM decoders, where the settings ask
    for it, the doubly stochastic term; nothing tells the model where to look. Weights, order, augmentation and what
    is left out at random follow from ``settings.seed`` and the number of the step, so that a step gives the same
    whether or not a training was stopped before it.

    Parameters
    ----------
    config, data, settings, progress
        What to train, on what, and how.
    start
        Gives a new captioner the weights that it starts from, and says where they came from.
    judge
        Measures a captioner on validation pictures; without it the weights of the last step are taken.
    keeping
        Where to keep checkpoints and history; a training that is there is gone on with.
    unreadable
        Names pictures that could not be read in this run; checkpoints keep them for the card.

    Raises
    ------
    GazeError
        When ``progress``, or the file ``stop``, says that it should stop, the loss is no number, or the folder cannot
        be written or holds another training.
    """
    training = _Training(config, data, settings, progress, judge, keeping, unreadable)
    try:
        return training.run(start)
    except GazeError as error:
        training.failed(error)
        raise
    except torch.OutOfMemoryError as error:
        full = GazeError(
            "The memory of the graphics card is too small for a step.",
            todo="Compute a step in more parts (accumulate), or with precision bf16.",
        )
        training.failed(full)
        raise full from error


class _Training:
    """One training at work."""

    def __init__(
        self,
        config: CaptionerConfig,
        data: CaptionSource,
        settings: TrainSettings,
        progress: Progress,
        judge: Judge | None,
        keeping: Keeping | None,
        unreadable: Callable[[], Unreadable],
    ) -> None:
        self.config, self.settings, self.progress = config, settings, progress
        self.judge = judge if settings.evaluate_every else None
        self.unreadable = unreadable
        self.machine = Machine(settings)
        self.reader = StepReader(data, settings, self.machine.share(settings.batch))
        self.standing = Standing()
        self.checkpoints = keeping.checkpoints(settings) if keeping is not None else None
        self.records = (
            Records(keeping.folder, settings.steps) if keeping is not None and self.machine.leads else None
        )
        self._began = self._stopped = False

    def run(self, start: Callable[[Captioner], Json] | None) -> Trained:
        """Train to the end, or from where a checkpoint has it."""
        self._make_model(start)
        if self.records is not None:
            self.records.begin(self.settings, self.standing.step)
        if self.standing.step and not self.standing.ended:
            self._news(f"Going on from step {self.standing.step:,}.")
        self._began = True
        self._resumed_at = time.perf_counter() - self.standing.seconds
        self.model.train()
        with closing(self.reader.from_step(self.standing.step)) as batches:
            while not self.standing.ended:
                self._step(*next(batches))
        self.machine.wait()
        if self.standing.best_weights:
            self.model.load_state_dict(self.standing.best_weights)
        self.model.eval()
        standing = self.standing
        return Trained(
            self.model,
            tuple(standing.losses),
            standing.seconds,
            tuple(standing.evaluations),
            self.machine.words(),
            standing.origin,
            standing.unreadable,
        )

    def failed(self, error: GazeError) -> None:
        """Say in the folder that the training failed, unless it was stopped or never began."""
        if self.records is not None and not self._stopped and self._began:
            # On a full disk the word of it cannot be written either.
            with suppress(GazeError):
                self.records.status("failed", self.standing.step, error.what)

    def _make_model(self, start: Callable[[Captioner], Json] | None) -> None:
        settings = self.settings
        torch.manual_seed(settings.seed)
        model = Captioner(self.config)
        known = self.checkpoints is not None and bool(self.checkpoints.facts())
        if start is not None and not known:
            self.standing.origin = start(model)
        if settings.frozen:
            encoder: Any = model.encoder  # its form is gazeapp's
            encoder.freeze()
        model = model.to(self.machine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = make_optimiser(model, settings)
        if self.checkpoints is not None:
            self.standing = self.checkpoints.load(model, optimiser) or self.standing
        self.model: Captioner = model
        self.weights = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = optimiser
        self.shared, self.stepper = self.machine.prepared(model, optimiser)
        self.machine.load_scaler_state(self.standing.scaler)

    def _step(self, pictures: ImageArray, tokens: IntArray) -> None:
        """Do a step, and what is due after it."""
        standing, settings = self.standing, self.settings
        step = standing.step
        share = schedule(step, settings)
        for group in self.optimiser.param_groups:
            group["lr"] = group["highest"] * share
        loss = self._descend(step, pictures, tokens)
        standing.losses.append(loss)
        standing.step = step + 1
        standing.seconds = time.perf_counter() - self._resumed_at
        self.progress.report(standing.step, settings.steps, self._message())
        self._note_loss(settings.rate * share)
        self._look_back()

    def _descend(self, step: int, pictures: ImageArray, captions: IntArray) -> float:
        """Compute the gradient of a step part by part, follow it, and return the loss."""
        settings, machine = self.settings, self.machine
        rng = step_chance(settings.seed, step)
        torch.manual_seed(int(rng.integers(2**62)) + machine.number)
        shift, factor = (each[machine.share(settings.batch)] for each in draw_variation(settings.batch, rng))
        tokens = torch.from_numpy(captions)
        n_words, n_captions = machine.total(*counts(tokens.flatten(0, 1)))
        size = len(pictures) // settings.accumulate
        self.stepper.zero_grad(set_to_none=True)
        loss = 0.0
        for i in range(settings.accumulate):
            part = slice(i * size, (i + 1) * size)
            seen = torch.addcmul(shift[part], self.model.normalise(pictures[part]), factor[part])
            told_to_say = trimmed(tokens[part])
            of_words, of_captions = counts(told_to_say)
            with machine.part(self.shared, last=i == settings.accumulate - 1):
                told = self.shared(
                    seen.to(machine.device), told_to_say[:, :-1].to(machine.device), tokens.shape[1]
                )
                # Processes are told the mean of their gradients, and a step wants the sum of its parts.
                share = part_loss(
                    told,
                    told_to_say.to(machine.device),
                    machine.processes * of_words / n_words,
                    machine.processes * of_captions / n_captions,
                    settings.doubly_stochastic if self.config.decoder == "lstm" else 0.0,
                )
                loss += share.item()
                machine.backward(share)
        (loss,) = machine.total(loss / machine.processes)
        machine.check_loss(loss, step)
        machine.clip(self.weights, _LONGEST_GRADIENT)
        self.stepper.step()
        machine.check_skipped(step)
        return loss

    def _look_back(self) -> None:
        """Evaluate, write a checkpoint, stop or end, whichever is due after a step."""
        standing, settings = self.standing, self.settings
        last = standing.step == settings.steps
        if self.judge is not None and (last or standing.step % settings.evaluate_every == 0):
            check_weights(self.model, standing.step, LARGEST_STORED)
            self._evaluate()
        standing.ended = last or 0 < settings.patience <= standing.since_best
        asked = self.progress.cancelled or (self.records is not None and self.records.asked_to_stop)
        (stop,) = self.machine.total(float(asked and not standing.ended))
        if standing.ended or stop or standing.step % settings.checkpoint_every == 0:
            written = standing.ended and not standing.best_weights
            check_weights(self.model, standing.step, LARGEST_STORED if written else sys.float_info.max)
            self._keep()
        if stop:
            self._stop()

    def _evaluate(self) -> None:
        """Measure on validation pictures, and keep the weights if they are the best so far."""
        assert self.judge is not None
        standing = self.standing
        self.model.eval()
        figures = self.judge(self.model) if self.machine.leads else {}
        self.model.train()
        # The first process's word holds for all, so that they end after the same step.
        value, loss = self.machine.total(
            float(figures.get("bleu4" if self.settings.measure == "bleu" else "cider", 0.0)),
            float(figures.get("validation_loss", 0.0)),
        )
        # Early on no phrase may be right yet: of equal values the one with the lower loss is better.
        best = standing.best is None or (-value, loss) < (-standing.best, standing.best_loss)
        standing.since_best = 0 if best else standing.since_best + 1
        if best:
            standing.best, standing.best_loss, standing.best_step = value, loss, standing.step
            standing.best_weights = {
                name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()
            }
        line = {"step": standing.step, **figures, "best": best}
        standing.evaluations.append(line)
        if self.records is not None:
            self.records.add(line)
        self._news(
            f"{self.settings.measure} on validation pictures: {value:.3f}{', the best so far' if best else ''}."
        )

    def _news(self, text: str) -> None:
        """Tell something new at a step that was reported."""
        self.progress.report(self.standing.step, self.settings.steps, text)

    def _keep(self) -> None:
        if self.checkpoints is not None and self.machine.leads:
            self.standing.scaler = self.machine.scaler_state()
            self.standing.unreadable = joined(self.standing.unreadable, self.unreadable())
            self.checkpoints.save(self.standing, self.model, self.optimiser)

    def _stop(self) -> None:
        self._stopped = True
        done = f"Training was cancelled after step {self.standing.step:,} of {self.settings.steps:,}"
        if self.records is not None:
            self.records.stopped(self.standing.step, f"{done}.")
        if self.checkpoints is None:
            raise GazeError(f"{done}.", todo="Start it again to train from the beginning.")
        raise GazeError(f"{done}; its state is kept.", todo="Start it again with the same settings to go on.")

    def _message(self) -> str:
        standing = self.standing
        speed = standing.step / standing.seconds if standing.seconds > 0 else math.inf
        left = (self.settings.steps - standing.step) / speed
        found = "" if standing.best is None else f"  {self.settings.measure} {standing.best:.3f}"
        return (
            f"loss {np.mean(standing.losses[-100:]):.3f}{found}  {speed:.2g} steps/s  {_duration(left)} left"
        )

    def _note_loss(self, rate: float) -> None:
        if self.records is None:
            return
        standing = self.standing
        since = (standing.step - 1) % _LINE_EVERY + 1
        if since == _LINE_EVERY or standing.step == self.settings.steps:
            self.records.add(
                {
                    "step": standing.step,
                    "loss": float(np.mean(standing.losses[-since:])),
                    "rate": rate,
                    "seconds": round(standing.seconds, 3),
                }
            )
        self.records.status("running", standing.step)


def make_optimiser(model: Captioner, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return AdamW with rates for encoder and decoder; only matrices decay. ``highest`` is a group's highest rate."""
    of_encoder = {id(weights) for weights in model.encoder.net.parameters()}
    groups: list[dict[str, Any]] = []
    for in_encoder, rate in ((True, settings.encoder_rate), (False, settings.rate)):
        own = [p for p in model.parameters() if p.requires_grad and (id(p) in of_encoder) == in_encoder]
        for weights, decay in (
            ([p for p in own if p.ndim > 1], settings.weight_decay),
            ([p for p in own if p.ndim <= 1], 0.0),
        ):
            if weights:
                groups.append({"params": weights, "weight_decay": decay, "lr": rate, "highest": rate})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def schedule(step: int, settings: TrainSettings) -> float:
    """Return the share of the highest rate that a step has: a straight rise, then a cosine down to 2 %."""
    rise = min(1.0, (step + 1) / max(1, settings.warmup))
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / settings.steps)))


def _duration(seconds: float) -> str:
    """Return a time such as ``1 h 05 min`` or ``40 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
