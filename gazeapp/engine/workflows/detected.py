"""How the fixations of a recording were found in its samples, and whether that still fits its geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gazeapp.engine.gaze.detection.contents import FOUND
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import RecordingRow
from gazeapp.engine.workflows.human_maps import geometry_of

_SAME = 1e-3
"""Degrees that differ by less than this share of themselves are the same."""


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
