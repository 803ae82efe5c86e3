from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.models.vlm.families.llava_onevision import FAMILY
from gazeapp.engine.models.vlm.layout import View
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import TEXT_SIZE, settle, tokenizer

TEMPLATE = (
    "{% for m in messages %}user {% for c in m.content %}{% if c.type == 'image' %}<image>\n"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} assistant"
)
WORDS = tokenizer(("<image>", "<video>"))
IMAGE_TOKEN, VIDEO_TOKEN = WORDS.convert_tokens_to_ids(["<image>", "<video>"])
SIDE, PATCH, TOKENS = 34, 8, 4  # as in the real encoder, patches do not fill a crop: 2 px are left over
SIZES = [[SIDE * rows, SIDE * columns] for rows in (1, 2, 3) for columns in (1, 2, 3)]


def _processor(images: Any, tokens: int) -> Any:
    from transformers import LlavaOnevisionProcessor, LlavaOnevisionVideoProcessor

    return LlavaOnevisionProcessor(
        images,
        WORDS,
        LlavaOnevisionVideoProcessor(),
        num_image_tokens=tokens**2,
        vision_feature_select_strategy="full",
        chat_template=TEMPLATE,
    )


def _network(side: int, patch: int, **config: Any) -> Any:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        Qwen2Config,
        SiglipVisionConfig,
    )

    vision = SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=side,
        patch_size=patch,
        vision_use_head=False,
    )
    text = Qwen2Config(vocab_size=len(WORDS), **TEXT_SIZE)
    made = LlavaOnevisionConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=IMAGE_TOKEN,
        video_token_index=VIDEO_TOKEN,
        **config,
    )
    network = settle(LlavaOnevisionForConditionalGeneration(made))
    # Patches that see themselves alone: a probe of a single one then shows its place without the encoder's blur.
    for layer in network.model.vision_tower.encoder.layers:
        torch.nn.init.zeros_(layer.self_attn.out_proj.weight)
    return network


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    from transformers import LlavaOnevisionImageProcessor

    images = LlavaOnevisionImageProcessor(size={"height": SIDE, "width": SIDE}, image_grid_pinpoints=SIZES)
    network = _network(SIDE, PATCH, image_grid_pinpoints=SIZES)
    return checks.wrap(network, _processor(images, TOKENS), FAMILY)


@pytest.fixture
def coarse(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> VisionLanguageModel:
    """Return the model with a limit of three crops' tokens, above which the detail is resampled."""
    monkeypatch.setattr(model.network.config, "vision_aspect_ratio", "anyres_max_3")
    monkeypatch.setattr(model.processor, "vision_aspect_ratio", "anyres_max_3")
    return model


def _features(model: VisionLanguageModel, image: np.ndarray) -> np.ndarray:
    """Return what the language model is given for an image, shape (n_tokens with line ends, size)."""
    inputs = checks.prepare(model, image).inputs
    with torch.no_grad():
        out = model.network.get_image_features(inputs["pixel_values"], inputs["image_sizes"])
    return out.pooler_output[0].numpy()


def _check_dots(model: VisionLanguageModel, width: int, height: int, n: int = 6) -> None:
    """Paint a dot in the middle of one token; of each view the token that changes most is the one that holds it."""
    plain = np.full((height, width, 3), 128, np.uint8)
    layout, before = checks.prepare(model, plain).layout, _features(model, plain)
    first = layout.columns.min()
    rng = np.random.default_rng(width)
    for view in layout.views:
        middles = [(edges[1:] + edges[:-1]) / 2 for edges in (view.row_edges, view.column_edges)]
        for _ in range(n):
            row, column = (int(rng.integers(0, n)) for n in view.columns.shape)
            y, x = int(middles[0][row]), int(middles[1][column])
            if not (0 <= y < height and 0 <= x < width):
                continue
            half = max(1, int(view.row_edges[row + 1] - view.row_edges[row]) // 8)
            dotted = plain.copy()
            dotted[max(y - half, 0) : y + half, max(x - half, 0) : x + half] = 255
            change = np.linalg.norm(_features(model, dotted) - before, axis=1)[view.columns - first]
            assert np.unravel_index(change.argmax(), change.shape) == (row, column), view.name


def test_llava_onevision(model: VisionLanguageModel) -> None:
    assert [tap.layer for tap in model.taps] == [0, 1]
    checks.check_all(model, ((68, 68), (100, 60)), power=1)


@pytest.mark.parametrize(("width", "height"), [(68, 68), (100, 60), (47, 100), (30, 25)])
def test_what_is_painted_is_found_in_each_view(model: VisionLanguageModel, width: int, height: int) -> None:
    checks.check_painting(model, width, height, view="overview", power=1)
    checks.check_painting(model, width, height, view="detail", power=1)
    _check_dots(model, width, height)


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (68, 68, (6, 6)),  # 8 x 8 tokens are 1.15 times what three crops have on each side
        (100, 60, (5, 8)),  # 8 x 12 tokens without padding, 1.41 times as many
        (47, 100, (9, 4)),  # 12 x 6 tokens without padding, 1.22 times as many
    ],
)
def test_grids_above_the_limit_are_resampled(
    coarse: VisionLanguageModel, width: int, height: int, shape: tuple[int, int]
) -> None:
    detail = checks.prepare(coarse, checks.noise(width, height)).layout.views[1]
    assert detail.columns.shape == shape
    checks.check_painting(coarse, width, height, view="detail", power=1)
    _check_dots(coarse, width, height)


