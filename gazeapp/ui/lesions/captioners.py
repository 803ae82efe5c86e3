"""The small captioners, kept loaded and warm, so that a lesion can be followed while it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import PICTURE_SCOPES, Lesion
from gazeapp.engine.lesions.masks.controls import coverage, equal_mass, mirrored, random_matched
from gazeapp.engine.lesions.masks.placing import FULL, area, to_size
from gazeapp.engine.lesions.mentions import mentioned
from gazeapp.engine.lesions.outcomes import Described, changed_words, outcomes
from gazeapp.engine.lesions.pixels import changed_pixels
from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.maps.laterality import laterality
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.models.base import Caption, DescribeOptions, ModelInfo
from gazeapp.engine.models.given import plain_method
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.scoring.metrics import nss, pixels
from gazeapp.engine.scoring.presets import preset
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray, MaskArray, Rect
from gazeapp.ui.canvas.heat import difference_layer
from gazeapp.ui.lesions.facts import N_RANDOM, Effect, Request, Subject, frozen, words_of
from gazeapp.ui.scene import MapView

if TYPE_CHECKING:
    from gazeapp.engine.models.captioner.captioner import CaptionerModel

_CONTROL_SIDE = 512
"""Longer side, px, at which control masks are placed: drawing them at 4000 px takes longer than the models do."""
_SCORED_SIDE = 1024
"""Longer side, px, at which maps are scored, as the study's own scores are."""
_INTACT_KEPT = 64
_Sight: TypeAlias = tuple[int, str]
"""Side of the square that a model sees, px, and how pictures are brought to it."""


