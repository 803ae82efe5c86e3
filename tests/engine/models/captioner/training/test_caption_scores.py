"""CIDEr-D and BLEU-4 against values worked out by hand, and those of other implementations."""

from __future__ import annotations

import math

import pytest

from gazeapp.engine.models.captioner.training.caption_scores import bleu4, cider_d


def w(text: str) -> list[str]:
    return text.split()


REFERENCES = [
    [w("a man rides a red bicycle in the street"), w("a person on a bicycle")],
    [w("two dogs run over the green grass"), w("dogs are running on grass"), w("two dogs play")],
    [w("a woman holds a cup"), w("the woman drinks from a cup of tea")],
]
SAID = [w("a man on a bicycle in the street"), w("two dogs run on grass"), w("a woman with a cup of tea")]


def test_a_caption_like_its_only_reference_has_the_highest_scores() -> None:
    captions = [w("a b c d e"), w("f g h i j k")]
    references = [[caption] for caption in captions]
    assert cider_d(captions, references) == pytest.approx(10)
    assert bleu4(captions, references) == pytest.approx(1)


def test_bleu_is_the_mean_of_precisions_times_brevity() -> None:
    # One of one pictures: 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 fours; as long as the reference.
    said, reference = w("a b c d x f"), w("a b c d e f")
    exact = math.exp((math.log(5 / 6) + math.log(3 / 5) + math.log(2 / 4) + math.log(1 / 3)) / 4)
    assert bleu4([said], [[reference]]) == pytest.approx(exact, rel=1e-9)
    # Five words against six that all occur: brevity alone, exp(1 - 6/5).
    assert bleu4([w("a b c d e")], [[reference]]) == pytest.approx(math.exp(-0.2), rel=1e-9)
    # The closest reference is the measure of brevity.
    assert bleu4([w("a b c d e")], [[reference, w("x y z q r")]]) == pytest.approx(1)
    assert bleu4([w("q r s")], [[reference]]) == 0


def test_cider_is_a_clipped_cosine_of_rare_phrases() -> None:
    # Two pictures; "the" is in both, so it has no weight. Said: one word of two that are rare, weights log 2.
    said, references = [w("the cat"), w("the dog")], [[w("the bird")], [w("the dog")]]
    # First: no phrase is shared but "the": 0. Second: the same as its reference; singles and pairs have cosine 1,
    # and there are no longer phrases, so 2 of 4 lengths: 10 * (1 + 1 + 0 + 0) / 4 = 5.
    assert cider_d(said, references) == pytest.approx((0 + 5) / 2)
    # A caption with one pair of words more than its reference: exp(-1 / (2 * 36)), cosine 1 / sqrt(2) for singles.
    longer = cider_d([w("the bird sings"), w("the dog")], references)
    singles, pairs = 1 / math.sqrt(2), 1 / math.sqrt(2)
    assert longer == pytest.approx((10 * (singles + pairs) / 4 * math.exp(-1 / 72) + 5) / 2)


def test_scores_are_those_of_the_coco_evaluation_code() -> None:
    # Computed with pycocoevalcap 1.2 on the same words.
    assert cider_d(SAID, REFERENCES) == pytest.approx(CIDER_COCO, rel=1e-12)
    assert bleu4(SAID, REFERENCES) == pytest.approx(BLEU_COCO, rel=1e-8)


CIDER_COCO = 3.110818132870616
BLEU_COCO = 0.4413571759662834
