"""What a format is: how it is recognised, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Contents
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.trial_rules import TrialRules


@dataclass(frozen=True, slots=True)
class Guess:
    """How sure it is that a file is of a format (0 to 1), and what told it."""

    confidence: float
    reason: str


@dataclass(frozen=True)
class ReadOptions:
    """What a user can say about how to read a file.

    Parameters
    ----------
    rules
        How messages divide a recording into trials.
    profile
        Which column is which, for a table.
    samples
        Whether to hand over the samples of a file that has fixations of its own, too.
    """

    rules: TrialRules = field(default_factory=TrialRules)
    profile: TableProfile | None = None
    samples: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read.

    Parameters
    ----------
    id
        Stable name, such as ``eyelink-asc``.
    name
        What to call it in lists.
    suffixes
        Usual ends of its files' names, for file dialogs; never used to tell formats apart.
    recognise
        Looks at a source's head (64 KiB) or names and says how sure it is; None when it is not.
    read
        Reads the whole source.
    has_messages
        Whether trial patterns apply.
    has_samples
        Whether its files can hold samples.
    """

    id: str
    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[Source], Guess | None]
    read: Callable[[Source, ReadOptions], Contents]
    has_messages: bool = False
    has_samples: bool = False
