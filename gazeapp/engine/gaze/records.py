"""What a reader hands over: a recording, its trials, their fixations and samples.

Every reader of an eye tracker's file, whatever the format, ends in :class:`Contents`. Positions and
times stay as the file has them; nothing is dropped without a reason that can be counted. Columns hold
all trials one after another, so that a file of a million fixations is a handful of arrays.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, fields
from enum import IntEnum
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json

CodeArray: TypeAlias = NDArray[np.int8]


class Eye(IntEnum):
    """Which eye a position belongs to; the code that columns hold."""

    UNKNOWN = 0
    LEFT = 1
    RIGHT = 2
    AVERAGE = 3

    @property
    def word(self) -> str:
        """What it is called in files and in the window."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Eye:
        """Return the eye of a word; empty or strange words are unknown."""
        return cls.__members__.get(word.upper(), cls.UNKNOWN)


class Why(IntEnum):
    """Why a fixation is not used; 0 when it is. The code that columns hold."""

    USED = 0
    NO_POSITION = 1
    NOT_VALID = 2
    NOT_ON_SURFACE = 3
    OTHER_EYE = 4
    FIRST_FIXATION = 5
    TOO_SHORT = 6
    TOO_LONG = 7
    OUTSIDE_IMAGE = 8

    @property
    def words(self) -> str:
        """What it is called in files and in the window; empty for a fixation that is used."""
        return _WORDS[self]

    @classmethod
    def of(cls, words: str) -> Why:
        """Return the reason of its words."""
        return _REASONS[words]


_WORDS = {
    Why.USED: "",
    Why.NO_POSITION: "no position",
    Why.NOT_VALID: "marked as not valid in the file",
    Why.NOT_ON_SURFACE: "not on the surface",
    Why.OTHER_EYE: "other eye",
    Why.FIRST_FIXATION: "first fixation",
    Why.TOO_SHORT: "shorter than the minimum",
    Why.TOO_LONG: "longer than the maximum",
    Why.OUTSIDE_IMAGE: "outside image",
}
_REASONS = {words: why for why, words in _WORDS.items()}

NO_IMAGE_NAME = "no image name"
NO_SUBJECT = "no subject"
MORE_CELLS = "more cells than columns"
BROKEN_LINE = "line cut short or unreadable"

