"""Pictures are read and brought to a model's size by other threads while the model describes those before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.batches import BatchModel, Fitted
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.workflows.extract_plan import Plan

_MOST_READERS = 4
_PIXELS_AT_ONCE = 48_000_000
"""Pixels of the pictures that are being read at any time; decoding takes about 9 bytes of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """An image that lacks runs of some plans, and its picture as far as it is read."""

    image: ImageRow
    plans: list[Plan]
    _seen: Future[dict[str, Fitted]] | GazeError

    def seen(self, plan: Plan) -> Fitted:
        """Return what the model sees under a plan, once it is read.

        Raises
        ------
        GazeError
            If the picture is not there or cannot be read.
        MemoryError
            If it is too large for the computer's memory.
        """
        if isinstance(self._seen, GazeError):
            raise self._seen
        return self._seen.result()[plan.lesion]


class ReadAhead:
    """Reads the pictures of a model's batches, one batch ahead; a context that ends the reading.

    Parameters
    ----------
    project
        Knows where the images are.
    model
        What the pictures are read for.
    work
        Images with the plans that they lack runs of.
    images
        All images that may come.
    """

    def __init__(
        self,
        project: Project,
        model: BatchModel,
        work: Iterator[tuple[ImageRow, list[Plan]]],
        images: Sequence[ImageRow],
    ) -> None:
        self._project, self._model, self._work = project, model, work
        self._waiting: deque[Waiting] = deque()
        largest = max((image.width * image.height for image in images), default=1)
        readers = min(_MOST_READERS, os.cpu_count() or 1, max(1, _PIXELS_AT_ONCE // max(1, largest)))
        self._readers = ThreadPoolExecutor(readers, "pictures")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readers.shutdown(cancel_futures=True)

    def batches(self) -> Iterator[list[Waiting]]:
        """Yield the images in their order, as many at a time as the model best describes at once."""
        size = self._model.batch
        while True:
            for image, plans in islice(self._work, 2 * size - len(self._waiting)):
                self._waiting.append(Waiting(image, plans, self._read(image, plans)))
            if not self._waiting:
                return
            yield [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]

    def _read(self, image: ImageRow, plans: list[Plan]) -> Future[dict[str, Fitted]] | GazeError:
        try:
            path = self._project.images.file(image)
        except GazeError as error:
            return error
        return self._readers.submit(_fitted, self._model, path, {plan.lesion for plan in plans})


def _fitted(model: BatchModel, path: Path, sides: set[str]) -> dict[str, Fitted]:
    """Return a picture as the model sees it, as it is and mirrored as far as that is asked for."""
    pixels, _ = read_picture(path)
    return {
        side: model.fit(np.ascontiguousarray(pixels[:, ::-1]) if side == MIRRORED else pixels)
        for side in sides
    }
