"""How like people's captions a model's are: CIDEr-D and BLEU-4 of tokenised captions.

BLEU is sacrebleu's. CIDEr-D (Vedantam et al. 2015, with the clipping and length penalty of the COCO evaluation
server) is computed here, because the libraries that have it need Java parts or versions of transformers and numpy
that gazeapp cannot have beside its own; the tests hold figures of two of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Words: TypeAlias = Sequence[str]
_Vector: TypeAlias = list[dict[tuple[str, ...], float]]
_LONGEST = 4
_SPREAD = 6.0
_SCALE = 10.0


def bleu4(said: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Return corpus BLEU-4, unsmoothed, 0 to 1; brevity is measured against the closest reference.

    Parameters
    ----------
    said
        Words of one caption a picture.
    references
        For each picture the words of people's captions, one or more.
    """
    from sacrebleu.metrics.bleu import BLEU

    most = max(map(len, references))
    # Any: pictures with fewer references have None, which sacrebleu takes but does not declare.
    streams: Any = [
        [" ".join(each[i]) if i < len(each) else None for each in references] for i in range(most)
    ]
    score = BLEU(tokenize="none", smooth_method="none", force=True).corpus_score(
        [" ".join(words) for words in said], streams
    )
    return float(score.score) / 100


def cider_d(said: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Return the mean CIDEr-D over pictures, 0 to 10; rarity of phrases is that among the references' pictures.

    Parameters
    ----------
    said
        Words of one caption a picture.
    references
        For each picture the words of people's captions, one or more.
    """
    pictures_with: Counter[tuple[str, ...]] = Counter()
    for captions in references:
        pictures_with.update({phrase for words in captions for phrase in _phrases(words)})
    every = math.log(len(references))
    rarity = {phrase: every - math.log(count) for phrase, count in pictures_with.items()}

    def vector(words: Words) -> _Vector:
        parts: _Vector = [{} for _ in range(_LONGEST)]
        for phrase, count in _phrases(words).items():
            parts[len(phrase) - 1][phrase] = count * rarity.get(phrase, every)
        return parts

    scores = [
        np.mean([_similarity(vector(words), vector(each)) * _penalty(words, each) for each in captions])
        for words, captions in zip(said, references, strict=True)
    ]
    return _SCALE * float(np.mean(scores))


def _phrases(words: Words) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for n in range(1, _LONGEST + 1) for i in range(len(words) - n + 1))


def _similarity(said: _Vector, reference: _Vector) -> float:
    """Return the mean over lengths of phrases of the clipped cosine of two vectors."""
    total = 0.0
    for own, other in zip(said, reference, strict=True):
        norms = math.hypot(*own.values()) * math.hypot(*other.values())
        shared = sum(
            min(value, other[phrase]) * other[phrase] for phrase, value in own.items() if phrase in other
        )
        total += shared / norms if norms else 0.0
    return total / _LONGEST


def _penalty(said: Words, reference: Words) -> float:
    pairs = max(len(said) - 1, 0) - max(len(reference) - 1, 0)
    return math.exp(-(pairs**2) / (2 * _SPREAD**2))
