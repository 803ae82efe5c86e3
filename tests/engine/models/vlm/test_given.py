"""A person's caption in the tokens of tokenizers that treat spaces and unknown words in different ways."""

from __future__ import annotations

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.given import along_caption

SPACE = "\u2581"


class Pieces:
    """A tokenizer of whole words: with a space of its own before the text (as Llama's), or as it is told (as GPT's)."""

    all_special_tokens = ("<s>", "<image>")
    all_special_ids = (0, 1)

    def __init__(self, words: tuple[str, ...], adds_space: bool, knows_unknown: bool = True) -> None:
        self._adds = adds_space
        self._pieces = ["<s>", "<image>", "<unk>", ":", "\n"]
        self._pieces += [mark + word for word in words for mark in ("", SPACE)]
        self.unk_token_id = 2 if knows_unknown else None

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        spaced = text.startswith(" ") or self._adds
        words = text.split()
        pieces = [(SPACE if i or spaced else "") + word for i, word in enumerate(words)]
        return [self._pieces.index(piece) if piece in self._pieces else 2 for piece in pieces]

    def decode(self, tokens: list[int], clean_up_tokenization_spaces: bool) -> str:
        return "".join(self._pieces[token] for token in tokens).replace(SPACE, " ")

    def convert_ids_to_tokens(self, tokens: list[int]) -> list[str]:
        return [self._pieces[token] for token in tokens]

    def read(self, tokens: tuple[int, ...]) -> str:
        return "".join(self._pieces[token] for token in tokens)


WORDS = ("a", "man")
COLON, LINE, START = 3, 4, 0


@pytest.mark.parametrize(
    ("last", "expected"),
    [(COLON, "▁a▁man"), (LINE, "a▁man"), (START, "a▁man"), (None, "a▁man")],
)
def test_a_caption_behind_text_begins_with_a_space(last: int | None, expected: str) -> None:
    tokenizer = Pieces(WORDS, adds_space=False)
    tokens, unknown = along_caption(tokenizer, " a  man ", last)
    assert tokenizer.read(tokens) == expected
    assert unknown == ()


@pytest.mark.parametrize("last", [COLON, LINE, None])
def test_a_space_that_the_tokenizer_puts_itself_is_not_doubled(last: int | None) -> None:
    tokenizer = Pieces(WORDS, adds_space=True)
    assert tokenizer.read(along_caption(tokenizer, "a man", last)[0]) == "▁a▁man"


def test_words_without_a_token_are_left_out_and_told() -> None:
    tokenizer = Pieces(WORDS, adds_space=False)
    tokens, unknown = along_caption(tokenizer, "a zebra man", LINE)
    assert tokenizer.read(tokens) == "a▁man"
    assert unknown == ("zebra",)


@pytest.mark.parametrize(
    ("text", "sentence"), [("zebra", "no tokens for the caption"), ("a <image>", "a meaning of its own")]
)
def test_captions_that_cannot_be_written_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(GazeError, match=sentence):
        along_caption(Pieces(WORDS, adds_space=False), text, None)
