"""EyeLink .asc files: one streaming pass that gathers fixation events, messages and headers.

Layout of the lines that matter (times in ms, positions in px)::

    EFIX <L|R> start end duration x y pupil
    MSG time [offset] text
    START time ...            END time ...
    SAMPLES|EVENTS <GAZE|HREF|PUPIL> [LEFT] [RIGHT] [HTARGET] RATE hz ...

Sample lines start with a digit in column 0 and are skipped; indented numbers of calibration blocks
are no samples, so that lines are never stripped before that test.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze import asc_trials
from gazeapp.engine.gaze.asc_trials import FixationEvent, Message
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    LEFT,
    RIGHT,
    SCREEN_SPACE,
    UNKNOWN_EYE,
    Facts,
    Recording,
    Trial,
)
from gazeapp.engine.gaze.source import open_bytes
from gazeapp.engine.hashing import sha256_of

FORMAT = "eyelink-asc"

_EYES = {"L": LEFT, "R": RIGHT, "LEFT": LEFT, "RIGHT": RIGHT}
_MESSAGE = re.compile(r"MSG\s+(\d+(?:\.\d*)?)\s+(?:[+-]?\d+\s+(?=\S))?(.*)", re.DOTALL)
_COORDS = re.compile(r"(GAZE|DISPLAY)_COORDS?\s*=?\s*" + r"[\s,]+".join([r"(-?[\d.]+)"] * 4))
_TAKEN = (b"EFIX", b"MSG", b"START", b"END", b"SAMPLES", b"EVENTS")


@dataclass
class _Scan:
    """Everything that one pass over the file finds."""

    fixations: list[FixationEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    starts: list[Message] = field(default_factory=list)
    ends: list[Message] = field(default_factory=list)
    eyes: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    coords: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    samples: int = 0
    broken: int = 0

    def take_fixation(self, line_no: int, words: list[str], complete: bool) -> None:
        # A last line without its line end may have lost digits of its last number.
        if len(words) < (7 if complete else 8) or words[1] not in _EYES:
            self.broken += 1
            return
        start, duration, x, y = (_number(words[place]) for place in (2, 4, 5, 6))
        if math.isnan(start):
            self.broken += 1
            return
        self.fixations.append(FixationEvent(line_no, _EYES[words[1]], start, duration, x, y))

    def take_message(self, line_no: int, text: str) -> None:
        found = _MESSAGE.match(text)
        if not found:
            return
        message = Message(line_no, float(found[1]), found[2].strip())
        self.messages.append(message)
        coords = _COORDS.match(message.text)
        if coords:
            corners = tuple(_number(part) for part in coords.groups()[1:])
            self.coords.setdefault(coords[1], []).append(corners)

    def take_header(self, words: list[str], path: Path) -> None:
        kinds = {"GAZE", "HREF", "PUPIL"} & set(words[1:])
        if not kinds:
            return  # such as the "SAMPLES EVENTS RES" of an END line
        if "GAZE" not in kinds:
            raise _not_pixels(kinds.pop(), path)
        self.eyes += [_EYES[word] for word in words if word in ("LEFT", "RIGHT")]
        if "RATE" in words[:-1]:
            rate = _number(words[words.index("RATE") + 1])
            if rate > 0:
                self.rates.append(rate)


def read_asc(
    path: Path, eye: str = "auto", trial_pattern: str = "", confidence: float = 1.0, reason: str = ""
) -> Recording:
    """Read the fixation events of an EyeLink .asc file (gzip is unpacked).

    Parameters
    ----------
    path
        The file.
    eye
        ``left``, ``right``, or ``auto``: the eye with more valid fixations (left when equal); a
        trial in which only the other eye was recorded uses that one.
    trial_pattern
        Regular expression that finds the messages that start a trial; its first group, if any, is
        the trial's label. Empty: ``TRIALID``, else ``start_trial``, else the START blocks.
    confidence, reason
        How sure the format is, to be passed on.

    Returns
    -------
    Recording
        Positions in screen px as read, off-screen and negative ones included. The fixations of the
        eye that is not used are there too, dropped as ``other eye``.

    Raises
    ------
    GazeError
        When positions are not in px (HREF, PUPIL), there is no fixation event, the eye that was
        asked for was not recorded, or no message fits the pattern.
    """
    scan = _scan(path)
    if not scan.fixations:
        raise _no_fixations(scan, path)
    screen, notes = _screen(scan)
    used = _eye_used(scan, eye, path)
    trials, more_notes = asc_trials.build(
        scan.fixations, scan.messages, scan.starts, scan.ends, trial_pattern, used, eye == "auto", path
    )
    per_eye = Counter(event.eye for event in scan.fixations)
    if len(set(scan.rates)) > 1:
        notes.append(f"The sampling rate changes in the file: {_listed(scan.rates)} Hz.")
    facts = Facts(
        space=SCREEN_SPACE,
        screen=screen,
        eyes=tuple(name for name in (LEFT, RIGHT) if name in scan.eyes or name in per_eye),
        eye_used=used,
        rate_hz=scan.rates[0] if scan.rates else None,
        fixations_per_eye={name: per_eye[name] for name in (LEFT, RIGHT) if name in per_eye},
        off_screen=_off_screen(trials, screen),
        lost_rows={BROKEN_LINE: scan.broken} if scan.broken else {},
        notes=(*notes, *more_notes),
    )
    return Recording(path, sha256_of(path), FORMAT, confidence, reason, facts, tuple(trials))


def _scan(path: Path) -> _Scan:
    scan = _Scan()
    with open_bytes(path) as stream:
        for line_no, line in enumerate(stream, start=1):
            if line[:1].isdigit():
                scan.samples += 1
            elif line.startswith(_TAKEN):
                _take(scan, line_no, line, path)
    return scan


def _take(scan: _Scan, line_no: int, line: bytes, path: Path) -> None:
    text = _decoded(line)
    words = text.split()
    match words[0]:
        case "EFIX":
            scan.take_fixation(line_no, words, line.endswith(b"\n"))
        case "MSG":
            scan.take_message(line_no, text)
        case "SAMPLES" | "EVENTS":
            scan.take_header(words, path)
        case "START" | "END" if len(words) > 1 and not math.isnan(_number(words[1])):
            blocks = scan.starts if words[0] == "START" else scan.ends
            blocks.append(Message(line_no, _number(words[1]), words[0]))
            scan.eyes += [_EYES[word] for word in words if word in ("LEFT", "RIGHT")]


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _number(text: str) -> float:
    """Return a finite number, or NaN for ``.`` and anything else that is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(set(values)))


