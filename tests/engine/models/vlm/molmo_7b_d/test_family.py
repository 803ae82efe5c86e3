"""The tiny Molmo 7B-D as the rest of the app uses it: loaded from its folder, described, lesioned, painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Decoding, DescribeOptions
from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.loading.plan import Wishes
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from gazeapp.engine.models.vlm.opening import open_vlm, vlm_info
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.molmo_7b_d.conftest import Case


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> VisionLanguageModel:
    opened = open_vlm(vlm_info(str(checkpoint)), Wishes("cpu"))
    opened.network.generation_config.eos_token_id = None
    return opened


def test_it_is_found_and_opened_by_its_folder(model: VisionLanguageModel) -> None:
    assert model.family is family_of("molmo")
    assert model.info.facts["layers"] == [0, 1, 2]
    assert model.info.facts["heads"] == 6


@pytest.mark.parametrize(("width", "height"), [(300, 300), (640, 300)])
def test_rows_are_those_of_eager_attention(model: VisionLanguageModel, width: int, height: int) -> None:
    checks.check_rows_equal_eager(model, checks.noise(width, height))


def test_marks_in_the_prompt_are_refused(model: VisionLanguageModel) -> None:
    checks.check_marks_are_refused(model, "<|endoftext|>")


def test_lesions(model: VisionLanguageModel) -> None:
    checks.check_lesions(model, checks.noise(300, 300))
    checks.check_readout_lesion_is_exact(model, checks.noise(300, 300))


def patches_changed(model: VisionLanguageModel, image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Return how much the patches behind each image token change: its crop's 2 x 2, before any mixing."""
    before, after = checks.prepare(model, image), checks.prepare(model, painted)
    change = (after.inputs["images"] - before.inputs["images"])[0].square().sum(dim=-1).numpy()
    crops = change.reshape(-1, 12, 2, 12, 2).sum(axis=(2, 4)).reshape(-1, 144)
    places = after.inputs["image_input_idx"][0].numpy()
    energy = np.zeros(after.n_rows)
    np.add.at(energy, places[places >= 0], crops[places >= 0])
    return np.sqrt(energy[after.layout.columns]).astype(np.float32)


@pytest.mark.parametrize("view", ["overview", "detail"])
@pytest.mark.parametrize(("width", "height"), [(300, 300), (640, 300), (600, 450)])
def test_a_painted_place_lies_where_its_patches_went(
    model: VisionLanguageModel, width: int, height: int, view: str
) -> None:
    checks.check_painting(model, width, height, patches_changed, view, power=2)


def test_nothing_of_the_image_gets_past_zeroed_features(model: VisionLanguageModel) -> None:
    """With all but a corner gone, two images that agree in nothing but that corner's crop say the same."""
    everywhere = np.ones((300, 300), np.float32)
    everywhere[:40, :40] = 0
    prepared = checks.prepare(model, checks.noise(300, 300))
    share = prepared.layout.coverage(everywhere)
    features: list[np.ndarray] = []
    hook = model.network.model.transformer.register_forward_pre_hook(
        lambda _m, _a, kwargs: features.append(kwargs["inputs_embeds"][0].detach().numpy()), with_kwargs=True
    )
    options = DescribeOptions("what?", Decoding(max_tokens=1), lesion=Lesion(everywhere, "zero"))
    try:
        model.describe(checks.noise(300, 300, seed=1), "general", options=options)
        model.describe(checks.noise(300, 300, seed=2), "general", options=options)
    finally:
        hook.remove()
    gone = prepared.layout.columns[share >= 1.0]
    assert np.array_equal(features[0][gone], features[1][gone])
    left = prepared.layout.columns[share < 1.0]
    assert not np.array_equal(features[0][left], features[1][left])


def test_maps_lie_on_the_image_whatever_was_padded(model: VisionLanguageModel, case: Case) -> None:
    caption = model.describe(
        case.image, "general", options=DescribeOptions("what?", Decoding(max_tokens=3), keep="heads")
    )
    height, width = case.image.shape[:2]
    assert caption.rect.width == width
    assert caption.rect.height == height
    assert caption.maps.sum(axis=(1, 2)) == pytest.approx(np.ones(len(caption.words)), abs=1e-4)
    assert [view["name"] for view in caption.facts["views"]] == ["overview", "detail"]
    one = model.describe(
        case.image, "general", "attention@overview", DescribeOptions("what?", Decoding(max_tokens=3))
    )
    assert one.words == caption.words
    assert one.maps.shape != caption.maps.shape or not np.allclose(one.maps, caption.maps)


def test_attention_on_padding_is_not_on_the_image(model: VisionLanguageModel) -> None:
    """A wide image is padded above and below: what fell on the black counts neither in the map nor in its mass."""
    image = checks.noise(640, 300)
    prepared = checks.prepare(model, image)
    layout = prepared.layout
    inside = np.concatenate(
        [
            (
                (np.minimum(v.row_edges[1:], 300) > np.maximum(v.row_edges[:-1], 0))[:, None]
                & (np.minimum(v.column_edges[1:], 640) > np.maximum(v.column_edges[:-1], 0))[None, :]
            ).ravel()
            for v in layout.views
        ]
    )
    assert 0.4 < inside.mean() < 0.9
    assert np.array_equal(layout.on_image, inside)
    caption = model.describe(image, "general", options=checks.OPTIONS)
    assert caption.detail is not None
    assert caption.detail.image_mass.mean(axis=(1, 2)) == pytest.approx(caption.image_mass, abs=1e-5)
    kept = model.describe(
        image,
        "general",
        options=DescribeOptions(checks.OPTIONS.prompt, checks.OPTIONS.decoding, keep="heads"),
    )
    assert kept.detail is not None
    assert kept.detail.maps is not None
    sums = kept.detail.maps.astype(np.float32).sum(axis=(3, 4))
    assert sums == pytest.approx(kept.detail.image_mass, abs=2e-3)


@pytest.mark.parametrize("scope", ["keys", "text", "readout", "zero", "mean"])
def test_a_lesion_of_the_whole_image_is_refused_whatever_is_padded(
    model: VisionLanguageModel, scope: str
) -> None:
    lesion = Lesion(np.ones((300, 640), np.float32), scope)
    with pytest.raises(GazeError, match="whole image away"):
        model.describe(checks.noise(640, 300), "general", options=DescribeOptions("what?", lesion=lesion))


def test_a_smaller_picture_of_as_many_tokens_is_no_help(model: VisionLanguageModel) -> None:
    """Where the model stretches any picture to the same input, running out of memory is told at once."""
    with pytest.raises(MemoryError):
        model.describe(checks.noise(112, 112), "general", options=DescribeOptions("what?", image_scale=0.95))


def test_given_words_have_the_numbers_of_one_pass_over_them(model: VisionLanguageModel) -> None:
    forced_checks.check_forced(model, checks.noise(300, 300))