def test_a_resampled_grid_is_captured_like_any(coarse: VisionLanguageModel) -> None:
    checks.check_rows_equal_eager(coarse, checks.noise(100, 60))


def test_an_image_next_to_a_line_has_its_overview(model: VisionLanguageModel) -> None:
    caption = model.describe(checks.noise(300, 3), "general", options=checks.OPTIONS)
    assert [view["name"] for view in caption.facts["views"]] == ["overview"]
    assert caption.maps.shape[1:] == (TOKENS, TOKENS)


def test_nothing_of_the_picture_gets_past_zeroed_embeddings(model: VisionLanguageModel) -> None:
    checks.check_zeroed_embeddings_hide_the_picture(model, (68, 68))


def test_text_begins_behind_the_last_line_s_end(model: VisionLanguageModel) -> None:
    prepared = checks.prepare(model, checks.noise(100, 60))
    tokens = np.flatnonzero(prepared.inputs["input_ids"][0].numpy() == IMAGE_TOKEN)
    assert prepared.first_text_row == tokens[-1] + 1
    line_ends = np.setdiff1d(tokens, prepared.layout.columns)
    assert line_ends.size == prepared.layout.views[1].columns.shape[0]
    assert (np.diff(line_ends) == prepared.layout.views[1].columns.shape[1] + 1).all()
    assert line_ends[-1] == tokens[-1]


def test_views_are_shown_apart_or_added_up(model: VisionLanguageModel) -> None:
    image = checks.noise(100, 60)
    shares = [
        model.describe(image, "general", method, checks.OPTIONS).image_mass[0]
        for method in ("attention", "attention@overview", "attention@detail")
    ]
    assert len(set(shares)) == 1  # the share of attention on all of the image, whichever view is shown
    overview = model.describe(image, "general", "attention@overview", checks.OPTIONS)
    assert overview.maps.shape[1:] == (TOKENS, TOKENS)
    assert overview.rect.width == pytest.approx(100 * 32 / 34)


def _real(width: int, height: int) -> tuple[View, View]:
    """Return overview and detail of an image at the real model's settings."""
    from transformers import LlavaOnevisionConfig, LlavaOnevisionImageProcessor

    processor = _processor(LlavaOnevisionImageProcessor(), 27)
    config = LlavaOnevisionConfig(image_token_index=IMAGE_TOKEN)
    prepared = FAMILY.prepare(processor, config, Image.new("RGB", (width, height)), "what?")
    overview, detail = prepared.layout.views
    assert overview.columns.shape == (27, 27)
    np.testing.assert_allclose(overview.row_edges, height * 14 / 384 * np.arange(28))
    np.testing.assert_allclose(overview.column_edges, width * 14 / 384 * np.arange(28))
    return overview, detail


