"""What every family has to show of words that a model is made to say, against one pass with attention written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Caption
from gazeapp.engine.models.vlm.capture.interface import ATTENTION, register_attention
from gazeapp.engine.models.vlm.families.base import Prepared
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm.family_checks import OPTIONS, prepare

SAID = "a zebra"
TAKEN = (("", 0.0), ("keys", 1.0), ("keys", 0.6), ("text", 1.0), ("readout", 1.0))
"""Scopes and strengths that are compared; the first is no lesion."""

OnePass = Callable[[VisionLanguageModel, Prepared, tuple[int, ...], np.ndarray, int], tuple[Tensor, Tensor]]
"""From a share that each image token loses and the first row that loses it to the logits that the tokens are chosen
from, shape (n_tokens, vocabulary), and their rows over the image, shape (n_tokens, layers, heads, columns)."""


def uneven_mask(image: np.ndarray) -> np.ndarray:
    """Return a mask that takes the left half whole and of the rest more and more towards the bottom."""
    height, width = image.shape[:2]
    mask = np.repeat(np.linspace(0.0, 0.7, height, dtype=np.float32)[:, None], width, axis=1)
    mask[:, : width // 2] = 1.0
    return mask


def check_forced(
    model: VisionLanguageModel,
    image: np.ndarray,
    read: OnePass | None = None,
    taken: tuple[tuple[str, float], ...] = TAKEN,
) -> None:
    """Words that a model is made to say have the numbers of one pass over them, and its own words those they had."""
    _check_own_words(model, image)
    _check_refusals(model, image)
    _check_given(model, image)
    tokens = tuple(model.family.tokenizer(model.processor).encode(SAID, add_special_tokens=False))
    prepared, mask, told = prepare(model, image), uneven_mask(image), []
    for scope, strength in taken:
        lesion = Lesion(mask, scope, strength) if scope else None
        caption = model.describe(image, "general", options=replace(OPTIONS, forced=tokens, lesion=lesion))
        assert tuple(caption.facts["tokens"]) == tokens
        assert (caption.text, caption.facts["ended"], caption.facts["forced"]) == (SAID, True, True)
        share = strength * prepared.layout.coverage(mask)
        first = {"text": prepared.first_text_row, "readout": prepared.n_rows - 1}.get(scope, 0)
        logits, rows = (read or one_pass)(model, prepared, tokens, share, first)
        _check_numbers(prepared, caption, logits, rows)
        told.append(caption.facts["token_log_probabilities"])
    assert np.abs(np.diff(np.array(told), axis=0)).max(axis=1).min() > 1e-4  # each of them changes something


def _check_given(model: VisionLanguageModel, image: np.ndarray) -> None:
    """A caption in words is said as the model would write it: behind text it begins with a space."""
    given = model.describe(image, "general", options=replace(OPTIONS, given=SAID))
    tokenizer, read = model.family.tokenizer(model.processor), prepare(model, image).inputs.get("input_ids")
    before = "" if read is None else tokenizer.decode(read[0].tolist()[-1:], skip_special_tokens=True)
    text = f" {SAID}" if before.strip() and not before[-1].isspace() else SAID
    tokens = tuple(tokenizer.encode(text, add_special_tokens=False))
    assert tuple(given.facts["tokens"]) == tokens
    assert (given.facts["given"], given.facts["unknown_words"], given.text) == (True, [], SAID)
    made = model.describe(image, "general", options=replace(OPTIONS, forced=tokens))
    assert given.words == made.words
    assert given.maps.tobytes() == made.maps.tobytes()


def _check_numbers(prepared: Prepared, caption: Caption, logits: Tensor, rows: Tensor) -> None:
    tokens = torch.tensor(caption.facts["tokens"])
    expected = logits.double().log_softmax(dim=-1).gather(1, tokens[:, None])[:, 0].numpy()
    assert np.abs(caption.facts["token_log_probabilities"] - expected).max() < 2e-4
    mean = rows.float().mean(dim=(1, 2)).numpy()
    for k, own in enumerate(caption.facts["token_words"]):
        mass = mean[own].mean(axis=0)
        wanted, _ = prepared.layout.to_maps(mass)
        assert np.abs(caption.maps[k] - wanted / wanted.sum()).max() < 1e-4
        assert abs(caption.image_mass[k] - mass[prepared.layout.on_image].sum()) < 1e-4


def _check_own_words(model: VisionLanguageModel, image: np.ndarray) -> None:
    """What it says freely and what it is made to say are the same, with the same numbers, whatever is taken away."""
    for scope in ("", "keys", "mean", "blur"):
        lesion = Lesion(uneven_mask(image), scope) if scope else None
        free = model.describe(image, "general", options=replace(OPTIONS, lesion=lesion))
        tokens = tuple(free.facts["tokens"])
        made = model.describe(image, "general", options=replace(OPTIONS, lesion=lesion, forced=tokens))
        assert (made.words, made.text) == (free.words, free.text)
        assert np.array_equal(made.maps, free.maps)
        assert np.array_equal(made.image_mass, free.image_mass)
    begun = model.describe(image, "general", options=replace(OPTIONS, lesion=lesion, forced=tokens[:2]))
    assert begun.facts["token_log_probabilities"] == free.facts["token_log_probabilities"][:2]


def _check_refusals(model: VisionLanguageModel, image: np.ndarray) -> None:
    with pytest.raises(GazeError, match="has no token 1000000"):
        model.describe(image, "general", options=replace(OPTIONS, forced=(70, 1_000_000)))
    with pytest.raises(GazeError, match="has no token -1"):
        model.describe(image, "general", options=replace(OPTIONS, forced=(-1,)))


def one_pass(
    model: VisionLanguageModel,
    prepared: Prepared,
    tokens: tuple[int, ...],
    share: np.ndarray,
    first: int,
    kind: int = 0,
) -> tuple[Tensor, Tensor]:
    """Read prompt and tokens at once, without a cache, with attention written out in plain words.

    ``kind`` is what the model calls the type of the words that follow its prompt.
    """
    seen: dict[int, Tensor] = {}
    with torch.no_grad(), _attention_written_out(model, prepared, share, first, seen):
        logits = model.network(**_with_tokens(prepared, tokens, kind), use_cache=False).logits[0]
    rows = slice(prepared.n_rows - 1, prepared.n_rows - 1 + len(tokens))
    by_layer = [seen[id(tap.module)][:, rows] for tap in model.taps]
    return logits[rows], torch.stack(by_layer)[..., prepared.layout.columns].permute(2, 0, 1, 3)


def _with_tokens(prepared: Prepared, tokens: tuple[int, ...], kind: int) -> dict[str, Any]:
    """Return the inputs of a pass that reads the tokens behind the prompt."""
    said = torch.tensor([tokens])
    if "input_ids" not in prepared.inputs:
        return {**prepared.inputs, "decoder_input_ids": torch.cat([torch.tensor([[1]]), said], dim=1)}
    whole = {}
    for name, value in prepared.inputs.items():
        whole[name] = value
        if isinstance(value, Tensor) and value.shape == (1, prepared.n_rows):
            more = said if name == "input_ids" else torch.full_like(said, 1 if "mask" in name else kind)
            whole[name] = torch.cat([value, more.to(value.dtype)], dim=1)
    return whole


@contextmanager
def _attention_written_out(
    model: VisionLanguageModel, prepared: Prepared, share: np.ndarray, first: int, seen: dict[int, Tensor]
) -> Iterator[None]:
    """Let the network compute attention with the whole matrix at hand, and keep it by module."""
    from transformers import AttentionInterface

    taps = {id(tap.module): tap for tap in model.taps}
    columns, keep = torch.as_tensor(prepared.layout.columns), torch.as_tensor(1.0 - share)

    def attend(
        module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, scaling: Any = None, **more: Any
    ) -> Any:
        repeats = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
        scores = query @ key.transpose(2, 3) * (scaling or query.shape[-1] ** -0.5)
        if more.get("softcap"):
            scores = torch.tanh(scores / more["softcap"]) * more["softcap"]
        tap = taps.get(id(module))
        if mask is None and not (tap is not None and tap.cross):
            mask = torch.ones(scores.shape[2:], dtype=torch.bool).tril()
        if mask is not None:
            hidden = ~mask if mask.dtype == torch.bool else mask < -1e4
            scores = scores.masked_fill(hidden, -torch.inf)
        weights = scores.softmax(dim=-1)
        if tap is not None:
            kept = torch.ones_like(weights)
            kept[:, :, first:, columns] = keep.to(weights.dtype)
            left = weights * kept
            weights = left / left.sum(dim=-1, keepdim=True)
            seen[id(module)] = weights[0]
        return (weights @ value).transpose(1, 2).contiguous(), weights

    AttentionInterface.register(ATTENTION, attend)
    try:
        yield
    finally:
        register_attention()
