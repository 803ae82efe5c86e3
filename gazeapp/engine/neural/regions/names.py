"""Names of regions as atlases spell them, and as they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gazeapp.engine.neural.records import LEFT, RIGHT

_NOTHING = frozenset(
    {
        *("", "?", "??", "???", "unknown", "none", "no label", "background", "unlabeled", "unlabelled"),
        *("medial wall", "medialwall", "medial_wall", "freesurfer_defined_medial_wall", "corpuscallosum"),
        "background+freesurfer_defined_medial_wall",
    }
)
"""What atlases call the places that are in no region of the cortex, in small letters."""

_SIDE = {"l": LEFT, "lh": LEFT, "left": LEFT, "r": RIGHT, "rh": RIGHT, "right": RIGHT}
_NETWORKS = re.compile(r"(?:\d+Networks)_(LH|RH)_(.+)")
_LETTER_BEFORE = re.compile(r"([LR])_(.+?)(?:_ROI)?(?:-[lr]h)?")
_WORD_BEFORE = re.compile(r"(?:ctx[-_])?(lh|rh|left|right)[-_. ](.+)", re.IGNORECASE)
_WORD_AFTER = re.compile(r"(.+?)[-_. ](lh|rh|left|right)", re.IGNORECASE)
_NETWORK_NAMES = {
    "Vis": "Visual",
    "VisCent": "Visual central",
    "VisPeri": "Visual peripheral",
    "SomMot": "Somatomotor",
    "DorsAttn": "Dorsal attention",
    "SalVentAttn": "Salience and ventral attention",
    "Limbic": "Limbic",
    "Cont": "Control",
    "Default": "Default",
    "TempPar": "Temporal parietal",
}


@dataclass(frozen=True, slots=True)
class RegionName:
    """A region's name as shown.

    Parameters
    ----------
    text
        The name, without what only says the hemisphere.
    hemisphere
        The hemisphere that the name spoke of; empty if of none.
    network
        The network that the region is a parcel of; empty if of none.
    """

    text: str
    hemisphere: str = ""
    network: str = ""


def region_name(raw: str) -> RegionName:
    """Return a region's name as shown: ``L_V1_ROI`` is ``V1``, ``7Networks_LH_Vis_1`` is ``Visual L1``.

    Parcels of networks keep the side in their name: those of one number are no pair across the hemispheres.
    """
    name = raw.strip()
    if parcel := _NETWORKS.fullmatch(name):
        return _parcel(*parcel.groups())
    if letter := _LETTER_BEFORE.fullmatch(name):
        return RegionName(letter[2], _SIDE[letter[1].lower()])
    if before := _WORD_BEFORE.fullmatch(name):
        return RegionName(before[2], _SIDE[before[1].lower()])
    if after := _WORD_AFTER.fullmatch(name):
        return RegionName(after[1], _SIDE[after[2].lower()])
    return RegionName(name)


def is_no_region(raw: str) -> bool:
    """Return whether a name stands for what is in no region, such as the medial wall."""
    return raw.strip().casefold() in _NOTHING or region_name(raw).text.casefold() in _NOTHING


def _parcel(side: str, rest: str) -> RegionName:
    network, *words = rest.split("_")
    part = network[-1] if network not in _NETWORK_NAMES and network[:-1] in _NETWORK_NAMES else ""
    stem = network.removesuffix(part) if part else network
    shown = f"{_NETWORK_NAMES.get(stem, stem)} {part}".rstrip()
    number = words.pop() if words and words[-1].isdecimal() else ""
    text = " ".join((shown, *words, f"{side[0]}{number}"))
    return RegionName(text, _SIDE[side.lower()], shown)
