"""Frozen rows that the project hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.models.base import Word
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray, Json, MaskArray, Rect

MEANS = "means"
"""Key of the mean responses of regions among the facts of an encoding model."""


@dataclass(frozen=True, slots=True)
class SettingsRow:
    """The settings that made something: verb, values, versions of the libraries, hash, UTC time."""

    id: int
    verb: str
    values: Json
    versions: Json
    hash: str
    created: str


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image of the study; ``width`` and ``height`` in px, as displayed (after EXIF rotation)."""

    id: int
    name: str
    path: str
    sha256: str
    width: int
    height: int
    origin: str

    @property
    def rect(self) -> Rect:
        """Rectangle of the whole image."""
        return Rect.of_image(self.width, self.height)


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """An eye-tracking file that was imported.

    ``frame`` is the coordinate frame of its positions, ``geometry`` what the user said of its screen and
    distance; both as the engine's ``Frame`` and ``Geometry`` write them.
    """

    id: int
    file: str
    sha256: str
    format: str
    confidence: float
    task: str
    facts: Json
    simulated: bool
    settings_id: int
    created: str
    frame: Json
    geometry: Json


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One subject looking at one image once; ``image_id`` is None while no image matches.

    ``shown`` is where the image lay in the units of the recording: x, y, width, height; None when
    positions are image px. ``shift`` is what the user added to the positions, image px. ``placement`` is
    what the recording said of the image's place. ``eye`` is the eye in use.
    """

    id: int
    recording_id: int
    subject: str
    image_id: int | None
    task: str
    label: str
    image_name: str
    n_fixations: int
    n_kept: int
    shown: tuple[float, float, float, float] | None
    shift: tuple[float, float]
    placement: Json
    eye: str
    quality: Json


@dataclass(frozen=True)
class FixationTable:
    """Kept fixations of one image under one task, in image px.

    All columns have shape (n,): ``x``, ``y`` (px, origin top-left), ``subject`` (names),
    ``trial_id``, ``index`` (number in the trial, as read), ``start_ms``, ``duration_ms``
    (ms, NaN when unknown).
    """

    x: DoubleArray
    y: DoubleArray
    subject: NDArray[np.str_]
    trial_id: IntArray
    index: IntArray
    start_ms: DoubleArray
    duration_ms: DoubleArray

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model whose maps are in the project."""

    id: str
    name: str
    kind: str
    encoder: str
    decoder: str
    checkpoint: str
    revision: str
    domain: str
    facts: Json


MIRRORED = "mirrored"
"""What stands in the place of a lesion for runs on the left-right mirrored image; their maps are not turned back."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One model describing one image under one task."""

    id: int
    image_id: int
    model: str
    task: str
    lesion: str
    method: str
    caption: str
    model_task: str
    log_probability: float | None
    seconds: float
    settings_id: int


@dataclass(frozen=True)
class StoredMap:
    """One map: ``values`` (rows, columns) float32 that sum to 1, over ``rect`` of the image (px)."""

    values: FloatArray
    rect: Rect
    settings_id: int


@dataclass(frozen=True)
class StoredMaps:
    """Maps of a run: ``mean`` (rows, columns) and ``words`` (n_words, rows, columns), each summing to 1."""

    mean: FloatArray
    words: FloatArray
    rect: Rect
    method: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of one source on one image; ``value`` is None where the metric is undefined."""

    image_id: int
    source_kind: str
    source: str
    task: str
    method: str
    lesion: str
    metric: str
    preset: str
    value: float | None
    settings_id: int


@dataclass(frozen=True, slots=True)
class CeilingRow:
    """One image's part of a human ceiling."""

    image_id: int
    task: str
    metric: str
    preset: str
    estimator: str
    value: float | None
    n_subjects: int
    settings_id: int


CEILING = "ceiling"
"""Stands where a source's kind stands in what is stored of ceilings without one subject, and of each."""


@dataclass(frozen=True)
class PeoplePartsRow:
    """The scores and ceilings of one image under one task without each of its subjects in turn.

    ``columns`` says what each row of ``values`` is: (source kind, source, method, lesion, metric), or
    (``CEILING``, estimator, empty, empty, metric). ``values``: shape (n_columns, n_subjects), float32,
    subjects in the order of ``subjects``; NaN where there is no value.
    """

    image_id: int
    task: str
    subjects: tuple[str, ...]
    columns: tuple[tuple[str, str, str, str, str], ...]
    values: FloatArray
    settings_id: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One source's score over the images of a task, and its share of the ceiling in percent."""

    source_kind: str
    source: str
    task: str
    method: str
    lesion: str
    metric: str
    preset: str
    n_images: int
    n_subjects: int
    mean: float | None
    ceiling: float | None
    estimator: str
    chance: float | None
    percent: float | None
    ci_low: float | None
    ci_high: float | None
    settings_id: int
    interval: str = ""


