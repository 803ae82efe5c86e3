"""What the train dialog looks up on another thread: what captions hold, and what a captioner would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD, TrainSettings

if TYPE_CHECKING:
    from gazeapp.engine.models.captioner.config import CaptionerConfig
    from gazeapp.engine.models.captioner.data.caption_set import CaptionSet
    from gazeapp.ui.worker import Work

_WORDS = 10_000
"""Words that are counted with while the captions are not known: about COCO's."""
_FLOAT, _ADAM = 4, 4
"""Bytes of a weight, and the copies of a learnt one: itself, its gradient, and two moments."""


@dataclass(frozen=True, slots=True)
class FoundCaptions:
    """What captions hold.

    Parameters
    ----------
    form
        Form of the file.
    n_pictures, n_captions
        How many there are.
    tasks
        Captions of each task.
    splits
        Pictures for training, validation and tests.
    n_words
        Words of the vocabulary.
    notes
        What was left out, and where the split comes from.
    """

    form: str
    n_pictures: int
    n_captions: int
    tasks: Mapping[str, int]
    splits: tuple[int, int, int]
    n_words: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a captioner would be.

    Parameters
    ----------
    parameters, of_encoder
        Weights in all, and those of the encoder's network.
    bytes
        Memory of the weights and of what learning adds to them.
    away
        Whether the encoder's published weights are not on this computer yet.
    notes
        What else is to be known.
    no_device
        Why it cannot be trained on this computer; empty when it can.
    """

    parameters: int
    of_encoder: int
    bytes: int
    away: bool = False
    notes: tuple[str, ...] = ()
    no_device: str = ""


class CaptionReader:
    """Reads captions for the preview; a file that was read last is not read again for other settings."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._captions: CaptionSet | None = None

    def work(self, values: Mapping[str, Any]) -> Work:
        """Return the work that looks into the captions of settings."""

        def work(_project: Any, _progress: Any) -> FoundCaptions:
            return self._look(settings_of(values))

        return work

    def _look(self, settings: TrainSettings) -> FoundCaptions:
        from gazeapp.engine.models.captioner.data.reading import read_captions
        from gazeapp.engine.models.captioner.data.split import split_pictures
        from gazeapp.engine.models.captioner.data.words import make_vocabulary

        key = (settings.data, settings.images, _stamp(settings.data))
        if self._captions is None or key != self._key:
            self._captions = read_captions(settings.data, settings.images)
            self._key = key
        captions = self._captions
        splits = split_pictures(captions, settings.seed, settings.n_validation, settings.n_test)
        tasks = settings.tasks or captions.tasks
        vocabulary = make_vocabulary(splits.train, tasks, settings.min_count)
        counts = Counter(text.task for picture in captions.pictures for text in picture.captions)
        return FoundCaptions(
            captions.form,
            len(captions.pictures),
            counts.total(),
            {task: counts[task] for task in captions.tasks},
            (len(splits.train), len(splits.validation), len(splits.test)),
            len(vocabulary.counts),
            (*captions.notes, *splits.notes),
        )


def model_work(choices: list[Mapping[str, Any]], n_words: int) -> Work:
    """Return the work that builds the captioners of settings without their weights, and counts these."""

    def work(_project: Any, _progress: Any) -> list[ModelFacts]:
        return [model_facts(settings_of(values), n_words) for values in choices]

    return work


def model_facts(settings: TrainSettings, n_words: int = 0) -> ModelFacts:
    """Return what a captioner with these settings would be; takes some seconds the first time.

    Raises
    ------
    GazeError
        When its encoder is not known or does not fit the size of the pictures, or the settings do not go together.
    """
    from gazeapp.engine.models.captioner.architecture import measure
    from gazeapp.engine.models.captioner.training.starting import known_captioner

    # A captioner that is gone on from keeps its sizes and words.
    costs = measure(known_captioner(settings) or _config(settings, n_words))
    encoder = costs.parameters["encoder"]
    learnt = costs.total - (encoder if settings.frozen else 0)
    notes: tuple[str, ...] = ()
    if not costs.config.encoder_family:
        notes = ("This encoder counts neither as a CNN nor as a ViT.",)
    return ModelFacts(
        costs.total,
        encoder,
        _FLOAT * (costs.total + (_ADAM - 1) * learnt),
        settings.encoder_weights == "timm" and not settings.start_from and _is_away(settings.encoder),
        *_of_device(settings, notes),
    )


def settings_of(values: Mapping[str, Any]) -> TrainSettings:
    """Return settings from the values of fields, or of a file with them."""
    known = {entry.name for entry in fields(TrainSettings)}
    return TrainSettings(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in known
        }
    )


def _config(settings: TrainSettings, n_words: int) -> CaptionerConfig:
    """Return the description of the captioner, with as many words as there will be."""
    from gazeapp.engine.models.captioner.config import END, PAD, UNKNOWN, CaptionerConfig, task_token
    from gazeapp.engine.models.captioner.encoder_facts import with_encoder_facts

    tasks = settings.tasks or ("general",)
    if settings.data == DEMO_WORLD:
        from gazeapp.engine.models.captioner.training.loop import demo_config

        return with_encoder_facts(demo_config(settings))
    words = tuple(str(number) for number in range(n_words or _WORDS))
    try:
        config = CaptionerConfig(
            id="new",
            name="new",
            encoder=settings.encoder,
            decoder=settings.decoder,
            vocabulary=(PAD, END, UNKNOWN, *map(task_token, tasks), *words),
            content_words=(),
            tasks=tasks,
            **settings.sizes(),
        )
    except ValueError as error:
        raise GazeError(f"The settings do not go together: {error}.") from error
    return with_encoder_facts(config)


def _is_away(encoder: str) -> bool:
    """Return whether the published weights of a timm network have to be downloaded; nothing is asked of the hub."""
    import timm
    from huggingface_hub import try_to_load_from_cache

    known = timm.get_pretrained_cfg(encoder)
    hub_id = getattr(known, "hf_hub_id", None)
    if not hub_id:
        return False  # the training says what is to be done about it
    cached = try_to_load_from_cache(hub_id, getattr(known, "hf_hub_filename", None) or "model.safetensors")
    return not isinstance(cached, str)


def _of_device(settings: TrainSettings, notes: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return notes with what is to be known of the device, and why it cannot be used; empty when it can."""
    from gazeapp.engine.models.environment import best_device

    try:
        device = best_device(settings.device)
    except GazeError as error:
        return notes, f"{error.what} {error.todo}".strip()
    if device == "cpu" and settings.data != DEMO_WORLD:
        return (*notes, "No graphics card is used, so captions of photographs take weeks here."), ""
    return notes, ""


def _stamp(name: str) -> tuple[int, int]:
    try:
        facts = Path(name).stat()
    except OSError:
        return 0, 0
    return facts.st_size, facts.st_mtime_ns
