"""Dividing an EyeLink recording into trials, and finding the image, task and subject of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np

from gazeapp.engine.gaze.formats.eyelink_scan import Message
from gazeapp.engine.gaze.records import Placement
from gazeapp.engine.gaze.trial_rules import (
    IMAGE_VARIABLES,
    PRESETS,
    Finder,
    Shown,
    TrialRules,
    finder_for,
    is_onset,
    variable_in,
)
from gazeapp.engine.types import DoubleArray, IntArray

BEFORE_TRIALS = "before the first trial"
BETWEEN_TRIALS = "between trials"

TASK_VARIABLES = ("task", "instruction")
SUBJECT_VARIABLES = ("subject", "subject_id", "subject_nr", "participant", "participant_id")
_NOBODY = {"", "-1", "undefined", "none", "."}


@dataclass
class Span:
    """A trial while it is being put together: from where to where it lasts, and what it shows.

    ``shown`` holds the images that messages name, with the message; ``onsets`` the messages that say
    that something came onto the screen.
    """

    label: str
    line: int
    time: float
    end_line: float = math.inf
    end_time: float = math.inf
    variables: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[Message, Shown]] = field(default_factory=list)
    onsets: list[Message] = field(default_factory=list)

    @property
    def counting(self) -> list[tuple[Message, Shown]]:
        """The images named by the messages that count most."""
        most = max((shown.rank for _, shown in self.shown), default=0)
        return [entry for entry in self.shown if entry[1].rank == most]

    @property
    def image(self) -> str:
        """Name of the image; empty when nothing names one."""
        counting = self.counting
        if counting and counting[-1][1].rank == 3:
            return counting[-1][1].name
        return _first(self.variables, IMAGE_VARIABLES) or (counting[-1][1].name if counting else "")

    @property
    def placement(self) -> Placement | None:
        """Where the image lay on the screen, when a message says so."""
        if not self.shown:
            return None
        stem = _stem(self.image)
        placed = [shown.placement for _, shown in self.shown if shown.placement and _stem(shown.name) == stem]
        return placed[-1] if placed else None

    @property
    def task(self) -> str:
        """Task of the trial's variables; empty when there is none."""
        return _first(self.variables, TASK_VARIABLES)

    @property
    def subject(self) -> str:
        """Subject of the trial's variables; empty when there is none."""
        subject = _first(self.variables, SUBJECT_VARIABLES)
        return "" if subject.lower() in _NOBODY else subject


class Division(NamedTuple):
    """The trials of a recording in the order of their starts, and notes for the user."""

    spans: list[Span]
    notes: list[str]

    def owners(self, line: DoubleArray | IntArray, time: DoubleArray) -> IntArray:
        """Return to which trial things belong: 0 before the first, k for the k-th, n + 1 between trials.

        A thing belongs to the last trial that starts above its line and not after its time, unless that
        trial ended before, both by line and by time: messages may be written late.

        Parameters
        ----------
        line
            Number of its line, shape (n,).
        time
            When it begins, ms, shape (n,).
        """
        lines = np.array([span.line for span in self.spans], dtype=np.float64)
        times = np.array([-math.inf, *(span.time for span in self.spans)])
        end_lines = np.array([math.inf, *(span.end_line for span in self.spans)])
        end_times = np.array([math.inf, *(span.end_time for span in self.spans)])
        owner = np.searchsorted(lines, line).astype(np.int64)
        early = np.flatnonzero(times[owner] > time)
        while len(early):
            owner[early] -= 1
            early = early[times[owner[early]] > time[early]]
        over = (end_lines[owner] < line) & (end_times[owner] <= time)
        owner[over] = len(self.spans) + 1
        return owner


def divide(
    messages: Sequence[Message],
    starts: Sequence[Message],
    ends: Sequence[Message],
    rules: TrialRules,
    where: str,
) -> Division:
    """Return the trials of a recording.

    Parameters
    ----------
    messages
        Its messages, in the order of the file.
    starts, ends
        The starts and ends of its blocks of recording.
    rules
        What begins and ends a trial and names its image.
    where
        The file, for errors.

    Raises
    ------
    GazeError
        When the rules cannot be used or fit nothing.
    """
    preset, finder = finder_for([message.text for message in messages], rules, where)
    spans = _spans(messages, starts, ends, finder)
    _name(spans, messages, finder)
    notes = []
    if rules.preset == "auto" and not rules.start:
        entry = PRESETS[preset]
        notes.append(f"Trials were found by the preset '{preset}': {entry.name}, {entry.what}.")
    parts, n_divided, n_several = _one_image_each(spans)
    if n_divided:
        notes.append(
            f"{n_divided} trials show several images, each with a message at its onset: "
            "they were divided into one trial an image."
        )
    if n_several:
        notes.append(f"In {n_several} trials more than one image was loaded; the last one counts.")
    return Division(parts, notes)


