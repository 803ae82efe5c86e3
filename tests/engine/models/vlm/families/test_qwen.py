from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Decoding
from gazeapp.engine.models.vlm.families.qwen import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from gazeapp.engine.pictures import shrunk
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import TEXT_SIZE, settle, tokenizer

SPECIAL = ("<|vision_start|>", "<|image_pad|>", "<|video_pad|>", "<|vision_end|>")
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)
WORDS = tokenizer(SPECIAL)
IDS = dict(
    zip(
        ("vision_start_token_id", "image_token_id", "video_token_id", "vision_end_token_id"),
        WORDS.convert_tokens_to_ids(list(SPECIAL)),
        strict=True,
    )
)
TEXT = {"vocab_size": len(WORDS), **TEXT_SIZE, "head_dim": 16}
VISION = {"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}


def _images(patch: int, **size: int) -> Any:
    from transformers import Qwen2VLImageProcessor

    return Qwen2VLImageProcessor(patch_size=patch, merge_size=2, temporal_patch_size=2, **size)


def _small_images(patch: int) -> Any:
    token = (2 * patch) ** 2
    return _images(patch, min_pixels=4 * token, max_pixels=64 * token)


def _qwen_3_processor(images: Any) -> Any:
    from transformers import Qwen3VLProcessor, Qwen3VLVideoProcessor

    videos = Qwen3VLVideoProcessor(patch_size=16, merge_size=2)
    return Qwen3VLProcessor(images, WORDS, videos, chat_template=TEMPLATE)


def _qwen_2_5_processor(images: Any) -> Any:
    from transformers import Qwen2_5_VLProcessor, Qwen2VLVideoProcessor

    return Qwen2_5_VLProcessor(images, WORDS, Qwen2VLVideoProcessor(), chat_template=TEMPLATE)


@pytest.fixture(scope="module")
def qwen_3_5() -> VisionLanguageModel:
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    rope = {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "mrope_section": [1, 1, 0],
        "partial_rotary_factor": 0.25,
        "mrope_interleaved": True,
    }
    text = {
        **TEXT,
        "num_hidden_layers": 4,
        "layer_types": ["linear_attention", "full_attention"] * 2,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "rope_parameters": rope,
    }
    config = Qwen3_5Config(text_config=text, vision_config={**VISION, "num_position_embeddings": 64}, **IDS)
    network = settle(Qwen3_5ForConditionalGeneration(config))
    return checks.wrap(network, _qwen_3_processor(_small_images(16)), FAMILY)


@pytest.fixture(scope="module")
def qwen_3() -> VisionLanguageModel:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    rope = {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "mrope_section": [4, 2, 2],
        "mrope_interleaved": True,
    }
    vision = {**VISION, "depth": 2, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
    config = Qwen3VLConfig(text_config={**TEXT, "rope_parameters": rope}, vision_config=vision, **IDS)
    network = settle(Qwen3VLForConditionalGeneration(config))
    return checks.wrap(network, _qwen_3_processor(_small_images(16)), FAMILY)


@pytest.fixture(scope="module")
def qwen_2_5() -> VisionLanguageModel:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {name: value for name, value in TEXT.items() if name != "head_dim"}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}
    # One block that attends within windows of 2 x 2 tokens, as most of the real encoder's do, and one to everything.
    vision = {**VISION, "depth": 2, "window_size": 56, "fullatt_block_indexes": [1]}
    config = Qwen2_5_VLConfig(text_config={**text, "rope_parameters": rope}, vision_config=vision, **IDS)
    network = settle(Qwen2_5_VLForConditionalGeneration(config))
    return checks.wrap(network, _qwen_2_5_processor(_small_images(14)), FAMILY)


def test_qwen_3_5(qwen_3_5: VisionLanguageModel) -> None:
    assert [tap.layer for tap in qwen_3_5.taps] == [1, 3]
    checks.check_all(qwen_3_5, ((128, 128), (150, 90)))


def test_qwen_3(qwen_3: VisionLanguageModel) -> None:
    assert [tap.layer for tap in qwen_3.taps] == [0, 1]
    checks.check_all(qwen_3, ((128, 128), (90, 150)))


def test_qwen_2_5(qwen_2_5: VisionLanguageModel) -> None:
    assert [tap.layer for tap in qwen_2_5.taps] == [0, 1]
    checks.check_all(qwen_2_5, ((112, 112), (150, 90)))


def test_every_fourth_layer_of_the_real_qwen_3_5_carries_attention() -> None:
    from transformers import Qwen3_5Config

    assert FAMILY.n_attending(Qwen3_5Config()) == 8


@pytest.mark.parametrize("name", ["qwen_3_5", "qwen_3", "qwen_2_5"])
def test_nothing_of_the_picture_gets_past_zeroed_embeddings(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Neither through the state of linear layers nor through the features that deeper layers are given."""
    checks.check_zeroed_embeddings_hide_the_picture(request.getfixturevalue(name), (96, 96))


def test_the_mean_is_taken_of_each_layer_s_features(qwen_3: VisionLanguageModel) -> None:
    prepared = checks.prepare(qwen_3, checks.noise(128, 96))
    share = np.zeros(prepared.layout.columns.size, np.float32)
    share[[1, 4, 7]] = 1.0
    seen: list[list[torch.Tensor]] = []

    def look(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs["deepstack_visual_embeds"] is not None:
            seen.append(list(kwargs["deepstack_visual_embeds"]))

    language = qwen_3.family.language_model(qwen_3.network)
    for lesion in (share * 0.0, share):
        with torch.no_grad(), qwen_3.family.changed_embeddings(qwen_3.network, prepared, lesion, "mean"):
            handle = language.register_forward_pre_hook(look, with_kwargs=True)
            qwen_3.generate(prepared, checks.OPTIONS)
            handle.remove()
    intact, lesioned = seen
    assert len(intact) == 2
    for before, after in zip(intact, lesioned, strict=True):
        expected = before.clone()
        expected[[1, 4, 7]] = before.mean(dim=0)
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("patch", "size", "width", "height", "rows", "columns"),
    [
        (14, {}, 640, 480, 17, 23),  # 640 / 28 = 22.9, 480 / 28 = 17.1
        (14, {}, 1920, 1080, 26, 47),  # 1,280 tokens at most: both sides shrink by 1.437 and are rounded down
        (16, {"min_pixels": 65536, "max_pixels": 16777216}, 640, 480, 15, 20),
        (
            16,
            {"min_pixels": 65536, "max_pixels": 16777216},
            100,
            80,
            8,
            9,
        ),  # made larger, to 64 tokens at least
    ],
)
def test_the_grid_covers_the_whole_image(
    patch: int, size: dict[str, int], width: int, height: int, rows: int, columns: int
) -> None:
    processor = (_qwen_2_5_processor if patch == 14 else _qwen_3_processor)(_images(patch, **size))
    config = SimpleNamespace(
        image_token_id=IDS["image_token_id"], vision_config=SimpleNamespace(spatial_merge_size=2)
    )
    image = Image.new("RGB", (width, height))
    layout = FAMILY.prepare(processor, config, image, "what is it?").layout
    (view,) = layout.views
    assert view.columns.shape == (rows, columns)
    assert (np.diff(view.columns.ravel()) == 1).all()
    np.testing.assert_allclose(view.row_edges, np.linspace(0, height, rows + 1))
    np.testing.assert_allclose(view.column_edges, np.linspace(0, width, columns + 1))


def test_an_image_of_extreme_proportions_is_refused_in_a_sentence(qwen_2_5: VisionLanguageModel) -> None:
    with pytest.raises(GazeError, match="cannot read this image"):
        qwen_2_5.describe(checks.noise(500, 2), "general", options=checks.OPTIONS)


def test_a_checkpoint_s_own_penalties_do_not_change_the_caption(qwen_2_5: VisionLanguageModel) -> None:
    """The words are the most probable ones, and their probabilities those of the whole text read at once."""
    image = checks.noise(112, 112)
    prepared = checks.prepare(qwen_2_5, image)
    plain = qwen_2_5.generate(prepared, checks.OPTIONS)
    config = qwen_2_5.network.generation_config
    config.repetition_penalty, config.num_beams, config.no_repeat_ngram_size = 5.0, 3, 1
    penalised = checks.wrap(qwen_2_5.network, qwen_2_5.processor, FAMILY)
    again = penalised.describe(image, "general", options=checks.OPTIONS)
    assert tuple(again.facts["tokens"]) == plain.tokens
    assert again.facts["decoding_not_applied"]["repetition_penalty"] == 5.0
    whole = torch.cat([prepared.inputs["input_ids"], torch.tensor([plain.tokens])], dim=1)
    more = {k: v for k, v in prepared.inputs.items() if k in ("pixel_values", "image_grid_thw")}
    kinds = (whole == IDS["image_token_id"]).int()
    with torch.no_grad():
        logits = qwen_2_5.network(input_ids=whole, mm_token_type_ids=kinds, **more).logits[0]
    read = logits[prepared.n_rows - 1 : -1].log_softmax(dim=-1)
    assert tuple(read.argmax(dim=-1).tolist()) == plain.tokens
    expected = read.gather(1, torch.tensor(plain.tokens)[:, None])[:, 0].numpy()
    assert np.allclose(plain.log_probabilities, expected, atol=1e-4)


def test_a_model_that_ends_before_its_first_word_is_told(
    qwen_3: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((96, 96, 3), np.uint8)
    first = qwen_3.describe(image, "general").facts["tokens"][0]
    # From here on the token that it begins with is one of those that end a caption.
    monkeypatch.setattr(qwen_3.network.generation_config, "eos_token_id", [first])
    with pytest.raises(GazeError, match="said nothing"):
        qwen_3.describe(image, "general")


def test_words_to_say_are_those_before_the_end(
    qwen_3: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = checks.noise(96, 96)
    plain = qwen_3.describe(image, "general", options=checks.OPTIONS)
    tokens = plain.facts["tokens"]
    end = next(k for k, token in enumerate(tokens) if token not in tokens[:k] and k >= 2)
    # From here on the model ends its caption before that token.
    monkeypatch.setattr(qwen_3.network.generation_config, "eos_token_id", [tokens[end]])
    free = qwen_3.describe(image, "general", options=checks.OPTIONS)
    assert free.facts["tokens"] == tokens[:end]
    assert free.facts["ended"]
    made = qwen_3.describe(
        image, "general", options=dataclasses.replace(checks.OPTIONS, forced=tuple(tokens[:end]))
    )
    assert made.words == free.words
    assert np.array_equal(made.maps, free.maps)
    drawn = dataclasses.replace(
        checks.OPTIONS, decoding=Decoding(max_tokens=1, temperature=2.0), forced=tuple(tokens[:end])
    )
    assert qwen_3.describe(image, "general", options=drawn).words == free.words
    with pytest.raises(GazeError, match="token that ends a caption"):
        qwen_3.describe(image, "general", options=dataclasses.replace(checks.OPTIONS, forced=tuple(tokens)))


def test_a_special_token_in_a_caption_is_no_word_and_no_end(
    qwen_3: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = checks.noise(96, 96)
    plain = qwen_3.describe(image, "general", options=checks.OPTIONS)
    second = plain.facts["tokens"][1]
    monkeypatch.setattr(type(WORDS), "all_special_ids", property(lambda _self: [second]))
    again = qwen_3.describe(image, "general", options=checks.OPTIONS)
    assert again.facts["tokens"] == plain.facts["tokens"]
    assert not again.facts["ended"]


@pytest.mark.parametrize("broken", ["weights", "code"])
def test_what_a_model_fails_with_is_one_problem_of_a_batch(
    qwen_2_5: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    if broken == "code":

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise IndexError("index out of range in self")

        monkeypatch.setattr(qwen_2_5.network, "generate", fail)
        match = r"own code stopped \(IndexError: index out of range"
    else:
        weights = qwen_2_5.network.lm_head.weight
        monkeypatch.setattr(weights, "data", torch.full_like(weights, torch.nan))
        match = "probabilities are not numbers"
    with pytest.raises(GazeError, match=match):
        qwen_2_5.describe(checks.noise(112, 112), "general", options=checks.OPTIONS)


@pytest.mark.parametrize("name", ["qwen_3_5", "qwen_3", "qwen_2_5"])
def test_given_words_have_the_numbers_of_one_pass_over_them(
    name: str, request: pytest.FixtureRequest
) -> None:
    forced_checks.check_forced(request.getfixturevalue(name), checks.noise(150, 90))


@pytest.mark.parametrize("scope", ["keys", "mean", "blur"])
def test_a_lesion_shrinks_with_the_picture(qwen_3: VisionLanguageModel, scope: str) -> None:
    """Where memory is short, the picture and its mask are made smaller alike."""
    image = checks.noise(256, 192)
    left = np.zeros((192, 256), np.float32)
    left[:, :128] = 1.0
    options = dataclasses.replace(checks.OPTIONS, lesion=Lesion(left, scope), forced=(70, 71, 72))
    half = qwen_3.describe(image, "general", options=dataclasses.replace(options, image_scale=0.5))
    small = dataclasses.replace(options, lesion=Lesion(left[::2, ::2], scope))
    expected = qwen_3.describe(shrunk(image, 0.5), "general", options=small)
    assert half.words == expected.words
    assert np.array_equal(half.maps, expected.maps)
    assert half.maps.shape != qwen_3.describe(image, "general", options=options).maps.shape
    assert (half.rect.width, half.rect.height) == (256, 192)
