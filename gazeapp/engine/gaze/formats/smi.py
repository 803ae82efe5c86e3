"""Events that SMI BeGaze exported: the old text with a table for each kind of event, and the newer table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.headers import Header, header_in_head, header_of, whole_numbers
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    SCREEN,
    CodeArray,
    Contents,
    Eye,
    Facts,
    Fixations,
    Frame,
    Trial,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import CHUNK, LONGEST_LINE, Gatherer, Key, Rows, eyes, split_line, to_numbers

_US = 0.001
_TITLE = "table header for fixations"
_LINES = ("Fixation", "Saccade", "Blink", "User", "Table Header", "Event Type")
_KINDS = ("fixation", "visual intake")
_MESSAGE = re.compile(
    r"#\s*Message:\s*(?!UE-)(\S.*\.(?:jpe?g|png|bmp|tiff?|gif|webp|avi|mp4|wmv|mpe?g))\s*$", re.IGNORECASE
)
_CALIBRATION = re.compile(r"(\d+)\D+(\d+)")


def recognise(source: Source) -> Guess | None:
    """Tell BeGaze's event export by its table titles or by the columns of its newer table."""
    if header_in_head(source, _is_old) is not None:
        return Guess(0.98, "the line 'Table Header for Fixations:' and SMI BeGaze's columns below it")
    if header_in_head(source, _is_new) is not None:
        return Guess(0.95, "SMI BeGaze's columns 'Event Start Trial Time' and 'Fixation Position X'")
    return None


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read the fixations of both eyes, in screen px; a trial is one trial of the file.

    Raises
    ------
    GazeError
        When BeGaze's columns are missing or there is no fixation.
    """
    old = header_of(source, _is_old)
    if old is not None:
        return _read_old(source, old)
    new = header_of(source, _is_new)
    if new is not None:
        return _read_new(source, new)
    raise source.problem(
        "There is no line with the columns of SMI BeGaze's fixations.",
        "Export the events again with headers.",
    )


def _is_old(header: Header) -> bool:
    above = header.above[-1].strip().rstrip(":").casefold() if header.above else ""
    return above == _TITLE and header.has("event_type", "start", "duration", "location_x", "location_y")


def _is_new(header: Header) -> bool:
    has_x = header.starting("fixation_position_x") is not None
    return has_x and header.has("category") and header.starting("event_start_trial_time") is not None


class _OldEvents:
    """What stands below the headers of the old export, chunk by chunk."""

    def __init__(self, source: Source, header: Header) -> None:
        self.gatherer = Gatherer()
        self.broken = 0
        self.images: dict[str, str] = {}
        self._header = header
        self._subject = header.said("subject", "subject_name") or source.stem

    def add(self, lines: list[str]) -> None:
        """Take the next lines of the file."""
        cells = [split_line(line, self._header.delimiter) for line in lines if line.startswith("Fixation")]
        rows = Rows(0, cells)
        trials = rows.column(self._header.place("trial"))
        start, duration = (rows.numbers(self._header.place(name)) * _US for name in ("start", "duration"))
        eye = eyes([kind.rpartition(" ")[2] for kind in rows.column(self._header.place("event_type"))])
        whole = np.isfinite(start) & np.isfinite(duration)
        self.broken += int((~whole).sum())
        fixations = Fixations.of(
            rows.numbers(self._header.place("location_x")),
            rows.numbers(self._header.place("location_y")),
            index=whole_numbers(rows, self._header.place("number")),
            start_ms=start,
            duration_ms=duration,
            eye=eye,
        )
        keys = [Key(self._subject, label=label) for label, good in zip(trials, whole, strict=True) if good]
        self.gatherer.add(keys, fixations.part(whole))
        for line in lines:
            if line.startswith("UserEvent"):
                self._message(line)
            elif line.strip() and not line.startswith(_LINES):
                self.broken += 1

    def _message(self, line: str) -> None:
        found = _MESSAGE.search(line)
        if found:
            parts = line.split(self._header.delimiter, 2)
            self.images.setdefault(parts[1].strip(), found[1])

    def trial(self, trial: Trial) -> Trial:
        """Return a trial with the image that its first message or else the file's head names."""
        return replace(trial, image=self.images.get(trial.label) or self._header.said("stimulus"))


