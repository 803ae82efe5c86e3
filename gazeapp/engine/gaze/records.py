"""What a reader hands over: a recording, its trials, their fixations.

Every reader of an eye tracker's file, whatever the format, ends in a :class:`Recording`. Positions
and times stay as the file has them; nothing is dropped without a reason that can be counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

TextArray = NDArray[np.str_]

LEFT, RIGHT, UNKNOWN_EYE = "left", "right", "unknown"

IMAGE_SPACE, SCREEN_SPACE = "image", "screen"

NO_POSITION = "no position"
OTHER_EYE = "other eye"
OUTSIDE_IMAGE = "outside image"
NO_IMAGE_NAME = "no image name"
NO_SUBJECT = "no subject"
MORE_CELLS = "more cells than columns"
BROKEN_LINE = "line cut short or unreadable"


@dataclass(frozen=True, slots=True)
class Fixations:
    """Fixations of one trial in the order of the file, as columns of equal length.

    Parameters
    ----------
    index
        Number of the fixation in its trial, int64; the file's own where it has one, else from 1.
    x, y
        Position as read, float64, px of the recording's coordinate space; NaN when there is none.
    start_ms, duration_ms
        Begin on the tracker's clock and duration, float64, ms; NaN when the file has none.
    eye
        ``left``, ``right`` or ``unknown``.
    why_dropped
        Empty for a fixation that is kept, else the reason why it is not used.
    """

    index: IntArray
    x: DoubleArray
    y: DoubleArray
    start_ms: DoubleArray
    duration_ms: DoubleArray
    eye: TextArray
    why_dropped: TextArray

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in self.__slots__}
        if len(lengths) != 1:
            raise ValueError(f"the columns of fixations differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def kept(self) -> BoolArray:
        """Which fixations are used, shape (n,)."""
        mask: BoolArray = self.why_dropped == ""
        return mask


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the recording itself says that the image lay on the screen.

    Parameters
    ----------
    anchor
        ``fill`` (the whole screen), ``top_left`` or ``center`` of the image at (x, y).
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
    fixations
        The scanpath.
    placement
        Where the image lay on the screen, when the file says so.
    """

    label: str
    subject: str
    image: str
    task: str
    fixations: Fixations
    placement: Placement | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says about how it was recorded.

    Parameters
    ----------
    space
        Frame of the positions: ``image`` or ``screen`` px.
    screen
        Screen size (width, height), px; None when the file does not say.
    eyes
        Eyes that were recorded; empty when the file does not say.
    eye_used
        The eye whose fixations are kept: ``left``, ``right`` or ``unknown``.
    rate_hz
        Sampling rate, Hz; None when the file does not say.
    fixations_per_eye
        Fixations in the file by eye, before anything is left out.
    off_screen
        Fixations whose position lies off the screen; they are kept as read.
    lost_rows
        Rows that could be put in no trial, by reason.
    notes
        Anything else that the user should know, as sentences.
    """

    space: str
    screen: tuple[float, float] | None = None
    eyes: tuple[str, ...] = ()
    eye_used: str = UNKNOWN_EYE
    rate_hz: float | None = None
    fixations_per_eye: dict[str, int] = field(default_factory=dict)
    off_screen: int = 0
    lost_rows: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of an eye tracker, read.

    Parameters
    ----------
    path
        The file.
    sha256
        SHA-256 of the file's bytes, hexadecimal.
    format
        Id of the format, such as ``eyelink-asc``.
    confidence, reason
        How sure the format is, 0 to 1, and what told it.
    facts
        How it was recorded.
    trials
        In the order of the file.
    """

    path: Path
    sha256: str
    format: str
    confidence: float
    reason: str
    facts: Facts
    trials: tuple[Trial, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everyone who looked, in order of appearance."""
        return tuple(dict.fromkeys(trial.subject for trial in self.trials))

    @property
    def n_kept(self) -> int:
        """Number of fixations that are kept."""
        return sum(int(trial.fixations.kept.sum()) for trial in self.trials)

    @property
    def dropped(self) -> dict[str, int]:
        """Number of fixations that are not used, by reason."""
        return count_dropped([trial.fixations for trial in self.trials], self.facts.lost_rows)


def count_dropped(tables: Sequence[Fixations], lost_rows: dict[str, int] | None = None) -> dict[str, int]:
    """Return the number of dropped fixations by reason, rows that are in no trial included."""
    counts = Counter(lost_rows or {})
    for table in tables:
        counts.update(str(reason) for reason in table.why_dropped[table.why_dropped != ""])
    return dict(sorted(counts.items()))
