from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders

from gazeapp.engine.models.english import GRAMMAR
from gazeapp.engine.models.vlm.words import TokenWord, split_words


def _split(pieces: Sequence[bytes | str]) -> tuple[str, tuple[TokenWord, ...]]:
    """Return the words of a caption whose tokens stand for these bytes, read as byte-level tokenizers do."""
    parts = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    return split_words(
        range(len(parts)), lambda ids: b"".join(parts[i] for i in ids).decode("utf-8", "replace")
    )


def _told(pieces: Sequence[bytes | str]) -> list[tuple[str, tuple[int, ...]]]:
    return [(word.text, word.tokens) for word in _split(pieces)[1]]


def test_pieces_of_a_word_belong_together() -> None:
    text, words = _split(["A", " gir", "affe", " st", "ands"])
    assert text == "A giraffe stands"
    assert [(w.text, w.tokens) for w in words] == [("A", (0,)), ("giraffe", (1, 2)), ("stands", (3, 4))]
    assert [w.is_content for w in words] == [False, True, True]


def test_punctuation_belongs_to_the_word_it_touches_and_is_not_read() -> None:
    words = _split([" A", " \u201c", "red", "\u201d", ",", " old", "-", "fashioned", " bus", "."])[1]
    assert [(w.text, w.tokens, w.read) for w in words] == [
        ("A", (0,), (0,)),
        ("\u201cred\u201d,", (1, 2, 3, 4), (2,)),
        ("old-fashioned", (5, 6, 7), (5, 7)),
        ("bus.", (8, 9), (8,)),
    ]


def test_punctuation_alone_is_a_word_that_is_read_whole_and_has_no_content() -> None:
    words = _split([" cats", " \u2014", " 3", " dogs", " ..", "."])[1]
    assert [(w.text, w.read, w.is_content) for w in words] == [
        ("cats", (0,), True),
        ("\u2014", (1,), False),
        ("3", (2,), True),
        ("dogs", (3,), True),
        ("...", (4, 5), False),
    ]


def test_a_token_of_two_words_counts_for_both() -> None:
    assert _told(["a dog", " runs"]) == [("a", (0,)), ("dog", (0,)), ("runs", (1,))]


def test_spaces_and_line_breaks_belong_to_no_word() -> None:
    text, words = _split(["\n", "A", "\n\n", "**", "dog", "**", " ", "\n", "- ", "runs", "\n"])
    assert text == "A\n\n**dog** \n- runs"
    assert [(w.text, w.tokens) for w in words] == [
        ("A", (1,)),
        ("**dog**", (3, 4, 5)),
        ("-", (8,)),
        ("runs", (9,)),
    ]
    assert words[1].read == (4,)


def test_characters_of_scripts_without_spaces_are_words() -> None:
    text, words = _split(["\u7ea2\u8272", "\u7684", "\u8f66", "\u3002", "\u732b\u3068", " dog"])
    assert text == "\u7ea2\u8272\u7684\u8f66\u3002\u732b\u3068 dog"
    assert [(w.text, w.tokens) for w in words] == [
        ("\u7ea2", (0,)),
        ("\u8272", (0,)),
        ("\u7684", (1,)),
        ("\u8f66\u3002", (2, 3)),
        ("\u732b", (4,)),
        ("\u3068", (4,)),
        ("dog", (5,)),
    ]
    assert words[3].read == (2,)


def test_a_character_split_over_tokens_belongs_to_all_of_them() -> None:
    car = "\u8f66".encode()
    assert _told([" red ", car[:1], car[1:2], car[2:], " here"]) == [
        ("red", (0,)),
        ("\u8f66", (1, 2, 3)),
        ("here", (4,)),
    ]


def test_an_emoji_split_over_tokens_is_one_word() -> None:
    dog = "\U0001f436".encode()
    text, words = _split(["a", b" " + dog[:2], dog[2:3], dog[3:], " runs"])
    assert text == "a \U0001f436 runs"
    assert [(w.text, w.tokens, w.is_content) for w in words] == [
        ("a", (0,), False),
        ("\U0001f436", (1, 2, 3), False),
        ("runs", (4,), True),
    ]


def test_a_token_that_ends_one_character_and_begins_the_next_belongs_to_both() -> None:
    red, car = "\u7ea2".encode(), "\u8f66".encode()
    assert _told([red[:2], red[2:] + car[:1], car[1:]]) == [("\u7ea2", (0, 1)), ("\u8f66", (1, 2))]


def test_a_caption_that_breaks_off_inside_a_character_keeps_what_was_said() -> None:
    text, words = _split([" red", " ", "\u8f66".encode()[:2]])
    assert [(w.text, w.tokens, w.is_content) for w in words] == [
        ("red", (0,), True),
        ("\ufffd", (2,), False),
    ]
    assert text == "red \ufffd"


