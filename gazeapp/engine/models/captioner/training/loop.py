"""Training a captioner from its settings alone: what it learns from, its steps, its figures, its folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

import gazeapp
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.card import CARD_NAME, write_card
from gazeapp.engine.models.captioner.config import CONFIG_NAME, CaptionerConfig, read_config
from gazeapp.engine.models.captioner.demo_figures import evaluate
from gazeapp.engine.models.captioner.encoder_facts import with_encoder_facts
from gazeapp.engine.models.captioner.io import LARGEST_STORED, save_captioner, through_storage
from gazeapp.engine.models.captioner.methods import offered_methods
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.checkpoint import check_weights
from gazeapp.engine.models.captioner.training.evaluating import caption_figures
from gazeapp.engine.models.captioner.training.fitting import (
    Judge,
    Keeping,
    Progress,
    Trained,
    fit,
)
from gazeapp.engine.models.captioner.training.lock import alone_in, telling_failure
from gazeapp.engine.models.captioner.training.machine import process_count, process_number
from gazeapp.engine.models.captioner.training.material import (
    DEMO_DOMAIN,
    HeldOut,
    Material,
    caption_material,
    demo_material,
    demo_words,
    is_demo,
    read_caption_data,
)
from gazeapp.engine.models.captioner.training.records import Records
from gazeapp.engine.models.captioner.training.settings import TrainSettings, checked
from gazeapp.engine.models.captioner.training.starting import (
    known_captioner,
    of_known_shape,
    starting_weights,
)
from gazeapp.engine.types import Json

__all__ = [
    "Progress",
    "Trained",
    "captioner_id",
    "captioner_name",
    "demo_config",
    "finish",
    "fit",
    "train",
    "usual_name",
]

_CURVE_POINTS = 12


SMALL = ("cnn", "vit")
"""Encoders of the captioners that ship."""


def captioner_id(encoder: str, decoder: str) -> str:
    """Return the identifier of a captioner, such as ``cnn-lstm``."""
    return f"{encoder}-{decoder}".lower()


def captioner_name(encoder: str, decoder: str) -> str:
    """Return the shown name of a captioner, such as ``CNN-LSTM``."""
    shown = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}
    return f"{shown.get(encoder, encoder)}-{shown[decoder]}"


def usual_name(settings: TrainSettings) -> str:
    """Return the name of a captioner that nobody named, such as ``CNN-LSTM four`` or ``resnet101-LSTM seed 2``.

    Those that ship have the plain names, so that others of their networks are told from them by their folder, or that
    of their design; one of several seeds has its seed.
    """
    plain = captioner_name(settings.encoder, settings.decoder)
    if not settings.out:
        return plain
    place = Path(settings.out).resolve()
    if place.name == captioner_id(settings.encoder, settings.decoder):
        place = place.parent
    seed = f"seed {settings.seed}" if place.name == f"seed-{settings.seed}" else ""
    place = place.parent if seed else place
    return " ".join(part for part in (plain, place.name if settings.encoder in SMALL else "", seed) if part)


def demo_config(settings: TrainSettings) -> CaptionerConfig:
    """Return the description of a captioner for the demo world."""
    return _config(settings, *demo_words(settings), DEMO_DOMAIN)


def train(settings: TrainSettings, progress: Progress) -> CaptionerConfig:
    """Train a captioner, measure it on held-out pictures, and write it with its card to ``settings.out``.

    A training that was stopped or killed goes on from its last checkpoint; one that is finished is left as it is.

    Returns
    -------
    CaptionerConfig
        The description as written, figures included.

    Raises
    ------
    GazeError
        When the settings make no sense, the data cannot be read, the folder holds another training or cannot be
        written, another training works there, or the training is stopped.
    """
    settings = checked(settings)
    # Of several processes, the one that started them keeps the folder.
    keeper = alone_in(Path(settings.out)) if process_count() == 1 else nullcontext()
    with keeper, telling_failure(settings) if process_number() == 0 else nullcontext():
        return _train(settings, progress)


def _train(settings: TrainSettings, progress: Progress) -> CaptionerConfig:
    known = known_captioner(settings)
    settings = of_known_shape(settings, known)
    material = make_material(settings, known)
    folder = Path(settings.out)
    keeping = Keeping(folder, material.fingerprint)
    if _is_finished(folder, keeping, settings):
        progress.report(settings.steps, settings.steps, "loss as before: this training is finished")
        return read_config(folder)
    done = fit(
        material.config,
        material.train,
        settings,
        progress,
        start=starting_weights(settings),
        judge=_judge(material, settings),
        keeping=keeping,
        unreadable=material.unreadable,
    )
    if process_number():
        return material.config
    try:
        return finish(done, material.config, settings, material)
    except GazeError as error:
        Records(folder, settings.steps).status("failed", len(done.losses), error.what)
        raise


def make_material(settings: TrainSettings, known: CaptionerConfig | None = None) -> Material:
    """Return what a training learns from.

    Raises
    ------
    GazeError
        When the data cannot be read.
    """
    if is_demo(settings):
        return demo_material(settings, demo_config(settings))
    data = read_caption_data(settings, known)
    words = (data.vocabulary.entries, data.vocabulary.content_words, data.tasks)
    return caption_material(_config(settings, *words, ""), data)


def finish(
    done: Trained, config: CaptionerConfig, settings: TrainSettings, material: Material | None = None
) -> CaptionerConfig:
    """Measure a trained captioner as it will be stored, and write weights, description and card.

    Parameters
    ----------
    done
        The captioner and how its training went. ``Trained(model, losses, seconds)`` is enough to write one again
        whose steps are done.
    config, settings
        Its description and settings.
    material
        What it learnt from; made from the settings if not given.

    Raises
    ------
    GazeError
        When weights are no numbers that can be stored, the data cannot be read, or the folder cannot be written.
    """
    check_weights(done.model, len(done.losses), LARGEST_STORED)
    material = material or make_material(settings, known_captioner(settings))
    folder = Path(settings.out)
    stored = through_storage(done.model)
    if is_demo(settings):
        method, figures = evaluate(stored, settings.n_validation, settings.n_test)
    else:
        device = next(done.model.parameters()).device
        method = offered_methods(config)[0]
        figures = _figures(stored.to(device), material, settings.workers)
    training = {
        **settings.to_json(),
        **material.facts_now(done.unreadable),
        "seconds": round(done.seconds),
        "last_loss": round(done.last_loss, 4),
        "steps_done": len(done.losses),
        "curve": curve(done.losses),
        "evaluations": [{k: v for k, v in line.items() if k != "tasks"} for line in done.evaluations],
        "hardware": done.hardware,
        "versions": versions(),
    }
    if material.fingerprint:
        training["fingerprint"] = material.fingerprint
    if done.origin:
        training["origin"] = done.origin
    described = replace(config, default_method=method, training=training, figures=figures)
    written = save_captioner(folder, done.model, described)
    write_card(folder, written)
    Records(folder, settings.steps).finished(settings, len(done.losses))
    return written


def curve(losses: Sequence[float]) -> list[list[float]]:
    """Return a few points of a training: the step at the end of a stretch, and the mean loss of the stretch."""
    parts = np.array_split(np.asarray(losses), min(_CURVE_POINTS, len(losses)))
    ends = np.cumsum([len(part) for part in parts])
    return [[int(end), round(float(part.mean()), 4)] for end, part in zip(ends, parts, strict=True)]


def versions() -> Json:
    """Return the versions of what a training's numbers depend on."""
    return {"gazeapp": gazeapp.__version__, **{name: version(name) for name in ("torch", "timm", "numpy")}}


