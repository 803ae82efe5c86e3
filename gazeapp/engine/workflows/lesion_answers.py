"""What a model says of one image under lesions, asked for at once where the model can answer several."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import PICTURE_SCOPES, Lesion
from gazeapp.engine.models.base import Caption, DescribeOptions, Model
from gazeapp.engine.models.batches import Answer, BatchModel, Fitted, Request
from gazeapp.engine.types import ImageArray
from gazeapp.engine.workflows.extract_plan import Plan
from gazeapp.engine.workflows.lesion_cuts import Cut

_MASK_PIXELS = 32_000_000
"""Pixels of the masks that are held at once, 4 bytes each."""

Same: TypeAlias = tuple[object, ...]


def same_of(cut: Cut) -> Same:
    """Return what tells a lesion from others; that of another mask with the same values is the same."""
    return cut.digest, cut.key.scope, cut.key.strength, cut.flipped


@dataclass
class LesionAnswers:
    """Answers of a model about one image under lesions.

    Parameters
    ----------
    model, pixels, plan
        The model, the picture as RGB, and how its intact run was made.
    options
        What the model was asked for, by whether it should stop.
    image_scale
        Share of the image's size at which it was described.
    tokens
        The intact caption's tokens.
    """

    model: Model
    pixels: ImageArray
    plan: Plan
    options: Callable[[Callable[[], bool]], DescribeOptions]
    image_scale: float
    tokens: tuple[int, ...]
    _free: dict[Same, Answer] = field(default_factory=dict)
    _forced: dict[Same, Answer] = field(default_factory=dict)
    _seconds: dict[Same, float] = field(default_factory=dict)
    _fitted: dict[bool, Fitted] = field(default_factory=dict)

    def foresee(self, cuts: Sequence[Cut]) -> float:
        """Ask about the next of some lesions at once, unless the first one is answered, where the model can do that.

        Returns
        -------
        float
            Seconds that it took.
        """
        if not isinstance(self.model, BatchModel) or same_of(cuts[0]) in self._free:
            return 0.0
        most = max(1, min(self.model.batch, _MASK_PIXELS // max(1, self.pixels[..., 0].size)))
        wanted: dict[Same, Cut] = {}
        for cut in cuts:
            if len(wanted) < most and same_of(cut) not in self._free:
                wanted.setdefault(same_of(cut), cut)
        started = time.perf_counter()
        self._ask(self.model, wanted)
        seconds = time.perf_counter() - started
        self._seconds |= dict.fromkeys(wanted, seconds / len(wanted))
        return seconds

    def _ask(self, model: BatchModel, wanted: dict[Same, Cut]) -> None:
        """Ask for free captions, and for the intact one where another was said."""
        requests: dict[Same, Request] = {}
        for same, cut in wanted.items():
            try:
                requests[same] = self._request(model, cut)
            except GazeError as error:
                self._free[same] = error
        free = dict(zip(requests, model.describe_many(list(requests.values())), strict=True))
        again = {
            same: replace(requests[same], options=replace(requests[same].options, forced=self.tokens))
            for same, answer in free.items()
            if isinstance(answer, Caption) and self.is_other(answer) and not wanted[same].flipped
        }
        self._free |= free
        self._forced |= dict(zip(again, model.describe_many(list(again.values())), strict=True))

    def _request(self, model: BatchModel, cut: Cut) -> Request:
        image: ImageArray | Fitted
        if cut.key.scope in PICTURE_SCOPES:
            image = self._shown(cut)
        else:
            if cut.flipped not in self._fitted:
                self._fitted[cut.flipped] = model.fit(self._shown(cut))
            image = self._fitted[cut.flipped]
        return Request(image, self.plan.task, self.plan.method, self._options(cut, lambda: False))

    def _options(self, cut: Cut, should_stop: Callable[[], bool]) -> DescribeOptions:
        lesion = Lesion(cut.mask.astype(np.float32) / 255.0, cut.key.scope, cut.key.strength)
        return replace(self.options(should_stop), lesion=lesion, image_scale=self.image_scale)

    def _shown(self, cut: Cut) -> ImageArray:
        return np.ascontiguousarray(self.pixels[:, ::-1]) if cut.flipped else self.pixels

    def is_other(self, caption: Caption) -> bool:
        """Return whether a caption is not the intact one."""
        return tuple(caption.facts["tokens"]) != self.tokens

    def free(self, cut: Cut, should_stop: Callable[[], bool]) -> Caption:
        """Return what the model says of itself.

        Raises
        ------
        GazeError, MemoryError
            If it cannot do without that part, says nothing, or memory is short.
        StoppedError
            When the user cancelled.
        """
        answer = self._free.pop(same_of(cut), None)
        return self._describe(cut, self._options(cut, should_stop)) if answer is None else _caption(answer)

    def forced(self, cut: Cut, should_stop: Callable[[], bool]) -> Caption:
        """Return the intact caption as the model says it under a lesion; errors as those of `free`."""
        answer = self._forced.pop(same_of(cut), None)
        if answer is not None:
            return _caption(answer)
        return self._describe(cut, replace(self._options(cut, should_stop), forced=self.tokens))

    def seconds(self, cut: Cut) -> float:
        """Return a lesion's share of the time in which it was asked about with others, s."""
        return self._seconds.pop(same_of(cut), 0.0)

    def _describe(self, cut: Cut, options: DescribeOptions) -> Caption:
        return self.model.describe(self._shown(cut), self.plan.task, self.plan.method, options)


def _caption(answer: Answer) -> Caption:
    if isinstance(answer, Caption):
        return answer
    raise answer
