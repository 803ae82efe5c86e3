"""What holds for the project's gaze: choices, geometry, and what fixations were found under."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.detection.contents import FOUND
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project.gaze import CHOICES, GEOMETRY
from gazeapp.engine.project.project import Project
from gazeapp.engine.project.rows import RecordingRow
from gazeapp.engine.types import Json

AS_READ = "as_read"
"""Key of a recording's facts for what its file says, whatever the user said."""

_FIRST_VERSION_VERB = "import gaze"
_SAME = 1e-3
"""Degrees that differ by less than this share of themselves are the same."""


def choices_of(project: Project) -> GazeChoices:
    """Return which fixations the project uses, and how they make human maps."""
    stored = project.settings.current(CHOICES)
    if stored is not None:
        return GazeChoices.of(stored.values)
    imported = project.settings.last(_FIRST_VERSION_VERB)
    return GazeChoices() if imported is None else _choices_of_first_version(imported.values)


def _choices_of_first_version(values: Json) -> GazeChoices:
    """Return what a project of the first version chose: it kept that with each import.

    Its px per degree were those of the image, so that a sigma in degrees was one number of px.
    """
    given, eye = GazeChoices(), str(values.get("eye", ""))
    sigma = float(values.get("sigma", given.sigma))
    if values.get("sigma_unit") == "deg":
        sigma *= float(values["px_per_deg"])
    return GazeChoices(eye=eye if eye in ("left", "right") else given.eye, sigma=sigma)


def default_geometry(project: Project) -> Geometry:
    """Return the geometry of recordings that say nothing themselves and of which nothing was said."""
    stored = project.settings.current(GEOMETRY)
    return Geometry() if stored is None else Geometry.of(stored.values)


def geometry_of(recording: RecordingRow, default: Geometry) -> Geometry:
    """Return what holds for a recording: what the user said of it, then its file, then the project."""
    # Imports of the first version kept the screen in use only.
    facts = recording.facts.get(AS_READ, {"screen": recording.facts.get("screen")})
    recorded = Geometry(
        screen=tuple(facts["screen"]) if facts.get("screen") else None,
        distance_cm=facts.get("distance_cm"),
        screen_width_cm=facts.get("screen_width_cm"),
    )
    return Geometry.of(recording.geometry).over(recorded.over(default))


def detection_of(recording: RecordingRow) -> str:
    """Return how fixations were found in samples; empty when they are the file's own."""
    notes = recording.facts.get("notes") or []
    return next((note for note in notes if note.startswith(FOUND)), "")


def outdated_detection(recording: RecordingRow, default: Geometry) -> str:
    """Return that fixations were found for another geometry than the recording has now; empty when not.

    Thresholds are in degrees of visual angle, and the fixations that were found stay as they are when px
    per degree change later. Where positions are shares of the screen, its size in px counts as well.

    Parameters
    ----------
    recording
        As stored.
    default
        The project's geometry of recordings that say nothing themselves.

    Returns
    -------
    str
        A sentence that names both and says what to do, or nothing.
    """
    then, screen = recording.facts.get("px_per_deg"), recording.facts.get("screen")
    if not then or not detection_of(recording):
        return ""
    geometry = geometry_of(recording, default)
    now = geometry.screen_px_per_degree
    again = "import the file again with the geometry of now to find them anew."
    if now is None:
        return f"Fixations were found at {then:.4g} px per degree, which are not known now: say them, and {again}"
    before: Sequence[float] = (1.0,)
    after = before
    if recording.frame.get("unit") == "share" and screen and geometry.screen is not None:
        before, after = screen, geometry.screen
    if all(math.isclose(a / then, b / now, rel_tol=_SAME) for a, b in zip(before, after, strict=True)):
        return ""
    if list(before) == list(after):
        return f"Fixations were found at {then:.4g} px per degree, now there are {now:.4g}: {again}"
    return (
        f"Fixations were found at {then:.4g} px per degree on a screen of {_size(before)}, now there are "
        f"{now:.4g} on one of {_size(after)}: {again}"
    )


def _size(screen: Sequence[float]) -> str:
    return " × ".join(f"{side:g}" for side in screen) + " px"
