"""What every family has to show, on a tiny model of the real class: see `check_all`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Caption, Decoding, DescribeOptions, ModelInfo
from gazeapp.engine.models.vlm.capture.capture import Capture, listening
from gazeapp.engine.models.vlm.capture.masking import KeyMask
from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.base import Family, Prepared
from gazeapp.engine.models.vlm.families.cross import CrossAttending
from gazeapp.engine.models.vlm.model import VisionLanguageModel

TOKENS = 5
SCOPES = ("keys", "text", "readout", "zero", "mean", "pixels", "blur")
OPTIONS = DescribeOptions(prompt="what is it?", decoding=Decoding(max_tokens=TOKENS))


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Return a picture of coloured blocks."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(60, 196, (max(1, height // 8), max(1, width // 8), 3), np.uint8)
    return np.asarray(Image.fromarray(blocks).resize((width, height), Image.Resampling.BILINEAR))


def wrap(network: Any, processor: Any, family: Family) -> VisionLanguageModel:
    return VisionLanguageModel(network, processor, family, ModelInfo("tiny", "Tiny", "vlm"))


def prepare(model: VisionLanguageModel, image: np.ndarray) -> Prepared:
    return model.family.prepare(model.processor, model.network.config, Image.fromarray(image), OPTIONS.prompt)


def eager_rows(model: VisionLanguageModel, prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Return the generated sequence and, from transformers' own eager attentions, (tokens, layers, heads, columns).

    The network is left with eager attention.
    """
    network = model.network
    network.set_attn_implementation("eager")
    out = network.generate(
        **prepared.inputs,
        max_new_tokens=TOKENS,
        do_sample=False,
        return_dict_in_generate=True,
        output_attentions=True,
    )
    steps = out.cross_attentions if model.family.cross_attention else out.attentions
    rows = []
    for step in steps:
        layers = []
        for layer in step:
            if layer is None:
                continue
            row, place = layer[0, :, -1], prepared.layout.columns
            if not model.family.cross_attention:
                # Layers with a sliding window have forgotten the first keys.
                place = place - (prepared.n_rows + len(rows) - row.shape[-1])
            there = (place >= 0) & (place < row.shape[-1])
            layers.append(row[:, np.where(there, place, 0)].float().numpy() * there)
        rows.append(np.stack(layers))
    return out.sequences[0].numpy(), np.stack(rows)


def captured_rows(
    model: VisionLanguageModel, prepared: Prepared, mask: Any = None
) -> tuple[tuple[int, ...], Any]:
    capture = Capture(model.taps, prepared.layout.columns, mask, keep="heads")
    with torch.no_grad(), model.family.capturing(model.network, capture):
        generated = model.generate(prepared, OPTIONS)
        return generated.tokens, capture.rows(TOKENS)


def check_rows_equal_eager(
    model: VisionLanguageModel, image: np.ndarray, tolerance: float = 1e-4, eager: Any = eager_rows
) -> None:
    """Captured rows are those that transformers' eager attention reports, and the tokens are the same."""
    prepared = prepare(model, image)
    plain = model.generate(prepared, OPTIONS).tokens
    tokens, rows = captured_rows(model, prepared)
    assert tokens == plain
    assert len(tokens) == TOKENS
    with torch.no_grad():
        sequence, expected = eager(model, prepared)
    model.family.start_listening(model.network)
    assert tuple(sequence[-TOKENS:]) == tokens
    assert rows.kept is not None
    assert rows.kept.shape == expected.shape
    assert expected.max() > 2 * expected.mean()  # uneven enough for errors to show
    assert np.abs(rows.kept.astype(np.float32) - expected).max() < 5e-4  # stored as half numbers
    assert np.abs(rows.mean - expected.mean(axis=(1, 2))).max() < tolerance
    assert np.abs(rows.image_mass - expected.sum(axis=3)).max() < tolerance


