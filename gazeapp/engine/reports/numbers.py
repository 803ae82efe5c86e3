"""Numbers as a reader wants them: sensible digits, a true minus sign, a dash for what is unknown."""

from __future__ import annotations

import math

UNKNOWN = "–"
_TIED = "\u00a0"
"""A space at which no line breaks."""
_DIGITS = {"auc": 3, "sauc": 3}


def number(value: float | None, decimals: int = 2) -> str:
    """Return a number with a fixed count of decimals."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:,.{decimals}f}"
    # Rounding may leave a sign without a size.
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def digits(metric: str) -> int:
    """Return how many decimals are usual for a metric."""
    return _DIGITS.get(metric, 2)


def metric_value(value: float | None, metric: str) -> str:
    """Return a score with the decimals usual for its metric: three for the AUCs, else two."""
    return number(value, digits(metric))


def percent(value: float | None) -> str:
    """Return a percentage without decimals, such as ``84 %``, tied so that no line breaks in it."""
    text = number(value, 0)
    return text if text == UNKNOWN else f"{text}{_TIED}%"


def p_value(value: float) -> str:
    """Return a p value with three decimals, small ones as ``< 0.001``."""
    return f"<{_TIED}0.001" if value < 0.001 else number(value, 3)


def interval(low: float | None, high: float | None, decimals: int = 0) -> str:
    """Return an interval such as ``[80, 88]``, empty when an end is unknown."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low, decimals)},{_TIED}{number(high, decimals)}]"


def is_share(unit: str) -> bool:
    """Return whether a number with this unit is in percent of the human ceiling."""
    return unit in ("%", "% of ceiling")


def count(value: int, one: str, many: str = "") -> str:
    """Return a count with its noun, such as ``1 image`` or ``1,200 images``, tied."""
    return f"{value:,}{_TIED}{one if value == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """Return items as a sentence has them: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
