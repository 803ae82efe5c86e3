"""Which map is of which image, told by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gazeapp.engine.maps.files import MAP_SUFFIXES
from gazeapp.engine.pictures import SUFFIXES

_KNOWN = MAP_SUFFIXES | SUFFIXES


@dataclass(frozen=True)
class Matches:
    """Maps and images that belong together, by their places in the lists of names.

    Parameters
    ----------
    map_of
        Image -> map.
    strays
        Maps that no image is named like, or whose image has one that is named more like it.
    unclear
        Maps that are named like several images.
    rivals
        Image -> the maps that are named equally like it; it gets none of them.
    """

    map_of: dict[int, int] = field(default_factory=dict)
    strays: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)
    rivals: dict[int, list[int]] = field(default_factory=dict)


def match_names(images: Sequence[str], maps: Sequence[str]) -> Matches:
    """Find the map of each image.

    A map is of the image whose name ends as its own does, in as many folders as possible, with the image's
    suffix, another one or none: ``indoor/a.npy``, ``results/indoor/a.png`` and the dataset ``indoor/a.png`` are of
    the image ``indoor/a.png``, and so is ``a.npy`` when no other image is called ``a``.

    Parameters
    ----------
    images, maps
        Names, with folders parted by ``/``.
    """
    ends: dict[str, set[int]] = {}
    for place, name in enumerate(images):
        for spelled in _spellings(name):
            for end in _ends(spelled):
                ends.setdefault(end, set()).add(place)
    found, candidates = Matches(), dict[int, list[tuple[int, int]]]()
    for place, name in enumerate(maps):
        fitting, agreeing = _fitting(name, ends)
        if not fitting:
            found.strays.append(place)
        elif len(fitting) > 1:
            found.unclear.append(place)
        else:
            candidates.setdefault(next(iter(fitting)), []).append((agreeing, place))
    for image, ranked in candidates.items():
        most = max(agreeing for agreeing, _ in ranked)
        best = [place for agreeing, place in ranked if agreeing == most]
        found.strays.extend(place for agreeing, place in ranked if agreeing < most)
        if len(best) > 1:
            found.rivals[image] = best
        else:
            found.map_of[image] = best[0]
    found.strays.sort()
    return found


def _fitting(name: str, ends: dict[str, set[int]]) -> tuple[set[int], int]:
    """Return the images that a map fits best, and in how many parts of the name."""
    spellings = [list(_ends(spelled)) for spelled in _spellings(name)]
    n_parts = len(spellings[0])
    for left_off in range(n_parts):
        for spelled in spellings:
            if fitting := ends.get(spelled[left_off]):
                return fitting, n_parts - left_off
    return set(), 0


def _spellings(name: str) -> Iterator[str]:
    """Yield a name as it is, then without its suffixes, one by one."""
    spelled = name.replace("\\", "/").strip("/")
    yield spelled
    while True:
        stem, dot, suffix = spelled.rpartition(".")
        if not stem or stem.endswith("/") or dot + suffix.lower() not in _KNOWN:
            return
        spelled = stem
        yield spelled


def _ends(name: str) -> Iterator[str]:
    """Yield a name, and what is left of it without its first folders."""
    parts = name.split("/")
    for first in range(len(parts)):
        yield "/".join(parts[first:])