def _config(
    settings: TrainSettings,
    vocabulary: tuple[str, ...],
    content_words: tuple[str, ...],
    tasks: tuple[str, ...],
    domain: str,
) -> CaptionerConfig:
    name = settings.name or usual_name(settings)
    return with_encoder_facts(
        CaptionerConfig(
            id="-".join(name.lower().split()),
            name=name,
            encoder=settings.encoder,
            decoder=settings.decoder,
            vocabulary=vocabulary,
            content_words=content_words,
            tasks=tasks,
            domain=domain,
            training=settings.to_json(),
            **settings.sizes(),
        )
    )


def _is_finished(folder: Path, keeping: Keeping, settings: TrainSettings) -> bool:
    facts = keeping.checkpoints(settings).facts()
    written = all((folder / name).is_file() for name in (CONFIG_NAME, CARD_NAME))
    return bool(facts.get("ended")) and written and bool(read_config(folder).revision)


def _judge(material: Material, settings: TrainSettings) -> Judge | None:
    if not settings.evaluate_every:
        return None
    validation = material.validation
    if validation is None or not len(validation):
        raise GazeError(
            "There are no validation pictures to evaluate on.",
            todo="Hold some out (n_validation), or set evaluate_every to 0.",
        )
    if len(validation) == 1 and settings.measure == "cider":
        raise GazeError(
            "CIDEr-D of a single validation picture is always 0, so it cannot tell which weights are best.",
            todo="Hold out more pictures (n_validation), or set measure to bleu or evaluate_every to 0.",
        )
    held_out: HeldOut = validation
    return lambda model: caption_figures(model, held_out, settings.workers)


def _figures(model: Captioner, material: Material, workers: int) -> Json:
    test = material.test
    figures: Json = {"n_test": 0 if test is None else len(test)}
    return (
        figures if test is None else {**figures, "captions": caption_figures(model, test, workers)["tasks"]}
    )
