from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.idefics3 import FAMILY
from gazeapp.engine.models.vlm.layout import Layout
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import settle, tokenizer

SPECIAL = (
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
    "<global-img>",
    "<video>",
    *(f"<row_{r}_col_{c}>" for r in range(1, 4) for c in range(1, 4)),
)
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}<image>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)


def _sizes(words: Any, side: int, layers: int = 2) -> dict[str, Any]:
    """Return a config: patches of 8 px, 2 x 2 of them in a token."""
    return {
        "text_config": {
            "model_type": "llama",
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "pad_token_id": 0,
        },
        "vision_config": {
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": side,
            "patch_size": 8,
        },
        "scale_factor": 2,
        "image_token_id": words.convert_tokens_to_ids("<image>"),
    }


@pytest.fixture(scope="module")
def idefics3() -> VisionLanguageModel:
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessor,
        Idefics3Processor,
    )

    words = tokenizer(SPECIAL)
    images = Idefics3ImageProcessor(size={"longest_edge": 192}, max_image_size={"longest_edge": 64})
    processor = Idefics3Processor(images, words, image_seq_len=16, chat_template=TEMPLATE)
    network = settle(Idefics3ForConditionalGeneration(Idefics3Config(**_sizes(words, 64))))
    checks.without_mixing(network.model.vision_model)
    return checks.wrap(network, processor, FAMILY)


@pytest.fixture(scope="module")
def smolvlm() -> VisionLanguageModel:
    """Tiles of 68 px, of whose 8 patches of 8 px none sees the last 4 px, as with 384 px and patches of 14 px."""
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    words = tokenizer(SPECIAL, image_token="<image>", video_token="<video>")
    images = SmolVLMImageProcessor(size={"longest_edge": 136}, max_image_size={"longest_edge": 68})
    processor = SmolVLMProcessor(
        images, words, SmolVLMVideoProcessor(), image_seq_len=16, chat_template=TEMPLATE
    )
    network = settle(SmolVLMForConditionalGeneration(SmolVLMConfig(**_sizes(words, 68))), seed=1)
    checks.without_mixing(network.model.vision_model)
    return checks.wrap(network, processor, FAMILY)


def test_the_family_is_found_by_model_type() -> None:
    assert family_of("idefics3") is family_of("smolvlm") is FAMILY


@pytest.mark.parametrize(("width", "height", "rows", "columns"), [(192, 192, 3, 3), (160, 70, 2, 3)])
def test_idefics3_rows_and_places(
    idefics3: VisionLanguageModel, width: int, height: int, rows: int, columns: int
) -> None:
    image = checks.noise(width, height)
    views = checks.prepare(idefics3, image).layout.views
    assert [view.name for view in views] == ["detail"] * (rows * columns) + ["overview"]
    checks.check_rows_equal_eager(idefics3, image)
    for view in ("detail", "overview"):
        checks.check_painting(idefics3, width, height, view=view, power=1)
    checks.check_dots(idefics3, width, height)


def test_idefics3_lesions(idefics3: VisionLanguageModel) -> None:
    image = checks.noise(160, 70)
    checks.check_lesions(idefics3, image)
    checks.check_zeroed_embeddings_hide_the_picture(idefics3, (160, 70))
    checks.check_readout_lesion_is_exact(idefics3, image)


def test_an_image_that_is_not_cut_is_one_grid(idefics3: VisionLanguageModel) -> None:
    images = idefics3.processor.image_processor
    images.do_image_splitting = False
    try:
        (view,) = checks.prepare(idefics3, checks.noise(90, 60)).layout.views
        assert (view.name, view.columns.shape) == ("image", (4, 4))
        checks.check_rows_equal_eager(idefics3, checks.noise(90, 60))
        checks.check_painting(idefics3, 90, 60, power=1)
        checks.check_dots(idefics3, 90, 60)
    finally:
        images.do_image_splitting = True


