"""Whether an image is of a kind that a model was not trained on."""

from __future__ import annotations

DEMO_WORLD = "demo-world"
"""Origin of drawn scenes, and domain of the models that ship, which were trained on nothing else."""


def is_outside_training(domain: str, origin: str) -> bool:
    """Return whether an image is outside what a model was trained on.

    Only the domain of the models that ship can be held against an image's origin: any other is what somebody says of
    a model in words, such as ``COCO Captions``, which no origin can contradict.

    Parameters
    ----------
    domain
        What the model was trained on.
    origin
        Where the image comes from: ``demo-world`` for drawn scenes, else ``photograph``.
    """
    return domain == DEMO_WORLD and origin != DEMO_WORLD