def _screen(scan: _Scan) -> tuple[tuple[float, float] | None, list[str]]:
    """Return the screen size (width, height), px, and what the user should know about it.

    A file gives the last pixel (1023, 767) or the size (1024, 768): an odd last value counts as
    the last pixel, so that 1 is added; an even one counts as the size.
    """
    corners = [box for box in scan.coords.get("GAZE", []) + scan.coords.get("DISPLAY", []) if box[2] > box[0]]
    corners = [box for box in corners if box[3] > box[1]]
    if not corners:
        return None, ["The file does not say how large the screen was."]
    left, top, right, bottom = corners[0]
    notes = []
    if len(set(corners)) > 1:
        notes.append("The file gives more than one screen area; the first GAZE_COORDS is used.")
    if left or top:
        notes.append(f"The screen area does not start at 0, 0 but at {left:g}, {top:g}.")
    width, height = _size(right), _size(bottom)
    return (width, height), notes


def _size(last: float) -> float:
    return last + 1 if last % 2 == 1 else last


def _eye_used(scan: _Scan, eye: str, path: Path) -> str:
    if eye not in ("auto", LEFT, RIGHT):
        raise GazeError(f"There is no eye '{eye}'.", todo="Choose auto, left or right.")
    valid = Counter(event.eye for event in scan.fixations if event.has_position)
    if eye == "auto":
        return max((LEFT, RIGHT), key=lambda name: valid[name])
    recorded = {event.eye for event in scan.fixations}
    if eye not in recorded:
        only = next(iter(recorded), UNKNOWN_EYE)
        raise GazeError(
            f"The recording has no fixations of the {eye} eye.",
            where=str(path),
            todo=f"Use the {only} eye, or let gazeapp choose (auto).",
        )
    return eye


def _off_screen(trials: list[Trial], screen: tuple[float, float] | None) -> int:
    if screen is None:
        return 0
    total = 0
    for trial in trials:
        table = trial.fixations
        off = (table.x < 0) | (table.y < 0) | (table.x >= screen[0]) | (table.y >= screen[1])
        total += int((off & table.kept).sum())
    return total


def _not_pixels(kind: str, path: Path) -> GazeError:
    meaning = {
        "HREF": "head-referenced angles (HREF), not positions on the screen",
        "PUPIL": "raw pupil positions (PUPIL), not positions on the screen",
    }[kind]
    return GazeError(
        f"The file holds {meaning}, so its fixations cannot be laid on an image.",
        where=str(path),
        todo="Convert the .edf file again with gaze positions (edf2asc -sg).",
    )


def _no_fixations(scan: _Scan, path: Path) -> GazeError:
    if scan.broken:
        what = f"None of the {scan.broken} fixation lines (EFIX) in the file can be read."
    elif scan.samples:
        what = f"The recording has {scan.samples} samples but no fixation (no EFIX line)."
    else:
        what = "The recording is empty: it has neither samples nor fixations (no EFIX line)."
    return GazeError(what, where=str(path), todo="Convert the .edf file again with events included.")