def test_the_grid_of_a_640_x_480_image() -> None:
    """It becomes 768 x 576 px on a canvas of 768 x 768 px, with 96 px above: 2 x 2 crops of 27 x 27 tokens."""
    overview, detail = _real(640, 480)
    assert detail.columns.shape == (40, 54)  # of 54 rows, 7 above and 7 below are cut off
    assert detail.columns[0, 0] == overview.columns[-1, -1] + 1
    assert detail.columns[1, 0] == detail.columns[0, -1] + 2
    rows, columns = detail.row_edges * 576 / 480 + 96, detail.column_edges * 768 / 640
    np.testing.assert_allclose(
        rows[:20], 98 + 14 * np.arange(20)
    )  # row 7 begins 7 tokens below the canvas's edge
    np.testing.assert_allclose(rows[20:], 384 + 14 * np.arange(21))
    np.testing.assert_allclose(columns[:27], 14 * np.arange(27))
    np.testing.assert_allclose(columns[27:], 384 + 14 * np.arange(28))


def test_the_grid_of_a_1080_x_1920_image() -> None:
    """Its 5 x 3 crops have 135 x 75 tokens beside the padding, 1.24 times as many on each side as nine crops have."""
    _, detail = _real(1080, 1920)
    assert detail.columns.shape == (108, 60)
    # The image keeps its size on the canvas of 1152 px, with 36 px at the left; columns 3 to 78 are left of 81.
    assert detail.column_edges[0] == pytest.approx(3 * 14 - 36)
    assert detail.column_edges[30] == pytest.approx(384 + 13.5 * 14 - 36)  # column 40.5 of the canvas
    assert detail.column_edges[-1] == pytest.approx(768 + 24 * 14 - 36)
    assert detail.row_edges[0] == 0
    assert detail.row_edges[54] == pytest.approx(768 + 13.5 * 14)  # row 67.5
    assert detail.row_edges[-1] == pytest.approx(4 * 384 + 378)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1080, 1920)])
def test_dots_are_found_at_the_real_model_s_settings(width: int, height: int) -> None:
    from transformers import LlavaOnevisionImageProcessor

    real = checks.wrap(_network(384, 14), _processor(LlavaOnevisionImageProcessor(), 27), FAMILY)
    _check_dots(real, width, height, 2)


def test_every_size_has_as_many_tokens_as_the_processor_says() -> None:
    from transformers import LlavaOnevisionConfig, LlavaOnevisionImageProcessor

    processor = _processor(LlavaOnevisionImageProcessor(), 27)
    config = LlavaOnevisionConfig(image_token_index=IMAGE_TOKEN)
    rng = np.random.default_rng(0)
    sizes = [
        (1, 1),
        (1, 300),
        (300, 1),
        (5000, 4000),
        *np.exp(rng.uniform(3, 7.8, (40, 2))).astype(int).tolist(),
    ]
    told = processor._get_num_multimodal_tokens(image_sizes=[(height, width) for width, height in sizes])
    for (width, height), n in zip(sizes, told.num_image_tokens, strict=True):
        inputs = {"input_ids": torch.full((1, n), IMAGE_TOKEN)}
        layout = FAMILY.layout(processor, config, inputs, Image.new("L", (width, height)))
        assert layout.columns.size + layout.views[1].columns.shape[0] == n
        detail = layout.views[1]
        # What is cut off in whole tokens leaves less than one of the image or of the padding on each side.
        token = max(np.diff(detail.row_edges).max(), np.diff(detail.column_edges).max())
        for edges, size in ((detail.row_edges, height), (detail.column_edges, width)):
            assert abs(edges[0]) < token
            assert abs(edges[-1] - size) < token


def test_given_words_have_the_numbers_of_one_pass_over_them(model: VisionLanguageModel) -> None:
    forced_checks.check_forced(model, checks.noise(100, 60))
