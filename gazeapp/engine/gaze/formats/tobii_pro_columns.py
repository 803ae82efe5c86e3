"""Which column of a Tobii Pro Lab export is which: old and new names, units in brackets, mapped images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gazeapp.engine.gaze.formats.headers import Header
from gazeapp.engine.gaze.records import IMAGE, SCREEN, Eye, Frame
from gazeapp.engine.gaze.tables import plain

_LONGEST_NAME = 400
_UNIT = re.compile(
    r"(?P<name>.*?)\s*[\[(]\s*(?P<unit>(?:(?:DACS|RCS|ADCS|MCS)\s*)?(?:px|norm|mm)|ms|s|us|[\u00b5\u03bc]s|ns)\s*[\])]",
    re.IGNORECASE,
)
_MAPPED = re.compile(r"mapped (?P<what>[a-z ]+?)\s*\[(?P<image>.+)\]", re.IGNORECASE)
_SCREEN_UNITS = ("", "px", "dacspx", "rcspx", "adcspx")
_FRAMES: tuple[tuple[Frame, tuple[str, ...]], ...] = (
    (Frame(of=SCREEN), _SCREEN_UNITS),
    (Frame(of=IMAGE), ("mcspx",)),
    (Frame(of=IMAGE, unit="share"), ("mcsnorm",)),
)
TO_MS = {"s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 1e-6}

NAMES: dict[str, tuple[str, ...]] = {
    "participant": ("participant_name",),
    "recording": ("recording_name",),
    "stimulus": ("presented_stimulus_name",),
    "media": ("presented_media_name", "media_name"),
    "time": ("recording_timestamp", "eyetracker_timestamp", "computer_timestamp"),
    "sensor": ("sensor",),
    "type": ("eye_movement_type", "gaze_event_type"),
    "index": ("eye_movement_type_index", "fixation_index"),
    "duration": ("eye_movement_event_duration", "gaze_event_duration"),
    "screen_width": ("recording_resolution_width",),
    "screen_height": ("recording_resolution_height",),
    "left": ("presented_media_position_x", "media_pos_x"),
    "top": ("presented_media_position_y", "media_pos_y"),
    "width": ("presented_media_width", "media_width"),
    "height": ("presented_media_height", "media_height"),
}
"""Names of columns without their unit, as :func:`plain` writes them, newest first."""

_GAZE = {
    Eye.LEFT: ("gaze_point_left_x", "gaze_point_left_y", "validity_left"),
    Eye.RIGHT: ("gaze_point_right_x", "gaze_point_right_y", "validity_right"),
}
_BOTH = ("gaze_point_x", "gaze_point_y")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The columns of gaze that was mapped to one image: positions, and what tells fixations apart."""

    image: str
    x: int
    y: int
    type: int | None
    index: int | None


@dataclass(frozen=True, slots=True)
class ProColumns:
    """Where the columns of a Tobii Pro Lab export are.

    Parameters
    ----------
    places
        Column number by the keys of :data:`NAMES`, for those that are there.
    units
        Unit of each of these, in lower case without spaces; empty when the header has none.
    frame
        Frame of the positions.
    fixation
        Columns of x and y of fixations; None when there are none.
    gaze
        Columns of x, y and validity (may be None) of each eye's gaze, in the same frame.
    mapped
        Gaze that was mapped to images, when there is any.
    is_glasses
        Whether positions lie in the video of a scene camera.
    """

    places: dict[str, int]
    units: dict[str, str]
    frame: Frame
    fixation: tuple[int, int] | None
    gaze: dict[Eye, tuple[int, int, int | None]]
    mapped: tuple[Mapped, ...]
    is_glasses: bool

    @property
    def has_fixations(self) -> bool:
        """Whether fixations can be told."""
        return {"type", "index"} <= set(self.places) and (self.fixation is not None or bool(self.mapped))

    @property
    def names_images(self) -> bool:
        """Whether there is a column for what was shown."""
        return "stimulus" in self.places or "media" in self.places


