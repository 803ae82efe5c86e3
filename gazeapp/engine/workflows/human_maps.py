"""Keeping the human maps up to date with the fixations that are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.gaze.records import IMAGE
from gazeapp.engine.project import FixationTable, ImageRow, Project, RecordingRow, TrialRow
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry, geometry_of
from gazeapp.engine.types import DoubleArray, FloatArray, Json
from gazeapp.engine.workflows.base import SILENT, Progress

VERB = "human map"

_DISPLAY_SIDE = 128
_WORTH_TELLING = 200
"""Maps from which progress is told."""


def without_degrees(project: Project) -> list[str]:
    """Return the files of recordings on images of the project whose px per degree are not known."""
    default = default_geometry(project)
    return [
        row.file
        for row in project.gaze.recordings()
        if geometry_of(row, default).screen_px_per_degree is None and project.gaze.looked_at(row.id)
    ]


def weights_of(table: FixationTable, choices: GazeChoices) -> DoubleArray | None:
    """Return what each fixation counts in a human map, shape (n,), or None when all count the same.

    Fixations of unknown duration count as much as the average of the others. Durations that are all the
    same make no weights, so that the map is the very one of equal weights.
    """
    if choices.weighting != "duration":
        return None
    duration = table.duration_ms
    known = np.isfinite(duration) & (duration > 0)
    if not known.any() or duration[known].min() == duration[known].max():
        return None
    return np.where(known, duration, duration[known].mean())


class HumanMaps:
    """Makes human maps of a project under its present choices.

    A sigma in degrees is brought to image px by the median of the px per degree of the image's trials,
    so that one map has one sigma.

    Parameters
    ----------
    project
        The project.
    images
        Its images by id, when they were read already.
    """

    def __init__(self, project: Project, images: Mapping[int, ImageRow] | None = None) -> None:
        self._project = project
        self._choices = choices_of(project)
        self._images = {image.id: image for image in project.images.all()} if images is None else images
        self._settings: dict[str, int] = {}
        self._per_degree: dict[int, tuple[RecordingRow, float | None]] = {}

    def renew(self, pairs: Iterable[tuple[int, str]], progress: Progress = SILENT) -> None:
        """Make the human maps of (image id, task) pairs anew, or remove those without fixations.

        Raises
        ------
        GazeError
            When sigma is in degrees and a recording's px per degree are not known.
        StoppedError
            When the user cancelled.
        """
        project, choices = self._project, self._choices
        wanted = sorted(pairs)
        for number, (image_id, task) in enumerate(wanted):
            if progress.cancelled:
                raise StoppedError
            if len(wanted) > _WORTH_TELLING:
                progress.report(number, len(wanted), "human maps")
            image = self._image(image_id)
            table = project.gaze.fixations(image_id, task)
            if not len(table):
                project.maps.remove_human(image_id, task)
                continue
            per_degree = self.px_per_degree(image_id, task) if choices.sigma_unit == "deg" else None
            sigma_px = Sigma(choices.sigma, choices.sigma_unit, per_degree).in_pixels()
            values = {
                "sigma": choices.sigma,
                "sigma_unit": choices.sigma_unit,
                "px_per_deg": per_degree,
                "long_side": _DISPLAY_SIDE,
                "weights": choices.weighting,
                "border": "each fixation's mass stays inside the image",
            }
            density = display_map(
                table.x, table.y, image.height, image.width, sigma_px, weights_of(table, choices)
            )
            project.maps.put_human(image_id, task, density, image.rect, self._settings_id(values))

    def _image(self, image_id: int) -> ImageRow:
        # Another program may have added it in between.
        return self._images.get(image_id) or self._project.images.get(image_id)

    def _settings_id(self, values: Json) -> int:
        key = repr(values)
        if key not in self._settings:
            self._settings[key] = self._project.settings.put(VERB, values)
        return self._settings[key]

    def px_per_degree(self, image_id: int, task: str) -> float:
        """Return the image px in a degree of visual angle: the median over the trials of an image.

        Raises
        ------
        GazeError
            When it is not known for a recording.
        """
        trials = self._project.gaze.trials_of_image(image_id, task)
        values = [self._of_trial(trial, self._image(image_id)) for trial in trials if trial.n_kept]
        return round(float(np.median(values)), 6)

    def _of_trial(self, trial: TrialRow, image: ImageRow) -> float:
        if not self._per_degree:
            default = default_geometry(self._project)
            for row in self._project.gaze.recordings():
                self._per_degree[row.id] = (row, geometry_of(row, default).screen_px_per_degree)
        recording, per_degree = self._per_degree[trial.recording_id]
        if per_degree is None:
            raise GazeError(
                "A blur in degrees needs the px per degree, which are not known for a recording.",
                where=recording.file,
                todo="Give the viewing distance and the screen's width in px and in cm, or the px per degree "
                "(--distance-cm, --screen, --screen-width-cm, --px-per-deg on the command line), or a blur in px.",
            )
        if trial.shown is None or recording.frame.get("of") == IMAGE:
            return per_degree
        shown_px = abs(trial.shown[2])
        if recording.frame.get("unit") == "share":
            screen = geometry_of(recording, default_geometry(self._project)).screen
            shown_px *= screen[0] if screen else 1.0
        return per_degree * image.width / shown_px


def display_map(
    x: ArrayLike,
    y: ArrayLike,
    image_height: int,
    image_width: int,
    sigma_px: float,
    weights: ArrayLike | None = None,
) -> FloatArray:
    """Return the human map of an image at the size in which it is kept for display.

    Parameters
    ----------
    x, y
        Fixations on the image, image px.
    image_height, image_width
        Size of the image, px.
    sigma_px
        Standard deviation of the Gaussian, image px.
    weights
        What each fixation counts; equal when not given.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), float32, sums to 1; the long side has at most 128 cells.
    """
    scale = min(1.0, _DISPLAY_SIDE / max(image_height, image_width))
    rows, columns = max(1, round(image_height * scale)), max(1, round(image_width * scale))
    xs = np.asarray(x, dtype=np.float64) * (columns / image_width)
    ys = np.asarray(y, dtype=np.float64) * (rows / image_height)
    return human_map(xs, ys, rows, columns, sigma_px * scale, weights)
