"""Colours and names that a source of maps keeps in every figure."""

from __future__ import annotations

from collections.abc import Sequence

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/; people first, then the models.
_OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#F0E442")

# From the muted scheme of Tol (2021), https://sronpersonalpages.nl/~pault/; for models that these do not reach.
_MORE = ("#AA4499", "#882255", "#44AA99", "#999933")

PEOPLE_COLOUR = _OKABE_ITO[0]
REFERENCE_COLOUR = "#8A8A8A"
"""Baselines and the true density: marks to measure by, in grey."""

LEVEL_COLOURS = (_OKABE_ITO[4], _OKABE_ITO[5], _OKABE_ITO[2], _OKABE_ITO[3])
"""Levels of a factor, such as encoders, which are no sources themselves."""

DENSITY_MAP = "viridis"

# The captioners that ship look the same in every study, whichever of them are in it.
_FIXED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


def model_colour(model: str, models: Sequence[str]) -> str:
    """Return the colour of a model, given all model ids of the project in their stable order.

    The captioners that ship have the first four colours; others take the following ones in their order. None is
    grey, which is for baselines and true densities.
    """
    colours = (*_OKABE_ITO[1:], *_MORE)
    if model in _FIXED:
        return colours[_FIXED.index(model)]
    others = [each for each in models if each not in _FIXED]
    if model not in others:
        return REFERENCE_COLOUR
    return colours[(len(_FIXED) + others.index(model)) % len(colours)]
