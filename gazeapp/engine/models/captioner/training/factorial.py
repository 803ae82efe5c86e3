"""A factorial design of captioners: two encoders by two decoders, trained alike, one after another.

All four get the same data, vocabulary, split, seed and budget. What is written beside them says what they share, what
differs, what each costs, and how their held-out figures compare. To run it again goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CONFIG_NAME, END, PAD, START, CaptionerConfig
from gazeapp.engine.models.captioner.encoder_facts import with_encoder_facts
from gazeapp.engine.models.captioner.encoder_weights import NONE, load_encoder_weights
from gazeapp.engine.models.captioner.encoders import Encoder
from gazeapp.engine.models.captioner.training.factorial_check import (
    STOPPED,
    FactorialCheck,
    Member,
    as_json,
    compare,
    read_members,
    standing_of,
)
from gazeapp.engine.models.captioner.training.factorial_page import (
    effects,
    factorial_page,
    flat_figures,
)
from gazeapp.engine.models.captioner.training.factorial_settings import FactorialSettings, keep_factorial
from gazeapp.engine.models.captioner.training.lock import alone_in
from gazeapp.engine.models.captioner.training.loop import Progress, captioner_id, captioner_name, train
from gazeapp.engine.models.captioner.training.records import Records
from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD, TrainSettings, checked
from gazeapp.engine.models.captioner.training.several import train_on_several
from gazeapp.engine.models.captioner.training.starting import known_captioner, of_known_shape
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json

DECODERS = ("lstm", "transformer")
JSON_NAME, PAGE_NAME = "factorial.json", "FACTORIAL.md"


@dataclass(frozen=True, slots=True)
class Failure:
    """A training that did not come to its end: its folder's name, what happened, and what to do."""

    label: str
    what: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class FactorialSummary:
    """What a run of the design did.

    Parameters
    ----------
    folders
        Folders of the captioners that are there, by seed.
    checks
        What comparing the four of each seed found.
    failures
        Trainings that failed.
    cancelled
        Whether it was stopped before the end.
    """

    folders: dict[int, list[Path]] = field(default_factory=dict)
    checks: dict[int, FactorialCheck] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    cancelled: bool = False

    @property
    def passed(self) -> bool:
        """Whether all captioners are there and differ in encoder and decoder alone."""
        return not self.failures and not self.cancelled and all(c.passed for c in self.checks.values())


def members_of(settings: FactorialSettings) -> list[TrainSettings]:
    """Return the settings of every training, in the order in which they run.

    Raises
    ------
    GazeError
        When there are not two different encoders with as many weights to start from, no seed or one seed twice, or no
        folder.
    """
    encoders = _encoders(settings)
    weights = settings.encoder_weights or (settings.shared.encoder_weights,) * 2
    if len(weights) != 2 or (weights[0] == weights[1] and weights[0] not in ("none", "timm")):
        raise GazeError(
            "The two encoders cannot start from one file of weights.",
            todo="Name a file for each of them, or timm or none for both.",
        )
    if not settings.seeds or len(set(settings.seeds)) < len(settings.seeds):
        raise GazeError("Every seed is named once, and there is at least one.")
    if not settings.out:
        raise GazeError("The captioners have nowhere to be written to.", todo="Name a folder for them.")
    return [
        _member(settings, encoder, start, decoder, seed)
        for seed in settings.seeds
        for encoder, start in zip(encoders, weights, strict=True)
        for decoder in DECODERS
    ]


def _encoders(settings: FactorialSettings) -> tuple[str, ...]:
    usual = ("cnn", "vit") if settings.shared.data == DEMO_WORLD else ("resnet101", "vit_base_patch16_224")
    encoders = settings.encoders or usual
    if len(encoders) != 2 or encoders[0] == encoders[1]:
        raise GazeError(
            f"A factorial design has two different encoders, not {', '.join(encoders)}.",
            todo="Name two, such as resnet101 and vit_base_patch16_224.",
        )
    return encoders


def _member(
    settings: FactorialSettings, encoder: str, weights: str, decoder: str, seed: int
) -> TrainSettings:
    """Return the settings of one training."""
    place = Path(f"seed-{seed}" if len(settings.seeds) > 1 else "") / captioner_id(encoder, decoder)
    before = settings.shared.start_from
    return replace(
        settings.shared,
        encoder=encoder,
        decoder=decoder,
        encoder_weights=weights,
        name=_name(settings, encoder, decoder, seed),
        seed=seed,
        start_from=str(Path(before) / place) if before else "",
        out=str(Path(settings.out) / place),
    )


def _name(settings: FactorialSettings, encoder: str, decoder: str, seed: int) -> str:
    """Return the name of one captioner; empty for the one that it gets of itself."""
    if not settings.shared.name:
        return ""
    named = f"{settings.shared.name} {captioner_name(encoder, decoder)}"
    return f"{named} seed {seed}" if len(settings.seeds) > 1 else named


def factorial(settings: FactorialSettings, progress: Progress) -> FactorialSummary:
    """Train the four captioners of every seed, compare them, and write what was found beside them.

    A training that failed does not stop the others; one that was stopped goes on when this is run again, and one
    that is finished is left alone.

    Raises
    ------
    GazeError
        When the settings are no factorial design, a training could not begin with them, another factorial works in
        the folder, or what was found cannot be written.
    """
    trainings = members_of(settings)
    with alone_in(Path(settings.out)):
        return _train_all(settings, trainings, progress)


