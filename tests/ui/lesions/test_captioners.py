"""The captioners that follow a mask say what they say when they are asked the long way round."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.lesions.masks.placing import mirror
from gazeapp.engine.lesions.outcomes import Described, outcomes
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.lesioning import offers
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project.rows import ObjectBox
from gazeapp.engine.scoring.metrics import nss, pixels
from gazeapp.engine.types import Rect
from gazeapp.ui.lesions.captioners import Captioners
from gazeapp.ui.lesions.facts import Request, Subject
from gazeapp.ui.lesions.image_cells import COLUMNS, ImageRow, cell_tip
from tests.ui.small_study import draw

WIDTH, HEIGHT = 203, 131
MODELS = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


@pytest.fixture(scope="module")
def captioners():
    made = Captioners()
    for model in MODELS:
        made.load(model)
    return made


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> Subject:
    file = tmp_path_factory.mktemp("picture") / "scene.png"
    draw(Path(file), WIDTH, HEIGHT, 4)
    return Subject(7, "general", file, WIDTH, HEIGHT)


def graded(seed: int = 0) -> np.ndarray:
    """A mask with hard, graded and untouched parts that no cell's edge lies on."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[11:97, 17:90] = 255
    mask[40:131, 60:140] = np.random.default_rng(seed).integers(0, 256, (91, 80))
    return mask


def asked(subject, mask, scope="keys", strength=1.0, **options) -> Request:
    return Request(1, subject, mask, scope, strength, MODELS, **options)


def always() -> bool:
    return True


def plainly(model, subject, scope, mask, strength, forced=()):
    lesion = Lesion((mask / 255).astype(np.float32), scope, strength)
    options = DescribeOptions(lesion=lesion, forced=forced)
    return model.describe(read_picture(subject.file)[0], subject.task, "", options)


@pytest.mark.parametrize("model_id", MODELS)
def test_every_scope_gives_what_the_whole_picture_and_mask_give(captioners, subject, model_id) -> None:
    model, mask = captioners.load(model_id), graded()
    before = model.describe(read_picture(subject.file)[0], subject.task)
    for scope in [offer.scope for offer in offers(model.info)]:
        effect = captioners.effect(asked(subject, mask, scope, 0.8), model_id)
        after = plainly(model, subject, scope, mask, 0.8)
        assert [word.text for word in effect.after] == [word.text for word in after.words]
        np.testing.assert_allclose(effect.word_maps, after.maps, atol=2e-6)
        np.testing.assert_allclose(effect.map.values, after.mean_map(), atol=2e-6)
        forced = plainly(model, subject, scope, mask, 0.8, tuple(before.facts["tokens"]))
        rect = Rect.of_image(WIDTH, HEIGHT)
        described = [Described([w.text for w in one.words], one.mean_map(), rect) for one in (before, after)]
        expected = outcomes(
            *described, mask, before.log_probability, forced.log_probability, len(before.facts["tokens"])
        )
        assert {name: effect.numbers[name] for name in expected} == pytest.approx(expected, abs=1e-4)
        assert effect.area == pytest.approx(mask.mean() / 255)


@pytest.mark.parametrize("model_id", MODELS)
def test_taking_nothing_away_is_the_intact_caption_bit_for_bit(captioners, subject, model_id) -> None:
    intact = captioners.load(model_id).describe(read_picture(subject.file)[0], subject.task)
    for mask, strength in ((graded(), 0.0), (np.zeros((HEIGHT, WIDTH), np.uint8), 1.0)):
        effect = captioners.effect(asked(subject, mask, "keys", strength), model_id)
        assert effect.takes_nothing
        assert effect.facts == "nothing is taken away"
        assert effect.after == intact.words
        assert np.array_equal(effect.word_maps, intact.maps)
        assert not effect.gone
        assert not effect.new
        assert effect.numbers["log_probability_drop"] == effect.numbers["map_change"] == 0.0


def test_a_full_mask_and_a_scope_that_a_model_lacks_are_sentences(captioners, subject) -> None:
    full = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for scope in ("keys", "pixels"):
        with pytest.raises(GazeError, match="takes the whole image away"):
            captioners.effect(asked(subject, full, scope), "vit-lstm")
    with pytest.raises(GazeError, match="keys_and_start"):
        captioners.effect(asked(subject, graded(), "keys_and_start"), "vit-transformer")


def test_a_picture_that_is_gone_is_a_sentence(captioners, tmp_path) -> None:
    gone = Subject(8, "general", tmp_path / "gone.png", WIDTH, HEIGHT)
    with pytest.raises(GazeError, match="not there"):
        captioners.effect(asked(gone, graded()), "cnn-lstm")