IMAGE, SCREEN = "image", "screen"


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinate frame of positions as read.

    Parameters
    ----------
    of
        ``image`` or ``screen``: what the positions lie on.
    unit
        ``px``, or ``share`` (0 to 1 of the width and of the height).
    y_up
        Whether y grows upwards.
    centred
        Whether the origin is the middle; otherwise it is the corner from which x and y grow.
    """

    of: str = SCREEN
    unit: str = "px"
    y_up: bool = False
    centred: bool = False

    @property
    def is_image_px(self) -> bool:
        """Whether positions are image px as gazeapp counts them, so that nothing is to be changed."""
        return (self.of, self.unit, self.y_up, self.centred) == (IMAGE, "px", False, False)

    def as_json(self) -> Json:
        """Return the frame for storing."""
        return {"of": self.of, "unit": self.unit, "y_up": self.y_up, "centred": self.centred}

    def in_words(self) -> str:
        """Return the frame as words for the window."""
        unit = "px" if self.unit == "px" else "share (0 to 1)"
        origin = "the middle" if self.centred else f"the {'bottom' if self.y_up else 'top'} left corner"
        return f"{unit} of the {self.of} from {origin}{', y upwards' if self.y_up else ''}"


class _Columns:
    """Columns of equal length, with slicing; a base for dataclasses of arrays."""

    __slots__ = ()

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, entry.name)) for entry in fields(self)}  # type: ignore[arg-type]
        if len(lengths) != 1:
            raise ValueError(f"the columns differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def part(self, rows: slice | NDArray[np.intp] | BoolArray) -> Self:
        """Return some of the rows; a slice copies nothing."""
        return type(self)(*(getattr(self, entry.name)[rows] for entry in fields(self)))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Fixations(_Columns):
    """Fixations as columns of equal length; those of a trial stand together, in the order of the file.

    Parameters
    ----------
    index
        Number of the fixation among those of its eye in its trial, int64; the file's own where it has
        one, else from 1.
    x, y
        Position as read, float64, in the recording's :class:`Frame`; NaN when there is none.
    start_ms, duration_ms
        Begin on the tracker's clock and duration, float64, ms; NaN when the file has none.
    eye
        Code of :class:`Eye`, int8.
    unusable
        Code of :class:`Why`, int8: 0, or what makes it unusable whatever the user chooses (no position,
        not valid, not on the surface).
    """

    index: IntArray
    x: DoubleArray
    y: DoubleArray
    start_ms: DoubleArray
    duration_ms: DoubleArray
    eye: CodeArray
    unusable: CodeArray

    @classmethod
    def of(
        cls,
        x: DoubleArray,
        y: DoubleArray,
        *,
        index: IntArray | None = None,
        start_ms: DoubleArray | None = None,
        duration_ms: DoubleArray | None = None,
        eye: CodeArray | Eye = Eye.UNKNOWN,
        unusable: CodeArray | None = None,
    ) -> Self:
        """Return fixations with what is not given filled in; rows without x or y get ``NO_POSITION``."""
        n = len(x)
        xs, ys = (np.ascontiguousarray(values, dtype=np.float64) for values in (x, y))
        why = np.zeros(n, np.int8) if unusable is None else np.asarray(unusable, dtype=np.int8)
        bare = ~(np.isfinite(xs) & np.isfinite(ys))
        missing = np.full(n, np.nan)
        return cls(
            index=np.arange(1, n + 1, dtype=np.int64) if index is None else np.asarray(index, np.int64),
            x=xs,
            y=ys,
            start_ms=missing if start_ms is None else np.asarray(start_ms, dtype=np.float64),
            duration_ms=missing if duration_ms is None else np.asarray(duration_ms, dtype=np.float64),
            eye=np.full(n, eye, np.int8) if isinstance(eye, Eye) else np.asarray(eye, dtype=np.int8),
            unusable=np.where(bare & (why == Why.USED), np.int8(Why.NO_POSITION), why),
        )


@dataclass(frozen=True, slots=True)
class Samples(_Columns):
    """Gaze samples as columns of equal length; those of a trial and eye stand together, by time.

    Parameters
    ----------
    t_ms
        Time on the tracker's clock, float64, ms.
    x, y
        Position as read, float64, in the recording's :class:`Frame`; NaN where gaze was lost.
    eye
        Code of :class:`Eye`, int8.
    """

    t_ms: DoubleArray
    x: DoubleArray
    y: DoubleArray
    eye: CodeArray


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the recording itself says that the image lay on the screen.

    Parameters
    ----------
    anchor
        ``fill`` (the whole screen), ``fit`` (as large as fits it, undistorted, in the middle),
        ``top_left`` or ``center`` of the image at (x, y).
    x, y
        Screen px; NaN means the middle of the screen.
    width, height
        Shown size, screen px; NaN means the image's own size.
    """

    anchor: str
    x: float = float("nan")
    y: float = float("nan")
    width: float = float("nan")
    height: float = float("nan")

    @property
    def needs_screen(self) -> bool:
        """Whether the screen's size is needed to know where the image lay."""
        return self.anchor == "fill" or not (math.isfinite(self.x) and math.isfinite(self.y))

    def as_json(self) -> Json:
        """Return the placement for storing; what is not known is None."""
        numbers = {name: getattr(self, name) for name in ("x", "y", "width", "height")}
        return {"anchor": self.anchor, **{n: v if math.isfinite(v) else None for n, v in numbers.items()}}

    @classmethod
    def of(cls, values: Json) -> Self:
        """Return the placement of what :meth:`as_json` gave."""
        numbers = (values.get(name) for name in ("x", "y", "width", "height"))
        return cls(values["anchor"], *(math.nan if value is None else float(value) for value in numbers))


