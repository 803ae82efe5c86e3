"""Fixations that Pupil Cloud mapped to a surface or an image (Neon, Invisible); raw ones are refused."""

from __future__ import annotations

import csv
import re
from collections import Counter

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.headers import Header, header_in_head, header_of, nothing_read, whole_numbers
from gazeapp.engine.gaze.records import BROKEN_LINE, IMAGE, Contents, Facts, Fixations, Frame, Why
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows

_NS = 1e-6
_LONGEST_NAME = 100
_POSITION = re.compile(
    r"fixation(?:_position)?(?:_(?:on|in)_[a-z_]+?)?_(?P<axis>[xy])(?:_(?:on|in)_[a-z_]+?)?_(?P<unit>normalized|px)"
)
_FOLDER = re.compile(r"(?:MARKER|REFERENCE-IMAGE|MANUAL|FACE)-MAPPER_(.+?)(?:_csv)?$", re.IGNORECASE)
_TRUE = ("true", "1", "1.0")


def recognise(source: Source) -> Guess | None:
    """Tell Pupil Cloud's fixations by their columns."""
    header = header_in_head(source, _is_header)
    if header is None:
        return None
    mapped = _detected(header)
    if mapped is None:
        return Guess(0.95, "Pupil Cloud's columns of fixations in the scene video")
    return Guess(0.97, f"Pupil Cloud's columns 'fixation id' and '{header.cells[mapped]}'")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read fixations that an enrichment mapped; a trial is one section of one recording.

    Marker Mapper gives shares of the surface, the other mappers px of the reference image, both from the
    top left corner. Fixations that were not found on it are kept as not on the surface.

    Raises
    ------
    GazeError
        When the positions lie in the scene video, columns are missing or there is no row.
    """
    header = header_of(source, _is_header)
    if header is None:
        raise source.problem("There is no line with Pupil Cloud's columns.", "Download the enrichment again.")
    if _detected(header) is None:
        raise source.problem(
            "These fixations lie in the video of the scene camera, not on an image.",
            "Map them with a Marker Mapper or Reference Image Mapper enrichment in Pupil Cloud, and take the "
            "'fixations.csv' of that enrichment.",
            header.line,
        )
    table = _Table(header, _image(source), _wearers(source), source.stem)
    for rows in header.rows(source, table.lost):
        table.add(rows)
    trials, fixations = table.gatherer.build()
    if not trials:
        raise nothing_read(source, table.lost)
    notes = list(source.encoding_notes)
    if not table.named:
        notes.append(
            "There is no sections.csv beside the file that names who looked; subjects are recording ids."
        )
    if not _image(source):
        notes.append("The file does not name the image.")
    facts = Facts(frame=Frame(of=IMAGE, unit=table.unit), lost_rows=dict(+table.lost), notes=tuple(notes))
    return Contents(facts, trials, fixations)


def _is_header(header: Header) -> bool:
    return header.has("recording_id", "fixation_id", "start_timestamp_ns") and len(_positions(header)) == 2


def _detected(header: Header) -> int | None:
    """Return the column that says whether a fixation was found on the surface or image."""
    place = header.starting("fixation_detected")
    return header.place("fixation_status") if place is None else place


def _positions(header: Header) -> dict[str, tuple[int, str]]:
    """Return column and unit of x and y; shares count before px, which may be those of the scene video."""
    found: dict[str, tuple[int, str]] = {}
    for unit in ("px", "normalized"):
        for place, name in enumerate(header.names):
            match = _POSITION.fullmatch(name[:_LONGEST_NAME])
            if match and match["unit"] == unit:
                found[match["axis"]] = (place, unit)
    return found


def _image(source: Source) -> str:
    """Return the name of the enrichment by its folder, such as MARKER-MAPPER_Poster_csv; empty without."""
    found = _FOLDER.match(source.path.resolve().parent.name)
    return found[1] if found else ""


def _wearers(source: Source) -> dict[str, str]:
    """Return who wore the glasses by section and recording id, from sections.csv beside the file."""
    path = source.path.parent / "sections.csv"
    if not path.is_file():
        return {}
    beside = Source(path)
    wearers: dict[str, str] = {}
    with beside.open_text() as text:
        try:
            for row in csv.DictReader(text):
                who = row.get("wearer name") or ""
                wearers |= {row[key]: who for key in ("recording id", "section id") if row.get(key) and who}
        except csv.Error as error:
            raise beside.problem(f"It cannot be read: {error}.", "Download the enrichment again.") from error
    return wearers


class _Table:
    """Rows gathered so far."""

    def __init__(self, header: Header, image: str, wearers: dict[str, str], stem: str) -> None:
        positions = _positions(header)
        self.gatherer = Gatherer()
        self.lost: Counter[str] = Counter()
        self.unit = "share" if positions["x"][1] == "normalized" else "px"
        self.named = False
        self._header, self._image, self._wearers, self._stem = header, image, wearers, stem
        self._x, self._y = positions["x"][0], positions["y"][0]

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        header, decimal_comma = self._header, self._header.delimiter != ","
        start = rows.numbers(header.place("start_timestamp_ns"), decimal_comma) * _NS
        whole = np.isfinite(start)
        self.lost[BROKEN_LINE] += int((~whole).sum())
        found = [cell.lower() in _TRUE for cell in rows.column(_detected(header))]
        fixations = Fixations.of(
            rows.numbers(self._x, decimal_comma),
            rows.numbers(self._y, decimal_comma),
            index=whole_numbers(rows, header.place("fixation_id")),
            start_ms=start,
            duration_ms=rows.numbers(header.place("duration_ms"), decimal_comma),
            unusable=np.where(found, Why.USED, Why.NOT_ON_SURFACE).astype(np.int8),
        )
        recordings = rows.column(header.place("recording_id"))
        sections = rows.column(header.place("section_id"))
        names = zip(recordings, sections, whole.tolist(), strict=True)
        keys = [self._key(recording, section) for recording, section, good in names if good]
        self.gatherer.add(keys, fixations.part(whole))

    def _key(self, recording: str, section: str) -> Key:
        who = self._wearers.get(section) or self._wearers.get(recording)
        self.named = self.named or who is not None
        return Key(who or recording or self._stem, self._image, label=section or recording)


FORMAT = Format(
    id="pupil-cloud",
    name="Pupil Cloud enrichments (Neon, Invisible)",
    suffixes=(".csv",),
    recognise=recognise,
    read=read,
)
