from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.vlm.families.base import Family
from gazeapp.engine.models.vlm.families.llava import FAMILY
from gazeapp.engine.models.vlm.layout import View
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from gazeapp.engine.types import Rect
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import TEXT_SIZE, settle, tokenizer

TEMPLATE = (
    "{% for m in messages %}USER: {% for c in m.content %}{% if c.type == 'image' %}<image>\n"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} ASSISTANT:"
)
WORDS = tokenizer(("<image>",))
IMAGE_TOKEN = WORDS.convert_tokens_to_ids("<image>")


def _processor(images: Any, patch: int | None, strategy: str | None = "default", additional: int = 1) -> Any:
    from transformers import LlavaProcessor

    return LlavaProcessor(
        images,
        WORDS,
        patch_size=patch,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=additional,
        chat_template=TEMPLATE,
    )


def _network(strategy: str) -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=64,
        patch_size=8,
    )
    text = LlamaConfig(vocab_size=len(WORDS), **TEXT_SIZE)
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=IMAGE_TOKEN,
        vision_feature_select_strategy=strategy,
    )
    return settle(LlavaForConditionalGeneration(config))


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    from transformers import CLIPImageProcessor

    images = CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    return checks.wrap(_network("default"), _processor(images, 8), FAMILY)


def _real(images: Any, width: int, height: int, **kwargs: Any) -> View:
    """Return the view of an image at the settings of the real checkpoints."""
    config = SimpleNamespace(image_token_id=IMAGE_TOKEN, vision_config=SimpleNamespace(patch_size=14))
    processor = _processor(images, **{"patch": 14, **kwargs})
    (view,) = FAMILY.prepare(processor, config, Image.new("RGB", (width, height)), "what?").layout.views
    return view


def _expect(view: View, n: int, rect: Rect) -> None:
    assert view.columns.shape == (n, n)
    assert (np.diff(view.columns.ravel()) == 1).all()
    np.testing.assert_allclose(view.row_edges, np.linspace(rect.y, rect.bottom, n + 1), atol=1e-9)
    np.testing.assert_allclose(view.column_edges, np.linspace(rect.x, rect.right, n + 1), atol=1e-9)


def test_llava(model: VisionLanguageModel) -> None:
    assert [tap.layer for tap in model.taps] == [0, 1]
    checks.check_all(model, ((64, 64), (120, 90)))
    checks.check_painting(model, 90, 117)


def test_nothing_of_the_picture_gets_past_zeroed_embeddings(model: VisionLanguageModel) -> None:
    checks.check_zeroed_embeddings_hide_the_picture(model, (64, 64))


def test_the_map_covers_the_crop_alone(model: VisionLanguageModel) -> None:
    caption = model.describe(checks.noise(120, 90), "general", options=checks.OPTIONS)
    assert caption.maps.shape[1:] == (8, 8)
    # 120 x 90 px becomes 85 x 64 px, of which columns 10 to 74 are left; 85 / 120 is not quite 64 / 90.
    assert caption.rect.x == pytest.approx(10 * 120 / 85)
    assert caption.rect.width == pytest.approx(64 * 120 / 85)
    assert (caption.rect.y, caption.rect.height) == (0.0, pytest.approx(90))


def test_what_is_kept_of_each_head_averages_to_the_map(model: VisionLanguageModel) -> None:
    image = checks.noise(120, 90)
    plain = model.describe(image, "general", options=checks.OPTIONS)
    kept = {}
    for keep, n in (("heads", 4), ("layers", 1)):
        options = DescribeOptions(checks.OPTIONS.prompt, checks.OPTIONS.decoding, keep=keep)
        detail = model.describe(image, "general", options=options).detail
        assert detail is not None
        assert detail.maps is not None
        assert detail.maps.shape == (len(plain.words), 2, n, 8, 8)
        kept[keep] = detail.maps.astype(np.float32)
        mean = kept[keep].mean(axis=(1, 2))
        np.testing.assert_allclose(mean / mean.sum(axis=(1, 2), keepdims=True), plain.maps, rtol=2e-3)
    np.testing.assert_allclose(kept["heads"].mean(axis=2, keepdims=True), kept["layers"], rtol=2e-3)


def test_an_image_padded_to_a_square_is_seen_whole() -> None:
    from transformers import LlavaImageProcessor

    images = LlavaImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}, do_pad=True
    )
    padded = checks.wrap(_network("default"), _processor(images, 8), FAMILY)
    checks.check_rows_equal_eager(padded, checks.noise(128, 64))
    checks.check_painting(padded, 128, 64)
    checks.check_painting(padded, 60, 101)
    caption = padded.describe(checks.noise(128, 64), "general", options=checks.OPTIONS)
    # 16 px tokens: the two rows above and the two below the image lie in the padding.
    assert caption.maps.shape[1:] == (4, 8)
    assert caption.rect == Rect.of_image(128, 64)
    layout = checks.prepare(padded, checks.noise(128, 64)).layout
    covered = layout.coverage(np.ones((64, 128), np.float32)).reshape(8, 8)
    assert (covered[2:6] == 1.0).all()
    assert (covered[:2] == 0.0).all()
    assert (covered[6:] == 0.0).all()


