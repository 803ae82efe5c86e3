"""What is drawn of a trial: screen, image and fixations in one frame, whatever frame they were recorded in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gazeapp.engine.gaze.geometry import Affine
from gazeapp.engine.gaze.plan import ImportPlan, PlannedTrial
from gazeapp.engine.gaze.records import SCREEN, CodeArray, Contents, Eye, Fixations, Frame, Why
from gazeapp.engine.types import DoubleArray
from gazeapp.engine.workflows.gaze_preview import PictureOf

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True, slots=True)
class Scanpath:
    """Fixations to be drawn, in the order of the file; those without a position are not among them.

    Parameters
    ----------
    x, y
        Place in the drawing.
    image_x, image_y
        Image px; NaN where the image or its place is unknown.
    fixations
        As read.
    why
        Codes of :class:`~gazeapp.engine.gaze.records.Why`.
    """

    x: DoubleArray
    y: DoubleArray
    image_x: DoubleArray
    image_y: DoubleArray
    fixations: Fixations
    why: CodeArray

    def __len__(self) -> int:
        return len(self.x)

    def lines(self, number: int) -> list[str]:
        """Return what is known of a fixation, a line each."""
        row = self.fixations.part(slice(number, number + 1))
        eye = Eye(int(row.eye[0]))
        title = f"Fixation {int(row.index[0])}"
        if eye is not Eye.UNKNOWN:
            title += {Eye.AVERAGE: ", mean of both eyes"}.get(eye, f", {eye.word} eye")
        why = Why(int(self.why[number]))
        lines = [title, f"Left out: {why.words}" if why != Why.USED else "Used"]
        place = f"x {_short(row.x[0])}, y {_short(row.y[0])} as read"
        if np.isfinite(self.image_x[number]):
            place += f" · image px {self.image_x[number]:.0f}, {self.image_y[number]:.0f}"
        lines.append(place)
        times = [
            text
            for text, value in (
                (f"{row.duration_ms[0]:,.0f} ms long", row.duration_ms[0]),
                (f"begins at {row.start_ms[0]:,.0f} ms", row.start_ms[0]),
            )
            if np.isfinite(value)
        ]
        return [*lines, ", ".join(times)] if times else lines


@dataclass(frozen=True, slots=True)
class TrialDrawing:
    """A trial as it is drawn; y grows downwards.

    Parameters
    ----------
    picture
        The image, None when the trial has none in the project.
    image
        Where the image lay; None when that or the image is unknown.
    screen
        The whole screen; None for positions on images and for a screen of unknown size.
    scanpath
        The fixations that are imported.
    other
        Fixations to compare them with; None for none.
    """

    picture: PictureOf | None
    image: Rectangle | None
    screen: Rectangle | None
    scanpath: Scanpath
    other: Scanpath | None = None


def drawing_of(
    plan: ImportPlan,
    number: int,
    images: Mapping[int, PictureOf],
    *,
    other_eye: bool = False,
    own: Contents | None = None,
) -> TrialDrawing:
    """Return what is drawn of a trial.

    Parameters
    ----------
    plan
        What importing the recording would store.
    number
        Place of the trial in the plan.
    images
        Images of the project by their id.
    other_eye
        Whether fixations of the eye that is not used are drawn, too.
    own
        The tracker's own fixations, to compare with.
    """
    trial = plan.trials[number]
    picture = images.get(trial.image_id) if trial.image_id is not None else None
    frame = plan.recording.facts.frame
    plain = _Plain.of(frame, plan.geometry.screen, picture)
    image = _image_rectangle(trial, frame, picture, plain)
    screen = plan.geometry.screen if frame.of == SCREEN else None
    fixations, why = recorded(plan, number)
    if not other_eye:
        of_eye = why != Why.OTHER_EYE
        fixations, why = fixations.part(of_eye), why[of_eye]
    compared = None
    if own is not None and number < len(own.trials):
        compared = _scanpath(*trackers_own(own, number, trial.eye), plain, image, picture)
    return TrialDrawing(
        picture,
        image,
        None if screen is None else (0.0, 0.0, *screen),
        _scanpath(fixations, why, plain, image, picture),
        compared,
    )


def recorded(plan: ImportPlan, number: int) -> tuple[Fixations, CodeArray]:
    """Return the fixations of a trial and why each is not used, without averages that nobody asked for."""
    rows = plan.trials[number].rows
    fixations, why = plan.fixations.part(rows), plan.why[rows]
    meant = (fixations.eye != Eye.AVERAGE) | (why != Why.OTHER_EYE)
    return fixations.part(meant), why[meant]


def trackers_own(own: Contents, number: int, eye: Eye) -> tuple[Fixations, CodeArray]:
    """Return the tracker's fixations of a trial: of the eye in use, else of the first eye that it has."""
    fixations = own.fixations.part(own.trials[number].rows)
    eyes = fixations.eye
    chosen = eye if (eyes == eye).any() else (eyes[0] if len(eyes) else eye)
    fixations = fixations.part(eyes == chosen)
    return fixations, fixations.unusable


@dataclass(frozen=True, slots=True)
class _Plain:
    """From positions as read to px from the top left corner with y downwards, as far as sizes are known."""

    scale_x: float
    zero_x: float
    scale_y: float
    zero_y: float

    @classmethod
    def of(cls, frame: Frame, screen: tuple[float, float] | None, picture: PictureOf | None) -> _Plain:
        size = screen
        if frame.of != SCREEN:
            size = None if picture is None else (float(picture.width), float(picture.height))
        share = frame.unit != "px"
        width, height = size or ((1.0, 1.0) if share else (0.0, 0.0))
        scale_x, scale_y = (width, height) if share else (1.0, 1.0)
        zero_x, zero_y = (width / 2, height / 2) if frame.centred else (0.0, 0.0)
        if frame.y_up:
            scale_y, zero_y = -scale_y, zero_y if frame.centred else height
        return cls(scale_x, zero_x, scale_y, zero_y)

    def apply(self, x: DoubleArray, y: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        return x * self.scale_x + self.zero_x, y * self.scale_y + self.zero_y

    def rectangle(self, affine: Affine) -> Rectangle:
        xs, ys = self.apply(
            np.array([affine.offset_x, affine.offset_x + affine.shown_width]),
            np.array([affine.offset_y, affine.offset_y + affine.shown_height]),
        )
        return float(xs.min()), float(ys.min()), float(np.ptp(xs)), float(np.ptp(ys))


def _image_rectangle(
    trial: PlannedTrial, frame: Frame, picture: PictureOf | None, plain: _Plain
) -> Rectangle | None:
    if picture is None:
        return None
    if frame.is_image_px:
        return 0.0, 0.0, float(picture.width), float(picture.height)
    return None if trial.affine is None else plain.rectangle(trial.affine)


def _scanpath(
    fixations: Fixations, why: CodeArray, plain: _Plain, image: Rectangle | None, picture: PictureOf | None
) -> Scanpath:
    placed = np.isfinite(fixations.x) & np.isfinite(fixations.y)
    fixations, why = fixations.part(placed), why[placed]
    x, y = plain.apply(fixations.x, fixations.y)
    image_x, image_y = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if image is not None and picture is not None:
        left, top, width, height = image
        image_x, image_y = (x - left) * picture.width / width, (y - top) * picture.height / height
    return Scanpath(x, y, image_x, image_y, fixations, why)


def _short(value: float) -> str:
    """Return a coordinate with the digits that mean something: px with one, shares with four."""
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4g}"
