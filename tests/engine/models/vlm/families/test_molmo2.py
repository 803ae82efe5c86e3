from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.molmo2 import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import settle, tokenizer

SPECIAL = (
    "<|image|>",
    "<|video|>",
    "<im_patch>",
    "<im_col>",
    "<im_start>",
    "<low_res_im_start>",
    "<frame_start>",
    "<im_end>",
    "<frame_end>",
    "<im_low>",
)
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}<|image|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)


def _processor(words: Any, **settings: Any) -> Any:
    from transformers import Molmo2ImageProcessor, Molmo2Processor, Molmo2VideoProcessor

    return Molmo2Processor(
        Molmo2ImageProcessor(**settings), Molmo2VideoProcessor(), words, chat_template=TEMPLATE
    )


@pytest.fixture(scope="module")
def molmo2() -> VisionLanguageModel:
    """Crops of 15 x 15 patches of 4 px with margins of one patch, at most 4 of them; 2 x 2 patches in a token."""
    from transformers import Molmo2Config, Molmo2ForConditionalGeneration

    words = tokenizer(SPECIAL)
    ids = dict(zip(SPECIAL, words.convert_tokens_to_ids(list(SPECIAL)), strict=True))
    processor = _processor(
        words, size={"height": 60, "width": 60}, max_crops=4, overlap_margins=[1, 1], patch_size=4
    )
    config = Molmo2Config(
        text_config={
            "vocab_size": len(words),
            "additional_vocab_size": 8,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "image_size": [60, 60],
            "patch_size": 4,
        },
        adapter_config={
            "vision_feature_layer": [0],
            "hidden_size": 32,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "intermediate_size": 48,
            "text_hidden_size": 32,
        },
        image_start_token_id=ids["<im_start>"],
        low_res_image_start_token_id=ids["<low_res_im_start>"],
        image_end_token_id=ids["<im_end>"],
        image_patch_id=ids["<im_patch>"],
        frame_start_token_id=ids["<frame_start>"],
        frame_end_token_id=ids["<frame_end>"],
    )
    network = settle(Molmo2ForConditionalGeneration(config))
    checks.without_mixing(network.model.vision_tower)
    return checks.wrap(network, processor, FAMILY)


def test_the_family_is_found_by_model_type() -> None:
    assert family_of("molmo2") is FAMILY


@pytest.mark.parametrize(("width", "height", "patches"), [(112, 112, (28, 28)), (160, 60, (15, 41))])
def test_molmo2_rows_and_places(
    molmo2: VisionLanguageModel, width: int, height: int, patches: tuple[int, int]
) -> None:
    image = checks.noise(width, height)
    overview, detail = checks.prepare(molmo2, image).layout.views
    # 15 patches make 8 tokens, the last of them half as wide as the others.
    assert np.allclose(overview.column_edges, width * np.append(np.arange(0, 15, 2), 15) / 15)
    for edges, n, size in ((detail.row_edges, patches[0], height), (detail.column_edges, patches[1], width)):
        assert np.allclose(edges, size * np.append(np.arange(0, n, 2), n) / n)
    checks.check_rows_equal_eager(molmo2, image)
    for view in ("overview", "detail"):
        checks.check_painting(molmo2, width, height, view=view, power=1)
    checks.check_dots(molmo2, width, height)


def test_molmo2_lesions(molmo2: VisionLanguageModel) -> None:
    checks.check_lesions(molmo2, checks.noise(160, 60))
    checks.check_zeroed_embeddings_hide_the_picture(molmo2, (112, 112))
    checks.check_readout_lesion_is_exact(molmo2, checks.noise(160, 60))


def test_zeroed_embeddings_leave_the_placeholders(molmo2: VisionLanguageModel) -> None:
    """With everything the picture adds taken away, an image token is what its placeholder is."""
    import torch

    prepared = checks.prepare(molmo2, checks.noise(112, 112))
    columns = torch.as_tensor(prepared.layout.columns)
    share = np.zeros(columns.numel(), np.float32)
    share[::3] = 1.0
    seen: list[Any] = []

    def look(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        seen.append(kwargs["inputs_embeds"][0])

    language = FAMILY.language_model(molmo2.network)
    handle = language.register_forward_pre_hook(look, with_kwargs=True)
    try:
        with torch.no_grad():
            molmo2.network(**prepared.inputs)
            with FAMILY.changed_embeddings(molmo2.network, prepared, share, "zero"):
                molmo2.network(**prepared.inputs)
    finally:
        handle.remove()
    placeholder = language.embed_tokens.weight[molmo2.network.config.image_patch_id]
    assert torch.equal(seen[1][columns[::3]], placeholder.expand(len(columns[::3]), -1))
    kept = np.setdiff1d(np.arange(len(seen[0])), columns[::3].numpy())
    assert torch.equal(seen[1][kept], seen[0][kept])
    assert not torch.equal(seen[1][columns[::3]], seen[0][columns[::3]])


@pytest.mark.parametrize(
    ("width", "height", "patches"),
    [
        (640, 480, (46, 46)),  # 2 x 2 crops
        (640, 360, (27, 46)),  # 1 x 2 crops
        (800, 480, (46, 65)),  # 2 x 3 crops
    ],
)
def test_layout_at_published_settings(width: int, height: int, patches: tuple[int, int]) -> None:
    """Crops of 27 x 27 patches with margins of 4, at most 8 of them."""
    words = tokenizer(SPECIAL)
    config = SimpleNamespace(image_patch_id=words.convert_tokens_to_ids("<im_patch>"))
    prepared = FAMILY.prepare(_processor(words), config, Image.new("RGB", (width, height)), "what?")
    overview, detail = prepared.layout.views
    assert overview.columns.shape == (14, 14)
    assert np.allclose(overview.column_edges, width * np.append(np.arange(0, 27, 2), 27) / 27)
    for edges, n, size in ((detail.row_edges, patches[0], height), (detail.column_edges, patches[1], width)):
        assert np.allclose(edges, size * np.append(np.arange(0, n, 2), n) / n)
    ids = prepared.inputs["input_ids"][0].tolist()
    assert (
        ids.index(words.convert_tokens_to_ids("<im_end>"), detail.columns.max()) + 1
        == prepared.first_text_row
    )
    # Each row of tokens ends with a token that lies nowhere; the detail follows an end and a start.
    rows, columns = detail.columns.shape
    assert np.array_equal(np.diff(overview.columns[:, 0]), np.full(13, 15))
    assert detail.columns[0, 0] - overview.columns[-1, -1] == 4
    assert np.array_equal(np.diff(detail.columns[:, 0]), np.full(rows - 1, columns + 1))


def test_given_words_have_the_numbers_of_one_pass_over_them(molmo2: VisionLanguageModel) -> None:
    forced_checks.check_forced(molmo2, checks.noise(160, 60))
