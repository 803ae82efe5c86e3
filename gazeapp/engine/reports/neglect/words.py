"""What lesions, their parts and their outcomes are called in tables and texts."""

from __future__ import annotations

from gazeapp.engine.project import LesionKey
from gazeapp.engine.scoring.analyses.neglect_outcomes import EQUAL_MASS, NO_LESION, RANDOM

_LONGEST = 26
"""Characters of a mask's name in figures."""

CONTROL_NAMES = {
    "random": "as much area elsewhere",
    "equal_mass": "as much attention elsewhere",
    "mirrored": "the mirrored mask",
    "flipped": "the mirrored image under the mirrored mask",
    "none": "nothing taken away",
}
"""Controls as they are called in the window, in figures and in sentences."""

SIDES_CAUTION = (
    "Pictures and captions are not symmetric: a difference says nothing about the model until the control "
    f"“{CONTROL_NAMES['flipped']}” says the same."
)
"""What is to be known of one side against the other."""

SCOPE_NAMES = {
    "keys": "attention keys",
    "keys_and_start": "attention keys and start",
    "text": "keys, for text only",
    "readout": "keys, for words only",
    "zero": "features to zero",
    "mean": "features to their mean",
    "pixels": "pixels to their mean",
    "blur": "pixels blurred",
}
"""Scopes of lesions as they are called in menus, titles and lists."""

CONTROL_MEANINGS = {
    "mirrored": "The same mask mirrored left to right on the same image.",
    "random": "The same mask at another place: turned over and shifted at random (seeded), what leaves at one border "
    "coming in at the other, so that area and grades are the same. It overlaps the mask by no more than chance: "
    "a half by up to half of itself.",
    "equal_mass": "A region outside the mask, grown from a random cell, that held as much of the model’s intact "
    "attention.",
    "none": "Nothing is taken away: has to give the intact run again.",
    "flipped": "The mirrored image under the mirrored mask: tells a habit of looking to one side from the lesion.",
}


def lesion_name(key: LesionKey) -> str:
    """Return what a lesion is called in tables: ``left · keys · 0.5``, a control ``left (random 1) · keys · 0.5``."""
    draw = f" {key.draw + 1}" if key.control in (RANDOM, EQUAL_MASS) else ""
    control = f" ({key.control.replace('_', ' ')}{draw})" if key.control not in ("", NO_LESION) else ""
    return f"{key.mask}{control} · {key.scope} · {key.strength:g}"


def short(mask: str) -> str:
    """Return the name of a mask as it stands in figures and tables, long ones without their end."""
    return mask if len(mask) <= _LONGEST else f"{mask[: _LONGEST - 1].rstrip()}…"


def quoted(mask: str) -> str:
    """Return the name of a mask as it stands in a sentence, apart from its words."""
    return f"“{mask}”"


def parts_of(label: str) -> tuple[str, str, float]:
    """Return mask, scope and strength of a finding's lesion, such as ``left · keys · 0.5``."""
    rest, _, strength = label.rpartition(" · ")
    mask, _, scope = rest.rpartition(" · ")
    return mask, scope, float(strength)


def dose_parts_of(label: str) -> tuple[str, str]:
    """Return mask and scope of a finding about all strengths, such as ``left · keys``."""
    mask, _, scope = label.rpartition(" · ")
    return mask, scope