def test_smolvlm_with_a_strip_that_no_token_sees(smolvlm: VisionLanguageModel) -> None:
    layout = checks.prepare(smolvlm, checks.noise(136, 100)).layout
    assert len(layout.views) == 5
    # 64 of 68 px of each tile, which is half of the image wide and high.
    assert np.allclose(layout.views[3].column_edges, 68 + 64 * np.arange(5) / 4)
    assert np.allclose(layout.views[3].row_edges, (50 + 50 * 64 / 68 * np.arange(5) / 4))
    assert np.allclose(layout.views[4].column_edges, 136 * 64 / 68 * np.arange(5) / 4)
    checks.check_rows_equal_eager(smolvlm, checks.noise(136, 100))
    for view in ("detail", "overview"):
        checks.check_painting(smolvlm, 136, 100, view=view, power=1)
    checks.check_dots(smolvlm, 136, 100)
    checks.check_readout_lesion_is_exact(smolvlm, checks.noise(136, 100))


def _published(side: int, patch: int, merged: int) -> Layout:
    """Return the layout of an image of 640 x 480 px with a processor at the settings of a published model."""
    from transformers import Idefics3ImageProcessor, Idefics3Processor

    words = tokenizer((*SPECIAL, *(f"<row_{r}_col_4>" for r in (1, 2, 3))))
    images = Idefics3ImageProcessor(size={"longest_edge": 4 * side}, max_image_size={"longest_edge": side})
    each = (side // patch // merged) ** 2
    processor = Idefics3Processor(images, words, image_seq_len=each, chat_template=TEMPLATE)
    config = SimpleNamespace(
        vision_config=SimpleNamespace(patch_size=patch),
        scale_factor=merged,
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )
    return FAMILY.prepare(processor, config, Image.new("RGB", (640, 480)), "what?").layout


def test_layout_at_the_settings_of_smolvlm_2_2b() -> None:
    """Tiles of 384 px and patches of 14 px, 3 x 3 in a token: 27 patches, 9 x 9 tokens over 378 of 384 px."""
    layout = _published(side=384, patch=14, merged=3)
    assert layout.columns.size == 13 * 81
    first, last, overview = layout.views[0], layout.views[11], layout.views[12]
    assert np.allclose(first.column_edges, 160 * 378 / 384 * np.arange(10) / 9)
    assert np.allclose(last.column_edges, 480 + 160 * 378 / 384 * np.arange(10) / 9)
    assert np.allclose(last.row_edges, 320 + 160 * 378 / 384 * np.arange(10) / 9)
    assert np.allclose(overview.row_edges, 480 * 378 / 384 * np.arange(10) / 9)


@pytest.mark.parametrize(("side", "patch", "merged", "tokens"), [(364, 14, 2, 13), (512, 16, 4, 8)])
def test_layout_at_the_settings_of_idefics3_8b_and_smolvlm_256m(
    side: int, patch: int, merged: int, tokens: int
) -> None:
    layout = _published(side, patch, merged)
    assert layout.columns.size == 13 * tokens**2
    # Whole tiles are seen: together they are one even grid over the image.
    maps, _ = layout.to_maps(np.ones(layout.columns.size, np.float32), "detail")
    assert maps.shape == (3 * tokens, 4 * tokens)
    assert np.allclose(maps, 1.0, atol=1e-5)


def test_settings_that_do_not_fit_are_refused(idefics3: VisionLanguageModel) -> None:
    prepared = checks.prepare(idefics3, checks.noise(160, 70))
    image = Image.new("RGB", (160, 70))
    fewer = {**prepared.inputs, "pixel_values": prepared.inputs["pixel_values"][:, 1:]}
    with pytest.raises(GazeError, match="112 image tokens into the text where its layout has 96"):
        FAMILY.layout(idefics3.processor, idefics3.network.config, fewer, image)
    first = int(prepared.inputs["input_ids"][0].tolist().index(idefics3.processor.image_token_id))
    fewer["input_ids"] = prepared.inputs["input_ids"][:, first + 16 :]
    with pytest.raises(GazeError, match="2 x 3 tiles of the image where there are 5"):
        FAMILY.layout(idefics3.processor, idefics3.network.config, fewer, image)


@pytest.mark.parametrize("mark", ["<image>", "</s>"])
def test_a_prompt_with_a_mark_of_the_model_is_refused(idefics3: VisionLanguageModel, mark: str) -> None:
    image = Image.new("RGB", (160, 70))
    with pytest.raises(GazeError, match=f"The prompt holds '{mark}'"):
        FAMILY.prepare(idefics3.processor, idefics3.network.config, image, f"what is {mark}?")


def test_given_words_have_the_numbers_of_one_pass_over_them(idefics3: VisionLanguageModel) -> None:
    forced_checks.check_forced(idefics3, checks.noise(192, 128))