@dataclass(frozen=True, slots=True)
class Trial:
    """One subject's look at one image.

    Parameters
    ----------
    label
        The trial's name in the file.
    subject
        Who looked.
    image
        Image name as recorded, empty when the file names none.
    task
        Task as recorded, empty when the file names none.
    rows, sample_rows
        Its rows of the recording's fixations and samples; ``slice(0, 0)`` for none.
    placement
        Where the image lay on the screen, when the file says so.
    is_real
        Whether the file marks it as a trial; False for what lies before, between and after trials.
    quality
        What the file's samples or its tracker say of it, JSON-able: ``share_lost``, ``rate_hz``,
        ``n_samples``, ``gaps``, ``longest_gap_ms``, as far as known.
    """

    label: str
    subject: str
    image: str = ""
    task: str = ""
    rows: slice = field(default_factory=lambda: slice(0, 0))
    sample_rows: slice = field(default_factory=lambda: slice(0, 0))
    placement: Placement | None = None
    is_real: bool = True
    quality: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says about how it was recorded.

    Parameters
    ----------
    frame
        Coordinate frame of the positions.
    screen
        Screen size (width, height), px; None when the file does not say.
    eyes
        Eyes that were recorded, as words; empty when the file does not say.
    rate_hz
        Sampling rate, Hz; None when the file does not say.
    distance_cm, screen_width_cm
        From the eye to the screen, and the screen's width, cm; None when the file does not say.
    n_samples
        Samples in the file, over all eyes; 0 when it has none.
    lost_rows
        Rows that could be put in no trial, by reason.
    messages
        Texts of the file's first messages, for trying trial patterns on; at most 2000.
    notes
        Anything else that the user should know, as sentences.
    """

    frame: Frame = field(default_factory=Frame)
    screen: tuple[float, float] | None = None
    eyes: tuple[str, ...] = ()
    rate_hz: float | None = None
    distance_cm: float | None = None
    screen_width_cm: float | None = None
    n_samples: int = 0
    lost_rows: dict[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader found in a file: its facts, its trials, and the columns that these point into.

    ``samples`` is None unless the file has no fixations of its own or samples were asked for.
    """

    facts: Facts
    trials: tuple[Trial, ...]
    fixations: Fixations
    samples: Samples | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of an eye tracker, read.

    Parameters
    ----------
    path
        The file, or the folder of a data set.
    sha256
        SHA-256 of its bytes, hexadecimal.
    format
        Id of the format, such as ``eyelink-asc``.
    confidence, reason
        How sure the format is, 0 to 1, and what told it.
    contents
        What is in it.
    """

    path: Path
    sha256: str
    format: str
    confidence: float
    reason: str
    contents: Contents

    @property
    def facts(self) -> Facts:
        """How it was recorded."""
        return self.contents.facts

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Its trials, in the order of the file."""
        return self.contents.trials

    @property
    def fixations(self) -> Fixations:
        """The fixations of all trials."""
        return self.contents.fixations

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everyone who looked, in order of appearance."""
        return tuple(dict.fromkeys(trial.subject for trial in self.trials))

    def fixations_of(self, trial: Trial) -> Fixations:
        """Return the fixations of one trial."""
        return self.fixations.part(trial.rows)

    def trial_of_rows(self) -> IntArray:
        """Return the number of the trial of each fixation, shape (n,); -1 for none."""
        owner = np.full(len(self.fixations), -1, dtype=np.int64)
        for number, trial in enumerate(self.trials):
            owner[trial.rows] = number
        return owner


def empty_fixations() -> Fixations:
    """Return no fixations."""
    return Fixations.of(np.zeros(0), np.zeros(0))


def count_reasons(why: CodeArray, lost_rows: dict[str, int] | None = None) -> dict[str, int]:
    """Return how many fixations are not used, by the words of the reason; lost rows are added."""
    counts = Counter(lost_rows or {})
    codes, numbers = np.unique(why, return_counts=True)
    counts.update(
        {Why(code).words: int(n) for code, n in zip(codes, numbers, strict=True) if code != Why.USED}
    )
    return dict(sorted(counts.items()))
