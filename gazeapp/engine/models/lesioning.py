"""Which lesions a model offers, with what each reaches and misses, as a scientist reads it before choosing."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import SCOPES
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.vlm.families import reach


@dataclass(frozen=True, slots=True)
class Offer:
    """A lesion scope that a model offers.

    Parameters
    ----------
    scope
        One of `gazeapp.engine.lesions.lesion.SCOPES`.
    reaches
        What it takes away from this model, as a sentence.
    misses
        What this model still learns of the place, as sentences.
    """

    scope: str
    reaches: str
    misses: str


_PICTURE = (
    Offer(
        "pixels",
        "The picture is taken towards its mean colour there before any part of the model sees it.",
        "The flat patch and its edge are themselves something to see, and the mean colour holds the patch's share.",
    ),
    Offer(
        "blur",
        "The picture is blurred there before any part of the model sees it.",
        "Layout and colours stay; what is finer than a tenth of the longer side of the image is all but gone.",
    ),
)

_STILL_THERE = "Words can still attend to the place, where they find nothing."
_MEAN_KNOWS = (
    "The mean holds what goes as a part of it, and cells or tokens filled with it can still be attended to."
)


def offers(info: ModelInfo) -> tuple[Offer, ...]:
    """Return the lesions that a model offers, the default first; none for maps that were made elsewhere.

    Parameters
    ----------
    info
        The facts about it; it need not be loaded.
    """
    if info.kind == "captioner":
        return _of_lstm(info) if info.decoder == "lstm" else _of_transformer(info)
    if info.kind == "vlm":
        model_type = str(info.facts.get("model_type", ""))
        return _of_cross(model_type) if model_type in reach.CROSS_ATTENDING else _of_sequence(model_type)
    return _PICTURE if info.kind == "runner" else ()


def default_scope(info: ModelInfo) -> str:
    """Return the scope that is used when none is asked for.

    Raises
    ------
    GazeError
        When nothing can be taken away from the model.
    """
    offered = offers(info)
    if not offered:
        raise _not_here(info)
    return offered[0].scope


def check_scope(info: ModelInfo, scope: str) -> None:
    """Refuse a lesion scope that a model does not offer.

    Raises
    ------
    GazeError
        When it does not; the sentence says why, and what it offers.
    """
    offered = [offer.scope for offer in offers(info)]
    if not offered:
        raise _not_here(info)
    if scope not in offered:
        known = f"{info.name} does not offer the lesion scope '{scope}'"
        what = (
            f"{known}: {_why_not(info, scope)}."
            if scope in SCOPES
            else f"There is no lesion scope '{scope}'."
        )
        raise GazeError(what, todo=f"{info.name} offers: {', '.join(offered)}.")


def _not_here(info: ModelInfo) -> GazeError:
    return GazeError(
        f"The maps of {info.name} were made elsewhere, so that no part of an image can be taken away from it.",
        todo="Choose a model that runs here.",
    )


def _why_not(info: ModelInfo, scope: str) -> str:
    """Return why a model does not offer a scope that others do."""
    if info.kind == "runner":
        return "it runs in a program of its own, so that only the picture that it is given can be changed"
    if scope == "keys_and_start":
        return "only LSTM decoders of captioners start from a state that is made from the image"
    if info.facts.get("model_type") == "git":
        return "it reads no prompt, so that 'readout' is the same"
    return "all that attends to the image are its words, so that 'keys' is the same"


def _of_lstm(info: ModelInfo) -> tuple[Offer, ...]:
    encoder = _mixed_cells(info)
    return (
        Offer(
            "keys",
            "No word attends there: the attention weights are taken away at every step.",
            "The state that the LSTM starts from, and what it reads before the first word, are the mean of all cells "
            f"and know of the place. {encoder}",
        ),
        Offer(
            "keys_and_start",
            "No word attends there, and the state that the LSTM starts from is made of the cells that stay.",
            encoder,
        ),
        *_of_cells(
            "Words read nothing else there, and the state that the LSTM starts from has it too", encoder
        ),
        *_PICTURE,
    )


def _of_transformer(info: ModelInfo) -> tuple[Offer, ...]:
    encoder = _mixed_cells(info)
    return (
        Offer(
            "keys",
            "No word attends there, in any layer or head of the cross-attention, through which words learn all that "
            "they know of the image.",
            encoder,
        ),
        *_of_cells("The words read that instead", encoder),
        *_PICTURE,
    )


def _of_cells(what: str, encoder: str) -> tuple[Offer, ...]:
    return (
        Offer(
            "zero",
            f"The encoder's features there are taken towards zero, and their position with them. {what}.",
            f"{_STILL_THERE} {encoder}",
        ),
        Offer(
            "mean",
            f"The encoder's features there are taken towards the mean of all cells. {what}.",
            f"{_MEAN_KNOWS} {encoder}",
        ),
    )


def _mixed_cells(info: ModelInfo) -> str:
    which = "neighbouring cells" if info.encoder == "cnn" else "all cells"
    return f"The encoder has mixed {which} before, so that those that stay know something of what goes."


def _of_cross(model_type: str) -> tuple[Offer, ...]:
    misses = reach.keys_miss(model_type)
    return (
        Offer(
            "keys",
            "No word attends there, in any layer or head of the cross-attention, through which words learn all that "
            "they know of the image.",
            misses,
        ),
        *_of_tokens("The image encoder's states", misses),
        *_PICTURE,
    )


def _of_sequence(model_type: str) -> tuple[Offer, ...]:
    layers = "every layer that carries attention" if model_type in reach.PARTLY_ATTENDING else "every layer"
    twice = " What is shown twice, in an overview and in detail, goes from both."
    both = twice if model_type in reach.SHOWN_TWICE else ""
    text = Offer(
        "text",
        f"Neither the prompt nor the words attend there, in {layers}; parts of the image still do.{both}",
        reach.text_misses(model_type),
    )
    return (
        Offer(
            "keys",
            f"No word, no part of the prompt and no other part of the image attends there, in {layers}.{both}",
            reach.keys_miss(model_type),
        ),
        *(() if model_type in reach.CAPTIONERS else (text,)),
        Offer(
            "readout",
            f"The words do not attend there, in {layers}; the prompt and parts of the image still do.{both}",
            reach.readout_misses(model_type),
        ),
        *_of_tokens("The image's embeddings", reach.encoder_misses(model_type)),
        *_PICTURE,
    )


def _of_tokens(what: str, encoder: str) -> tuple[Offer, ...]:
    return (
        Offer(
            "zero",
            f"{what} there are taken towards zero before the language model reads them, in all of its layers.",
            f"{_STILL_THERE} {encoder}",
        ),
        Offer(
            "mean",
            f"{what} there are taken towards the mean of all of the image's before the language model reads them.",
            f"{_MEAN_KNOWS} {encoder}",
        ),
    )