def test_a_summary_token_in_front_of_the_patches_has_no_place_on_the_image() -> None:
    from transformers import CLIPImageProcessor

    images = CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    full = checks.wrap(_network("full"), _processor(images, 8, "full"), FAMILY)
    prepared = checks.prepare(full, checks.noise(64, 64))
    tokens = np.flatnonzero(prepared.inputs["input_ids"][0].numpy() == IMAGE_TOKEN)
    assert tokens.size == 65
    assert (prepared.layout.columns == tokens[1:]).all()
    checks.check_rows_equal_eager(full, checks.noise(64, 64))
    checks.check_painting(full, 64, 64)


@pytest.mark.parametrize(
    ("width", "height", "rect"),
    [
        (336, 336, Rect(0, 0, 336, 336)),
        # 640 x 480 px becomes 448 x 336 px, of which columns 56 to 392 are left.
        (640, 480, Rect(80, 0, 480, 480)),
        (480, 640, Rect(0, 80, 480, 480)),
        # 1920 x 1080 px becomes 597 x 336 px; of the 261 columns too many, 130 go at the left.
        (1920, 1080, Rect(130 * 1920 / 597, 0, 336 * 1920 / 597, 1080)),
    ],
)
def test_the_grid_of_llava_1_5_covers_the_middle_square(width: int, height: int, rect: Rect) -> None:
    from transformers import CLIPImageProcessor

    images = CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    _expect(_real(images, width, height), 24, rect)


def test_the_grid_of_a_padded_image_reaches_outside() -> None:
    from transformers import LlavaImageProcessor

    images = LlavaImageProcessor(
        size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336}, do_pad=True
    )
    _expect(_real(images, 640, 480), 24, Rect(0, -80, 640, 640))
    _expect(_real(images, 333, 500), 24, Rect(-83, 0, 500, 500))


def test_an_encoder_that_stretches_the_image_leaves_out_patches_that_are_not_whole() -> None:
    from transformers import SiglipImageProcessor

    images = SiglipImageProcessor(size={"height": 384, "width": 384})
    view = _real(images, 640, 480, strategy="full", additional=0)
    _expect(view, 27, Rect(0, 0, 640 * 378 / 384, 480 * 378 / 384))


def test_processors_that_do_not_say_their_patch_size_take_it_from_the_network() -> None:
    from transformers import CLIPImageProcessor

    images = CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    view = _real(images, 640, 480, patch=None, strategy=None, additional=0)
    _expect(view, 24, Rect(80, 0, 480, 480))


def test_models_that_only_share_the_name_are_refused() -> None:
    with pytest.raises(GazeError, match="cut up by a SimpleNamespace"):
        FAMILY.make_inputs(SimpleNamespace(), SimpleNamespace(), Image.new("RGB", (64, 64)), "what?")


def test_a_prompt_that_names_the_image_s_token_is_refused(model: VisionLanguageModel) -> None:
    checks.check_marks_are_refused(model, "<image>")


def test_a_checkpoint_without_a_chat_template_is_refused(
    model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.processor, "chat_template", None)
    with pytest.raises(GazeError, match="no chat template"):
        checks.prepare(model, checks.noise(64, 64))


def test_the_family_is_found_by_its_model_type() -> None:
    from gazeapp.engine.models.vlm.families import family_of

    found: Family = family_of("llava")
    assert found is FAMILY


def test_given_words_have_the_numbers_of_one_pass_over_them(model: VisionLanguageModel) -> None:
    forced_checks.check_forced(model, checks.noise(120, 90))


def test_a_lesion_is_judged_by_what_the_model_is_shown(model: VisionLanguageModel) -> None:
    """Some 90 px in the middle of 120 are cut out: a mask beside them takes nothing, one of them alone everything."""
    image = checks.noise(120, 90)
    beside = np.zeros((90, 120), np.float32)
    beside[:, :14] = 1.0
    plain = model.describe(image, "general", options=checks.OPTIONS)
    for scope in ("keys", "zero"):
        options = dataclasses.replace(checks.OPTIONS, lesion=Lesion(beside, scope))
        checks.assert_same(model.describe(image, "general", options=options), plain)
    middle = np.zeros((90, 120), np.float32)
    middle[:, 14:106] = 1.0
    for scope in checks.SCOPES:
        with pytest.raises(GazeError, match="takes the whole image away"):
            model.describe(
                image, "general", options=dataclasses.replace(checks.OPTIONS, lesion=Lesion(middle, scope))
            )
