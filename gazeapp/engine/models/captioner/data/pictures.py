"""Pictures with captions read from the disk, as a training asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import Picture
from gazeapp.engine.models.captioner.data.words import Vocabulary
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.types import ImageArray, IntArray

_TRIES = 50
"""Pictures in a row that are tried for one that can be read."""

_ROOM = 2**30
"""Bytes that pictures at their size may take in memory: 7,133 pictures of 224 x 224 px."""


class CaptionPictures:
    """Captioned pictures of a split; a `CaptionSource`.

    Pictures are read as everywhere in gazeapp (upright by their EXIF tag, transparent parts on white), decoded in
    full and brought to size as the trained model will see them: JPEG's own quick reduction gives other pixels. A
    picture that cannot be read is named in `problems`, and the next one that can takes its place. Pictures that all fit
    into a gigabyte at their size are read once and kept: decoding large photographs again and again takes longest.

    Parameters
    ----------
    pictures
        At least one.
    vocabulary, tasks
        What captions are written in, and the tasks in their order; pictures without a caption under any of them are
        left out.
    size, resample
        Side of the square that pictures are brought to, px, and how (`fit_picture`).
    max_words
        Longest caption; longer ones are cut.

    Raises
    ------
    GazeError
        When no picture has a caption under the tasks.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        vocabulary: Vocabulary,
        tasks: tuple[str, ...],
        size: int,
        resample: str = "box",
        max_words: int = 32,
    ) -> None:
        told = [tuple(picture.told(task) for task in tasks) for picture in pictures]
        kept = [i for i, texts in enumerate(told) if any(texts)]
        if not kept:
            raise GazeError(
                f"No picture has a caption under the tasks {', '.join(tasks)}.",
                todo="Choose among the tasks of the captions.",
            )
        self.pictures = tuple(pictures[i] for i in kept)
        self.vocabulary, self.tasks = vocabulary, tasks
        self.problems: dict[str, str] = {}
        self._told = [told[i] for i in kept]
        self._size, self._resample, self._max_words = size, resample, max_words
        self._keeps = len(self.pictures) * size * size * 3 <= _ROOM
        self._kept: dict[int, ImageArray] = {}

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:
        """Read the chosen pictures; see `CaptionSource`. Several threads may do so at once.

        Raises
        ------
        GazeError
            When many pictures in a row cannot be read, as when a disk is gone.
        """
        lots = rng.random((len(chosen), len(self.tasks)))
        found = [self._readable(int(number)) for number in chosen]
        tokens = [self._encoded(number, lot) for (number, _), lot in zip(found, lots, strict=True)]
        length = max(len(caption) for captions in tokens for caption in captions)
        filled = np.zeros((len(chosen), len(self.tasks), length), np.int64)
        for i, captions in enumerate(tokens):
            for j, caption in enumerate(captions):
                filled[i, j, : len(caption)] = caption
        return np.stack([picture for _, picture in found]), filled

    def _encoded(self, number: int, lots: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[list[int]]:
        """Return a caption of a picture under every task, drawn by ``lots`` in [0, 1)."""
        return [
            self.vocabulary.encode(task, texts[int(lot * len(texts))], self._max_words) if texts else []
            for task, texts, lot in zip(self.tasks, self._told[number], lots, strict=True)
        ]

    def _readable(self, number: int) -> tuple[int, ImageArray]:
        """Return the number and pixels of a picture, or of the next one that can be read."""
        tries = min(_TRIES, len(self))
        for offset in range(tries):
            candidate = (number + offset) % len(self)
            picture = self._read(candidate)
            if picture is not None:
                return candidate, picture
        raise GazeError(
            f"{tries} pictures in a row cannot be read.",
            where=str(self.pictures[number].path),
            todo="Check that the pictures are where they were, and are no damaged copies.",
        )

    def _read(self, number: int) -> ImageArray | None:
        """Return a picture at its size, or None where it cannot be read."""
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        path = self.pictures[number].path
        try:
            picture = fit_picture(read_picture(path)[0], self._size, self._resample)
        except GazeError as error:
            self.problems[str(path)] = error.what
            return None
        if self._keeps:
            self._kept[number] = picture
        return picture
