"""Between people on an image: which pairs count, the chance level, and one more scanpath beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.gaze.scanpaths import (
    MEASURES,
    Scanpath,
    ScanpathSettings,
    compare,
    other_images,
    scanpath_scores,
)
from gazeapp.engine.gaze.scanpaths.measures import DEFAULT

SIZE = (800.0, 600.0)


def random_path(rng, n, subject="s"):
    return Scanpath.of(subject, rng.uniform(0, 800, n), rng.uniform(0, 600, n), rng.uniform(80, 600, n))


def crowd(seed, n=6, longest=12):
    rng = np.random.default_rng(seed)
    return [random_path(rng, int(rng.integers(1, longest)), f"s{k}") for k in range(n)]


def one_by_one(first, second, measure):
    """The measure of two scanpaths alone; for the sequence score with places of their own."""
    return compare(first, [second], *SIZE, ScanpathSettings(measures=(measure,))).score(measure)


PAIRWISE = [name for name in DEFAULT if "sequence" not in name]


@pytest.mark.parametrize("measure", PAIRWISE)
def test_people_have_the_mean_over_their_pairs(measure):
    people = crowd(0)
    scores = scanpath_scores(people, *SIZE)
    table = np.array([[one_by_one(a, b, measure) for b in people] for a in people])
    np.fill_diagonal(table, np.nan)
    each = np.nanmean(table, axis=1)
    np.testing.assert_allclose(list(scores.of_people(measure).values()), each)
    assert scores.mean(measure) == pytest.approx(np.nanmean(table))
    without = np.delete(np.delete(table, 2, axis=0), 2, axis=1)
    assert scores.mean(measure, without="s2") == pytest.approx(np.nanmean(without))
    assert scores.n_pairs(measure) == 15


def test_people_are_scored_in_places_of_the_others_as_a_model_is():
    people = crowd(1)
    chosen = ScanpathSettings(bandwidth=0.06)
    scores = scanpath_scores(people, *SIZE, chosen, elsewhere=crowd(3))
    for person in people:
        others = [other for other in people if other.subject != person.subject]
        model = compare(replace(person, subject="model"), others, *SIZE, chosen)
        assert scores.of_people("sequence_score")[person.subject] == pytest.approx(
            model.score("sequence_score")
        )
        best = scores.of_people("sequence_score_best")[person.subject]
        assert best == model.values["sequence_score"].max()


def test_chance_compares_people_on_another_image_with_other_people_on_this_one():
    people, elsewhere = crowd(2), crowd(3)
    chosen = ScanpathSettings(bandwidth=0.06)
    scores = scanpath_scores(people, *SIZE, chosen, elsewhere=elsewhere)

    def level(measure, without=""):
        here = [person for person in people if person.subject != without]
        each = []
        for person in elsewhere:
            others = [other for other in here if other.subject != person.subject]
            if person.subject != without:
                each.append(compare(person, others, *SIZE, chosen).values[measure].mean())
        return np.mean(each)

    for measure in [*PAIRWISE, "sequence_score"]:
        assert scores.chance_level(measure) == pytest.approx(level(measure))
    for measure in PAIRWISE:
        assert scores.chance_level(measure, without="s1") == pytest.approx(level(measure, without="s1"))


def test_people_who_looked_at_only_one_of_the_two_images_count_there():
    people, elsewhere = crowd(2, n=3), [replace(path, subject="t" + path.subject) for path in crowd(3, n=2)]
    scores = scanpath_scores(people, *SIZE, elsewhere=elsewhere)
    every = [one_by_one(a, b, "dtw") for a in elsewhere for b in people]
    assert scores.chance_level("dtw") == pytest.approx(np.mean(every))


def test_people_who_share_a_habit_but_no_scene_are_at_chance():
    """Where the image guides nobody, people are as alike on one image as on two.

    Few people with few fixations in the middle of the image: places that they make themselves fit them
    best, which must not show.
    """
    rng = np.random.default_rng(4)
    between, chance = [], []
    for _ in range(150):
        people, elsewhere = (
            [
                Scanpath.of(
                    f"s{k}", *np.clip(rng.normal((400, 300), (150, 110), (6, 2)).T, 0, 599), [200.0] * 6
                )
                for k in range(4)
            ]
            for _ in range(2)
        )
        scores = scanpath_scores(people, *SIZE, elsewhere=elsewhere)
        between.append([scores.mean(name) for name in DEFAULT])
        chance.append([scores.chance_level(name) for name in DEFAULT])
    difference = np.array(between) - np.array(chance)
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
    assert (np.abs(difference.mean(axis=0)) < 3.5 * error).all()


def test_people_whom_the_image_guides_are_above_chance():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1, (2, 8, 2)) * SIZE

    def guided(scene):
        return [
            Scanpath.of(f"s{k}", *(places[scene] + rng.normal(0, 20, (8, 2))).T, rng.uniform(100, 300, 8))
            for k in range(5)
        ]

    scores = scanpath_scores(guided(0), *SIZE, elsewhere=guided(1))
    for name in DEFAULT:
        above = scores.mean(name) - scores.chance_level(name)
        assert above > 0 if MEASURES[name].higher_is_better else above < 0


def test_trials_of_one_person_are_not_compared_with_each_other():
    rng = np.random.default_rng(6)
    twice = [random_path(rng, 5, "a"), random_path(rng, 5, "a"), random_path(rng, 5, "b")]
    scores = scanpath_scores(twice, *SIZE)
    assert scores.subjects == ("a", "b")
    assert scores.n_pairs("dtw") == 2
    expected = np.mean([one_by_one(twice[k], twice[2], "dtw") for k in (0, 1)])
    assert scores.of_people("dtw") == pytest.approx({"a": expected, "b": expected})


def test_what_cannot_be_compared_is_counted():
    rng = np.random.default_rng(7)
    people = [
        random_path(rng, 6, "a"),
        Scanpath.of("b", [], []),
        Scanpath.of("c", [4.0], [5.0], [200.0]),
        Scanpath.of("d", [4.0, 80.0, 90.0], [5.0, 5.0, 9.0]),
    ]
    scores = scanpath_scores(people, *SIZE)
    assert (scores.n_scanpaths, scores.n_empty, scores.n_short, scores.n_untimed) == (3, 1, 1, 1)
    assert scores.subjects == ("a", "c", "d")
    assert scores.n_pairs("scanmatch") == 3
    assert scores.n_pairs("scanmatch_duration") == 1
    assert math.isnan(scores.of_people("scanmatch_duration")["d"])
    assert scores.mean("scanmatch_duration") == one_by_one(people[0], people[2], "scanmatch_duration")


@pytest.mark.parametrize("people", [[], [Scanpath.of("a", [], [])], [Scanpath.of("a", [1.0], [1.0], [9.0])]])
def test_nobody_to_compare_with_gives_no_value(people):
    scores = scanpath_scores(people, *SIZE, elsewhere=people)
    for measure in DEFAULT:
        assert math.isnan(scores.mean(measure))
        assert math.isnan(scores.chance_level(measure))
        assert scores.n_pairs(measure) == 0


def test_without_another_image_there_is_no_chance_level():
    scores = scanpath_scores(crowd(8), *SIZE)
    assert scores.chance is None
    assert math.isnan(scores.chance_level("dtw"))


def test_one_more_scanpath_is_compared_with_everybody():
    people = crowd(9)
    model = random_path(np.random.default_rng(10), 7, "model")
    comparison = compare(model, [*people, Scanpath.of("empty", [], [])], *SIZE)
    assert comparison.subjects == tuple(person.subject for person in people)
    for measure in PAIRWISE:
        expected = [one_by_one(model, person, measure) for person in people]
        np.testing.assert_allclose(comparison.values[measure], expected)
        assert comparison.score(measure) == pytest.approx(np.mean(expected))


def test_the_best_is_that_of_all_people_but_one():
    people = crowd(11)
    comparison = compare(random_path(np.random.default_rng(12), 7, "model"), people, *SIZE)
    values = comparison.values["sequence_score"]
    expected = np.mean([np.delete(values, k).max() for k in range(len(values))])
    assert comparison.score("sequence_score_best") == pytest.approx(expected)
    alone = compare(people[0], people[1:2], *SIZE)
    assert alone.score("sequence_score_best") == alone.values["sequence_score"][0]


def test_a_scanpath_without_fixations_has_no_score():
    nothing = compare(Scanpath.of("model", [], []), crowd(13), *SIZE)
    assert all(math.isnan(nothing.score(measure)) for measure in DEFAULT)
    assert math.isnan(compare(crowd(13)[0], [], *SIZE).score("dtw"))


def test_many_pairs_are_measured_like_few():
    rng = np.random.default_rng(14)
    people = [random_path(rng, 3, f"s{k}") for k in range(70)]
    scores = scanpath_scores(people, *SIZE, ScanpathSettings(measures=("string_edit", "dtw")))
    assert scores.n_pairs("dtw") == 70 * 69 // 2
    few = compare(people[-1], people[:-1], *SIZE, ScanpathSettings(measures=("dtw",)))
    assert scores.of_people("dtw")["s69"] == pytest.approx(few.score("dtw"))


@pytest.mark.parametrize("n", [2, 3, 50])
def test_each_image_serves_once_as_the_other_of_another(n):
    other = other_images(n, seed=3)
    assert sorted(other) == list(range(n))
    assert (other != np.arange(n)).all()
    np.testing.assert_array_equal(other, other_images(n, seed=3))


def test_a_single_image_has_no_other():
    assert other_images(1).tolist() == [-1]
    assert other_images(0).tolist() == []
