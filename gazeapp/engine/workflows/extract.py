"""Run models on images: captions and attention maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.base import Caption, DescribeOptions, Model, ModelInfo
from gazeapp.engine.models.batches import Answer, BatchModel, Request
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.models.named import check_consent, check_method, close_model
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.types import ImageArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally, WorkClock
from gazeapp.engine.workflows.extract_ahead import ReadAhead, Waiting
from gazeapp.engine.workflows.extract_given import GivenCaptions, unknown_words
from gazeapp.engine.workflows.extract_plan import ExtractSettings, Plan, load_for, options_for, what_to_run

_SMALLER = (1.0, 0.7, 0.5)
"""Shares of an image's width and height that are tried in turn where memory does not suffice."""


def extract(project: Project, settings: ExtractSettings, progress: Progress) -> Summary:
    """Describe every image with every chosen model under every chosen task.

    One unit is (image or mirrored image, model, task, method); units in the project are skipped, so running it again
    after a stop goes on where it ended. A model that cannot be loaded, or lacks the layer or head that is asked for,
    fails with all its units, the others go on.

    Raises
    ------
    ConsentNeededError
        If one of the models is a runner script that the user has not agreed to.
    GazeError
        If a model or task is unknown, or the project has no images or tasks.
    """
    infos, images, tasks, plans = what_to_run(project, settings)
    for info in infos:
        check_consent(info)
    total = sum(plan.is_for(image) for plan in plans for image in images)
    tally = Tally(project, "extract", progress, total)
    work = _Extraction(project, settings, images, tally, progress)
    for info in infos:
        work.run_model(info, [plan for plan in plans if plan.info.id == info.id])
        if tally.cancelled:
            break
    outside = _outside_domain(infos, images)
    return tally.summary(
        models=[info.id for info in infos],
        tasks=list(tasks),
        outside_training=outside,
        smaller=work.n_smaller,
        **({} if settings.given is None else _of_given(project, settings.given, images, plans)),
    )


