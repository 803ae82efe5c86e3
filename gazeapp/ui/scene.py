"""What the window shows of one image: frozen facts, read off the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PySide6.QtGui import QImage

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Word
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray, Rect
from gazeapp.ui.canvas.heat import HeatLayer, density_layer

ScoreKey = tuple[str, str, str]
"""(task, preset, metric), such as ``("general", "tuebingen", "nss")``."""

ONLY_OLDER = "Described under other settings only, such as another prompt. Run models again to complete it."
"""What is said of a model whose map of an image was made in another way than those that count."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image decoded for display.

    Parameters
    ----------
    levels
        The picture and its halvings, largest first; the first is at most ``READ_SIDE`` px long.
    width, height
        Size of the image file, px; maps and fixations are in this frame.
    """

    levels: tuple[QImage, ...]
    width: int
    height: int

    @property
    def scale(self) -> float:
        """Pixels of the first level per pixel of the image."""
        return self.levels[0].width() / self.width

    def level_for(self, magnification: float) -> QImage:
        """Return the smallest level that is still sharp at ``magnification`` screen px per image px."""
        wanted = magnification * self.width * 0.75
        for level in reversed(self.levels):
            if level.width() >= wanted:
                return level
        return self.levels[0]


@dataclass(frozen=True, eq=False)
class Fixations:
    """Fixations on one image, in the order of trials and time; arrays of shape (n,), image px and ms."""

    x: DoubleArray
    y: DoubleArray
    duration_ms: DoubleArray
    subject: tuple[str, ...]
    trial: IntArray
    index: IntArray

    def __len__(self) -> int:
        return len(self.subject)

    def of_trial(self, trial: int, *, without: bool = False) -> Fixations:
        """Return the fixations of one trial, or those of all others."""
        rows = np.flatnonzero((self.trial == trial) != without)
        subject = tuple(self.subject[row] for row in rows)
        columns = (self.x[rows], self.y[rows], self.duration_ms[rows])
        return Fixations(*columns, subject, self.trial[rows], self.index[rows])


@dataclass(frozen=True)
class TrialView:
    """One subject's look at the image; ``shift`` (x, y, image px) is what the user added to the positions."""

    id: int
    subject: str
    recording_id: int
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class MapView:
    """A map as it is stored, with the layer that draws it.

    Parameters
    ----------
    values
        Shape (rows, columns), float32, non-negative.
    rect
        Rectangle that the map covers, image px.
    layer
        The map over the whole image.
    """

    values: FloatArray
    rect: Rect
    layer: HeatLayer

    @classmethod
    def of(cls, values: FloatArray, rect: Rect, width: int, height: int) -> MapView:
        """Make the view of a map on an image of ``width`` x ``height`` px."""
        return cls(values, rect, density_layer(values, rect, width, height))


@dataclass(frozen=True)
class PeopleView:
    """What people did with the image: their map, their fixations, and who they are.

    ``subjects`` have fixations in use; ``trials`` are all looks at the image.
    """

    map: MapView | None = None
    fixations: Fixations | None = None
    subjects: tuple[str, ...] = ()
    trials: tuple[TrialView, ...] = ()


@dataclass(frozen=True, eq=False)
class LesionView:
    """What a model does without a part of the image, beside the map and words that are shown.

    Parameters
    ----------
    facts
        What was taken away, in a few words.
    new
        Words of the caption that the intact one has not.
    intact
        The intact caption.
    change
        Lesioned minus intact map.
    """

    facts: str
    new: frozenset[int]
    intact: str
    change: HeatLayer


@dataclass(frozen=True)
class ModelView:
    """What one model made of the image.

    Parameters
    ----------
    id, name
        Identifier and name to show.
    colour
        Colour of the model in every plot, ``#rrggbb``.
    map
        The caption's mean map; None when the model has not been run on this image and task.
    words
        The caption's words.
    word_maps
        Shape (n_words, rows, columns), float32; None where ``map`` is None.
    outside_training
        Whether the image is of a kind that the model was not trained on.
    truth
        Whether it is no model but the density that simulated observers were drawn from.
    only_older
        Whether it has no map here because it described the image only in another way than those that count,
        such as under another prompt.
    lesion
        What was taken away where map and words are those under a lesion.
    """

    id: str
    name: str
    colour: str
    map: MapView | None = None
    words: tuple[Word, ...] = ()
    word_maps: FloatArray | None = None
    outside_training: bool = False
    truth: bool = False
    only_older: bool = False
    lesion: LesionView | None = None


@dataclass(frozen=True)
class SceneView:
    """One image under one task, with everything that the compare view draws.

    Parameters
    ----------
    picture
        None when the file is missing or cannot be read.
    error
        Why there is no picture.
    simulated
        Whether the recordings are simulated.
    """

    image_id: int
    name: str
    task: str
    width: int
    height: int
    picture: Picture | None
    error: GazeError | None
    simulated: bool
    people: PeopleView
    models: tuple[ModelView, ...]


@dataclass(frozen=True)
class ImageEntry:
    """One line of the list of images.

    Parameters
    ----------
    fixations
        Number of fixations by task.
    scores
        Score of each model (by its id) by task, preset and metric.
    ceilings
        How well people predict each other on this image, by task, preset and metric; what the
        scores of models are read beside.
    """

    id: int
    name: str
    fixations: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[ScoreKey, Mapping[str, float]] = field(default_factory=dict)
    ceilings: Mapping[ScoreKey, float] = field(default_factory=dict)

    def score(self, key: ScoreKey, source: str | None = None) -> float | None:
        """Return the score of ``source``, or the mean over models when it has none; None when unknown."""
        by_source = self.scores.get(key)
        if not by_source:
            return None
        if source is not None and source in by_source:
            return by_source[source]
        return sum(by_source.values()) / len(by_source)


@dataclass(frozen=True)
class Share:
    """Percent of the human ceiling that a model reaches over a study, with its interval where known."""

    percent: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Catalogue:
    """What a study holds: images, tasks, models (id and name, in their stable order), and summary scores.

    Parameters
    ----------
    shares
        Percent of ceiling by task, preset and metric, then by model id.
    """

    images: tuple[ImageEntry, ...] = ()
    tasks: tuple[str, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    shares: Mapping[ScoreKey, Mapping[str, Share]] = field(default_factory=dict)
    simulated: bool = False

    def entry(self, image_id: int | None) -> ImageEntry | None:
        """Return the line of an image, None when it is not in the study."""
        return self._by_id.get(image_id) if image_id is not None else None

    def share(self, key: ScoreKey, source: str) -> Share | None:
        """Return a model's percent of ceiling, None when it was not scored."""
        return self.shares.get(key, {}).get(source)

    @cached_property
    def _by_id(self) -> dict[int, ImageEntry]:
        return {entry.id: entry for entry in self.images}