def check_lesions(model: VisionLanguageModel, image: np.ndarray) -> None:
    """Every scope takes exactly the named tokens away at full strength, and changes nothing at strength 0."""
    height, width = image.shape[:2]
    left = np.zeros((height, width), np.float32)
    left[:, : width // 2] = 1.0
    plain = model.describe(image, "general", options=OPTIONS)
    prepared = prepare(model, image)
    taken = prepared.layout.coverage(left) >= 1.0
    assert 0 < taken.sum() < taken.size
    everything = np.ones_like(left)
    for k, scope in enumerate(SCOPES):
        none = Lesion(left, scope, 0.0) if k % 2 else Lesion(left * 0.0, scope)
        assert_same(_describe(model, image, none), plain)
        full = _describe(model, image, Lesion(left, scope))
        assert_same(_describe(model, image, Lesion(left, scope)), full)
        assert not np.array_equal(full.maps, plain.maps), scope
        with pytest.raises(GazeError, match="takes the whole image away"):
            _describe(model, image, Lesion(everything, scope))
    with pytest.raises(GazeError, match="does not offer the lesion scope 'keys_and_start'"):
        _describe(model, image, Lesion(left, "keys_and_start"))
    check_embeddings(model, image)
    check_masked_keys(model, image)


def assert_same(one: Caption, other: Caption) -> None:
    """Two captions are the same, bit by bit."""
    assert (one.words, one.text, one.facts) == (other.words, other.text, other.facts)
    assert np.array_equal(one.maps, other.maps)
    assert np.array_equal(one.image_mass, other.image_mass)


def check_embeddings(model: VisionLanguageModel, image: np.ndarray) -> None:
    """Of what the language model reads, exactly the named tokens change, by the named share, to zero or the mean."""
    height, width = image.shape[:2]
    prepared, other = prepare(model, image), prepare(model, noise(width, height, seed=99))
    columns = prepared.layout.columns
    share = np.resize(np.array([1.0, 0.0, 0.25], np.float32), columns.size)
    whole, part = columns[share == 1.0], columns[share == 0.25]
    intact, of_other = states_read(model, prepared), states_read(model, other)
    assert not np.array_equal(intact[whole], of_other[whole])
    zeroed, filled = (states_read(model, prepared, share, fill) for fill in ("zero", "mean"))
    rest = np.setdiff1d(np.arange(len(intact)), [*whole, *part])
    assert np.array_equal(zeroed[rest], intact[rest])
    assert np.array_equal(filled[rest], intact[rest])
    # Nothing of the picture is left of a zeroed token, whatever else its embedding says.
    assert np.array_equal(zeroed[whole], states_read(model, other, share, "zero")[whole])
    empty = states_read(model, prepared, np.ones_like(share), "zero")
    mean = intact[columns].mean(axis=0)
    assert np.abs(zeroed[part] - (0.75 * intact[part] + 0.25 * empty[part])).max() < 1e-5
    assert np.abs(filled[whole] - mean).max() < 1e-5
    assert np.abs(filled[part] - (0.75 * intact[part] + 0.25 * mean)).max() < 1e-5


def states_read(
    model: VisionLanguageModel, prepared: Prepared, share: np.ndarray | None = None, fill: str = ""
) -> np.ndarray:
    """Return what the language model reads of image and prompt, or of the image alone, shape (n_tokens, size)."""
    network, family = model.network, model.family
    if isinstance(family, CrossAttending):
        reader, name = family.text_decoder(network), "encoder_hidden_states"
    else:
        reader = network.git.encoder if hasattr(network, "git") else family.language_model(network)
        name = "inputs_embeds"
    seen: list[torch.Tensor] = []

    def look(_module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        read = kwargs.get(name, args[0] if args else None)
        if read is not None and not seen:
            seen.append(read[0].float())

    around = nullcontext() if share is None else family.changed_embeddings(network, prepared, share, fill)
    with torch.no_grad(), around:
        handle = reader.register_forward_pre_hook(look, with_kwargs=True)
        try:
            model.generate(prepared, replace(OPTIONS, decoding=Decoding(max_tokens=1)))
        finally:
            handle.remove()
    return seen[0].numpy()


def check_masked_keys(model: VisionLanguageModel, image: np.ndarray) -> None:
    """Keys of the left half carry exactly no weight at full strength, and some at half."""
    prepared = prepare(model, image)
    left = np.zeros(image.shape[:2], np.float32)
    left[:, : image.shape[1] // 2] = 1.0
    taken = prepared.layout.coverage(left) >= 1.0
    for first in {0, prepared.n_rows - 1}:
        mask = KeyMask(prepared.layout.columns, taken.astype(np.float32), first)
        _, rows = captured_rows(model, prepared, mask)
        assert rows.kept is not None
        assert rows.kept[..., taken].max() == 0.0
        assert rows.kept[..., ~taken].max() > 0.0
        half = KeyMask(prepared.layout.columns, taken.astype(np.float32) * 0.5, first)
        _, weaker = captured_rows(model, prepared, half)
        assert weaker.kept is not None
        assert weaker.kept[..., taken].max() > 0.0


def check_readout_lesion_is_exact(model: VisionLanguageModel, image: np.ndarray) -> None:
    """Without a part of the keys, the first word's rows are the intact ones without them, normalised anew.

    True in the first layer that carries attention, whose queries and keys the lesion does not change.
    """
    prepared = prepare(model, image)
    _, intact = captured_rows(model, prepared)
    share = np.linspace(0.0, 1.0, prepared.layout.columns.size, dtype=np.float32)
    _, rows = captured_rows(model, prepared, KeyMask(prepared.layout.columns, share, prepared.n_rows - 1))
    assert intact.kept is not None
    assert rows.kept is not None
    whole = intact.kept[0, 0].astype(np.float64)
    rest = 1.0 - whole.sum(axis=-1, keepdims=True)
    left = whole * (1.0 - share)
    expected = left / (left.sum(axis=-1, keepdims=True) + rest)
    assert np.abs(rows.kept[0, 0] - expected).max() < 2e-3


def check_only_later_rows_lose_keys(model: VisionLanguageModel, prepared: Prepared, first: int) -> None:
    """While the prompt is read, rows from ``first`` on see nothing of what is taken away, and each earlier row does."""
    taken = np.arange(prepared.layout.columns.size) < 20
    columns = torch.as_tensor(prepared.layout.columns[taken])
    seen: list[torch.Tensor] = []

    def look(_module: Any, _args: Any, out: Any) -> None:
        if out[1].shape[2] > 1:
            # Attention of each row, image included, to what is taken away.
            seen.append(out[1][0][..., columns].amax(dim=(0, 2)))

    handle = model.taps[0].module.register_forward_hook(look)
    captured_rows(model, prepared, KeyMask(prepared.layout.columns, taken.astype(np.float32), first))
    handle.remove()
    (rows,) = seen
    assert (rows[:first] > 0).all()
    assert (rows[first:] == 0).all()


def check_a_capture_without_hooks_fails(model: VisionLanguageModel) -> None:
    """For families that are listened to by hooks: without them there is an error, not an empty map."""
    prepared = prepare(model, noise(128, 128))
    capture = Capture(model.taps, prepared.layout.columns)
    with listening(capture):
        model.generate(prepared, OPTIONS)
    with pytest.raises(GazeError, match="gave 0 rows"):
        capture.rows(TOKENS)


def check_half_precision(model: VisionLanguageModel) -> None:
    """Masked keys are as exact in bfloat16."""
    model.network.bfloat16()
    try:
        check_masked_keys(model, noise(96, 64))
    finally:
        model.network.float()


def check_saved_and_loaded(model: VisionLanguageModel, model_type: str, folder: Path) -> None:
    """The family of a type loads what such checkpoints hold, and the model says and sees the same."""
    model.network.save_pretrained(folder)
    model.processor.save_pretrained(folder)
    family = family_of(model_type)
    network, info = family.load_network(str(folder), use_safetensors=True, output_loading_info=True)
    assert not info["missing_keys"]
    network.generation_config.eos_token_id = None
    again = wrap(network.eval(), family.load_processor(str(folder)), family)
    image = noise(96, 64)
    expected = model.describe(image, "general", options=OPTIONS)
    caption = again.describe(image, "general", options=OPTIONS)
    assert caption.facts["tokens"] == expected.facts["tokens"]
    assert np.allclose(caption.maps, expected.maps, atol=1e-6)


def check_marks_are_refused(model: VisionLanguageModel, mark: str) -> None:
    """A mark that the tokenizer reads as one token of its own is no part of a prompt."""
    assert len(model.family.tokenizer(model.processor).encode(mark, add_special_tokens=False)) == 1
    with pytest.raises(GazeError, match="meaning of its own") as refused:
        model.describe(noise(64, 64), "general", options=DescribeOptions(f"a {mark} b", OPTIONS.decoding))
    assert f"'{mark}'" in refused.value.what


def check_zeroed_embeddings_hide_the_picture(model: VisionLanguageModel, size: tuple[int, int]) -> None:
    """With every image embedding zeroed, two pictures make the same words with the same probabilities, bit by bit."""
    told = []
    for seed in (1, 2):
        prepared = prepare(model, noise(*size, seed=seed))
        plain = model.generate(prepared, OPTIONS)
        everything = np.ones(prepared.layout.columns.size, np.float32)
        with torch.no_grad(), model.family.changed_embeddings(model.network, prepared, everything, "zero"):
            hidden = model.generate(prepared, OPTIONS)
        told.append((plain.log_probabilities, hidden.tokens, hidden.log_probabilities))
    assert told[0][0] != told[1][0]
    assert told[0][1:] == told[1][1:]


def embedded(model: VisionLanguageModel, image: np.ndarray) -> np.ndarray:
    """Return the embeddings of the image tokens that the language model reads, shape (n_tokens, size)."""
    prepared = prepare(model, image)
    seen: list[torch.Tensor] = []

    def look(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs.get("inputs_embeds") is not None and not seen:
            seen.append(kwargs["inputs_embeds"][0].float())

    handle = model.family.language_model(model.network).register_forward_pre_hook(look, with_kwargs=True)
    try:
        with torch.no_grad():
            model.generate(prepared, DescribeOptions(OPTIONS.prompt, Decoding(max_tokens=1)))
    finally:
        handle.remove()
    return seen[0][torch.as_tensor(prepared.layout.columns)].numpy()


def loudness(model: VisionLanguageModel, image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Return how much the embedding of each image token changes from one picture to the other."""
    change = embedded(model, painted) - embedded(model, image)
    return np.linalg.norm(change, axis=1).astype(np.float32)


def check_painting(
    model: VisionLanguageModel, width: int, height: int, loud: Any = loudness, view: str = "", power: int = 4
) -> None:
    """Paint one patch at a time; the tokens that change must lie on it, to within half a token.

    ``power`` makes the loudest tokens count, because a vision encoder spreads a little of a change everywhere.
    """
    image = np.full((height, width, 3), 128, np.uint8)
    layout = prepare(model, image).layout
    shown = [v for v in layout.views if not view or v.name == view]
    # The usual token of the finest view: the last row or column of a grid may be of smaller ones.
    tall = min(float(np.median(np.diff(v.row_edges))) for v in shown)
    wide = min(float(np.median(np.diff(v.column_edges))) for v in shown)
    rng = np.random.default_rng(width * height)
    for fraction_x, fraction_y in ((0.3, 0.4), (0.7, 0.62), tuple(rng.uniform(0.25, 0.75, 2))):
        x0, y0 = round(fraction_x * width - wide), round(fraction_y * height - tall)
        x1, y1 = round(fraction_x * width + wide), round(fraction_y * height + tall)
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
        painted = image.copy()
        painted[y0:y1, x0:x1] = rng.integers(0, 256, (y1 - y0, x1 - x0, 3), np.uint8)
        change = loud(model, image, painted)
        maps, rect = layout.to_maps((change / change.max()) ** power, view)
        down = rect.y + rect.height * (np.arange(maps.shape[0]) + 0.5) / maps.shape[0]
        across = rect.x + rect.width * (np.arange(maps.shape[1]) + 0.5) / maps.shape[1]
        x = float((maps.sum(axis=0) * across).sum() / maps.sum())
        y = float((maps.sum(axis=1) * down).sum() / maps.sum())
        assert abs(x - (x0 + x1) / 2) <= wide / 2, (x, (x0 + x1) / 2, wide)
        assert abs(y - (y0 + y1) / 2) <= tall / 2, (y, (y0 + y1) / 2, tall)


def without_mixing(encoder: Any) -> None:
    """Let each patch of a vision encoder see itself alone: what is painted on it then shows in its token only."""
    for name, module in encoder.named_modules():
        if name.endswith(("out_proj", "o_proj")):
            torch.nn.init.zeros_(module.weight)


def check_dots(model: VisionLanguageModel, width: int, height: int, dots: int = 4) -> None:
    """Paint a dot in the middle of one token; of its view, the token that changes most is the one that holds it.

    For encoders `without_mixing`; the tokens of each view are drawn at random.
    """
    plain = np.full((height, width, 3), 128, np.uint8)
    layout, before = prepare(model, plain).layout, embedded(model, plain)
    place = {int(column): i for i, column in enumerate(layout.columns)}
    rng = np.random.default_rng(width)
    for view in layout.views:
        down, across = ((edges[1:] + edges[:-1]) / 2 for edges in (view.row_edges, view.column_edges))
        own = np.array([place[int(column)] for column in view.columns.flat])
        for _ in range(dots):
            row, column = (int(rng.integers(0, n)) for n in view.columns.shape)
            y, x = round(down[row]), round(across[column])
            dotted = plain.copy()
            dotted[y - 1 : y + 1, x - 1 : x + 1] = 255
            change = np.linalg.norm(embedded(model, dotted) - before, axis=1)[own]
            assert np.unravel_index(change.argmax(), view.columns.shape) == (row, column), view.name


def check_all(
    model: VisionLanguageModel,
    sizes: tuple[tuple[int, int], ...],
    power: int = 4,
    loud: Any = loudness,
    eager: Any = eager_rows,
) -> None:
    """Run every check, on each size (width, height)."""
    for width, height in sizes:
        check_rows_equal_eager(model, noise(width, height), eager=eager)
        check_painting(model, width, height, loud, power=power)
    width, height = sizes[-1]
    check_lesions(model, noise(width, height))
    check_readout_lesion_is_exact(model, noise(width, height))


def _describe(model: VisionLanguageModel, image: np.ndarray, lesion: Lesion | None) -> Caption:
    return model.describe(image, "general", options=replace(OPTIONS, lesion=lesion))
