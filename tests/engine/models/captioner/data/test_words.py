"""Words of captions, and the vocabulary made from them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import CaptionText, Picture
from gazeapp.engine.models.captioner.data.words import (
    Vocabulary,
    count_cut,
    make_vocabulary,
    tokenise,
)


def _pictures(*texts: str, task: str = "general") -> list[Picture]:
    return [Picture(f"{i}", Path(f"{i}"), "", (CaptionText(task, text),)) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's T-shirt, (red).", "a man's t-shirt red"),
        ("a man\u2019s t\u2010shirt", "a man's t-shirt"),
        ("'quoted' - and-- dogs' it's", "quoted and dogs it's"),
        ("two\u2014three\u2013four / five_six", "two three four five six"),
        ("3.5 dogs at 10:30", "3 5 dogs at 10 30"),
        ("\uff34wo \ufb01sh", "two fish"),
        ("Caf\u00e9 cafe\u0301", "caf\u00e9 caf\u00e9"),
        ("\u732b\u3068\u72ac\u3002", "\u732b \u3068 \u72ac"),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947"),
        ("\u0130stanbul", "i\u0307stanbul"),
        ("?! \U0001f600 ...", ""),
        ("", ""),
    ],
)
def test_words_are_runs_of_letters_and_digits_in_lower_case(text: str, words: str) -> None:
    assert tokenise(text) == tuple(words.split())


@given(st.text(max_size=40))
def test_words_joined_by_spaces_give_the_same_words(text: str) -> None:
    words = tokenise(text)
    assert tokenise(" ".join(words)) == words
    assert all(word and not any(c.isspace() or c in "<>" for c in word) for word in words)


@given(st.text(alphabet="aBc'-., 19", max_size=30))
def test_plain_text_is_split_as_any_other(text: str) -> None:
    # A letter of another script sends the same text through the general pattern.
    assert tokenise(f"{text} \u03c9") == (*tokenise(text), "\u03c9")


def test_a_vocabulary_falls_in_counts_and_then_follows_the_alphabet() -> None:
    pictures = _pictures("a dog and a cat", "A cat and a bird", "the dog runs", "a zebra")
    made = make_vocabulary(pictures, ("general", "social"), 2)
    words = ("a", "and", "cat", "dog")
    assert made.entries == ("<pad>", "<end>", "<unk>", "<general>", "<social>", *words)
    assert made.counts == {"a": 5, "and": 2, "cat": 2, "dog": 2}
    assert made.content_words == ("cat", "dog")
    assert make_vocabulary(pictures[::-1], ("general", "social"), 2) == made


def test_only_captions_of_the_tasks_count() -> None:
    pictures = [*_pictures("a dog"), *_pictures("a cat", task="social")]
    assert make_vocabulary(pictures, ("social",), 1).entries[4:] == ("a", "cat")


def test_words_of_other_languages_all_have_content() -> None:
    made = make_vocabulary(_pictures("der Hund und die Katze", "the dog isn't there"), ("general",), 1)
    assert set(made.content_words) == {"der", "hund", "und", "die", "katze", "dog"}


def test_no_vocabulary_is_a_sentence() -> None:
    with pytest.raises(GazeError, match="No word occurs 2 times"):
        make_vocabulary(_pictures("a dog"), ("general",), 2)


def test_encoding_and_decoding() -> None:
    made = make_vocabulary(_pictures("a dog runs"), ("general",), 1)
    assert made.entries[4:] == ("a", "dog", "runs")
    assert made.encode("general", "A cat runs.", 9) == [3, 4, 2, 6, 1]
    assert made.encode("general", "a dog runs", 2) == [3, 4, 5, 1]
    assert made.decode([4, 2, 6, 1, 5]) == ("a", "<unk>", "runs")
    assert made.decode([3, 0, 5]) == ("dog",)


def test_a_vocabulary_from_elsewhere_may_know_no_tasks_and_no_unknown_words() -> None:
    brought = Vocabulary(("<pad>", "dog", "<start>", "<end>"), ("dog",), {})
    assert brought.encode("social", "a dog", 5) == [2, 1, 3]
    assert brought.decode([2, 1, 3]) == ("dog",)


@given(st.lists(st.sampled_from(["a", "dog", "cat", "man's", "red", "t-shirt"]), min_size=1, max_size=12))
def test_encoded_captions_decode_to_their_words(words: list[str]) -> None:
    made = make_vocabulary(_pictures(" ".join(words)), ("general",), 1)
    tokens = made.encode("general", " ".join(words), 12)
    assert made.decode(tokens[1:]) == tuple(words)
    assert made.counts == Counter(words)


def test_cut_captions_are_counted() -> None:
    pictures = _pictures(
        "a b c", "a b c d", "a. b. c. d. e.", "a really long word", "\u732b\u3068\u72ac\u732b"
    )
    assert count_cut(pictures, ("general",), 3) == 4
    assert count_cut(pictures, ("general",), 4) == 1
    assert count_cut(pictures, ("social",), 1) == 0