def test_a_character_that_the_model_never_finishes_costs_no_other_word_its_tokens() -> None:
    car = "\u8f66".encode()
    assert _told([" red", b" " + car[:1], " dog", " runs"]) == [
        ("red", (0,)),
        ("\ufffd", (1,)),
        ("dog", (2,)),
        ("runs", (3,)),
    ]


def test_accents_on_their_own_stay_with_their_letter() -> None:
    words = _split([" cafe", "\u0301", " table"])[1]
    assert [(w.text, w.tokens, w.is_content) for w in words] == [
        ("cafe\u0301", (0, 1), True),
        ("table", (2,), True),
    ]


@pytest.mark.parametrize(
    ("word", "content"),
    [
        ("The", False),
        ("it's", False),
        ("it\u2019s", False),
        ("(with)", False),
        ("\u201cTHE", False),
        ("two", True),
        ("don", True),
        ("dog's", True),
        ("that's", False),
        ("isn't", False),
        ("can\u2019t", False),
        ("they've", False),
        ("7", True),
        ("h\u00e9t\u00e9rog\u00e8ne", True),
        ("&", False),
    ],
)
def test_content_words(word: str, content: bool) -> None:
    assert [w.is_content for w in _split([word])[1]] == [content]


def test_nothing_said_has_no_words() -> None:
    assert _split([]) == ("", ())
    assert _split([" ", "\n"]) == ("", ())


def test_a_decoder_that_drops_the_first_space_only() -> None:
    """Sentencepiece decoders strip the space in front of the whole text, not of later tokens."""
    pieces = ["\u2581A", "\u2581ze", "bra", "."]
    text, words = split_words(
        range(4), lambda ids: "".join(pieces[i] for i in ids).replace("\u2581", " ").removeprefix(" ")
    )
    assert text == "A zebra."
    assert [(w.text, w.tokens) for w in words] == [("A", (0,)), ("zebra.", (1, 2, 3))]


def test_bytes_that_are_tokens_of_their_own() -> None:
    """Decoders that fall back to bytes show each byte of an unfinished character as one of its own."""
    decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    pieces = ["\u2581red", "\u2581", "<0xF0>", "<0x9F>", "<0x90>", "<0xB6>", "\u2581runs"]
    text, words = split_words(range(7), lambda ids: decoder.decode([pieces[i] for i in ids]))
    assert text == "red \U0001f436 runs"
    assert [(w.text, w.tokens) for w in words] == [
        ("red", (0,)),
        ("\U0001f436", (2, 3, 4, 5)),
        ("runs", (6,)),
    ]


def test_word_pieces() -> None:
    """As the tokenizers of BLIP and GIT write: spaces are not in the tokens, and punctuation is pulled up."""
    decoder = decoders.WordPiece()
    pieces = ["a", "gi", "##raf", "##fe", ",", "two", "-", "toned", ".", "it", "'", "s", "red"]
    text, words = split_words(range(len(pieces)), lambda ids: decoder.decode([pieces[i] for i in ids]))
    assert [(w.text, w.tokens) for w in words][:2] == [("a", (0,)), ("giraffe,", (1, 2, 3, 4))]
    assert sorted(i for w in words for i in w.tokens) == list(range(len(pieces)))
    assert text.split() == [w.text for w in words]


@settings(deadline=None)
@given(
    st.text(alphabet="ab .,\n-'\u00e9\u7ea2\u8f66\U0001f436", max_size=12).flatmap(
        lambda text: st.tuples(
            st.just(text.encode()), st.sets(st.integers(1, max(1, len(text.encode()) - 1)))
        )
    )
)
def test_any_cut_of_any_text_gives_every_word_its_bytes(case: tuple[bytes, set[int]]) -> None:
    """However a text is cut into tokens, words are the same, and own exactly the tokens with bytes of theirs."""
    raw, cuts = case
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges) if b > a]
    text, words = _split(pieces)
    whole = _split([raw] if raw else [])
    assert (text, [w.text for w in words]) == (whole[0], [w.text for w in whole[1]])
    owner = [i for i, piece in enumerate(pieces) for _ in piece]
    at = 0
    for word in words:
        start = raw.index(word.text.encode(), at)
        at = start + len(word.text.encode())
        assert word.tokens == tuple(sorted(set(owner[start:at])))
        assert set(word.read) <= set(word.tokens)
        assert word.read


def test_the_guide_lists_the_grammar_words() -> None:
    guide = Path(__file__).parents[4] / "docs" / "models.md"
    section = guide.read_text(encoding="utf-8").partition("### Grammar words")[2].partition("\n## ")[0]
    listed = [
        word for line in section.splitlines() if line.startswith("    ") for word in line.strip().split()
    ]
    assert set(listed) == GRAMMAR
    assert not any(word.is_content for word in _split([f" {word}" for word in listed])[1])


def test_contractions_that_a_tokenizer_took_apart_are_grammar() -> None:
    """BERT's words come back with spaces around their punctuation."""
    _, words = _split([" the", " man", " '", " s", " t", " -", " shirt"])
    assert [word.text for word in words if word.is_content] == ["man", "shirt"]
