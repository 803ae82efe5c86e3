"""How messages divide a recording into trials and name their images.

Experiments announce their trials in messages. A preset knows the messages of one way of making
experiments; whoever does otherwise writes patterns of their own. The same rules serve the reader of a
recording and the window's preview.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import Placement
from gazeapp.engine.gaze.user_pattern import UserPattern

AUTO = "auto"
BLOCKS = "blocks"

IMAGE_VARIABLES = (
    "image", "image_name", "imagename", "image_file", "imagefile", "img", "img_file", "imgfile", "img_name",
    "imgname", "picture", "picture_file", "picture_name", "pic", "stimulus", "stimulus_file", "stim",
    "stim_file", "stimfile", "filename", "photo", "scene",
)  # fmt: skip
"""Variables of a trial that name its image; the first of them that a trial has counts."""


@dataclass(frozen=True)
class TrialRules:
    """How a recording is divided into trials.

    Parameters
    ----------
    preset
        A key of :data:`PRESETS`, or ``auto`` to take the first that fits.
    start
        Regular expression of the messages that begin a trial; its first group, if any, is the label.
        Not empty: it takes the place of the preset's.
    end
        Regular expression of the messages that end a trial; empty for the preset's. Trials with a start
        of one's own and the preset ``auto`` last until the next one without it.
    image
        Regular expression whose first group is the name of the image; empty for the preset's.
    """

    preset: str = AUTO
    start: str = ""
    end: str = ""
    image: str = ""


@dataclass(frozen=True)
class Preset:
    """The messages of one way of making experiments; case does not matter in them.

    Parameters
    ----------
    name
        What to call it in lists.
    what
        Its messages in words, from the start of a trial to its end.
    start, end
        Regular expressions of the messages that begin and end a trial, from the message's first
        character; the first group that is found is the label. Empty: blocks of recording are trials.
    image
        Regular expression of messages that name an image, besides variables and ``!V IMGLOAD``.
    """

    name: str
    what: str
    start: str
    end: str
    image: str = ""


_TRIAL_WORDS = r"trial[ _]?(?:no|nr|number)?[.:#]?[ _]*"
_STIMULUS_WORDS = r"(?:image|img|picture|pic|stimulus|stim)"
_NAMED_IMAGE = (
    rf"{_STIMULUS_WORDS}(?:[ _]?(?:onset|on|start|shown|file|name))?\s*[:=]\s*(.+)"
    rf"|{_STIMULUS_WORDS}[ _]?(?:onset|on|start|shown|file|name)\s+(\S+|.+\.\w{{2,4}})$"
    r"|stimulus\s+(\S+|.+\.\w{2,4})$"
)
_NO_NAMES = {
    "on",
    "off",
    "onset",
    "offset",
    "start",
    "end",
    "begin",
    "shown",
    "presented",
    "display",
    "screen",
}

PRESETS: dict[str, Preset] = {
    "experiment-builder": Preset(
        "Experiment Builder",
        "TRIALID to TRIAL_RESULT",
        r"TRIALID\b[\s:]*(.*)",
        r"TRIAL_RESULT\b",
    ),
    "opensesame": Preset(
        "OpenSesame",
        "start_trial to stop_trial",
        r"start_trial\b[\s:]*(.*)",
        r"(?:stop|end)_trial\b",
    ),
    "psychopy": Preset(
        "PsychoPy",
        "TRIALID, 'trial 3 start' or 'start trial 3', to TRIAL_RESULT or 'trial 3 end'",
        rf"TRIALID\b[\s:]*(.*)|{_TRIAL_WORDS}(\S*?)[ _:]*(?:start|begin|onset)\w*\b[\s:]*(.*)"
        r"|(?:start|begin)\w*[ _](?:of[ _])?trial\b[\s:_]*(.*)",
        rf"TRIAL_RESULT\b|{_TRIAL_WORDS}\S*?[ _:]*(?:end|stop|finish|offset)\w*\b"
        r"|(?:end|stop|finish)\w*[ _](?:of[ _])?trial\b",
        _NAMED_IMAGE,
    ),
    "psychtoolbox": Preset(
        "MATLAB with Psychtoolbox",
        "TRIALID, 'TRIAL 3', 'Trial_3' or 'BEGIN TRIAL 3', to TRIAL_RESULT, TRIAL OK or 'END TRIAL'",
        rf"TRIALID\b[\s:]*(.*)|{_TRIAL_WORDS}(\d+)$|(?:begin|start)[ _]?trial\b[\s:_]*(.*)"
        r"|trial[ _]?(?:begin|start)\b[\s:_]*(.*)",
        r"TRIAL_RESULT\b|TRIAL[ _]OK\b|trial[ _]?(?:end|stop)|(?:end|stop)[ _]?trial",
        _NAMED_IMAGE,
    ),
    BLOCKS: Preset("blocks of recording", "START to END of recording", "", ""),
}
"""Ways of making experiments, in the order in which ``auto`` tries them."""

_VARIABLE = re.compile(r"(?:!V\s+TRIAL_VAR|var)\s+(\S+)\s+(.+)", re.IGNORECASE)
_IMGLOAD = re.compile(r"!V\s+IMGLOAD\s+(FILL|TOP_LEFT|CENTER)\s+(.+)", re.IGNORECASE)
_ONSET = re.compile(
    rf"SYNCTIME|DISPLAY[ _]?ON|{_STIMULUS_WORDS}[ _]?(?:onset|on|start|shown)(?![a-z])", re.IGNORECASE
)
_TELLING = re.compile(r"trial|stim|image|img|pict|start|begin|onset", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


class Shown(NamedTuple):
    """An image that a message names: its name, where it lay, and how much the message counts.

    Of the messages of a trial only those with the highest ``rank`` count: 3 for the user's own pattern,
    2 for ``!V IMGLOAD``, 1 for a preset's other messages.
    """

    name: str
    placement: Placement | None
    rank: int


class PreviewRow(NamedTuple):
    """A message and what the rules make of it.

    ``role`` is ``start``, ``end``, ``image`` or ``other``; ``found`` the label of the trial that starts
    or the name of the image; ``image`` the name of the image also where the message starts or ends a
    trial as well.
    """

    message: str
    role: str
    found: str
    image: str


def variable_in(text: str) -> tuple[str, str] | None:
    """Return the name, in lower case, and the value of the trial variable that a message sets."""
    found = _VARIABLE.match(text) if text[:1] in "!vV" else None
    return (found[1].lower(), found[2].strip().strip('"')) if found else None


def is_onset(text: str) -> bool:
    """Return whether a message says that something came onto the screen."""
    return _ONSET.match(text) is not None


class Finder:
    """Finds starts, ends and images of trials in messages.

    Parameters
    ----------
    rules
        What the user says.
    preset
        What holds where the user says nothing.
    """

    def __init__(self, rules: TrialRules, preset: Preset) -> None:
        self._preset = preset
        own_end = rules.end or (rules.start and rules.preset == AUTO)
        self._start = re.compile(preset.start, re.IGNORECASE) if preset.start else None
        self._end = re.compile(preset.end, re.IGNORECASE) if preset.end and not own_end else None
        self._image = re.compile(preset.image, re.IGNORECASE) if preset.image else None
        self._own_start = UserPattern(rules.start, "start of a trial") if rules.start else None
        self._own_end = UserPattern(rules.end, "end of a trial") if rules.end else None
        self._own_image = UserPattern(rules.image, "image") if rules.image else None

    @property
    def by_blocks(self) -> bool:
        """Whether blocks of recording, and no messages, begin the trials."""
        return self._own_start is None and self._start is None

    @property
    def ends_by_blocks(self) -> bool:
        """Whether blocks of recording end the trials."""
        return self._own_end is None and self._preset is PRESETS[BLOCKS]

    def start(self, text: str) -> str | None:
        """Return the label of the trial that a message begins, None when it begins none."""
        if self._own_start is not None:
            found = self._own_start.search(text)
            whole = not self._own_start.has_group
        else:
            found = self._start.match(text) if self._start else None
            whole = False
        if found is None:
            return None
        return text if whole else _first_group(found)

    def is_end(self, text: str) -> bool:
        """Return whether a message ends a trial."""
        if self._own_end is not None:
            return self._own_end.search(text) is not None
        return self._end is not None and self._end.match(text) is not None

    def image(self, text: str) -> Shown | None:
        """Return the image that a message names; variables of a trial are left to :func:`variable_in`."""
        if self._own_image is not None:
            found = self._own_image.search(text)
            name = (_first_group(found) if self._own_image.has_group else found[0]) if found else ""
            return Shown(name, None, 3) if name else _loaded(text)
        loaded = _loaded(text)
        if loaded is not None or self._image is None:
            return loaded
        named = self._image.match(text)
        name = _first_group(named).strip("\"'") if named else ""
        is_name = name and not _NUMBER.fullmatch(name) and name.lower() not in _NO_NAMES
        return Shown(name, None, 1) if is_name else None


def finder_for(messages: Sequence[str], rules: TrialRules, where: str = "") -> tuple[str, Finder]:
    """Return the key of the preset that holds for some messages, and what finds trials by it.

    ``auto`` takes the first preset that finds both trials and images, else the first that finds trials,
    else the blocks of recording.

    Parameters
    ----------
    messages
        All messages of a recording.
    rules
        What the user says.
    where
        The file, for errors.

    Raises
    ------
    GazeError
        When there is no such preset, a pattern cannot be used, or none of the messages fits.
    """
    if rules.preset not in (AUTO, *PRESETS):
        known = ", ".join([AUTO, *PRESETS])
        raise GazeError(f"There is no preset '{rules.preset}' for trials.", todo=f"Choose one of: {known}.")
    if rules.preset != AUTO:
        chosen = rules.preset
    elif rules.start:
        chosen = next(iter(PRESETS))
    else:
        chosen = _that_fits(messages)
    finder = Finder(rules, PRESETS[chosen])
    if rules != TrialRules():
        _check(finder, messages, rules, chosen, where)
    return chosen, finder


def preset_of(messages: Sequence[str], rules: TrialRules) -> str:
    """Return the key of the preset that holds for some messages; see :func:`finder_for`."""
    return finder_for(messages, rules)[0]


def preview(messages: Sequence[str], rules: TrialRules, limit: int = 200) -> list[PreviewRow]:
    """Return what the rules make of the first messages.

    Parameters
    ----------
    messages
        All messages that are known, at best those of the whole recording.
    rules
        What the user says.
    limit
        How many rows to return.

    Raises
    ------
    GazeError
        When a pattern cannot be used or no message fits it, in words for the user.
    """
    _, finder = finder_for(messages, rules)
    return [_row(finder, text) for text in messages[:limit]]


def _row(finder: Finder, text: str) -> PreviewRow:
    shown = finder.image(text)
    image = shown.name if shown else _image_variable(text)
    label = finder.start(text)
    if label is not None:
        return PreviewRow(text, "start", label, image)
    if finder.is_end(text):
        return PreviewRow(text, "end", "", image)
    return PreviewRow(text, "image" if image else "other", image, image)


def _image_variable(text: str) -> str:
    variable = variable_in(text)
    return variable[1] if variable and variable[0] in IMAGE_VARIABLES else ""


def _that_fits(messages: Sequence[str]) -> str:
    texts = list(dict.fromkeys(messages))
    names_images = {"": any(_loaded(text) or _image_variable(text) for text in texts)}
    fitting = []
    for key, preset in PRESETS.items():
        finder = Finder(TrialRules(key), preset)
        if finder.by_blocks or not any(finder.start(text) is not None for text in texts):
            continue
        if preset.image not in names_images:
            names_images[preset.image] = names_images[""] or any(map(finder.image, texts))
        if names_images[preset.image]:
            return key
        fitting.append(key)
    return fitting[0] if fitting else BLOCKS


def _check(finder: Finder, messages: Sequence[str], rules: TrialRules, chosen: str, where: str) -> None:
    """Refuse rules of the user that fit nothing, with messages that may be meant."""
    if not finder.by_blocks and not any(finder.start(text) is not None for text in messages):
        meant = f"the trial pattern '{rules.start}'" if rules.start else f"the preset '{chosen}'"
        raise _fits_nothing(meant, messages, where)
    if rules.end and not any(finder.is_end(text) for text in messages):
        raise _fits_nothing(f"the pattern '{rules.end}' for the end of a trial", messages, where)
    named = (finder.image(text) for text in messages) if rules.image else ()
    if rules.image and not any(shown is not None and shown.rank == 3 for shown in named):
        raise _fits_nothing(f"the pattern '{rules.image}' for the image", messages, where)


def _fits_nothing(meant: str, messages: Sequence[str], where: str) -> GazeError:
    telling = [text for text in messages if _TELLING.search(text)] or list(messages)
    kinds = {re.sub(r"\d+", "0", text): text for text in reversed(telling)}
    some = "; ".join(f"'{text[:40]}'" for text in list(kinds.values())[-4:][::-1]) or "none"
    return GazeError(
        f"No message in the file fits {meant}.", where=where, todo=f"Change it. Messages of the file: {some}."
    )


def _first_group(found: re.Match[str]) -> str:
    return next((group.strip() for group in found.groups() if group and group.strip()), "")


def _loaded(text: str) -> Shown | None:
    """Read ``!V IMGLOAD FILL path`` or ``!V IMGLOAD anchor path [x y [width height]]``."""
    found = _IMGLOAD.match(text) if text.startswith("!") else None
    if not found:
        return None
    anchor, rest = found[1].lower(), found[2].strip()
    if anchor == "fill":
        return Shown(rest.strip('"'), Placement("fill"), 2)
    words = rest.split()
    numbers: list[float] = []
    while len(words) > 1 and len(numbers) < 4 and _NUMBER.fullmatch(words[-1]):
        numbers.insert(0, float(words.pop()))
    if len(numbers) % 2:
        words.append(f"{numbers.pop(0):g}")
    x, y, width, height = (*numbers, *[math.nan] * (4 - len(numbers)))
    return Shown(" ".join(words).strip('"'), Placement(anchor, x, y, width, height), 2)
