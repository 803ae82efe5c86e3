"""From a checkpoint of elsewhere to the folder of a captioner."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.card import CARD_NAME
from gazeapp.engine.models.captioner.config import CONFIG_NAME, CaptionerConfig
from gazeapp.engine.models.captioner.encoder_cells import measure_cells
from gazeapp.engine.models.captioner.importing.card import write_import_card
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.resnet import check_pixels, timm_weights
from gazeapp.engine.models.captioner.importing.royalskye import is_transformer, transformer_parts
from gazeapp.engine.models.captioner.importing.sgrvinod import lstm_form, lstm_parts
from gazeapp.engine.models.captioner.importing.weights import (
    Foreign,
    check_fit,
    check_numbers,
    plain,
    read_foreign,
    read_plain,
)
from gazeapp.engine.models.captioner.importing.words import content_words, read_words
from gazeapp.engine.models.captioner.io import WEIGHTS_NAME, save_captioner, wanted_tensors
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.environment import ensure_torchvision

_INPUT = 256
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_RESAMPLE = {"sgrvinod": "bilinear", "royalskye": "bicubic"}
"""What the scripts' way of resizing means: SciPy's imresize, and Pillow's default since its release 7."""

_LARGEST_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What is to be imported, and where to.

    Parameters
    ----------
    checkpoint
        File that a training script of sgrvinod's or RoyalSkye's kind wrote, or the same weights as safetensors.
    words
        Its ``WORDMAP_*.json``.
    output
        Folder of the new captioner; empty, or not there yet.
    encoder_weights
        The ResNet's weights, for checkpoints that hold the decoder only.
    heads
        Attention heads of a Transformer, for checkpoints that do not say it; 0 for as they say.
    name, domain
        Name to show, and what it was trained on, in a few words; empty for the folder's name, and for not known.
    """

    checkpoint: Path
    words: Path
    output: Path
    encoder_weights: Path | None = None
    heads: int = 0
    name: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A captioner that was brought: its description as written, and what was found out on the way."""

    config: CaptionerConfig
    findings: Findings


def import_captioner(settings: ImportSettings) -> Imported:
    """Make a captioner of a checkpoint. No code that the checkpoint may hold is run.

    Raises
    ------
    GazeError
        When a file cannot be read, the checkpoint is of no known form, parts of it are missing or too many, or it
        does not fit its word map.
    """
    _check_output(settings.output)
    findings = Findings()
    foreign = read_foreign(settings.checkpoint)
    vocabulary = read_words(settings.words)
    form, values, weights = _decoder(foreign, settings, findings)
    encoder = _encoder(foreign, settings, findings)
    weights |= {f"encoder.net.{name}": tensor for name, tensor in encoder.weights.items()}
    _check_words(vocabulary, weights, values["decoder"], settings)
    check_numbers(weights, str(settings.checkpoint))
    if encoder.features != values["width"]:
        raise GazeError(
            f"Encoder and decoder do not belong together: {encoder.name} gives {encoder.features} features a cell, the "
            f"decoder reads {values['width']}.",
            where=str(settings.checkpoint),
        )
    _assume(form, settings, findings)
    name = settings.name or settings.output.name
    config = CaptionerConfig(
        **values,
        **_cells(encoder.name, findings),
        id=_slug(name),
        name=name,
        encoder=encoder.name,
        vocabulary=vocabulary,
        content_words=content_words(vocabulary),
        tasks=(),
        form=form,
        encoder_family="cnn",
        input_size=_INPUT,
        resample=_RESAMPLE[form],
        mean=tuple(255 * value for value in _MEAN),
        std=tuple(255 * value for value in _STD),
        domain=settings.domain,
        training={"imported_from": _origin(settings, foreign), **findings.to_json()},
    )
    config = _readable(config, settings)
    model = _filled(config, weights, settings.checkpoint)
    return Imported(_written(settings.output, model, config), findings)


def _readable(config: CaptionerConfig, settings: ImportSettings) -> CaptionerConfig:
    """Return a description as it will be read, or say why it could not be: before anything is written."""
    return CaptionerConfig.from_json(json.loads(json.dumps(config.to_json())), where=str(settings.checkpoint))


def _written(folder: Path, model: Captioner, config: CaptionerConfig) -> CaptionerConfig:
    """Write the captioner's folder, which was empty; when something fails it is empty again."""
    try:
        written = save_captioner(folder, model, config, exact=True)
        write_import_card(folder, written)
    except (OSError, GazeError) as error:
        for name in (CONFIG_NAME, WEIGHTS_NAME, CARD_NAME):
            (folder / name).unlink(missing_ok=True)
        if isinstance(error, GazeError):
            raise
        raise GazeError(
            f"The captioner cannot be written: {error.strerror or error}.",
            where=str(folder),
            todo="Check that the folder may be written and the disk is not full.",
        ) from error
    return written


