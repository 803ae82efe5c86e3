"""What a trial on one image says about the whole, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.ui.widgets import capital
from gazeapp.ui.worker import duration


def estimate_lines(
    found: Sequence[Mapping[str, Any]], names: Mapping[str, str], on_card: bool = False
) -> list[str]:
    """Return a sentence for each model that was tried, and one for all when there are several.

    Parameters
    ----------
    found
        As ``details["models"]`` of `gazeapp.engine.workflows.trial.trial`.
    names
        Names to show, by the models' ids.
    on_card
        Whether the memory that was counted is that of the graphics card.
    """
    several = len(found) > 1
    said = [_estimate(model, on_card) for model in found]
    lines = [
        f"{names.get(model['model'], model['model'])}: {line}" if several else capital(line)
        for model, line in zip(found, said, strict=True)
    ]
    if several:
        seconds = sum(float(model["estimate_seconds"]) for model in found)
        size = sum(float(model["estimate_bytes"]) for model in found)
        lines.append(f"All together: {duration(seconds)}; {readable(size)} in the project file.")
    return lines


def how_loaded(found: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return how each model was loaded and what it said, for a tooltip."""
    parts = []
    for model in found:
        sentences = [*model.get("plan", ()), f"It said: “{model['caption']}”"]
        parts.append("\n".join([names.get(model["model"], model["model"]), *sentences]))
    return "\n\n".join(parts)


def _estimate(model: Mapping[str, Any], on_card: bool) -> str:
    units = int(model["units"])
    parts = [
        f"about {_each(float(model['seconds_per_image']))} an image: {units:,} map{'' if units == 1 else 's'} in "
        f"{duration(float(model['estimate_seconds']))}"
    ]
    if model.get("peak_memory_mb"):
        parts.append(
            f"{readable(float(model['peak_memory_mb']) * 1e6)} {'on the graphics card' if on_card else 'of memory'}"
        )
    parts.append(f"{readable(float(model['estimate_bytes']))} in the project file")
    return "; ".join(parts)


def _each(seconds: float) -> str:
    if seconds >= 100:
        return duration(seconds)
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2f} s"
