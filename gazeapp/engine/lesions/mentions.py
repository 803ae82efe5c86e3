"""Whether a caption mentions an object.

The rule: a caption mentions an object when the words of its label stand in it one after the other. Words are runs of
letters and digits, whatever parts them; case does not matter, and neither does an ``s`` or ``es`` at the end of either
word. So ``teddy bear`` is mentioned by *two Teddy-bears*, ``man`` by *the man's hat* but not by *a woman*. Other
plurals (*men*), other words for the same thing, and languages that put no space between words are not seen through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W_]+")


def mentions(label: str, words: Iterable[str]) -> bool:
    """Return whether a caption mentions what a label names.

    Parameters
    ----------
    label
        What the object is called, such as ``fire hydrant``; one without letters and digits is never mentioned.
    words
        The caption's words, in order, with or without punctuation.
    """
    return _holds(_words(" ".join(words)), _words(label))


def mentioned(labels: Iterable[str], words: Iterable[str]) -> frozenset[str]:
    """Return the labels that a caption mentions, as they are written (:func:`mentions`)."""
    caption = _words(" ".join(words))
    return frozenset(label for label in labels if _holds(caption, _words(label)))


def _holds(caption: Sequence[str], label: Sequence[str]) -> bool:
    """Return whether the label's words are somewhere in the caption, side by side."""
    n = len(label)
    return n > 0 and any(
        all(map(_same, caption[first : first + n], label)) for first in range(len(caption) - n + 1)
    )


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long in (short, f"{short}s", f"{short}es")


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
