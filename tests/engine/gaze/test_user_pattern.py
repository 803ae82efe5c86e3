"""Patterns that a user typed: found in messages, explained when wrong, refused before they hang."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.user_pattern import LONGEST_TEXT, UserPattern


@pytest.mark.parametrize(
    ("pattern", "text", "group"),
    [
        (r"TRIALID (.*)", "TRIALID 7", "7"),
        (r"image (\S+)", "show image a.png now", "a.png"),
        (r"(?:start|begin)_trial[\s:]*(\d{1,5})", "begin_trial: 12", "12"),
        (r"(?P<name>[a-z+*()]+)\.png", "x.png", "x"),
        (r"(\(\d+\))?done (.+)", "(3)done b", "(3)"),
    ],
)
def test_usual_patterns_are_searched_anywhere(pattern, text, group):
    assert UserPattern(pattern, "start of a trial").search(text)[1] == group


@pytest.mark.parametrize("pattern", ["([", "*", "(?P<x", "a{5,2}", "(?<=a+)b", "\\"])
def test_what_is_no_regular_expression_is_explained(pattern):
    with pytest.raises(GazeError, match="no regular expression"):
        UserPattern(pattern, "start of a trial")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a*)*b",
        r"((a|b)+c?)*d",
        r"(?:\w+\s?)+$",
        r"(a|a)*b",
        r"(x+){11}y",
        r"(\d+\.?){2,}z",
        ".*" * 11,
    ],
)
def test_patterns_that_repeat_what_repeats_are_refused_as_they_are_written(pattern):
    with pytest.raises(GazeError, match="cannot be used"):
        UserPattern(pattern, "image")


@pytest.mark.parametrize("pattern", [r".*.*.*.*.*.*.*.*x", r"\w*\w*\w*\w*\w*\w*\w*\W"])
def test_patterns_that_take_long_are_refused_soon(pattern):
    compiled = UserPattern(pattern, "image")
    begin = time.perf_counter()
    with pytest.raises(GazeError, match="takes too long"):
        compiled.search("a" * 1000)
    assert time.perf_counter() - begin < 10


def test_only_the_beginning_of_a_long_message_is_searched():
    assert UserPattern("end", "image").search("a" * LONGEST_TEXT + "end") is None


def test_a_pattern_longer_than_anyone_types_is_refused():
    with pytest.raises(GazeError, match="characters long"):
        UserPattern("a" * 501, "image")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    pattern=st.text(alphabet="ab()[]*+?{}1,|\\.^$", max_size=14), text=st.text(alphabet="ab1", max_size=60)
)
def test_any_pattern_finds_or_is_refused(pattern, text):
    try:
        UserPattern(pattern, "image").search(text)
    except GazeError as error:
        refused = error.todo
    else:
        refused = "found or not"
    assert refused
