"""What a lesion changes: the caption, how probable the intact one still is, where attention lies."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.lesions.masks.controls import mass_under
from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.maps.differentiation import jsd
from gazeapp.engine.maps.laterality import laterality
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.types import DoubleArray, FloatArray, MaskArray, Rect

NAN = float("nan")
_UNKNOWN = (NAN, NAN)
SCORE_DROP = "score_drop:"
"""Begins the outcomes that are made of scores; the metric's id follows."""
_SIDE = 64
"""Pixels of the longer side at which maps on different grids are compared."""


@dataclass(frozen=True, slots=True)
class OutcomeFacts:
    """What users are told of an outcome.

    Parameters
    ----------
    id, name
        Identifier and the name to show.
    unit
        Unit, empty for a pure number.
    meaning
        What it says and how it is made, as sentences.
    impairment
        Whether more of it means that the model suffers more.
    is_change
        Whether it is 0 by what it means where nothing is taken away.
    """

    id: str
    name: str
    unit: str
    meaning: str
    impairment: bool
    is_change: bool = True


OUTCOMES = {
    facts.id: facts
    for facts in (
        OutcomeFacts(
            "log_probability_drop",
            "Loss of the intact caption",
            "nats per token",
            "How much less probable the words of the intact caption are under the lesion: the mean over its tokens of "
            "the log-probability without the lesion minus that under it.",
            True,
        ),
        OutcomeFacts(
            "words_changed",
            "Words changed",
            "share of words",
            "Words that have to be replaced, put in or left out to turn the intact caption into the lesioned one, over "
            "the number of words of the longer one: 0 is the same caption, 1 an entirely different one.",
            True,
        ),
        OutcomeFacts(
            "map_change",
            "Change of the map",
            "bits",
            "Jensen-Shannon divergence between the attention map with and without the lesion: 0 is the same map, "
            "1 bit two maps that share no place.",
            True,
        ),
        OutcomeFacts(
            "objects_lost",
            "Objects lost",
            "share of objects",
            "Of the objects that the intact caption names and whose boxes are known, the share that the lesioned "
            "caption names no more.",
            True,
        ),
        OutcomeFacts(
            "objects_lost_inside",
            "Objects lost inside the mask",
            "share of objects",
            "The same of objects whose boxes all lie at least half inside the mask.",
            True,
        ),
        OutcomeFacts(
            "objects_lost_outside",
            "Objects lost outside the mask",
            "share of objects",
            "The same of objects whose boxes all lie more than half outside the mask.",
            True,
        ),
        OutcomeFacts(
            "mass_in_mask",
            "Attention on the masked part before",
            "share of attention",
            "Share of the intact map that lies under the mask.",
            False,
            False,
        ),
        OutcomeFacts(
            "mass_in_mask_lesioned",
            "Attention on the masked part after",
            "share of attention",
            "Share of the lesioned map that lies under the mask.",
            False,
            False,
        ),
        OutcomeFacts(
            "mass_removed",
            "Attention taken away",
            "share of attention",
            "Share of the map that the lesion moved out of the mask: before minus after.",
            False,
        ),
        OutcomeFacts(
            "laterality",
            "Laterality under the lesion",
            "",
            "(right - left) / (right + left) of the lesioned map: -1 is all left, 1 all right.",
            False,
            False,
        ),
        OutcomeFacts(
            "laterality_shift",
            "Shift of laterality",
            "",
            "Laterality of the lesioned map minus that of the intact one: above 0, attention moved to the right.",
            False,
        ),
        OutcomeFacts(
            "image_mass_change",
            "Change of attention to the image",
            "share of attention",
            "Share of the words' attention that falls on the image at all, lesioned minus intact; models that can "
            "attend to nothing else have none.",
            False,
        ),
    )
}
"""Outcomes in the order in which they are shown; score drops come with the metrics that were scored."""


def outcome_facts(outcome: str, metric_name: str = "", unit: str = "") -> OutcomeFacts:
    """Return what users are told of an outcome; of a score drop with its metric's name and unit."""
    if outcome in OUTCOMES:
        return OUTCOMES[outcome]
    metric = metric_name or outcome.removeprefix(SCORE_DROP)
    return OutcomeFacts(
        outcome,
        f"Loss of agreement with people, {metric}",
        unit,
        f"{metric} of the intact map against people minus that of the lesioned map; of metrics for which less is "
        "better, the other way round. Above 0, the lesioned map agrees less with people. By the primary metric of the "
        "scoring alone; where that needs maps as densities, by CC.",
        True,
    )


@dataclass(frozen=True)
class Described:
    """What a model said of an image, as far as outcomes need it.

    Parameters
    ----------
    words
        The caption's words, as shown.
    mean
        Its map, shape (rows, columns), sums to 1, over ``rect`` of the image.
    rect
        Image px.
    image_mass
        Share of the words' attention that fell on the image, mean over words.
    """

    words: Sequence[str]
    mean: FloatArray
    rect: Rect
    image_mass: float = 1.0