@dataclass(frozen=True)
class SubjectScoresRow:
    """What each person's own fixations on one image under one task score.

    ``columns`` says what each row of ``values`` is, as in :class:`PeoplePartsRow`. ``values``: shape
    (n_columns, n_subjects), float32, in the order of ``subjects``; ``n_fixations``: shape (n_subjects,).
    """

    image_id: int
    task: str
    subjects: tuple[str, ...]
    n_fixations: tuple[int, ...]
    columns: tuple[tuple[str, str, str, str, str], ...]
    values: FloatArray
    settings_id: int


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """What one map, or the people of one image, are like: concentration, side, change with the task.

    ``against`` names the other task where two are compared; ``value`` is None where it is undefined.
    """

    image_id: int
    task: str
    source_kind: str
    source: str
    method: str
    lesion: str
    measure: str
    against: str
    value: float | None
    settings_id: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding (:class:`gazeapp.engine.scoring.findings.Finding`) with the preset and settings behind it."""

    finding: Finding
    preset: str
    settings_id: int


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Something that went wrong with one item: what, where, what to do; UTC time."""

    id: int
    verb: str
    where: str
    what: str
    todo: str
    created: str


@dataclass(frozen=True, slots=True)
class LibraryMask:
    """A mask of the library: on how many images it is, and what share of them it covers on average, 0 to 1."""

    name: str
    n_images: int
    mean_area: float
    created: str


@dataclass(frozen=True)
class StoredMask:
    """A mask of one image: ``values`` (height, width) uint8, what share of it they cover, where they come from."""

    values: MaskArray
    sha256: str
    area: float
    origin: str


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """Something on an image: what it is called, the rectangle that it fills (image px), where that was read."""

    label: str
    rect: Rect
    origin: str = ""


@dataclass(frozen=True, slots=True)
class LesionKey:
    """What was taken away from an image.

    Parameters
    ----------
    mask
        The mask's name, such as ``left``.
    control
        Empty for the mask itself; else which control of it: ``mirrored``, ``random``, ``equal_mass``, ``none``
        (nothing is taken away) or ``flipped`` (the mirrored image with the mirrored mask).
    draw
        Number of the random draw, from 0.
    scope
        Where in the model it is taken away.
    strength
        How much of it, 0 to 1.
    """

    mask: str
    control: str
    draw: int
    scope: str
    strength: float


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a lesion was made of, as hashes: its own mask, the mask that it is or is a control of, and the objects."""

    mask_sha256: str
    base_sha256: str = ""
    objects_sha256: str = ""


@dataclass(frozen=True)
class LesionRow:
    """What a model said and attended to on an image without a part of it, beside its intact run ``run_id``.

    Parameters
    ----------
    key
        What was taken away.
    area
        Share of the image that the mask covers, 0 to 1.
    words
        The caption's words.
    outcomes
        What changed, by the ids of `gazeapp.engine.lesions.outcomes`.
    """

    id: int
    run_id: int
    image_id: int
    model: str
    task: str
    method: str
    key: LesionKey
    area: float
    caption: str
    words: tuple[Word, ...]
    outcomes: Mapping[str, float]
    seconds: float
    settings_id: int


@dataclass(frozen=True)
class ResponsesRow:
    """Brain responses of the project, without their values.

    Parameters
    ----------
    simulated
        Whether a model made them.
    space
        ``fsaverage5`` or ``regions``.
    targets
        Names of the regions of a table; empty for vertices.
    subjects
        Names of the subjects; one empty name where the responses are of no single person.
    n_images
        Images that have responses of any subject.
    source, ceiling_origin
        Where the values, and what bounds their prediction, come from, in words.
    """

    id: int
    name: str
    simulated: bool
    space: str
    n_targets: int
    targets: tuple[str, ...]
    subjects: tuple[str, ...]
    n_images: int
    source: str
    ceiling_origin: str
    facts: Json
    settings_id: int
    created: str


@dataclass(frozen=True)
class AtlasRow:
    """An atlas of the project, without its vertices."""

    name: str
    n_regions: int
    source: str
    limits: str
    groups: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, order=True)
class EncodingUnit:
    """One analysis of one source's maps, or of two, against the responses of one subject or their mean (empty)."""

    subject: str
    task: str
    analysis: str
    kind: str
    source: str
    against: str = ""


@dataclass(frozen=True)
class EncodingRow:
    """How well a source's maps predict responses: what one encoding model was made of and predicted.

    Parameters
    ----------
    subject
        Whose responses; empty for the mean over subjects.
    kind, source
        Whose maps.
    regions
        The regions and groups, in the order of the columns; groups begin with ``group:``.
    images
        Ids of the images, in the order of the rows.
    predictions, observed
        Out-of-fold predictions and the responses themselves, both as deviations from the mean response over the
        images, ``means``, shape (n_images, n_regions), float32.
    fold
        The fold that held each image out, shape (n_images,).
    facts
        What was noticed, JSON-able.
    """

    id: int
    subject: str
    task: str
    kind: str
    source: str
    atlas: str
    inputs_hash: str
    regions: tuple[str, ...]
    images: tuple[int, ...]
    predictions: FloatArray
    observed: FloatArray
    fold: IntArray
    facts: Json
    seconds: float
    settings_id: int

    @property
    def means(self) -> DoubleArray:
        """Mean response of each region over the images, shape (n_regions,); 0 where values are stored with it."""
        means = self.facts.get(MEANS, [0.0] * len(self.regions))
        return np.array([np.nan if mean is None else mean for mean in means], dtype=np.float64)