class _Extraction:
    """One call of the verb: what its parts share."""

    def __init__(
        self,
        project: Project,
        settings: ExtractSettings,
        images: list[ImageRow],
        tally: Tally,
        progress: Progress,
    ) -> None:
        self.n_smaller = 0
        self._project = project
        self._settings = settings
        self._images = images
        self._tally = tally
        self._progress = progress

    def run_model(self, info: ModelInfo, plans: list[Plan]) -> None:
        """Run one model on every image that lacks a run of one of the plans."""
        self._project.problems.clear("extract", info.name)
        work = self._missing(plans)
        first = next(work, None)
        if first is None or self._tally.should_stop():
            return
        model = self._load(info, plans, *first)
        if model is None:
            return
        try:
            if isinstance(model, BatchModel):
                self._run_batches(model, chain([first], work))
            else:
                self._run_one_by_one(model, chain([first], work))
        finally:
            close_model(model)

    def _missing(self, plans: list[Plan]) -> Iterator[tuple[ImageRow, list[Plan]]]:
        """Yield each image with the plans that it lacks runs of; the other units are counted on the way."""
        for image in self._images:
            own = [plan for plan in plans if plan.is_for(image)]
            missing = [plan for plan in own if not plan.is_done(self._project, image)]
            for plan in own:
                if plan not in missing:
                    self._skip(plan, image)
            if missing:
                yield image, missing

    def _load(self, info: ModelInfo, plans: list[Plan], image: ImageRow, missing: list[Plan]) -> Model | None:
        """Return the model; where it cannot be loaded, or lacks what is asked for, all its units from here on fail."""
        self._progress.report(self._tally.n_told, self._tally.total, f"loading {info.name}")
        try:
            model = load_for(self._project, info, self._settings)
        except GazeError as error:
            self._fail_all(info, plans, image, error)
            return None
        try:
            check_method(model.info, missing[0].method)
        except GazeError as error:
            close_model(model)
            self._fail_all(info, plans, image, error)
            return None
        return model

    def _run_batches(self, model: BatchModel, work: Iterator[tuple[ImageRow, list[Plan]]]) -> None:
        """Describe many images at once, while the next ones are read."""
        with ReadAhead(self._project, model, work, self._images) as ahead:
            for batch in ahead.batches():
                if self._tally.should_stop():
                    return
                self._run_batch(model, batch)

    def _run_batch(self, model: BatchModel, batch: list[Waiting]) -> None:
        """Describe some images under all their plans, and store each unit by itself."""
        units = [(plan, one) for one in batch for plan in one.plans]
        requests: dict[int, Request] = {}
        answers: dict[int, Answer] = {}
        for i, (plan, one) in enumerate(units):
            try:
                seen = one.seen(plan)
            except (GazeError, MemoryError) as error:
                answers[i] = error
            else:
                options = options_for(plan, one.image, self._settings, lambda: False)
                requests[i] = Request(seen, plan.task, plan.method, options)
        clock = WorkClock(self._progress)
        answers |= dict(zip(requests, model.describe_many(list(requests.values())), strict=True))
        seconds = clock.seconds / max(1, len(requests))
        for i, (plan, one) in enumerate(units):
            with self._tally.unit(plan.name(one.image)):
                answer = answers[i]
                if not isinstance(answer, Caption):
                    raise answer
                self._store(model, plan, one.image, answer, seconds)

    def _run_one_by_one(self, model: Model, work: Iterator[tuple[ImageRow, list[Plan]]]) -> None:
        for image, missing in work:
            if self._tally.should_stop():
                return
            self._run_image(model, missing, image)

    def _run_image(self, model: Model, plans: list[Plan], image: ImageRow) -> None:
        pixels: ImageArray | None = None
        for plan in plans:
            if self._tally.should_stop():
                return
            scale = None
            try:
                with self._tally.unit(plan.name(image)):
                    if pixels is None:
                        pixels, _ = read_picture(self._project.images.file(image))
                    scale = self._run_unit(model, plan, image, pixels)
            except StoppedError:
                self._tally.should_stop()
                return
            if scale is not None:
                self._tell_size(plan, image, scale)

    def _run_unit(self, model: Model, plan: Plan, image: ImageRow, pixels: ImageArray) -> float | None:
        """Describe one image and store what came of it; return the share of its size that was described, if stored."""
        clock = WorkClock(self._progress)
        shown = np.ascontiguousarray(pixels[:, ::-1]) if plan.lesion == MIRRORED else pixels
        caption = _describe(model, shown, plan, options_for(plan, image, self._settings, clock.should_stop))
        return self._store(model, plan, image, caption, clock.seconds)

    def _store(
        self, model: Model, plan: Plan, image: ImageRow, caption: Caption, seconds: float
    ) -> float | None:
        """Store a unit whole; return the share of its size at which the image was described, if it was stored."""
        mean = caption.mean_map(self._settings.words)
        project = self._project
        with project.transaction():
            if plan.is_done(project, image):
                return None  # another program was faster
            settings_id = project.settings.put("extract", plan.values)
            project.runs.put_model(model.info)  # a model of the study once it has a run, not before
            filed = replace(caption, method=plan.filed_as)
            project.runs.put(
                image.id, plan.info.id, plan.task, filed, mean, settings_id, seconds, plan.lesion
            )
        return float(caption.facts.get("image_scale", 1.0))

    def _skip(self, plan: Plan, image: ImageRow) -> None:
        """Count a unit that is there; what an attempt with other settings failed with is no longer of interest."""
        self._project.problems.clear("extract", plan.name(image))
        self._tally.skip(plan.name(image))

    def _tell_size(self, plan: Plan, image: ImageRow, scale: float) -> None:
        """Say that an image was described smaller, for as long as the run is the newest of its unit."""
        unit = f"{plan.name(image)} · size"
        self._project.problems.clear("extract", unit)
        if scale < 1.0:
            self.n_smaller += 1
            self._tally.problem(
                image.name,
                f"{plan.info.name} described it at {scale:.0%} of its size, because memory was short.",
                "Its maps are coarser than those of other images; a device with more memory gives the same grid.",
                unit=unit,
            )

    def _fail_all(self, info: ModelInfo, plans: list[Plan], first: ImageRow, error: GazeError) -> None:
        """Count the units of a model that cannot be loaded; its problem is told once."""
        self._tally.problem(error.where or info.name, error.what, error.todo, unit=info.name)
        for image in self._images[self._images.index(first) :]:
            for plan in filter(lambda plan: plan.is_for(image), plans):
                if not plan.is_done(self._project, image):
                    self._tally.count_failure(plan.name(image))
                elif image is not first:
                    self._skip(plan, image)


def _describe(model: Model, pixels: ImageArray, plan: Plan, options: DescribeOptions) -> Caption:
    """Describe an image, smaller where memory does not suffice for it as it is.

    Captioners bring every image to one size, so that a smaller one takes no less.
    """
    scales = (1.0,) if plan.info.kind == "captioner" else _SMALLER
    for scale in scales[:-1]:
        try:
            return model.describe(pixels, plan.task, plan.method, replace(options, image_scale=scale))
        except MemoryError:
            continue
    return model.describe(pixels, plan.task, plan.method, replace(options, image_scale=scales[-1]))


def _of_given(project: Project, given: GivenCaptions, images: list[ImageRow], plans: list[Plan]) -> Json:
    """Return what of given captions was not said: where there are none, words that models do not know, others."""
    without = {plan.task: sum(not plan.is_for(image) for image in images) for plan in plans}
    return {
        "without_caption": {task: count for task, count in without.items() if count},
        "unknown_words": unknown_words(project, {plan.hash: plan.info.id for plan in plans}),
        "captions_not_used": given.n_more,
    }


def _outside_domain(infos: list[ModelInfo], images: list[ImageRow]) -> Json:
    """Count the images that are outside what each model was trained on."""
    return {
        info.id: count
        for info in infos
        if (count := sum(is_outside_training(info.domain, image.origin) for image in images))
    }
