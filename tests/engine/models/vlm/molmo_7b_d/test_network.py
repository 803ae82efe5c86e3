"""The network against what the authors' code made of the same random weights; tolerances are the oracle's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.models.vlm.molmo_7b_d.network import MolmoConfig, MolmoForCausalLM

LOGITS, ATTENTION, VISION = 2e-5, 1e-5, 1.5e-4
PROMPT = "Describe this image."


def largest(found: torch.Tensor, expected: np.ndarray) -> float:
    return float(np.abs(found.numpy() - expected).max())


def rows_of(attentions: tuple[torch.Tensor, ...], queries: np.ndarray) -> torch.Tensor:
    """Return weights of some query rows, (queries, layers, heads, keys)."""
    return torch.stack(attentions)[:, 0][:, :, torch.as_tensor(queries)].permute(2, 0, 1, 3)


@torch.no_grad()
def test_vision_is_that_of_the_oracle(case, network: Any, processor: Any) -> None:
    made = processor(case.image, PROMPT)
    backbone = network.model.vision_backbone
    projected = backbone(made["images"], made["image_masks"])[0]
    assert largest(projected[:, ::8], case.output["vision_projected_every_8th"]) < VISION
    if "vision_encoded_every_16th" in case.output:
        encoded = backbone.image_vit(made["images"][0])
        assert largest(encoded[:, ::16], case.output["vision_encoded_every_16th"]) < VISION


@torch.no_grad()
def test_generation_with_cache_says_the_oracles_tokens(case, network: Any, processor: Any) -> None:
    said = network.generate(
        **processor(case.image, PROMPT),
        max_new_tokens=4,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
    )
    assert np.array_equal(said.sequences[0, -4:], case.output["new_tokens"])
    assert largest(torch.cat(said.logits), case.output["logits"][:4]) < LOGITS


@pytest.mark.parametrize("case", ["wide"], indirect=True)
@torch.no_grad()
def test_attention_while_generating_is_the_oracles_row_by_row(case, network: Any, processor: Any) -> None:
    network.set_attn_implementation("eager")
    made = processor(case.image, PROMPT)
    said = network.generate(
        **made, max_new_tokens=4, do_sample=False, return_dict_in_generate=True, output_attentions=True
    )
    assert len(said.attentions) == 4
    for layers, expected in zip(said.attentions, case.output["attn_rows"], strict=False):
        rows = torch.stack([layer[0, :, -1] for layer in layers])
        assert largest(rows, expected[..., : rows.shape[-1]]) < ATTENTION
        assert not expected[..., rows.shape[-1] :].any()


@torch.no_grad()
def test_one_pass_over_prompt_and_answer_is_the_oracles(case, network: Any, processor: Any) -> None:
    network.set_attn_implementation("eager")
    made = processor(case.image, PROMPT)
    n_prompt = made["input_ids"].shape[1]
    whole = torch.as_tensor(case.output["input_ids_final"].astype(np.int64))[None]
    out = network(**{**made, "input_ids": whole, "attention_mask": None}, output_attentions=True)
    queries = case.output["query_positions"]
    assert largest(out.logits[0, queries], case.output["logits"]) < LOGITS
    assert largest(out.logits[0, n_prompt - 8 : n_prompt], case.output["logits_prompt_tail"]) < LOGITS
    rows = rows_of(out.attentions, queries)
    assert largest(rows, case.output["attn_rows"]) < ATTENTION
    columns = torch.as_tensor(case.given["token_pos"].astype(np.int64))
    assert largest(rows[..., columns].sum(dim=-1), case.output["attn_image_mass"]) < ATTENTION


@pytest.mark.parametrize("rows", ["all_rows", "text_rows"])
@torch.no_grad()
def test_keys_taken_away_by_an_additive_bias_are_as_in_the_oracle(
    case, network: Any, processor: Any, rows: str
) -> None:
    network.set_attn_implementation("eager")
    whole = torch.as_tensor(case.output["input_ids_final"].astype(np.int64))[None]
    lowest = torch.finfo(torch.float32).min
    bias = torch.full((whole.shape[1], whole.shape[1]), lowest).triu(1)
    first = 0 if rows == "all_rows" else int(case.lesion["first_text_pos"])
    masked = torch.as_tensor(case.lesion["masked_cols"].astype(np.int64))
    bias[first:, masked] = lowest
    made = {**processor(case.image, PROMPT), "input_ids": whole, "attention_mask": bias[None, None]}
    out = network(**made, output_attentions=True)
    queries = case.output["query_positions"]
    assert largest(out.logits[0, queries], case.lesion[f"{rows}_logits"]) < LOGITS
    weights = rows_of(out.attentions, queries)
    assert float(weights[..., masked].max()) == 0.0
    columns = torch.as_tensor(case.given["token_pos"].astype(np.int64))
    assert largest(weights[..., columns].sum(dim=-1), case.lesion[f"{rows}_attn_image_mass"]) < ATTENTION
    if f"{rows}_attn_rows" in case.lesion:
        assert largest(weights, case.lesion[f"{rows}_attn_rows"]) < ATTENTION


@torch.no_grad()
def test_features_can_be_changed_before_they_are_added(network: Any, processor: Any) -> None:
    rng = np.random.default_rng(0)
    made = processor(rng.integers(0, 255, (200, 500, 3), np.uint8), PROMPT)
    columns = (made["input_ids"][0] == 514).nonzero()[:, 0]
    seen: dict[str, torch.Tensor] = {}

    def take_away(_module: Any, _args: Any, features: torch.Tensor) -> torch.Tensor:
        seen["features"] = features
        return torch.where(torch.arange(len(features))[:, None] % 2 == 0, 0.0, features)

    def look(_module: Any, _args: Any, given: dict[str, Any]) -> None:
        seen["embeds"] = given["inputs_embeds"][0]

    handles = [
        network.model.image_features.register_forward_hook(take_away),
        network.model.transformer.register_forward_pre_hook(look, with_kwargs=True),
    ]
    try:
        network(**made)
    finally:
        for handle in handles:
            handle.remove()
    word = network.model.transformer.wte(made["input_ids"])[0, columns]
    added = seen["embeds"][columns] - word
    assert seen["features"].shape == (len(columns), 48)
    assert bool((added[::2] == 0).all())
    # In the order of the tokens: the odd ones have what they would have had.
    assert torch.allclose(added[1::2], seen["features"][1::2], atol=1e-5)
    # And the features themselves go where the slots point.
    projected = network.model.vision_backbone(made["images"], made["image_masks"]).flatten(0, 2)
    slots = made["image_input_idx"].flatten()
    for token, column in enumerate(columns[:: len(columns) // 7].tolist()):
        place = token * (len(columns) // 7)
        assert torch.equal(seen["features"][place], projected[(slots == column).nonzero()[0, 0]])


@torch.no_grad()
def test_samples_side_by_side_say_what_one_says(network: Any, processor: Any) -> None:
    made = processor(np.full((120, 90, 3), 200, np.uint8), PROMPT)
    one = network(**made).logits
    two = network(**{name: tensor.repeat_interleave(2, dim=0) for name, tensor in made.items()}).logits
    assert torch.allclose(two, one.expand_as(two), atol=LOGITS)


@torch.no_grad()
def test_half_precision_stays_near_and_keeps_its_type(checkpoint, processor: Any, network: Any) -> None:
    made = processor(np.full((120, 90, 3), 200, np.uint8), PROMPT)
    half = type(network).from_pretrained(checkpoint, config=network.config, dtype=torch.bfloat16)
    turned: list[torch.Tensor] = []
    half.model.transformer.rotary_emb.register_forward_hook(lambda _m, _a, out: turned.extend(out))
    logits = half(**made).logits[0, -1]
    assert logits.dtype == torch.bfloat16
    # Positions are turned into angles in full precision: half of it cannot tell far tokens apart.
    assert [angle.dtype for angle in turned] == [torch.float32, torch.float32]
    exact = network(**made).logits[0, -1]
    # Eight bits of mantissa, a few dozen layers: a few hundredths of the logits' spread.
    assert float((logits.float() - exact).abs().max()) < 0.1 * float(exact.std())


def test_a_network_without_a_checkpoint_is_filled_with_seeded_numbers(network: Any) -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(MolmoForCausalLM(MolmoConfig(**network.config.to_dict())).state_dict())
    assert set(made[0]) == set(network.state_dict())
    for name, weights in made[0].items():
        assert torch.equal(weights, made[1][name]), name
        assert bool(weights.isfinite().all()), name
        assert float(weights.abs().max()) < 2, name


def test_images_without_their_places_are_an_error(network: Any, processor: Any) -> None:
    made = processor(np.full((120, 90, 3), 200, np.uint8), PROMPT)
    del made["image_input_idx"]
    with pytest.raises(ValueError, match="image_input_idx"):
        network(**made)