def _check_output(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise GazeError(
            "The new captioner's folder has to be empty, or not there yet.",
            where=str(folder),
            todo="Name another one.",
        )


def _decoder(
    foreign: Foreign, settings: ImportSettings, findings: Findings
) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """Return the decoder's form, its fields of the description, and weights by the names used here."""
    where = str(settings.checkpoint)
    check_pixels(foreign.encoder, where)
    form = lstm_form(foreign.decoder)
    if form:
        values, weights = lstm_parts(foreign, where, findings)
        mixing: dict[str, Tensor] = {}
    elif is_transformer(foreign.decoder):
        form = "royalskye"
        values, mixing, weights = transformer_parts(foreign, settings.heads, where, findings)
    else:
        raise GazeError(
            "The decoder is neither sgrvinod's nor RoyalSkye's by the names of its layers: "
            f"{', '.join(sorted(foreign.decoder)[:4])} ...",
            where=where,
            todo="docs/captioner_format.md says how to write any captioner of gazeapp's own form.",
        )
    named = {f"encoder.{name}": tensor for name, tensor in mixing.items()}
    return form, values, named | {f"decoder.{name}": tensor for name, tensor in weights.items()}


@dataclass(frozen=True, slots=True)
class _ResNet:
    name: str
    features: int
    weights: dict[str, Tensor]


def _encoder(foreign: Foreign, settings: ImportSettings, findings: Findings) -> _ResNet:
    """Return the encoder of the checkpoint, or the one that is given beside it."""
    given = settings.encoder_weights
    if given is not None:
        findings.assumed.append(
            f"The encoder's weights are those of {plain(given.name)}, not of the checkpoint."
        )
        return _ResNet(*timm_weights(read_plain(given), str(given), findings))
    if not foreign.encoder:
        raise GazeError(
            "The checkpoint holds a decoder without its encoder.",
            where=str(settings.checkpoint),
            todo="Give the weights of the ResNet that it was trained with: --encoder-weights FILE (torchvision's "
            "resnet101 file for encoders that were not fine-tuned).",
        )
    return _ResNet(*timm_weights(foreign.encoder, str(settings.checkpoint), findings))


def _check_words(
    vocabulary: tuple[str, ...], weights: dict[str, Tensor], decoder: str, settings: ImportSettings
) -> None:
    known = weights["decoder.fc.weight" if decoder == "lstm" else "decoder.tgt_emb.weight"].shape[0]
    if known != len(vocabulary):
        raise GazeError(
            f"The word map does not belong to the checkpoint: it has {len(vocabulary):,} words, the decoder {known:,}.",
            where=str(settings.words),
            todo="Choose the WORDMAP_*.json that was made with the checkpoint's training data.",
        )


def _assume(form: str, settings: ImportSettings, findings: Findings) -> None:
    findings.inferred.append(f"Words and special tokens, by name, from {plain(settings.words.name)}.")
    findings.assumed += [
        f"Pictures are stretched to {_INPUT} x {_INPUT} px ({_RESAMPLE[form]}) and normalised with ImageNet's mean and "
        "deviation, as the scripts do.",
        "Content words, whose maps make the caption's map, are all that are no English grammar words.",
    ]
    findings.unchecked += [
        "What it was trained on, and whether your images were among it"
        + (f"; you say: {settings.domain}." if settings.domain else "."),
        "Whether the word map's order is that of the training: only its length can be compared.",
        "Tasks: it knows none by name, so every task gets the same caption.",
        "The licence under which the weights may be used.",
    ]


def _cells(encoder: str, findings: Findings) -> dict[str, Any]:
    """Return where the encoder's own cells lie in the picture, before they are pooled."""
    ensure_torchvision()
    import timm

    with torch.device("meta"):
        network = timm.create_model(encoder, pretrained=False, num_classes=0)
    own = measure_cells(network, _INPUT)
    if own is None:
        findings.unchecked.append("Where the encoder's cells lie; the grid is laid evenly over the picture.")
        return {}
    cells = own.rounded()
    findings.inferred.append(
        f"Receptive fields are centred {abs(cells.offset[0]):.1f} px of {_INPUT} further up and left than those of an "
        "even grid, measured on the encoder's layers; attention to a cell is laid over what is nearest to its centre."
    )
    return {"cell_offset": cells.offset, "cell_stride": cells.stride}


def _origin(settings: ImportSettings, foreign: Foreign) -> dict[str, Any]:
    return {
        "checkpoint": plain(settings.checkpoint.name),
        "sha256": _digest(settings.checkpoint),
        "words": plain(settings.words.name),
        "words_sha256": _digest(settings.words),
        "encoder_weights": plain(settings.encoder_weights.name) if settings.encoder_weights else "",
        "notes": foreign.notes,
    }


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_LARGEST_BLOCK):
            total.update(block)
    return total.hexdigest()


def _filled(config: CaptionerConfig, weights: dict[str, Tensor], checkpoint: Path) -> Captioner:
    """Return the network with the weights, every one of them used."""
    wanted = wanted_tensors(config)
    missing, unknown = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    if missing or unknown:
        what = f"lacks {_few(missing)}" if missing else f"has layers that this form does not: {_few(unknown)}"
        raise GazeError(
            f"The checkpoint {what}.", where=str(checkpoint), todo="It is of a form that is not known."
        )
    wrong = check_fit(weights, wanted)
    if wrong:
        raise GazeError(f"The checkpoint does not fit: {_few(wrong)}.", where=str(checkpoint))
    model = Captioner(config)
    model.load_state_dict(weights)
    return model.eval()


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "captioner"
