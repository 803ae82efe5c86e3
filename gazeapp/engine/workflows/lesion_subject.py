"""One model looking at one image under one task, from which parts of the image are taken away in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gazeapp.engine.errors import GazeError, NothingSaidError
from gazeapp.engine.lesions.masks.controls import coverage
from gazeapp.engine.lesions.mentions import mentioned
from gazeapp.engine.lesions.outcomes import Described, objects_lost, outcomes, side_of
from gazeapp.engine.models.base import Caption, DescribeOptions, Model, Word
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, ObjectBox, Project, RunRow
from gazeapp.engine.project.maps import decode_map, encode_map
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray, Json, MaskArray
from gazeapp.engine.workflows.base import WorkClock
from gazeapp.engine.workflows.extract_plan import ExtractSettings, Plan, options_for
from gazeapp.engine.workflows.lesion_answers import LesionAnswers, Same, same_of
from gazeapp.engine.workflows.lesion_cuts import Cut


@dataclass(frozen=True)
class Changed:
    """What one lesion did.

    Parameters
    ----------
    area
        Share of the image that the mask covers, 0 to 1.
    caption, mean
        What the model said, and the mean map of it, shape (rows, columns).
    outcomes
        Ids of `gazeapp.engine.lesions.outcomes.OUTCOMES` -> value.
    seconds
        Time that it took.
    """

    area: float
    caption: Caption
    mean: FloatArray
    outcomes: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Intact:
    """The intact run: what was said, its tokens, and how probable the model found it."""

    described: Described
    tokens: tuple[int, ...]
    log_probability: float
    image_scale: float


@dataclass
class LesionSubject:
    """A loaded model, an image and its intact run.

    Parameters
    ----------
    model, pixels
        The model, and the picture as RGB.
    plan
        How the intact run was made.
    run
        That run.
    intact
        What is known of it.
    options
        What the model was asked for, by whether it should stop.
    words
        Words whose maps make the caption's map.
    objects
        Boxes of the image.
    objects_sha256
        Tells these boxes from others.
    settings_id
        The settings that lesions are stored under.
    """

    model: Model
    pixels: ImageArray
    plan: Plan
    run: RunRow
    intact: Intact
    options: Callable[[Callable[[], bool]], DescribeOptions]
    words: str
    objects: tuple[ObjectBox, ...]
    objects_sha256: str
    settings_id: int
    _same: dict[Same, Changed] = field(default_factory=dict)
    _covered: dict[str, _Covered] = field(default_factory=dict)

    @cached_property
    def _answers(self) -> LesionAnswers:
        """What the model says under lesions."""
        return LesionAnswers(
            self.model, self.pixels, self.plan, self.options, self.intact.image_scale, self.intact.tokens
        )

    @cached_property
    def _named(self) -> frozenset[str]:
        """Objects that the intact caption names."""
        return mentioned({one.label for one in self.objects}, self.intact.described.words)

    @classmethod
    def read(
        cls,
        project: Project,
        settings: ExtractSettings,
        model: Model,
        plan: Plan,
        image: ImageRow,
        run: RunRow,
        settings_id: int,
    ) -> LesionSubject:
        """Read an image and what is known of its intact run.

        Raises
        ------
        GazeError
            If the picture cannot be read, or the model says something else of it than the stored run.
        """
        pixels, _ = read_picture(project.images.file(image))

        def options(should_stop: Callable[[], bool]) -> DescribeOptions:
            return options_for(plan, image, settings, should_stop)

        return cls(
            model,
            pixels,
            plan,
            run,
            _intact(project, model, plan, run, pixels, options),
            options,
            settings.words,
            tuple(project.objects.of_image(image.id)),
            project.objects.sha256(image.id),
            settings_id,
        )

    def take_away(self, cut: Cut, clock: WorkClock, later: Sequence[Cut] = ()) -> Changed:
        """Describe the image without a part of it.

        A lesion whose mask is that of another one is not run twice: left mirrored is right.

        Parameters
        ----------
        cut
            The lesion.
        clock
            Times it.
        later
            Lesions that will be asked for next, which some models describe at once with this one.

        Raises
        ------
        GazeError
            If the model cannot do without that part.
        StoppedError
            When the user cancelled.
        """
        same = same_of(cut)
        if same not in self._same:
            spent = self._answers.foresee([cut, *(one for one in later if same_of(one) not in self._same)])
            changed = self._describe(cut, clock)
            share = self._answers.seconds(cut)
            self._same[same] = replace(changed, seconds=changed.seconds - spent + share)
        return self._same[same]

    def _describe(self, cut: Cut, clock: WorkClock) -> Changed:
        try:
            caption = self._answers.free(cut, clock.should_stop)
            mean = caption.mean_map(self.words)
        except NothingSaidError:
            caption, mean = self._silence()
        covered = self._covered.get(cut.digest)
        if covered is None:
            covered = self._covered[cut.digest] = self._cover(cut.mask)
        found = self._outcomes(cut, covered, caption, mean, clock.should_stop)
        return Changed(covered.area, caption, mean, found, clock.seconds)

    def _silence(self) -> tuple[Caption, FloatArray]:
        """Return a caption without words, and the map that goes with it: the worst that a lesion can do counts, too."""
        own = self.intact.described
        nothing = np.zeros_like(own.mean)
        said = Caption(
            (),
            nothing[None][:0],
            np.zeros(0, np.float32),
            own.rect,
            self.plan.info.task_for(self.plan.task),
            self.plan.method,
            facts={"tokens": []},
        )
        return said, nothing

    def _cover(self, mask: MaskArray) -> _Covered:
        """Return what a mask covers, which does not depend on strengths and scopes."""
        own = self.intact.described
        boxes: dict[str, list[float]] = {}
        for one in self.objects:
            if one.label in self._named:
                boxes.setdefault(one.label, []).append(float(coverage(mask, 1, 1, one.rect)[0, 0]))
        return _Covered(
            float(mask.mean(dtype=np.float64)) / 255.0,
            coverage(mask, own.mean.shape[0], own.mean.shape[1], own.rect),
            {label: (min(shares), max(shares)) for label, shares in boxes.items()},
        )

    def _outcomes(
        self,
        cut: Cut,
        covered: _Covered,
        caption: Caption,
        mean: FloatArray,
        should_stop: Callable[[], bool],
    ) -> dict[str, float]:
        lesioned = described(caption, stored_map(mean))
        intact = self.intact
        if cut.flipped:
            # Nothing that is known of the intact run is about the mirrored image.
            return {"laterality": side_of(lesioned, *cut.mask.shape) if mean.any() else float("nan")}
        made = self._answers.forced(cut, should_stop) if self._answers.is_other(caption) else caption
        forced = _log_probability(made.facts, made.words)
        found = outcomes(
            intact.described,
            lesioned,
            cut.mask,
            intact.log_probability,
            forced,
            len(intact.tokens),
            covered.cells,
        )
        if self.objects:
            after = mentioned(self._named, lesioned.words)
            found |= objects_lost(self._named, after, covered.objects)
        return found


@dataclass(frozen=True)
class _Covered:
    """What a mask covers: the image, the cells of the map, and the boxes of the objects that are named, 0 to 1."""

    area: float
    cells: DoubleArray
    objects: dict[str, tuple[float, float]]


def described(caption: Caption, mean: FloatArray) -> Described:
    """Return of a caption what outcomes need."""
    words = [word.text for word in caption.words]
    mass = float(caption.image_mass.mean()) if words else 1.0
    return Described(words, mean, caption.rect, mass)


def stored_map(mean: FloatArray) -> FloatArray:
    """Return a map as it comes back from the project, so that one that did not change is the same to the bit."""
    rows, columns = mean.shape
    return decode_map(rows, columns, *encode_map(mean))


def _log_probability(facts: Json, words: Sequence[Word]) -> float:
    """Return the natural logarithm of the probability of a caption's tokens.

    That of its words may count a token twice, where two words share it, and leaves out tokens that are no word.
    """
    tokens = facts.get("token_log_probabilities")
    return float(sum(tokens if tokens is not None else (word.log_probability for word in words)))


def _intact(
    project: Project,
    model: Model,
    plan: Plan,
    run: RunRow,
    pixels: ImageArray,
    options: Callable[[Callable[[], bool]], DescribeOptions],
) -> Intact:
    words, facts = project.runs.words(run.id), project.runs.facts(run.id)
    own = project.maps.mean_of_run(run.id)
    mass = project.runs.image_mass(run.id)
    tokens = facts.get("tokens")
    if tokens is None:
        # Runs of earlier versions did not keep them.
        caption = model.describe(pixels, plan.task, plan.method, options(lambda: False))
        if caption.text != run.caption:
            raise GazeError(
                f"{plan.info.name} describes the intact image in other words now than in the stored run: "
                f"“{caption.text}”, not “{run.caption}”.",
                todo="Extract it again under the libraries that are installed now, then take the lesion up again.",
            )
        tokens = caption.facts["tokens"]
    return Intact(
        Described(
            [word.text for word in words], own.values, own.rect, float(mass.mean()) if len(mass) else 1.0
        ),
        tuple(int(token) for token in tokens),
        _log_probability(facts, words),
        float(facts.get("image_scale", 1.0)),
    )
