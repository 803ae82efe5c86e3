import pytest

from gazeapp.engine.reports import numbers


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.005, 1, "1.0"),
        (-0.004, 2, "0.00"),
        (-1.5, 1, "−1.5"),
        (12345.678, 0, "12,346"),
        (None, 2, "–"),
        (float("nan"), 2, "–"),
        (float("inf"), 2, "–"),
    ],
)
def test_a_number_has_its_decimals_a_true_minus_and_no_minus_zero(value, digits, text):
    assert numbers.number(value, digits) == text


def test_each_metric_has_its_own_decimals():
    assert numbers.metric_value(0.87654, "auc") == "0.877"
    assert numbers.metric_value(1.23456, "nss") == "1.23"


def test_percent_and_interval_do_not_break_across_lines():
    assert numbers.percent(83.6) == "84\u00a0%"
    assert numbers.percent(None) == "–"
    assert numbers.interval(79.5, 88.4) == "[80,\u00a088]"
    assert numbers.interval(None, 88.4) == ""
    assert numbers.interval(float("nan"), 88.4) == ""


def test_small_p_values_are_not_0():
    assert numbers.p_value(0.0001) == "<\u00a00.001"
    assert numbers.p_value(0.0312) == "0.031"


def test_counts_and_lists_read_as_sentences_do():
    assert numbers.count(1, "image") == "1\u00a0image"
    assert numbers.count(1200, "image") == "1,200\u00a0images"
    assert numbers.listed([]) == ""
    assert numbers.listed(["a"]) == "a"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"