def test_scores_are_those_of_the_whole_maps(captioners, subject) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, WIDTH, 40), rng.uniform(0, HEIGHT, 40)
    request = asked(subject, graded(), fixations=(x, y))
    effect = captioners.scored(request, captioners.effect(request, "cnn-transformer"))
    model = captioners.load("cnn-transformer")
    captions = (
        model.describe(read_picture(subject.file)[0], "general"),
        plainly(model, subject, "keys", request.mask, 1.0),
    )
    for found, caption in zip(effect.nss, captions, strict=True):
        shown = to_image(caption.mean_map(), Rect.of_image(WIDTH, HEIGHT), HEIGHT, WIDTH)
        assert found == pytest.approx(nss(shown, pixels(x, y, HEIGHT, WIDTH)), abs=1e-4)


@pytest.mark.parametrize("scope", ["keys", "pixels"])
def test_controls_are_the_effects_of_other_masks(captioners, subject, scope) -> None:
    request = asked(subject, graded(), scope)
    effect = captioners.controlled(request, captioners.effect(request, "vit-lstm"), always)
    assert set(effect.controls) == {"mirrored", "random", "equal_mass"}
    mirrored = captioners.effect(asked(subject, mirror(request.mask), scope), "vit-lstm")
    for name in ("log_probability_drop", "words_changed", "map_change"):
        assert effect.controls["mirrored"][name] == pytest.approx(mirrored.numbers[name], abs=1e-4)
    assert effect.controls["equal_mass"]["mass_in_mask"] == pytest.approx(
        effect.numbers["mass_in_mask"], abs=0.02
    )


def test_random_controls_are_told_by_their_mean(captioners, subject) -> None:
    from gazeapp.engine.lesions.masks.controls import random_matched

    request = asked(subject, graded(), "zero")
    effect = captioners.controlled(request, captioners.effect(request, "cnn-lstm"), always)
    drops = [
        captioners.effect(asked(subject, random_matched(request.mask, seed), "zero"), "cnn-lstm").numbers[
            "log_probability_drop"
        ]
        for seed in range(3)
    ]
    assert effect.controls["random"]["log_probability_drop"] == pytest.approx(fmean(drops), abs=1e-6)


def test_a_control_that_an_image_has_not_is_told(captioners, subject) -> None:
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[:8, :8] = 0  # nearly all attention lies in it, so that no region outside has as much
    request = asked(subject, mask)
    effect = captioners.controlled(request, captioners.effect(request, "vit-lstm"), always)
    assert effect.controls["equal_mass"] == {}
    loss = next(one for one in COLUMNS if one.id == "loss")
    tip = cell_tip(ImageRow("vit-lstm", "ViT-LSTM", "#000000", effect), loss)
    assert "random regions: none on this image: what lies outside the mask has less attention" in tip


def test_controls_end_with_the_mask_that_they_belong_to(captioners, subject) -> None:
    request = asked(subject, graded())
    effect = captioners.effect(request, "vit-lstm")
    answers = iter([True, True, False])
    assert captioners.controlled(request, effect, lambda: next(answers)) is effect
    assert next(answers, None) is None


def test_objects_that_are_no_longer_named_are_told(captioners, subject) -> None:
    model = captioners.load("cnn-lstm")
    before = model.describe(read_picture(subject.file)[0], "general")
    words = [word.text for word in before.words if word.is_content]
    boxes = tuple(ObjectBox(word, Rect(0, 0, 9, 9)) for word in (*words, "zeppelin"))
    known = Subject(7, "general", subject.file, WIDTH, HEIGHT, boxes)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH - 30] = 255
    effect = captioners.effect(asked(known, mask, "zero"), "cnn-lstm")
    after = {word.text for word in effect.after}
    assert effect.named == tuple(sorted(set(words)))
    assert effect.lost == tuple(sorted(set(words) - after))
    assert captioners.effect(asked(subject, mask), "cnn-lstm").lost is None


def test_the_method_of_the_run_that_is_shown_is_used(captioners, subject) -> None:
    model = captioners.load("vit-transformer")
    of_run = Subject(7, "general", subject.file, WIDTH, HEIGHT, (), {"vit-transformer": "cross-L0-H1"})
    effect = captioners.effect(asked(of_run, graded()), "vit-transformer")
    lesion = Lesion((graded() / 255).astype(np.float32), "keys", 1.0)
    direct = model.describe(
        read_picture(subject.file)[0], "general", "cross-L0-H1", DescribeOptions(lesion=lesion)
    )
    np.testing.assert_allclose(effect.word_maps, direct.maps, atol=2e-6)
    imported = Subject(7, "general", subject.file, WIDTH, HEIGHT, (), {"vit-transformer": "attention"})
    assert captioners.effect(asked(imported, graded()), "vit-transformer").after == effect.after