def pro_columns(header: Header) -> ProColumns | None:
    """Return the columns of a Tobii Pro Lab export; None when it is none."""
    named = [_without_unit(cell) for cell in header.cells]
    by_name: dict[tuple[str, str], int] = {}
    for place, pair in enumerate(named):
        by_name.setdefault(pair, place)
    places, units = _named(named)
    if "time" not in places:
        return None
    mapped = _mapped(header)
    frame, fixation = _pair(by_name, ("fixation_point_x", "fixation_point_y"), _FRAMES)
    if fixation is None:
        frame, _ = _pair(by_name, _BOTH, _FRAMES)
    if mapped:
        frame, fixation = Frame(of=IMAGE), None
    names_images = "stimulus" in places or "media" in places
    worn = any(name.startswith(("gyro", "accelerometer")) for name, _ in named)
    in_video = worn or (frame == Frame(of=IMAGE) and fixation is not None)
    columns = ProColumns(
        places,
        units,
        frame,
        fixation,
        {} if mapped else _gaze(by_name, frame),
        mapped,
        is_glasses=in_video and not names_images and not mapped,
    )
    return columns if columns.has_fixations or columns.gaze else None


def _without_unit(cell: str) -> tuple[str, str]:
    found = _UNIT.fullmatch(cell[:_LONGEST_NAME])
    if found is None:
        return plain(cell), ""
    unit = re.sub(r"\s", "", found["unit"]).casefold().replace("\u03bc", "u")
    return plain(found["name"]), unit


def _named(named: list[tuple[str, str]]) -> tuple[dict[str, int], dict[str, str]]:
    places, units = {}, {}
    bare = [name for name, _ in named]
    for key, names in NAMES.items():
        place = next((bare.index(name) for name in names if name in bare), None)
        if place is not None:
            places[key], units[key] = place, named[place][1]
    return places, units


def _pair(
    by_name: dict[tuple[str, str], int],
    names: tuple[str, str],
    frames: Sequence[tuple[Frame, tuple[str, ...]]],
) -> tuple[Frame, tuple[int, int] | None]:
    """Return the columns of x and y in the best frame that has both."""
    for frame, units in frames:
        for unit in units:
            x, y = (by_name.get((name, unit)) for name in names)
            if x is not None and y is not None:
                return frame, (x, y)
    return frames[0][0], None


def _gaze(by_name: dict[tuple[str, str], int], frame: Frame) -> dict[Eye, tuple[int, int, int | None]]:
    frames = [pair for pair in _FRAMES if pair[0] == frame]
    found: dict[Eye, tuple[int, int, int | None]] = {}
    for eye, (x_name, y_name, validity) in _GAZE.items():
        _, pair = _pair(by_name, (x_name, y_name), frames)
        if pair is not None:
            found[eye] = (*pair, by_name.get((validity, "")))
    _, both = _pair(by_name, _BOTH, frames)
    if both is not None and not found:
        found[Eye.AVERAGE] = (*both, None)
    return found


def _mapped(header: Header) -> tuple[Mapped, ...]:
    """Return the columns of gaze mapped to images: their names hold the image's in brackets."""
    found: dict[tuple[str, str], int] = {}
    for place, cell in enumerate(header.cells):
        unit = _UNIT.fullmatch(cell[:_LONGEST_NAME])
        match = _MAPPED.fullmatch(unit["name"] if unit else cell[:_LONGEST_NAME])
        if match:
            found.setdefault((plain(match["what"]), match["image"]), place)
    images = [image for what, image in found if what == "fixation_x" and ("fixation_y", image) in found]
    return tuple(
        Mapped(
            image,
            found["fixation_x", image],
            found["fixation_y", image],
            found.get(("eye_movement_type", image)),
            found.get(("eye_movement_type_index", image), found.get(("eye_movement_index", image))),
        )
        for image in images
    )
