"""A person's caption in a captioner's tokens."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import UNKNOWN, CaptionerConfig
from gazeapp.engine.models.captioner.data.words import tokenise


@dataclass(frozen=True, slots=True)
class Along:
    """What a captioner is made to say for a caption.

    Parameters
    ----------
    tokens
        Token numbers.
    words
        The word of each of them as it was given, also where the token is ``<unk>``.
    unknown
        Words that it has no token for: ``<unk>`` stands for them, or nothing where there is no such token.
    """

    tokens: tuple[int, ...]
    words: tuple[str, ...]
    unknown: tuple[str, ...]


def along_caption(text: str, config: CaptionerConfig) -> Along:
    """Return the tokens for a caption in words.

    Raises
    ------
    GazeError
        When the captioner knows none of its words.
    """
    number = {entry: i for i, entry in enumerate(config.vocabulary)}
    words = tokenise(text)
    unknown = tuple(word for word in words if word not in number)
    if len(unknown) == len(words):
        raise GazeError(
            f"{config.name} knows none of the words of the caption “{text}”.",
            todo="Give it a caption in the words that it was trained on.",
        )
    said = [word for word in words if word in number or UNKNOWN in number]
    return Along(tuple(number.get(word, number.get(UNKNOWN, 0)) for word in said), tuple(said), unknown)
