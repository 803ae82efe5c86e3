"""Dividing an EyeLink recording into trials, and finding the image, task and subject of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import LEFT, NO_POSITION, OTHER_EYE, RIGHT, Fixations, Placement, Trial

BEFORE_TRIALS = "before the first trial"
BETWEEN_TRIALS = "between trials"

IMAGE_VARIABLES = (
    "image", "image_name", "imagename", "image_file", "imagefile", "img", "picture", "pic",
    "stimulus", "stimulus_file", "stim", "filename", "photo", "scene",
)  # fmt: skip
TASK_VARIABLES = ("task", "instruction")
SUBJECT_VARIABLES = ("subject", "subject_id", "subject_nr", "participant", "participant_id")
_NOBODY = {"", "-1", "undefined", "none", "."}

_SCHEMES = (
    (re.compile(r"TRIALID\b[\s:]*(.*)"), re.compile(r"TRIAL_RESULT\b")),
    (re.compile(r"start_trial\b[\s:]*(.*)", re.IGNORECASE), re.compile(r"(stop|end)_trial\b", re.IGNORECASE)),
)
_VARIABLE = re.compile(r"(?:!V\s+TRIAL_VAR|var)\s+(\S+)\s+(.+)", re.IGNORECASE)
_IMGLOAD = re.compile(r"!V\s+IMGLOAD\s+(FILL|TOP_LEFT|CENTER)\s+(.+)", re.IGNORECASE)


class Message(NamedTuple):
    """A message, or the start or end of a block: line number, time (ms), text."""

    line: int
    time: float
    text: str


class FixationEvent(NamedTuple):
    """An EFIX line: line number, eye, start and duration (ms), average position (px; NaN missing)."""

    line: int
    eye: str
    start: float
    duration: float
    x: float
    y: float

    @property
    def has_position(self) -> bool:
        """Whether both coordinates are there."""
        return not (math.isnan(self.x) or math.isnan(self.y))


@dataclass
class _Span:
    """A trial while it is being put together."""

    label: str
    line: int
    time: float
    end_line: float = math.inf
    end_time: float = math.inf
    variables: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, Placement]] = field(default_factory=list)
    events: list[FixationEvent] = field(default_factory=list)

    @property
    def image(self) -> str:
        named = _first(self.variables, IMAGE_VARIABLES)
        return named or (self.shown[-1][0] if self.shown else "")

    @property
    def placement(self) -> Placement | None:
        same = [place for name, place in self.shown if _stem(name) == _stem(self.image)]
        return same[-1] if same else None


def build(
    fixations: Sequence[FixationEvent],
    messages: Sequence[Message],
    starts: Sequence[Message],
    ends: Sequence[Message],
    trial_pattern: str,
    eye_used: str,
    eye_is_free: bool,
    path: Path,
) -> tuple[list[Trial], list[str]]:
    """Return the trials of a recording, and notes for the user.

    A fixation belongs to the trial in which it starts. Fixations before the first trial, and those
    that start after a trial's end and before the next one, make trials of their own without an
    image, so that none is lost.

    Parameters
    ----------
    fixations, messages, starts, ends
        What the file holds, in its order.
    trial_pattern
        The user's regular expression for messages that start a trial; empty for the usual ones.
    eye_used, eye_is_free
        The eye whose fixations are kept, and whether a trial that has only the other eye's may use that.
    path
        The file; its stem is the subject's name when no message names one.
    """
    spans = _spans(messages, starts, ends, trial_pattern, path)
    _name(spans, messages)
    before = _Span(BEFORE_TRIALS, 0, -math.inf)
    between = _Span(BETWEEN_TRIALS, 0, -math.inf)
    lines = [span.line for span in spans]
    for event in fixations:
        _owner(event, spans, lines, before, between).events.append(event)
    notes = []
    several = sum(len(span.shown) > 1 for span in spans if not _first(span.variables, IMAGE_VARIABLES))
    if several:
        notes.append(f"In {several} trials more than one image was loaded; the last one counts.")
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    ordered = [*([before] if before.events else []), *spans, *([between] if between.events else [])]
    trials, switched = [], 0
    for span in ordered:
        eye = _eye_of(span, eye_used) if eye_is_free else eye_used
        switched += eye != eye_used
        trials.append(_trial(span, eye, stem))
    if switched:
        notes.append(f"In {switched} trials only the other eye has fixations; it is used there.")
    return trials, notes


def _spans(
    messages: Sequence[Message], starts: Sequence[Message], ends: Sequence[Message], pattern: str, path: Path
) -> list[_Span]:
    if pattern:
        return _spans_by_pattern(messages, pattern, path)
    for opening, closing in _SCHEMES:
        spans = []
        for message in messages:
            found = opening.match(message.text)
            if found:
                spans.append(_Span(found[1].strip(), message.line, message.time))
        if spans:
            _close(spans, [message for message in messages if closing.match(message.text)])
            return spans
    spans = [_Span(str(number), block.line, block.time) for number, block in enumerate(starts, start=1)]
    _close(spans, ends)
    return spans


def _spans_by_pattern(messages: Sequence[Message], pattern: str, path: Path) -> list[_Span]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise GazeError(
            f"The trial pattern '{pattern}' is no regular expression: {error}.",
            todo="Write the beginning of the message that starts a trial, such as 'TRIALID (.*)'.",
        ) from error
    spans = []
    for message in messages:
        found = compiled.search(message.text)
        if found:
            label = (found[1] or "") if compiled.groups else message.text
            spans.append(_Span(label.strip(), message.line, message.time))
    if not spans:
        some = "; ".join(f"'{message.text[:40]}'" for message in messages[-3:]) or "none"
        raise GazeError(
            f"No message in the file fits the trial pattern '{pattern}'.",
            where=str(path),
            todo=f"Change the pattern. The file's last messages are: {some}.",
        )
    return spans


def _close(spans: list[_Span], ends: Sequence[Message]) -> None:
    """Give each trial the first end after its start and before the next start."""
    waiting = iter(ends)
    end = next(waiting, None)
    for position, span in enumerate(spans):
        following = spans[position + 1].line if position + 1 < len(spans) else math.inf
        while end is not None and end.line < span.line:
            end = next(waiting, None)
        if end is not None and end.line < following:
            span.end_line, span.end_time = end.line, end.time


def _name(spans: list[_Span], messages: Sequence[Message]) -> None:
    """Hand each message that names an image, a task or a subject to its trial.

    Between trials, a message belongs to the one before it unless that one has its image already:
    some experiments load the image ahead of the trial, others log it after.
    """
    position = -1
    for message in messages:
        variable = _VARIABLE.match(message.text)
        loaded = _IMGLOAD.match(message.text)
        if not (variable or loaded):
            continue
        while position + 1 < len(spans) and spans[position + 1].line <= message.line:
            position += 1
        owner = _named_owner(spans, position, message.line)
        if owner is None:
            continue
        if variable:
            owner.variables[variable[1].lower()] = variable[2].strip().strip('"')
        elif loaded:
            owner.shown.append(_shown(loaded[1], loaded[2]))


def _named_owner(spans: list[_Span], position: int, line: int) -> _Span | None:
    current = spans[position] if position >= 0 else None
    following = spans[position + 1] if position + 1 < len(spans) else None
    if current is None or (line > current.end_line and current.image and following is not None):
        return following
    return current


def _shown(anchor: str, rest: str) -> tuple[str, Placement]:
    """Read ``<image path> [x y [width height]]`` of an IMGLOAD message."""
    if anchor.upper() == "FILL":
        return rest.strip().strip('"'), Placement("fill")
    words = rest.split()
    numbers: list[float] = []
    while len(words) > 1 and len(numbers) < 4 and re.fullmatch(r"-?\d+(\.\d+)?", words[-1]):
        numbers.insert(0, float(words.pop()))
    if len(numbers) % 2:
        words.append(f"{numbers.pop(0):g}")
    x, y, width, height = (*numbers, *[math.nan] * (4 - len(numbers)))
    return " ".join(words).strip('"'), Placement(anchor.lower(), x, y, width, height)


def _owner(
    event: FixationEvent, spans: list[_Span], lines: list[int], before: _Span, between: _Span
) -> _Span:
    for position in range(int(np.searchsorted(lines, event.line)) - 1, -1, -1):
        span = spans[position]
        if span.time <= event.start:
            over = span.end_line < event.line and span.end_time <= event.start
            return between if over else span
    return before


def _eye_of(span: _Span, eye_used: str) -> str:
    valid = {event.eye for event in span.events if event.has_position}
    other = RIGHT if eye_used == LEFT else LEFT
    return other if valid == {other} else eye_used


def _trial(span: _Span, eye: str, stem: str) -> Trial:
    events = span.events
    index = np.zeros(len(events), dtype=np.int64)
    counters = {LEFT: 0, RIGHT: 0}
    dropped = []
    for place, event in enumerate(events):
        counters[event.eye] += 1
        index[place] = counters[event.eye]
        dropped.append(OTHER_EYE if event.eye != eye else "" if event.has_position else NO_POSITION)
    columns = np.array([event[2:] for event in events], dtype=np.float64).reshape(-1, 4)
    subject = _first(span.variables, SUBJECT_VARIABLES)
    return Trial(
        label=span.label,
        subject=stem if subject.lower() in _NOBODY else subject,
        image=span.image,
        task=_first(span.variables, TASK_VARIABLES),
        placement=span.placement,
        fixations=Fixations(
            index=index,
            start_ms=columns[:, 0],
            duration_ms=columns[:, 1],
            x=columns[:, 2],
            y=columns[:, 3],
            eye=np.array([event.eye for event in events], dtype=np.str_),
            why_dropped=np.array(dropped, dtype=np.str_),
        ),
    )


def _stem(name: str) -> str:
    return re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0].casefold()


def _first(variables: dict[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
