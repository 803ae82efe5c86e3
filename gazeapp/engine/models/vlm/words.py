"""From tokens to words: which tokens make which word, and which words have content."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gazeapp.engine.models.english import is_grammar

_UNFINISHED = "\ufffd"
"""What a decoder shows for a character of which some bytes are still to come."""

# Scripts that put no space between words: each character is shown as a word of its own.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff][^\s\w]*|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


@dataclass(frozen=True, slots=True)
class TokenWord:
    """A word and the tokens that it came from.

    Parameters
    ----------
    text
        The word with the punctuation that touches it.
    tokens
        Positions of all its tokens.
    read
        Positions of the tokens whose maps make the word's map: those with a letter or a digit, or all where none has.
    is_content
        Whether it names or describes something: it has a letter or digit and is no English grammar word.
    """

    text: str
    tokens: tuple[int, ...]
    read: tuple[int, ...]
    is_content: bool


def split_words(
    tokens: Sequence[int], decode: Callable[[Sequence[int]], str]
) -> tuple[str, tuple[TokenWord, ...]]:
    """Return the text of generated tokens, and its words.

    Parameters
    ----------
    tokens
        Token ids without special ones.
    decode
        Turns token ids into text.

    Returns
    -------
    text
        The text without space around it.
    words
        In order. Every token that shows belongs to a word; spaces and line breaks belong to none.
    """
    text, spans = _spans(tokens, decode)
    words = []
    for match in _WORD.finditer(text):
        own = [i for i, (start, end) in enumerate(spans) if start < match.end() and end > match.start()]
        own = [
            i for i in own if text[max(spans[i][0], match.start()) : min(spans[i][1], match.end())].strip()
        ]
        if not own:
            continue
        speaking = [i for i in own if any(c.isalnum() for c in _part(text, spans[i], match))]
        bare = re.sub(r"^\W+|\W+$", "", match.group()).casefold().replace("\u2019", "'")
        has_content = bool(speaking) and not is_grammar(bare)
        words.append(TokenWord(match.group(), tuple(own), tuple(speaking or own), has_content))
    return text.strip(), tuple(words)


def _part(text: str, span: tuple[int, int], match: re.Match[str]) -> str:
    """Return what a token adds to a word."""
    return text[max(span[0], match.start()) : min(span[1], match.end())]


def _spans(
    tokens: Sequence[int], decode: Callable[[Sequence[int]], str]
) -> tuple[str, list[tuple[int, int]]]:
    """Return the text, and where each token's characters are in it.

    A character whose bytes are spread over several tokens belongs to all of them.
    """
    spans: list[tuple[int, int]] = []
    # The text so far, and its length without a character of which bytes are still to come.
    text, whole = "", 0
    for n in range(1, len(tokens) + 1):
        begin, waiting = whole, len(text) > whole
        text = decode(tokens[:n])
        whole = max(whole, len(text.rstrip(_UNFINISHED)))
        # A character that never came to its end belongs to the tokens that began it, not to the next one.
        while waiting and begin < whole and text[begin] == _UNFINISHED:
            begin += 1
        spans.append((begin, whole + 1 if len(text) > whole else whole))
    return text, spans
