from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.vlm.capture.capture import Capture
from gazeapp.engine.models.vlm.families.blip import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.families.test_vision_encoder_decoder import states_changed
from tests.engine.models.vlm.tiny import keep_patches_apart, settle, sharpen, tokenizer


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

    words = tokenizer()
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BlipConfig(
        text_config={
            **size,
            "vocab_size": len(words),
            "encoder_hidden_size": 32,
            "bos_token_id": 1,
            "sep_token_id": 2,
            "pad_token_id": 0,
        },
        vision_config={**size, "num_hidden_layers": 1, "image_size": 64, "patch_size": 8},
    )
    processor = BlipProcessor(BlipImageProcessor(size={"height": 64, "width": 64}), words)
    network = settle(BlipForConditionalGeneration(config))
    keep_patches_apart(network.vision_model)
    made = checks.wrap(network, processor, FAMILY)
    sharpen([tap.module.query for tap in made.taps], 4.0)
    return made


def _eager(model: VisionLanguageModel, prepared: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return what `checks.eager_rows` does, from one pass over prompt and caption: BLIP's generate() tells none."""
    network = model.network
    sequence = network.generate(**prepared.inputs, max_new_tokens=checks.TOKENS, do_sample=False)[0]
    states = network.vision_model(prepared.inputs["pixel_values"]).last_hidden_state
    out = network.text_decoder(
        input_ids=sequence[None, :-1], encoder_hidden_states=states, output_attentions=True
    )
    rows = [layer[0, :, prepared.n_rows - 1 :, prepared.layout.columns] for layer in out.cross_attentions]
    return sequence.numpy(), torch.stack(rows).permute(2, 0, 1, 3).numpy()


def test_blip(model: VisionLanguageModel) -> None:
    assert [tap.layer for tap in model.taps] == [0, 1]
    checks.check_all(model, ((128, 128), (200, 96)), loud=states_changed, eager=_eager)


def test_only_the_generated_rows_lose_the_keys_where_asked(model: VisionLanguageModel) -> None:
    prepared = checks.prepare(model, checks.noise(128, 128))
    assert prepared.n_rows == 1 + len(checks.OPTIONS.prompt)
    for first in (0, prepared.n_rows - 1):
        checks.check_only_later_rows_lose_keys(model, prepared, first)


def test_marks_in_the_prompt_are_refused(model: VisionLanguageModel) -> None:
    checks.check_marks_are_refused(model, "</s>")


def test_without_a_prompt_the_caption_starts_freely(model: VisionLanguageModel) -> None:
    image = checks.noise(128, 128)
    bare = FAMILY.prepare(model.processor, model.network.config, Image.fromarray(image), "")
    expected = model.network.generate(
        pixel_values=bare.inputs["pixel_values"], max_new_tokens=checks.TOKENS, do_sample=False
    )
    free = model.describe(image, "general", options=DescribeOptions(decoding=checks.OPTIONS.decoding))
    assert free.facts["tokens"] == expected[0, 1:].tolist()
    assert free.prompt == ""


def test_a_caption_goes_on_with_its_prompt(model: VisionLanguageModel) -> None:
    """As the real processor and the model's own generate() read a beginning."""
    image = Image.fromarray(checks.noise(128, 128))
    prepared = FAMILY.prepare(model.processor, model.network.config, image, "a picture of")
    words = model.processor.tokenizer("a picture of")["input_ids"]
    read: list[torch.Tensor] = []
    handle = model.network.text_decoder.register_forward_pre_hook(
        lambda _module, _args, kwargs: read.append(kwargs["input_ids"]), with_kwargs=True
    )
    model.generate(prepared, checks.OPTIONS)
    handle.remove()
    assert read[0].tolist() == [[1, *words]]
    assert prepared.n_rows == 1 + len(words)


def test_a_capture_without_hooks_fails_loudly(model: VisionLanguageModel) -> None:
    checks.check_a_capture_without_hooks_fails(model)


def test_a_layer_that_returns_no_weights_fails_loudly(model: VisionLanguageModel) -> None:
    prepared = checks.prepare(model, checks.noise(128, 128))
    # Runs before the capture's own hook, as a changed version of the library would.
    handle = model.taps[1].module.register_forward_hook(lambda _module, _args, out: (out[0], None))
    capture = Capture(model.taps, prepared.layout.columns)
    silent = pytest.raises(GazeError, match="Layer 1 of the model did not return its attention weights")
    with silent, FAMILY.capturing(model.network, capture):
        model.generate(prepared, checks.OPTIONS)
    handle.remove()


def test_the_family_loads_what_such_checkpoints_hold(model: VisionLanguageModel, tmp_path: Any) -> None:
    checks.check_saved_and_loaded(model, "blip", tmp_path)


def test_half_precision(model: VisionLanguageModel) -> None:
    checks.check_half_precision(model)


def test_blip_at_its_real_size() -> None:
    from transformers import BlipConfig, BlipImageProcessor, BlipProcessor

    processor = BlipProcessor(BlipImageProcessor(), tokenizer())
    image = Image.fromarray(checks.noise(640, 480))
    prepared = FAMILY.prepare(processor, BlipConfig(vision_config={"image_size": 384}), image, "")
    (view,) = prepared.layout.views
    assert tuple(prepared.inputs["pixel_values"].shape) == (1, 3, 384, 384)
    assert view.columns.tolist() == (1 + np.arange(576).reshape(24, 24)).tolist()
    assert view.column_edges.tolist() == pytest.approx((np.arange(25) * 640 / 24).tolist())
    assert view.row_edges.tolist() == pytest.approx((np.arange(25) * 480 / 24).tolist())
    assert (prepared.n_rows, prepared.first_text_row) == (1, 0)


def _one_pass(
    model: VisionLanguageModel, prepared: Any, tokens: tuple[int, ...], share: np.ndarray, first: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Read beginning and tokens at once, with the cross-attention multiplied by what stays and normalised anew."""
    ids = torch.cat([prepared.inputs["input_ids"][:, :-1], torch.tensor([tokens])], dim=1)
    place = slice(prepared.n_rows - 1, prepared.n_rows - 1 + len(tokens))
    rows: list[torch.Tensor] = []
    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        states = model.network.vision_model(prepared.inputs["pixel_values"]).last_hidden_state
        keep = torch.ones(ids.shape[1], states.shape[1])
        keep[first:, prepared.layout.columns] = torch.as_tensor(1.0 - share, dtype=torch.float32)

        def softmax(scores: torch.Tensor) -> torch.Tensor:
            weights = torch.softmax(scores, -1)
            if weights.shape[2:] == keep.shape:  # not that of the words with each other
                left = weights * keep
                weights = left / left.sum(dim=-1, keepdim=True)
                rows.append(weights[0, :, place, prepared.layout.columns])
            return weights

        patch.setattr(torch.nn, "Softmax", lambda **_axis: softmax)
        logits = model.network.text_decoder(input_ids=ids, encoder_hidden_states=states).logits
    return logits[0, place], torch.stack(rows).permute(2, 0, 1, 3)


def test_given_words_have_the_numbers_of_one_pass_over_them(model: VisionLanguageModel) -> None:
    # Keys of the cross-attention are hidden from all rows or from those of the words; the image has no rows of its own.
    taken = tuple(one for one in forced_checks.TAKEN if one[0] != "text")
    forced_checks.check_forced(model, checks.noise(200, 96), read=_one_pass, taken=taken)
