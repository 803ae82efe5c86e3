"""Regular expressions that a user typed: compiled, and kept from running for minutes.

Some patterns take a time that doubles with every character of a message, and Python cannot interrupt
them. Those that repeat what itself repeats are refused as they are written; the others are tried on the
beginnings of messages, shorter ones first, and refused as soon as one takes long.
"""

from __future__ import annotations

import re
import time
import warnings

from gazeapp.engine.errors import GazeError

LONGEST_TEXT = 300
"""Characters of a message that a pattern sees; EyeLink's own messages are shorter."""
LONGEST_PATTERN = 500

_BEGINNINGS = (5, 10, 15, 20, 30, 40, 60, 90, 130, 180, 240)
_MOST_REPEATS = 10
_TRIED_ON = 200
_SLOW_S = 0.1
_BUDGET_S = 5.0
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<\w+>|P=\w+|[a-zA-Z-]+:?|<?[=!]|[:>#])?)?|\)|\||"
    r"(?:[*+?]|\{\d*,?\d*\})[?+]?|.",
    re.DOTALL,
)
_FEW_TIMES = 10


class UserPattern:
    """A regular expression that a user typed for messages.

    Parameters
    ----------
    pattern
        The expression; it is searched anywhere in a message.
    what
        What it finds, for errors: such as ``start of a trial``.

    Raises
    ------
    GazeError
        When it is no regular expression, is too long, or repeats what itself repeats.
    """

    def __init__(self, pattern: str, what: str) -> None:
        self.pattern, self._what = pattern, what
        if len(pattern) > LONGEST_PATTERN:
            raise GazeError(
                f"The pattern for the {what} is {len(pattern):,} characters long.",
                todo=f"Write one of at most {LONGEST_PATTERN}.",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of '[[', which means the same for years
                self._compiled = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise GazeError(
                f"The pattern '{pattern}' for the {what} is no regular expression: {error}.",
                todo="Write the beginning of the message, such as 'TRIALID (.*)'. "
                r"Characters with a meaning of their own, such as ( [ + * ?, need a \ before them.",
            ) from error
        tokens = _TOKEN.findall(pattern)
        if _repeats_repeats(tokens):
            raise self._too_slow("It repeats a part that itself repeats or chooses.")
        if sum(map(_is_many, tokens)) > _MOST_REPEATS:
            raise self._too_slow(f"It repeats more than {_MOST_REPEATS} parts.")
        self._tried, self._spent = 0, 0.0

    @property
    def has_group(self) -> bool:
        """Whether a part of it stands in parentheses that are to be read out."""
        return self._compiled.groups > 0

    def search(self, text: str) -> re.Match[str] | None:
        """Return where it is found in the first :data:`LONGEST_TEXT` characters of a message.

        Raises
        ------
        GazeError
            When it takes too long.
        """
        text = text[:LONGEST_TEXT]
        if self._tried < _TRIED_ON:
            self._tried += 1
            for length in _BEGINNINGS:
                if length < len(text):
                    self._timed(text[:length])
        return self._timed(text)

    def _timed(self, text: str) -> re.Match[str] | None:
        begin = time.thread_time()
        found = self._compiled.search(text)
        took = time.thread_time() - begin
        self._spent += took
        if took > _SLOW_S or self._spent > _BUDGET_S:
            raise self._too_slow(f"It takes too long on messages such as '{text[:40]}'.")
        return found

    def _too_slow(self, why: str) -> GazeError:
        return GazeError(
            f"The pattern '{self.pattern}' for the {self._what} cannot be used. {why}",
            todo=r"Write it with fewer * and +, such as 'TRIALID (.*)' or 'image (\S+)'.",
        )


def _repeats_repeats(tokens: list[str]) -> bool:
    """Return whether a group that repeats or chooses inside is itself repeated many times."""
    groups = [False]
    closed: bool | None = None
    for token in tokens:
        many = _is_many(token)
        if many and closed:
            return True
        if token.startswith("("):
            groups.append(False)
        elif token == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] |= closed
            continue
        elif token == "|" or many:
            groups[-1] = True
        closed = None
    return False


def _is_many(token: str) -> bool:
    if token[0] in "*+" and len(token) <= 2:
        return True
    if token[0] != "{" or len(token) < 3:
        return False
    most = token.rstrip("?+").strip("{}").split(",")[-1]
    return not most or int(most) > _FEW_TIMES