class Captioners:
    """Loads captioners and runs them under lesions; for one thread that is not the window's.

    The picture is read once and shrunk once to what each model sees, and the intact captions are kept. As captioners
    stretch every image to a square grid, a mask is handed on as what it covers of each cell, which is all that they
    take of it; so a mask of twelve megapixels costs no more than its one reading.

    Parameters
    ----------
    load
        Loads a model by its id.
    """

    def __init__(self, load: Callable[[str], Any] | None = None) -> None:
        self._load = load or _load
        self._models: dict[str, CaptionerModel] = {}
        self._subject: Subject | None = None
        self._pixels: ImageArray | None = None
        self._fitted: dict[_Sight, ImageArray] = {}
        self._intact: dict[tuple[Any, ...], Caption] = {}
        self._cut = _Cut()

    def load(self, model_id: str) -> CaptionerModel:
        """Return a model, loaded on first use.

        Raises
        ------
        GazeError
            When it cannot be loaded.
        """
        if model_id not in self._models:
            self._models[model_id] = self._load(model_id)
        return self._models[model_id]

    def effect(self, request: Request, model_id: str) -> Effect:
        """Return what a lesion does to a model, without score and controls.

        Raises
        ------
        GazeError
            When the picture cannot be read, the model lacks the scope, or the lesion takes everything away.
        """
        model = self.load(model_id)
        check_scope(model.info, request.scope)
        cut = self._cut_of(request)
        before = self._intact_caption(model, request.subject)
        after, forced = self._under(model, request, cut)
        return _effect(request, model.info, before, after, forced, cut)

    def scored(self, request: Request, effect: Effect) -> Effect:
        """Return the effect with the NSS of both maps, where people looked at the image."""
        if request.fixations is None:
            return effect
        model = self.load(effect.model)
        before = self._intact_caption(model, request.subject).mean_map()
        scores = [_nss(values, request) for values in (before, effect.map.values)]
        return replace(effect, nss=(scores[0], scores[1]))

    def controlled(self, request: Request, effect: Effect, is_wanted: Callable[[], bool]) -> Effect:
        """Return the effect with what control masks do instead, as means over each control's masks.

        A mask that is drawn meanwhile does not wait for them: the effect comes back without controls when it is wanted
        no more.
        """
        if request.is_empty:
            return effect
        model = self.load(effect.model)
        before = self._intact_caption(model, request.subject)
        found = {}
        for control, masks in self._control_masks(request, before.mean_map()).items():
            numbers = []
            for mask in masks:
                if not is_wanted():
                    return effect
                numbers.append(self._numbers(model, request, mask, before))
            found[control] = _means(numbers)
        return replace(effect, controls=found)

    def _numbers(
        self, model: CaptionerModel, request: Request, mask: MaskArray, before: Caption
    ) -> dict[str, float]:
        subject = request.subject
        if request.scope in PICTURE_SCOPES:
            mask = to_size(mask, subject.height, subject.width, "fraction")
        cut = _Cut(mask=mask)
        after, forced = self._under(model, replace(request, mask=mask), cut)
        return _numbers(before, after, forced, cut)

    def _control_masks(self, request: Request, attended: FloatArray) -> dict[str, list[MaskArray]]:
        """Return the masks of each control; none where the image has no such mask."""
        height, width = request.mask.shape
        scale = min(1.0, _CONTROL_SIDE / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        mask = to_size(request.mask, *size, "fraction")
        place = Rect.of_image(size[1], size[0])
        same_mass = [equal_mass(attended, place, mask, seed) for seed in range(N_RANDOM)]
        return {
            "mirrored": [mirrored(mask)],
            "random": [random_matched(mask, seed) for seed in range(N_RANDOM)],
            "equal_mass": [one for one in same_mass if one is not None],
        }

    def _under(self, model: CaptionerModel, request: Request, cut: _Cut) -> tuple[Caption, Caption]:
        """Return what a model says under a lesion, and how probable its intact caption is there."""
        before = self._intact_caption(model, request.subject)
        if request.is_empty:
            return before, before
        method = _method(model.info, request.subject)
        task, tokens = request.subject.task, tuple(before.facts["tokens"])
        config = model.network.config
        if request.scope in PICTURE_SCOPES:
            seen, lesion = self._changed(request, cut, _sight(model)), None
        else:
            share = cut.on_square(config.grid, config.input_size)
            seen = self._seen(request.subject, _sight(model))
            lesion = Lesion(share, request.scope, request.strength)
        after = model.describe(seen, task, method, DescribeOptions(lesion=lesion))
        if tuple(after.facts["tokens"]) == tokens:
            return after, after  # it says the intact caption of itself
        return after, model.describe(seen, task, method, DescribeOptions(lesion=lesion, forced=tokens))

    def _cut_of(self, request: Request) -> _Cut:
        if self._cut.mask is not request.mask:
            self._cut = _Cut(request.mask)
        return self._cut

    def _intact_caption(self, model: CaptionerModel, subject: Subject) -> Caption:
        method = _method(model.info, subject)
        key = (model.info.id, subject.image_id, str(subject.file), subject.task, method)
        caption = self._intact.pop(key, None)
        if caption is None:
            seen = self._seen(subject, _sight(model))
            caption = model.describe(seen, subject.task, method)
        self._intact[key] = caption
        if len(self._intact) > _INTACT_KEPT:
            self._intact.pop(next(iter(self._intact)))
        return caption

    def _picture(self, subject: Subject) -> ImageArray:
        if self._pixels is None or self._subject is None or self._subject.file != subject.file:
            self._fitted.clear()
            self._pixels, self._subject = read_picture(subject.file)[0], subject
        return self._pixels

    def _seen(self, subject: Subject, sight: _Sight) -> ImageArray:
        """Return the picture as a model sees it; describing that gives what describing the whole one does."""
        from gazeapp.engine.models.captioner.picture import fit_picture

        picture = self._picture(subject)
        if sight not in self._fitted:
            self._fitted[sight] = fit_picture(picture, *sight)
        return self._fitted[sight]

    def _changed(self, request: Request, cut: _Cut, sight: _Sight) -> ImageArray:
        """Return the picture under a lesion of its pixels, as a model sees it."""
        from gazeapp.engine.models.captioner.picture import fit_picture

        key = request.scope, request.strength, sight
        if key not in cut.changed:
            lesion = Lesion(
                request.mask.astype(np.float32) / np.float32(FULL), request.scope, request.strength
            )
            whole = changed_pixels(self._picture(request.subject), lesion)
            cut.changed[key] = fit_picture(whole, *sight)
        return cut.changed[key]


class _Cut:
    """A mask, and what it covers of each cell of the models' grids, reckoned once for all models."""

    def __init__(self, mask: MaskArray | None = None) -> None:
        self.mask = mask
        self.changed: dict[tuple[str, float, _Sight], ImageArray] = {}
        self._covered: dict[tuple[int, int], DoubleArray] = {}

    @property
    def area(self) -> float:
        """Share of the image that the mask takes."""
        covered = next(iter(self._covered.values()), None)
        return area(self._known) if covered is None else float(covered.mean())

    def on_grid(self, grid: tuple[int, int]) -> DoubleArray:
        """Return how much of each cell the mask covers, shape (rows, columns)."""
        if grid not in self._covered:
            self._covered[grid] = coverage(self._known, *grid)
        return self._covered[grid]

    def on_square(self, grid: tuple[int, int], size: int) -> FloatArray:
        """Return a mask of a square picture that covers as much of each cell."""
        rows, columns = (np.arange(size) * n // size for n in grid)
        covered: FloatArray = self.on_grid(grid)[np.ix_(rows, columns)].astype(np.float32)
        return covered

    @property
    def _known(self) -> MaskArray:
        assert self.mask is not None
        return self.mask


def _load(model_id: str) -> CaptionerModel:
    from gazeapp.engine.models.captioner.captioner import CaptionerModel
    from gazeapp.engine.models.registry import load_model

    model = load_model(model_id)
    if not isinstance(model, CaptionerModel):
        raise GazeError(f"{model.info.name} cannot follow a lesion live.")
    return model


def _sight(model: CaptionerModel) -> _Sight:
    return model.network.config.input_size, model.network.config.resample


def _method(info: ModelInfo, subject: Subject) -> str:
    """Return the map method of the run that is shown, where it is one of the model's; else the model's default."""
    method = plain_method(subject.methods.get(info.id, ""))
    of_heads = info.decoder != "lstm" and method.startswith("cross-")
    return method if of_heads or method in info.methods else info.default_method


def _effect(
    request: Request, info: ModelInfo, before: Caption, after: Caption, forced: Caption, cut: _Cut
) -> Effect:
    subject = request.subject
    size, rect = (subject.width, subject.height), Rect.of_image(subject.width, subject.height)
    said, says = words_of(before), words_of(after)
    gone, new = changed_words(said, says)
    mean_before, mean_after = frozen(before.mean_map()), frozen(after.mean_map())
    labels = {one.label for one in subject.objects}
    named, still = mentioned(labels, said), mentioned(labels, says)
    return Effect(
        number=request.number,
        image_id=subject.image_id,
        task=subject.task,
        model=info.id,
        name=info.name,
        before=before.words,
        after=after.words,
        gone=gone,
        new=new,
        map=MapView.of(mean_after, rect, *size),
        word_maps=frozen(after.maps),
        change=difference_layer((mean_after, rect), (mean_before, rect), *size),
        numbers=_numbers(before, after, forced, cut),
        area=cut.area,
        scope=request.scope,
        strength=request.strength,
        lost=tuple(sorted(named - still)) if labels else None,
        named=tuple(sorted(named)) if labels else None,
        takes_nothing=request.is_empty,
    )


def _numbers(before: Caption, after: Caption, forced: Caption, cut: _Cut) -> dict[str, float]:
    """Return the outcomes of a lesion.

    What lies under the mask is taken from the cells' exact cover and not from the small mask, whose pixels are coarse.
    """
    grid = before.maps.shape[1], before.maps.shape[2]
    covered = cut.on_grid(grid)
    small: MaskArray = np.rint(255 * covered).astype(np.uint8)
    rect = Rect.of_image(grid[1], grid[0])
    described = [Described(words_of(one), one.mean_map(), rect) for one in (before, after)]
    found = outcomes(
        described[0],
        described[1],
        small,
        before.log_probability,
        forced.log_probability,
        len(before.facts["tokens"]),
    )
    under = [float((one.mean * covered).sum() / one.mean.sum()) for one in described]
    found |= {"mass_in_mask": under[0], "mass_in_mask_lesioned": under[1]}
    found["mass_removed"] = under[0] - under[1]
    found["laterality_before"] = laterality(AttentionMap(described[0].mean, Rect(0, 0, 1, 1)))[0]
    return found


def _means(numbers: list[dict[str, float]]) -> Mapping[str, float]:
    return {name: fmean(one[name] for one in numbers) for name in numbers[0]} if numbers else {}


def _nss(values: FloatArray, request: Request) -> float:
    """Return how well a map of the whole image agrees with the fixations, as the study's scores tell it."""
    assert request.fixations is not None
    subject = request.subject
    scale = min(1.0, _SCORED_SIDE / max(subject.width, subject.height))
    height, width = max(1, round(subject.height * scale)), max(1, round(subject.width * scale))
    x, y = request.fixations
    fixated = pixels(x * width / subject.width, y * height / subject.height, height, width)
    shown = to_image(values, Rect.of_image(width, height), height, width)
    return nss(shown, fixated, preset(request.preset))
