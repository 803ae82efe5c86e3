"""Telling formats apart by what is in a file, and reading it with the reader that fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze import asc_reader, csv_reader
from gazeapp.engine.gaze.csv_columns import REQUIRED, check_columns, find_columns
from gazeapp.engine.gaze.records import Recording
from gazeapp.engine.gaze.source import head_of

FORMATS: dict[str, str] = {
    csv_reader.FORMAT: "table of fixations with columns image, subject, x, y (CSV or TSV)",
    asc_reader.FORMAT: "EyeLink events (.asc)",
}
"""Formats that can be read: id and what to call it."""

_SURE = 0.5
_ASC_LINES = {
    "header": re.compile(rb"^\*\* (CONVERTED FROM|EYELINK|TYPE: EDF)", re.MULTILINE),
    "messages": re.compile(rb"^MSG\s+\d+(\.\d*)?\s", re.MULTILINE),
    "recording blocks": re.compile(rb"^(SAMPLES|EVENTS)\s+(GAZE|HREF|PUPIL)\b", re.MULTILINE),
    "eye events": re.compile(rb"^(EFIX|SFIX|ESACC|EBLINK) [LR]\s", re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Guess:
    """A format, how sure it is (0 to 1), and what told it."""

    format: str
    confidence: float
    reason: str


def guess_format(path: Path) -> list[Guess]:
    """Return the formats that a file could be in, surest first, judged by its first 64 KiB.

    Raises
    ------
    GazeError
        When the file is empty, no text, or cannot be read.
    """
    head = head_of(path)
    _check_text(head, path)
    guesses = [_guess_asc(head), _guess_csv(head)]
    return sorted(guesses, key=lambda guess: -guess.confidence)


def read_recording(
    path: Path | str, format: str = "auto", eye: str = "auto", trial_pattern: str | None = None
) -> Recording:
    """Read one eye-tracking file.

    Parameters
    ----------
    path
        The file; gzip is unpacked.
    format
        A key of :data:`FORMATS`, or ``auto`` to tell by the content.
    eye
        ``auto``, ``left`` or ``right``; for formats that record eyes.
    trial_pattern
        Regular expression for the messages that start a trial; for formats with messages.

    Returns
    -------
    Recording
        With the confidence of the format and what told it.

    Raises
    ------
    GazeError
        When the file cannot be read, in words for the user.
    """
    file = Path(path)
    if format == "auto":
        best = guess_format(file)[0]
        if best.confidence < _SURE:
            raise _unknown(file)
    elif format in FORMATS:
        _check_text(head_of(file), file)
        best = Guess(format, 1.0, "chosen by the user")
    else:
        known = ", ".join(["auto", *FORMATS])
        raise GazeError(f"There is no format '{format}'.", todo=f"Choose one of: {known}.")
    if best.format == asc_reader.FORMAT:
        return asc_reader.read_asc(file, eye, trial_pattern or "", best.confidence, best.reason)
    return csv_reader.read_csv(file, best.confidence, best.reason)


def _check_text(head: bytes, path: Path) -> None:
    if not head.strip():
        raise GazeError("The file is empty.", where=str(path), todo="Export the recording again.")
    if head.startswith(b"SR_RESEARCH"):
        raise GazeError(
            "This is EyeLink's own binary .edf file.",
            where=str(path),
            todo="Convert it to .asc with edf2asc, which comes with the tracker, and import that.",
        )
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" in head:
        raise GazeError(
            "The file is binary, not text.",
            where=str(path),
            todo="Export the fixations as text: CSV in UTF-8, or .asc for EyeLink.",
        )


def _guess_asc(head: bytes) -> Guess:
    found = [name for name, pattern in _ASC_LINES.items() if pattern.search(head)]
    confidence = (0.0, 0.6, 0.85, 0.95, 1.0)[len(found)]
    return Guess(asc_reader.FORMAT, confidence, f"EyeLink lines: {', '.join(found) or 'none'}")


def _guess_csv(head: bytes) -> Guess:
    header, _ = _first_lines(head)
    columns = find_columns(header)
    needed = len(REQUIRED) - len(columns.missing)
    # A table that lacks one column deserves its own words, so that it counts as a table all the same.
    confidence = (0.0, 0.3, 0.5, 0.7, 1.0)[needed]
    return Guess(csv_reader.FORMAT, confidence, f"{needed} of {len(REQUIRED)} needed columns in the header")


def _first_lines(head: bytes) -> tuple[str, str]:
    """Return the first two lines that hold something and are no comments; empty where there are none."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = head.decode(encoding, errors="replace").splitlines()
    telling = [line for line in lines if line.strip() and not line.startswith("#")]
    return telling[0] if telling else "", telling[1] if len(telling) > 1 else ""


def _unknown(path: Path) -> GazeError:
    header, row = _first_lines(head_of(path))
    columns = find_columns(header)
    if len(columns.header) > 1 and row.count(columns.delimiter) == header.count(columns.delimiter):
        check_columns(columns, path)
    formats = "; ".join(FORMATS.values())
    return GazeError(
        "The file is in no format that gazeapp can read.", where=str(path), todo=f"It reads: {formats}."
    )
