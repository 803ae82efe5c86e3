"""A person's caption in a vision-language model's tokens, as the model itself would write it."""

from __future__ import annotations

from typing import Any

from gazeapp.engine.errors import GazeError


def along_caption(tokenizer: Any, text: str, last: int | None) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the tokens that write a caption behind a prompt, and the words that there are no tokens for.

    Parameters
    ----------
    tokenizer
        The model's tokenizer.
    text
        The caption.
    last
        Token that the caption follows; None where nothing is before it. Behind text that does not end in a space,
        such as ``Assistant:``, models begin with a space.

    Raises
    ------
    GazeError
        When the caption holds a mark with a meaning of its own, or nothing that the model can write.
    """
    text = " ".join(text.split())
    marks = sorted(mark for mark in tokenizer.all_special_tokens if mark in text)
    if marks:
        raise GazeError(
            f"The caption “{text}” holds '{marks[0]}', which has a meaning of its own for this model.",
            todo="Write the caption without it.",
        )
    tokens = tokenizer.encode(text, add_special_tokens=False)
    if _follows_text(tokenizer, last) and not _begins_with_space(tokenizer, tokens):
        tokens = tokenizer.encode(f" {text}", add_special_tokens=False)
    nothing = tokenizer.unk_token_id
    known = tuple(token for token in tokens if token != nothing)
    if not known:
        raise GazeError(
            f"The model has no tokens for the caption “{text}”.",
            todo="Give it words in a script that it knows.",
        )
    unknown = [
        word for word in text.split() if nothing in tokenizer.encode(f" {word}", add_special_tokens=False)
    ]
    return known, tuple(unknown) if nothing is not None else ()


def _follows_text(tokenizer: Any, last: int | None) -> bool:
    if last is None or last in tokenizer.all_special_ids:
        return False
    before: str = tokenizer.decode([last], clean_up_tokenization_spaces=False)
    return bool(before) and not before[-1].isspace()


def _begins_with_space(tokenizer: Any, tokens: list[int]) -> bool:
    """Return whether the tokenizer put a space before the text by itself, as those of Llama do."""
    return bool(tokens) and str(tokenizer.convert_ids_to_tokens(tokens[:1])[0]).startswith("\u2581")
