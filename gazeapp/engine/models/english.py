"""Which English words carry grammar and which have content; there is no such list for other languages."""

from __future__ import annotations

import re

GRAMMAR = frozenset(
    re.findall(
        r"\S+",
        """
        a an the this that these those some any each every no another other such both either neither all
        i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
        who whom whose which what there here
        and or but nor so yet if while as because although though than then when where whereas since until
        of in on at by for with from to into onto over under above below between among through across behind beside
        besides near next around along against about after before during without within toward towards up down out
        off inside outside upon per via
        is are was were be been being am has have had having do does did doing can could will would shall should may
        might must not also very just too can't won't s t d m re ll ve
        """,
    )
)
"""English words that carry grammar, not content; the single letters are what some tokenizers leave of contractions."""

_CONTRACTED = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m))$")
"""What verbs leave behind a word; a noun stays a noun in front of it."""


def is_grammar(word: str) -> bool:
    """Return whether a word, in lower case and with straight apostrophes, is one of English grammar.

    Words of other languages are none, so that all of them count as content.
    """
    return word in GRAMMAR or _CONTRACTED.sub("", word) in GRAMMAR
