"""What a report says, as plain data: gathered from a project, written out by a template."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.reports.neglect.data import NeglectData
from gazeapp.engine.reports.neural.data import NeuralData
from gazeapp.engine.reports.results.data import Section
from gazeapp.engine.types import Json


@dataclass(frozen=True, slots=True)
class TaskData:
    """What people did under one task: counts, and the median number of fixations in a trial."""

    task: str
    n_images: int
    n_subjects: int
    n_trials: int
    n_fixations: int
    median_fixations: float | None


@dataclass(frozen=True, slots=True)
class RecordingData:
    """One imported file: how it was read, and what was kept of it.

    ``eye`` is the eye in use; ``detection`` says how fixations were found in samples, empty when they are
    the file's own; ``outdated`` that they were found for another geometry than holds now, empty when not;
    ``facts`` are rows (name, value).
    """

    file: str
    sha256: str
    format: str
    confidence: float
    simulated: bool
    eye: str
    detection: str
    outdated: str
    facts: tuple[tuple[str, str], ...]
    n_trials: int
    n_read: int
    n_kept: int
    dropped: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One subject in one file: who, which file, and figures as text, each with whether it stands out."""

    subject: str
    file: str
    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class QualityData:
    """How good the recordings are.

    ``line`` says how many there are and how many stand out; ``columns`` are the figures in which some do,
    ``medians`` those of all recordings; ``rows`` are the recordings that stand out, ``n_more`` are not shown;
    ``notes`` name files whose fixations were found for another geometry than holds now.
    """

    line: str
    columns: tuple[str, ...]
    medians: tuple[str, ...]
    rows: tuple[QualityRow, ...]
    n_more: int
    rule: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image and the hash of its file; sizes in px."""

    name: str
    width: int
    height: int
    origin: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """The images and recordings of the study.

    ``n_subjects`` have a used fixation on an image, ``n_others`` have none; ``from_screen``: whether any
    used fixation was recorded on a screen and brought to its image; ``choices``: which fixations are used,
    and what they count.
    """

    images: tuple[ImageFile, ...]
    sizes: tuple[tuple[str, int], ...]
    origins: tuple[tuple[str, int], ...]
    tasks: tuple[TaskData, ...]
    recordings: tuple[RecordingData, ...]
    n_subjects: int
    n_others: int
    n_read: int
    n_kept: int
    from_screen: bool
    choices: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """How much attention falls on one kind of thing, as text.

    ``share`` of the attention and ``area`` of the image, %; ``ratio`` of the two, and ``shuffled`` with the
    places of other scenes.
    """

    place: str
    share: str
    area: str
    ratio: str
    shuffled: str


@dataclass(frozen=True, slots=True)
class AttentionTable:
    """Where a model attends on held-out scenes, by one map method."""

    method: str
    rows: tuple[AttentionRow, ...]


@dataclass(frozen=True, slots=True)
class ModelData:
    """One model, what it is made of and what it was trained on; ``facts`` are rows (name, value)."""

    id: str
    name: str
    colour: str
    kind: str
    encoder: str
    decoder: str
    checkpoint: str
    revision: str
    domain: str
    facts: tuple[tuple[str, str], ...]
    attention: tuple[AttentionTable, ...]
    n_runs: int
    n_outside: int
    stand_ins: tuple[tuple[str, str], ...]
    """(task of the study, task that the model was given in its place)."""


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What one model was asked under one task, and how it answered; numbers of several runs as text.

    ``version`` says which of the task's texts ``prompt`` is; ``n_cut`` captions ended at the longest length,
    ``n_smaller`` images were shrunk because memory was short; ``mass`` is the mean over images of the share of
    attention that fell on the image, ``mass_low`` and ``mass_high`` that of the images with the least and the most.
    """

    model: str
    colour: str
    task: str
    prompt: str
    version: str
    decoding: str
    method: str
    n_images: int
    tokens: str
    n_cut: int
    image_tokens: str
    n_smaller: int
    computed: str
    mass: float | None
    mass_low: float | None
    mass_high: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One source's mean score by one metric, and its percent of ceiling with a 95 % interval.

    ``ceiling`` is over the same ``n_images`` as the mean.
    """

    mean: float | None
    percent: float | None
    low: float | None
    high: float | None
    n_images: int
    ceiling: float | None = None
    best: bool = False


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source (model, baseline or truth) with a cell for each metric; None where not scored."""

    kind: str
    source: str
    method: str
    name: str
    colour: str
    n_images: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """One metric of a score table: its human reference and the score of a source that knows nothing."""

    id: str
    ceiling: float | None
    estimator: str
    chance: float | None
    has_percent: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with its interval in a chart, in chart coordinates.

    An end of the interval that is beyond the axis lies at the axis's end. A point that is beyond it is an
    ``arrow`` (``left`` or ``right``) with its value as ``label``, and has no interval.
    """

    x: float
    low: float | None
    high: float | None
    low_is_beyond: bool
    high_is_beyond: bool
    y: float
    colour: str
    kind: str
    text: str
    arrow: str
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric of a chart: left edge, ticks (x, label), where 0 and 100 % are, and marks."""

    metric: str
    lower_bound: bool
    left: float
    ticks: tuple[tuple[float, str], ...]
    zero: float
    hundred: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Percent of ceiling of every source, one panel for each metric, sharing the rows."""

    width: float
    height: float
    top: float
    bottom: float
    panel_width: float
    labels: tuple[tuple[float, str], ...]
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two models on the same images: difference of the primary metric, its 95 % interval, and p."""

    first: str
    second: str
    n_images: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class TaskScores:
    """Scores of all sources under one task; ``intervals`` says what those of percentages are over."""

    task: str
    n_images: int
    n_subjects: int
    metrics: tuple[MetricColumn, ...]
    rows: tuple[SourceRow, ...]
    chart: Chart | None
    pairs: tuple[PairRow, ...] = ()
    against_centre: tuple[PairRow, ...] = ()
    intervals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the gallery, as JPEG, with what stands below it."""

    title: str
    colour: str
    jpeg: bytes
    width: int
    height: int
    caption: str
    score: float | None
    is_model: bool


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """One image with the maps of people and of every model, on one colour scale.

    ``scale_high`` is the value at the upper end of the scale, in multiples of a uniform map.
    """

    image: str
    standing: str
    score: float
    pictures: tuple[Picture, ...]
    scale_high: float


@dataclass(frozen=True, slots=True)
class Gallery:
    """Best and worst images of one task by the primary metric, for one model."""

    task: str
    model: str
    metric: str
    rows: tuple[GalleryRow, ...]


@dataclass(frozen=True, slots=True)
class TaskResults:
    """What the scores of one task say, the most important sentence first."""

    task: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingsData:
    """Settings that made something in the report."""

    verb: str
    values: tuple[tuple[str, str], ...]
    hash: str
    created: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that could not be used: where, what, what to do."""

    verb: str
    where: str
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Methods:
    """What the methods text needs: the settings that were used, as numbers.

    ``estimators``: what scores are held against, each with the metrics for which it is that.
    ``map_methods`` are in words, and so is ``decoding``: how captioners' words were chosen;
    ``architectures``: models, each with who described its architecture;
    ``n_reduced``: images with fixations that are scored below their own size.
    """

    preset: str
    preset_name: str
    preset_source: str
    conventions: tuple[str, ...]
    primary: str
    metrics: tuple[str, ...]
    estimators: tuple[tuple[str, tuple[str, ...]], ...]
    sigma: str
    words: str
    map_methods: tuple[str, ...]
    decoding: tuple[str, ...]
    architectures: tuple[tuple[str, str], ...]
    score_settings: Json
    n_reduced: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says."""

    project: str
    created: str
    simulated: bool
    key_results: tuple[TaskResults, ...]
    notes: tuple[str, ...]
    data: DataSet
    quality: QualityData
    models: tuple[ModelData, ...]
    asked: tuple[AskedRow, ...]
    scores: tuple[TaskScores, ...]
    sections: tuple[Section, ...]
    neglect: NeglectData | None
    neural: NeuralData | None
    galleries: tuple[Gallery, ...]
    problems: tuple[Problem, ...]
    methods: Methods
    settings: tuple[SettingsData, ...]
    versions: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    image_folder: str
