"""From captions to words, and from words to token numbers."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import END, PAD, START, UNKNOWN, task_token
from gazeapp.engine.models.captioner.data.caption_set import Picture
from gazeapp.engine.models.english import is_grammar

_SAME = str.maketrans({"\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-"})
"""Apostrophes and hyphens that only look different."""

_PLAIN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")

# Scripts that put no space between words: each character is a word.
_SINGLE = "\u3040-\u3098\u309b-\u30ff\u3400-\u9fff\uf900-\ufaff"


def tokenise(text: str) -> tuple[str, ...]:
    """Return the words of a caption.

    Text is brought to Unicode's NFKC form and to lower case. A word is a run of letters, digits and the marks on
    them; apostrophes and hyphens inside it belong to it (``man's``, ``t-shirt``), all other punctuation separates
    and is dropped. Of Chinese and Japanese script each character is a word. Words joined by spaces give the same words.

    Examples
    --------
    >>> tokenise("A man's T-shirt, (red).")
    ('a', "man's", 't-shirt', 'red')
    """
    lower = text.lower()
    if lower.isascii():
        return tuple(_PLAIN.findall(lower))
    # Lower case can undo the form, as of a capital I with a dot, so the form comes before and after it.
    formed = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return tuple(_any_script().findall(formed.translate(_SAME)))


@cache
def _any_script() -> re.Pattern[str]:
    """Return the pattern of a word in any script; marks are listed because `re` knows no class for them."""
    marks = (code for code in range(sys.maxunicode) if unicodedata.category(chr(code))[0] == "M")
    runs = [[code for _, code in run] for _, run in groupby(enumerate(marks), lambda pair: pair[1] - pair[0])]
    mark = "".join(f"{re.escape(chr(run[0]))}-{re.escape(chr(run[-1]))}" for run in runs)
    part = rf"(?![{_SINGLE}])[^\W_](?:(?![{_SINGLE}])[^\W_]|[{mark}])*"
    return re.compile(rf"[{_SINGLE}](?<=[^\W_])[{mark}]*|{part}(?:['-]{part})*")


@dataclass(frozen=True)
class Vocabulary:
    """The words that a captioner can say.

    Parameters
    ----------
    entries
        Every token in the order of its number: ``<pad>``, ``<end>``, ``<unk>``, one for each task, then words.
    content_words
        Words that name or describe something, in the order of the entries.
    counts
        How often each word among the entries occurs in the captions that the vocabulary was made from.
    """

    entries: tuple[str, ...]
    content_words: tuple[str, ...]
    counts: Mapping[str, int]

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of every entry."""
        return {entry: i for i, entry in enumerate(self.entries)}

    def first(self, task: str) -> int:
        """Return the number of the token that begins a caption of ``task``."""
        token = task_token(task)
        return self.number[token if token in self.number else START]

    def encode(self, task: str, text: str, max_words: int) -> list[int]:
        """Return a caption's token numbers: the token of the task, at most ``max_words`` words, ``<end>``.

        Words that are no entries are ``<unk>``, or left out by a vocabulary without it.
        """
        unknown = self.number.get(UNKNOWN, 0)
        words = (self.number.get(word, unknown) for word in tokenise(text))
        return [self.first(task), *[word for word in words if word][:max_words], self.number[END]]

    def decode(self, tokens: Iterable[int]) -> tuple[str, ...]:
        """Return the words of a caption up to ``<end>``, without the tokens that are no words."""
        words: list[str] = []
        for token in tokens:
            if token == self.number[END]:
                break
            if not _is_special(self.entries[token]) or self.entries[token] == UNKNOWN:
                words.append(self.entries[token])
        return tuple(words)


def make_vocabulary(pictures: Iterable[Picture], tasks: tuple[str, ...], min_count: int) -> Vocabulary:
    """Return the vocabulary of captions.

    Parameters
    ----------
    pictures
        Those of the training split.
    tasks
        Tasks whose captions count, in the order of their tokens.
    min_count
        How often a word has to occur.

    Returns
    -------
    Vocabulary
        Its words fall in number and then follow the alphabet, so that the same captions give the same order.

    Raises
    ------
    GazeError
        When no word occurs often enough.
    """
    wanted = frozenset(tasks)
    found: Counter[str] = Counter()
    for picture in pictures:
        for caption in picture.captions:
            if caption.task in wanted:
                found.update(tokenise(caption.text))
    kept = {word: count for word, count in found.items() if count >= min_count}
    if not kept:
        raise GazeError(
            f"No word occurs {min_count} times in the training captions, so there is no vocabulary.",
            todo="Ask for fewer occurrences, or give more captions.",
        )
    words = sorted(kept, key=lambda word: (-kept[word], word))
    return Vocabulary(
        (PAD, END, UNKNOWN, *map(task_token, tasks), *words),
        tuple(word for word in words if not is_grammar(word)),
        {word: kept[word] for word in words},
    )


def count_cut(pictures: Iterable[Picture], tasks: tuple[str, ...], max_words: int) -> int:
    """Return how many captions have more than ``max_words`` words, and so are cut."""
    texts = (caption.text for p in pictures for caption in p.captions if caption.task in tasks)
    # So many words have as many characters and gaps between them, unless the script leaves no gaps.
    long = (text for text in texts if len(text) > 2 * max_words or not text.isascii())
    return sum(len(tokenise(text)) > max_words for text in long)


def _is_special(entry: str) -> bool:
    return entry.startswith("<") and entry.endswith(">")