def _spans(
    messages: Sequence[Message], starts: Sequence[Message], ends: Sequence[Message], finder: Finder
) -> list[Span]:
    if finder.by_blocks:
        spans = [Span(str(number), block.line, block.time) for number, block in enumerate(starts, start=1)]
    else:
        found = ((message, finder.start(message.text)) for message in messages)
        begun = [(message, label) for message, label in found if label is not None]
        spans = [
            Span(label or str(number), message.line, message.time)
            for number, (message, label) in enumerate(begun, start=1)
        ]
    closing = (
        ends if finder.ends_by_blocks else [message for message in messages if finder.is_end(message.text)]
    )
    _close(spans, closing)
    return spans


def _close(spans: list[Span], ends: Sequence[Message]) -> None:
    """Give each trial the first end after its start and before the next start."""
    waiting = iter(ends)
    end = next(waiting, None)
    for position, span in enumerate(spans):
        following = spans[position + 1].line if position + 1 < len(spans) else math.inf
        while end is not None and end.line < span.line:
            end = next(waiting, None)
        if end is not None and end.line < following:
            span.end_line, span.end_time = end.line, end.time


def _name(spans: list[Span], messages: Sequence[Message], finder: Finder) -> None:
    """Hand each message that names an image, a task or a subject to its trial.

    Between trials, a message belongs to the one before it unless that one has its image already:
    some experiments load the image ahead of the trial, others log it after.
    """
    position = -1
    for message in messages:
        while position + 1 < len(spans) and spans[position + 1].line <= message.line:
            position += 1
        variable = variable_in(message.text)
        shown = finder.image(message.text)
        onset = is_onset(message.text)
        if not (variable or shown or onset):
            continue
        owner = _named_owner(spans, position, message.line)
        if owner is None:
            continue
        if variable:
            owner.variables[variable[0]] = variable[1]
        if shown:
            owner.shown.append((message, shown))
        if onset and owner.line <= message.line <= owner.end_line:
            owner.onsets.append(message)


def _named_owner(spans: list[Span], position: int, line: int) -> Span | None:
    current = spans[position] if position >= 0 else None
    following = spans[position + 1] if position + 1 < len(spans) else None
    if current is None or (line > current.end_line and current.image and following is not None):
        return following
    return current


def _one_image_each(spans: list[Span]) -> tuple[list[Span], int, int]:
    """Divide the trials that show images one after another; return also how many were, and were not."""
    parts, n_divided, n_several = [], 0, 0
    for span in spans:
        names = {shown.name for _, shown in span.counting}
        own = any(shown.rank == 3 for _, shown in span.counting)
        if len(names) < 2 or (not own and _first(span.variables, IMAGE_VARIABLES)):
            parts.append(span)
            continue
        divided = _divided(span)
        n_divided += len(divided) > 1
        n_several += len(divided) == 1
        parts += divided
    return parts, n_divided, n_several


def _divided(span: Span) -> list[Span]:
    """Return one span an image, from its onset to the next one's; the span itself where that is unclear.

    It is clear when messages that name an image and messages of an onset take turns, whichever comes
    first; onsets in a row, such as SYNCTIME and STIM_ONSET, are one. A message may be both.
    """
    inside = [
        (message, shown) for message, shown in span.counting if span.line <= message.line <= span.end_line
    ]
    naming = {message.line for message, _ in inside}
    if all(is_onset(message.text) for message, _ in inside):
        onsets = [message for message, _ in inside]
    else:
        events = [(message.line, False) for message in span.onsets if message.line not in naming]
        events = sorted([*events, *((line, True) for line in naming)])
        runs = [
            (names, [line for line, _ in run]) for names, run in groupby(events, key=lambda event: event[1])
        ]
        if any(names and len(lines) > 1 for names, lines in runs) or len(runs) != 2 * len(inside):
            return [span]
        first = {lines[0] for names, lines in runs if not names}
        onsets = [message for message in span.onsets if message.line in first]
    if len(inside) != len(span.counting):
        return [span]
    parts = []
    for number, (onset, entry) in enumerate(zip(onsets, inside, strict=True), start=1):
        begin = (span.line, span.time) if number == 1 else (onset.line, onset.time)
        label = f"{span.label} ({number} of {len(inside)})"
        parts.append(Span(label, *begin, variables=span.variables, shown=[entry]))
    parts[-1].end_line, parts[-1].end_time = span.end_line, span.end_time
    return parts


def _stem(name: str) -> str:
    return re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0].casefold()


def _first(variables: dict[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "") if variables else ""
