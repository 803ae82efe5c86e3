"""What findings call the models that were scored."""

from __future__ import annotations

from gazeapp.engine.reports.model_facts import method_name
from gazeapp.engine.scoring.sources import model_names


def test_a_model_is_named_with_its_method_where_it_has_several() -> None:
    assert model_names([("one", "alpha"), ("two", "x"), ("two", "y")]) == {
        ("one", "alpha"): "one",
        ("two", "x"): "two (x)",
        ("two", "y"): "two (y)",
    }


def test_maps_along_given_captions_leave_the_names_of_the_others() -> None:
    """So that encoder and decoder effects, which go by a model's id, stay those of its free maps."""
    names = model_names([("one", "alpha"), ("one", "alpha@given"), ("two", "x@given")])
    assert names == {
        ("one", "alpha"): "one",
        ("one", "alpha@given"): "one (alpha@given)",
        ("two", "x@given"): "two (x@given)",
    }


def test_methods_in_words_say_what_was_given_and_what_was_weighted() -> None:
    assert method_name("alpha@given") == "soft attention, along given captions"
    assert method_name("alpha-gated") == "soft attention, words weighted by their gates"
    assert method_name("cross-L1-H0+2@given").endswith("of layer 1 (from 0), along given captions")