def _read_old(source: Source, header: Header) -> Contents:
    events = _OldEvents(source, header)
    for lines in _chunks(source, header.line):
        events.add(lines)
    trials, fixations = events.gatherer.build()
    if not trials:
        raise _nothing(source, events.broken)
    rate = float(to_numbers([header.said("sample_rate")])[0])
    screen = _CALIBRATION.fullmatch(header.said("calibration_area").strip())
    facts = Facts(
        frame=Frame(of=SCREEN),
        screen=(float(screen[1]), float(screen[2])) if screen else None,
        eyes=_eye_words(fixations.eye),
        rate_hz=rate if rate > 0 else None,
        lost_rows={BROKEN_LINE: events.broken} if events.broken else {},
        notes=(
            *source.encoding_notes,
            *(() if screen else ("The file does not say how large the screen was.",)),
        ),
    )
    return Contents(facts, tuple(map(events.trial, trials)), fixations)


def _chunks(source: Source, header_line: int) -> Iterator[list[str]]:
    """Yield the lines below the header in chunks, without line ends.

    A message may hold any sign, quotation marks included, so lines are told apart before cells are.
    """
    with source.open_text() as text:
        lines = islice(iter(lambda: text.readline(LONGEST_LINE), ""), header_line, None)
        while chunk := [line.rstrip("\r\n") for line in islice(lines, CHUNK)]:
            yield chunk


def _read_new(source: Source, header: Header) -> Contents:
    gatherer = Gatherer()
    lost: Counter[str] = Counter()
    for rows in header.rows(source, lost):
        _add_new(rows, header, gatherer, lost, source.stem)
    trials, fixations = gatherer.build()
    lost.update(gatherer.lost)
    if not trials:
        raise _nothing(source, lost[BROKEN_LINE])
    facts = Facts(
        frame=Frame(of=SCREEN),
        eyes=_eye_words(fixations.eye),
        lost_rows=dict(+lost),
        notes=(
            *source.encoding_notes,
            "The file does not say how large the screen was.",
            "Times count from the begin of each trial.",
        ),
    )
    return Contents(facts, trials, fixations)


def _add_new(rows: Rows, header: Header, gatherer: Gatherer, lost: Counter[str], stem: str) -> None:
    kinds = [kind.casefold() for kind in rows.column(header.place("category"))]
    rows = Rows(rows.line, [row for row, kind in zip(rows.cells, kinds, strict=True) if kind in _KINDS])
    decimal_comma = header.delimiter != ","
    start = rows.numbers(header.starting("event_start_trial_time"), decimal_comma)
    whole = np.isfinite(start)
    lost[BROKEN_LINE] += int((~whole).sum())
    fixations = Fixations.of(
        rows.numbers(header.starting("fixation_position_x"), decimal_comma),
        rows.numbers(header.starting("fixation_position_y"), decimal_comma),
        index=whole_numbers(rows, header.place("index")),
        start_ms=start,
        duration_ms=rows.numbers(header.starting("event_duration"), decimal_comma),
        eye=eyes(rows.column(header.place("eye_l_r", "eye"))),
    )
    who = header.place("participant", "subject")
    subjects = rows.column(who) if who is not None else [stem] * len(rows.cells)
    names = zip(
        subjects,
        rows.column(header.place("stimulus")),
        rows.column(header.place("trial")),
        whole.tolist(),
        strict=True,
    )
    gatherer.add(
        [Key(who, image, label=trial) for who, image, trial, good in names if good], fixations.part(whole)
    )


def _eye_words(codes: CodeArray) -> tuple[str, ...]:
    return tuple(Eye(int(code)).word for code in np.unique(codes) if code != Eye.UNKNOWN)


def _nothing(source: Source, broken: int) -> GazeError:
    none_read = f"None of the {broken} lines of fixations can be read."
    what = none_read if broken else "The export has no fixation."
    return source.problem(what, "Export the events again, with fixations among them.")


FORMAT = Format(
    id="smi-begaze",
    name="SMI BeGaze events",
    suffixes=(".txt", ".tsv", ".csv"),
    recognise=recognise,
    read=read,
)