def _train_all(
    settings: FactorialSettings, trainings: Sequence[TrainSettings], progress: Progress
) -> FactorialSummary:
    _check_first(trainings)
    keep_factorial(settings)
    records = Records(Path(settings.out), len(trainings))
    _tell(settings, trainings, with_page=False)  # so that whoever watches the folder knows what will be in it
    failures: list[Failure] = []
    stopped = False
    for number, training in enumerate(trainings):
        label = Path(training.out).relative_to(settings.out).as_posix()
        stopped = stopped or progress.cancelled or records.asked_to_stop
        if stopped:
            break
        try:
            _train(training, _Part(progress, records, number, len(trainings), label))
        except GazeError as error:
            # Whoever puts the file `stop` into a training's folder does not want the next one to begin.
            stopped = (
                progress.cancelled or records.asked_to_stop or standing_of(Path(training.out)) == STOPPED
            )
            if not stopped:
                failures.append(Failure(label, error.what, error.todo))
        except (
            MemoryError,
            OSError,
            RuntimeError,
        ) as error:  # a graphics card without room is a RuntimeError
            failures.append(Failure(label, f"{type(error).__name__}: {error}"))
    if stopped:
        records.forget_stop()
    return _tell(settings, trainings, tuple(failures), stopped)


def _check_first(trainings: Sequence[TrainSettings]) -> None:
    """Raise `GazeError` for what would otherwise be found out days later, when the third training begins."""
    ways: dict[str, str] = {}
    missing: list[GazeError] = []
    for training in trainings:
        known = known_captioner(checked(training))
        if training.encoder in ways:
            continue
        config = with_encoder_facts(_plain_config(of_known_shape(training, known)))
        ways[training.encoder] = config.resample
        if known is None and training.encoder_weights != NONE:
            try:
                load_encoder_weights(Encoder(config), training.encoder, training.encoder_weights)
            except GazeError as error:
                missing.append(error)
    if len(missing) == 1:
        raise missing[0]
    if missing:
        raise GazeError(
            " ".join(error.what for error in missing),
            todo=f"{missing[0].todo} Both encoders need weights: give --encoder-weights FILE twice, for "
            f"{' and '.join(ways)} in this order.",
        )
    if len(set(ways.values())) > 1:
        told = " and ".join(f"{encoder} by {way}" for encoder, way in ways.items())
        raise GazeError(
            f"The encoders' published weights want pictures brought to size in different ways: {told}.",
            todo="Choose two encoders that see the same pixels.",
        )


def _plain_config(settings: TrainSettings) -> CaptionerConfig:
    """Return a description with everything that an encoder depends on, and hardly any words."""
    return CaptionerConfig(
        *("", "", settings.encoder, settings.decoder),
        vocabulary=(PAD, START, END),
        content_words=(),
        tasks=(),
        input_size=settings.input_size,
        grid=settings.grid,
        width=settings.width,
        heads=settings.heads,
    )


def _train(settings: TrainSettings, progress: Progress) -> None:
    """Train one captioner, on one device or on several."""
    if settings.gpus == 1:
        train(settings, progress)
    elif train_on_several(settings, progress):
        raise GazeError(
            "The processes of the training ended before it did.", todo="What they said stands above."
        )


class _Part:
    """Progress of one of several trainings, shown as a part of them all."""

    def __init__(self, progress: Progress, records: Records, number: int, count: int, label: str) -> None:
        self._progress, self._records = progress, records
        self._number, self._count, self._label = number, count, label

    @property
    def cancelled(self) -> bool:
        """Whether to stop after the step in hand."""
        return self._progress.cancelled or self._records.asked_to_stop

    def report(self, done: int, total: int, message: str) -> None:
        """Say how far this training is."""
        self._progress.report(self._number * total + done, self._count * total, f"{self._label} · {message}")


def _tell(
    settings: FactorialSettings,
    trainings: Sequence[TrainSettings],
    failures: tuple[Failure, ...] = (),
    cancelled: bool = False,
    with_page: bool = True,
) -> FactorialSummary:
    """Compare what is there and write it down."""
    folders = {
        seed: [Path(t.out) for t in trainings if t.seed == seed and (Path(t.out) / CONFIG_NAME).is_file()]
        for seed in settings.seeds
    }
    members = {seed: read_members(there) for seed, there in folders.items()}
    checks = {seed: compare(four) for seed, four in members.items()}
    summary = FactorialSummary(folders, checks, failures, cancelled)
    out = Path(settings.out)
    told = _as_json(settings, trainings, summary, members)
    with replacing(out / JSON_NAME) as path:
        path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    if with_page:
        with replacing(out / PAGE_NAME) as path:
            path.write_text(factorial_page(members, checks, [(f.label, f.what) for f in failures]), "utf-8")
    return summary


def _as_json(
    settings: FactorialSettings,
    trainings: Sequence[TrainSettings],
    summary: FactorialSummary,
    members: dict[int, list[Member]],
) -> Json:
    return {
        "format": 1,
        "trainings": [
            {
                "folder": Path(t.out).relative_to(settings.out).as_posix(),
                "encoder": t.encoder,
                "decoder": t.decoder,
                "seed": t.seed,
            }
            for t in trainings
        ],
        "shared": {
            k: v for k, v in settings.shared.to_json().items() if k not in ("encoder", "decoder", "seed")
        },
        "passed": summary.passed,
        "failures": [asdict(failure) for failure in summary.failures],
        "seeds": [
            {
                "seed": seed,
                "captioners": [
                    {
                        "id": member.config.id,
                        "folder": member.folder.relative_to(settings.out).as_posix(),
                        "encoder": member.config.encoder,
                        "decoder": member.config.decoder,
                        "revision": member.config.revision,
                        "figures": flat_figures(member.config),
                    }
                    for member in four
                ],
                "effects": effects(four),
                **as_json(summary.checks[seed]),
            }
            for seed, four in members.items()
        ],
    }