def outcomes(
    intact: Described,
    lesioned: Described,
    mask: MaskArray,
    intact_log_probability: float,
    forced_log_probability: float,
    n_tokens: int,
    cells: DoubleArray | None = None,
) -> dict[str, float]:
    """Return what a lesion changed, without what needs objects or people.

    Parameters
    ----------
    intact, lesioned
        The same image without and with the lesion.
    mask
        What was taken away, shape (height, width) of the image, 0 to 255.
    intact_log_probability
        Natural logarithm of the probability of the intact caption without the lesion.
    forced_log_probability
        The same of the same words under the lesion.
    n_tokens
        Tokens of that caption.
    cells
        How much of each cell of the intact map the mask covers, 0 to 1, where that is known already.

    Returns
    -------
    dict
        Ids of `OUTCOMES` -> value; NaN where one is undefined.
    """
    before, side_before = _under(intact, mask, cells), side_of(intact, *mask.shape)
    after, side_after, change = NAN, NAN, NAN
    if lesioned.mean.any():  # what said nothing attended to nothing
        after, side_after = _under(lesioned, mask, cells), side_of(lesioned, *mask.shape)
        change = map_change(intact, lesioned, *mask.shape)
    found = {
        "log_probability_drop": (intact_log_probability - forced_log_probability) / max(n_tokens, 1),
        "words_changed": words_changed(intact.words, lesioned.words),
        "map_change": change,
        "mass_in_mask": before,
        "mass_in_mask_lesioned": after,
        "mass_removed": before - after,
        "laterality": side_after,
        "laterality_shift": side_after - side_before,
    }
    if min(intact.image_mass, lesioned.image_mass) < 1.0:
        found["image_mass_change"] = lesioned.image_mass - intact.image_mass
    return found


def objects_lost(
    before: Collection[str], after: Collection[str], covered: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Return the shares of objects that a caption names no more.

    Parameters
    ----------
    before, after
        Objects that the intact and the lesioned caption name.
    covered
        Object -> how much of its box the mask covers, 0 to 1, and once more: of several boxes the least and the most.

    Returns
    -------
    dict
        All, those whose boxes all lie at least half inside the mask, and those whose boxes all lie more than half
        outside; NaN where none was named. An object that stands on both sides is in neither of the last two.
    """
    groups = {
        "objects_lost": set(before),
        "objects_lost_inside": {name for name in before if covered.get(name, _UNKNOWN)[0] >= 0.5},
        "objects_lost_outside": {name for name in before if covered.get(name, _UNKNOWN)[1] < 0.5},
    }
    return {
        name: 1.0 - len(group & set(after)) / len(group) if group else NAN for name, group in groups.items()
    }


def words_changed(before: Sequence[str], after: Sequence[str]) -> float:
    """Return the edit distance between two captions in words, over the length of the longer one (Levenshtein 1966)."""
    longer = max(len(before), len(after))
    return _distances(_plain(before), _plain(after))[-1][-1] / longer if longer else 0.0


def changed_words(before: Sequence[str], after: Sequence[str]) -> tuple[frozenset[int], frozenset[int]]:
    """Return which words of the first caption are gone, and which of the second are new.

    Both come from one shortest edit of one into the other; a word that is replaced counts on both sides.
    """
    one, two = _plain(before), _plain(after)
    table = _distances(one, two)
    gone, new = set(), set()
    i, j = len(one), len(two)
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (one[i - 1] != two[j - 1]):
            if one[i - 1] != two[j - 1]:
                gone.add(i - 1)
                new.add(j - 1)
            i, j = i - 1, j - 1
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            gone.add(i)
        else:
            j -= 1
            new.add(j)
    return frozenset(gone), frozenset(new)


def map_change(one: Described, two: Described, height: int, width: int) -> float:
    """Return the Jensen-Shannon divergence between two maps of an image, bits.

    Maps on one grid are compared on it; others at 64 px of the image's longer side.
    """
    if one.mean.shape == two.mean.shape and one.rect == two.rect:
        return float(jsd(one.mean, two.mean))
    return float(jsd(*(_on_image(each, height, width) for each in (one, two))))


def _on_image(one: Described, height: int, width: int) -> DoubleArray:
    scale = _SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    values = to_image(one.mean, one.rect.scaled(columns / width, rows / height), rows, columns).astype(float)
    shared: DoubleArray = values / values.sum()
    return shared


def side_of(one: Described, height: int, width: int) -> float:
    """Return the laterality index of a map on an image of that size, -1 (left) to 1 (right)."""
    return laterality(AttentionMap(one.mean, one.rect.scaled(1.0 / width, 1.0 / height)))[0]


def _under(one: Described, mask: MaskArray, cells: DoubleArray | None) -> float:
    if cells is None or cells.shape != one.mean.shape:
        return mass_under(one.mean, one.rect, mask)
    return float((one.mean * cells).sum(dtype=np.float64) / one.mean.sum(dtype=np.float64))


def _plain(words: Sequence[str]) -> list[str]:
    """Return words as they are compared: without regard to case, and to punctuation around them."""
    return [word.strip(string.punctuation).casefold() or word for word in words]


def _distances(one: Sequence[str], two: Sequence[str]) -> list[list[int]]:
    """Return the edit distances between all beginnings of two texts: row i, column j for i and j words of them."""
    table = [list(range(len(two) + 1))]
    for i, left in enumerate(one, start=1):
        above, row = table[-1], [i]
        for j, right in enumerate(two, start=1):
            row.append(min(above[j - 1] + (left != right), above[j] + 1, row[j - 1] + 1))
        table.append(row)
    return table
