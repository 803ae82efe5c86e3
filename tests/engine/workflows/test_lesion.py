"""Lesions as an experiment: exact books, resuming, controls, and a planted patch that alone changes a word."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError, NothingSaidError
from gazeapp.engine.lesions.coverage import cover
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.project import MadeOf, ObjectBox, Project
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, LESION_FACTORIAL, LESION_SIDE
from gazeapp.engine.types import ImageArray, Rect
from gazeapp.engine.workflows import extract_plan as extracting
from gazeapp.engine.workflows.base import SILENT, Silent
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.lesion import LesionSettings, lesion

WIDTH, HEIGHT = 48, 32
GRID = (4, 6)
PATCH = (1, 4)
"""Row and column of the one cell that the planted models look at."""
VOCABULARY = ("a", "ball", "dog", "stands")
ALL_CONTROLS = ("mirrored", "random", "equal_mass", "none", "flipped")


class Planted:
    """Says *ball* as long as it sees the patch, else *dog*; the lesion takes attention by the models' own rule."""

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.calls = 0
        self.spared = 0.0
        """Share of the patch that it knows of without attending to it."""

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        self.calls += 1
        attention = np.ones(GRID) + image[::8, ::8, 0] / 255.0
        attention[PATCH] *= 4.0
        seen = 1.0
        if options.lesion is not None and not options.lesion.is_empty:
            edges = [np.linspace(0, side, n + 1) for side, n in zip((HEIGHT, WIDTH), GRID, strict=True)]
            left = 1.0 - options.lesion.strength * cover(options.lesion.mask, *edges)
            if left.max() == 0.0:
                raise GazeError("The lesion takes the whole image away.")
            attention, seen = attention * left, self.spared + (1.0 - self.spared) * float(left[PATCH])
        ball = 0.05 + 0.9 * seen
        own = VOCABULARY.index("ball" if ball > 0.5 else "dog")
        tokens = options.forced or (0, own, 3)
        scores = {0: -0.1, 1: np.log(ball), 2: np.log(1 - ball), 3: -0.2}
        words = tuple(Word(VOCABULARY[token], float(scores[token]), token in (1, 2)) for token in tokens)
        one = (attention / attention.sum()).astype(np.float32)
        maps, rect = np.stack([one] * len(words)), Rect.of_image(WIDTH, HEIGHT)
        facts = {"tokens": list(tokens)}
        return Caption(words, maps, np.ones(len(words), np.float32), rect, task, method, facts=facts)


def an_info(name: str, encoder: str = "cnn", decoder: str = "lstm") -> ModelInfo:
    return ModelInfo(name, name.upper(), "captioner", encoder=encoder, decoder=decoder, methods=("alpha",))


INFOS = [an_info("one"), an_info("two", decoder="transformer")]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Planted]:
    """Return the models that are loaded, by id, once they are."""
    loaded: dict[str, Planted] = {}

    def load(info: ModelInfo, _wishes: object) -> Planted:
        return loaded.setdefault(info.id, Planted(info))

    monkeypatch.setattr(extracting, "available_models", lambda: INFOS)
    monkeypatch.setattr(extracting, "open_model", load)
    return loaded


@pytest.fixture
def project(tmp_path: Path, models: dict[str, Planted]) -> Iterator[Project]:
    rng = np.random.default_rng(5)
    for k in range(7):
        noise = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{k}.png")
    with Project.create(tmp_path / "study.gaze") as opened:
        opened.tasks.add("general")
        add_images(opened, AddImagesSettings((str(tmp_path),)), SILENT)
        yield opened


def a_patch(row: int, column: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = 255
    return mask


def settings(**changed: object) -> LesionSettings:
    return LesionSettings(**{"models": ("one",), "masks": ("left", "right"), **changed})


def test_the_lesion_of_the_planted_patch_and_only_that_changes_the_word(project, models):
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            for image in project.images.all():
                project.masks.put(f"cell {row} {column}", image.id, a_patch(row, column))
    names = [mask.name for mask in project.masks.library()]
    lesion(project, settings(masks=tuple(names), controls=(), images=("0.png", "3.png")), SILENT)
    rows = project.lesions.all()
    assert len(rows) == 2 * 24
    for row in rows:
        hit = row.key.mask == f"cell {PATCH[0]} {PATCH[1]}"
        assert row.caption == ("a dog stands" if hit else "a ball stands")
        assert row.outcomes["words_changed"] == pytest.approx(1 / 3 if hit else 0.0)
        drop = (np.log(0.95) - np.log(0.05)) / 3 if hit else 0.0
        assert row.outcomes["log_probability_drop"] == pytest.approx(drop, abs=1e-6)
        assert row.outcomes["mass_in_mask_lesioned"] == 0.0
        assert row.outcomes["mass_removed"] == row.outcomes["mass_in_mask"] > 0
        assert row.area == pytest.approx(1 / 24)


def test_the_books_are_exact_and_a_second_run_does_nothing(project, models):
    done = lesion(project, settings(strengths=(0.5, 1.0), controls=ALL_CONTROLS, n_random=2), SILENT)
    without = done.details["without_equal_mass"]
    # Two masks, two strengths: the mask, its mirror image, its flip, two draws of two kinds; and nothing once.
    n_all = 7 * (2 * 2 * (3 + 2 * 2) + 1)
    assert (done.done, done.skipped, done.failed) == (n_all - without, 0, 0)
    rows = project.lesions.all()
    assert len(rows) == done.done
    counts = Counter((row.key.control, row.key.strength) for row in rows)
    assert counts["", 0.5] == counts["mirrored", 1.0] == counts["flipped", 1.0] == 14
    assert counts["random", 1.0] == 28
    assert counts["none", 1.0] == 7
    calls = models["one"].calls
    again = lesion(project, settings(strengths=(0.5, 1.0), controls=ALL_CONTROLS, n_random=2), SILENT)
    assert (again.done, again.skipped, again.details["without_equal_mass"]) == (0, done.done, without)
    assert models["one"].calls == calls
    assert project.lesions.all() == rows


def test_nothing_and_strength_0_give_the_intact_run(project):
    lesion(project, settings(strengths=(0.0, 1.0), controls=("none",)), SILENT)
    untouched = [row for row in project.lesions.all() if row.key.strength == 0.0 or row.key.control == "none"]
    assert len(untouched) == 14 + 7
    for row in untouched:
        (intact,) = project.runs.all(row.image_id)
        assert row.run_id == intact.id
        assert row.caption == intact.caption
        assert {row.outcomes[name] for name in ("words_changed", "map_change", "log_probability_drop")} == {
            0.0
        }
        stored = project.maps.mean_of_run(intact.id).values
        assert np.array_equal(project.lesions.map_of(row.id).values, stored)
    assert project.problems.all() == []


def test_a_model_that_is_not_the_same_twice_is_told(project, models, monkeypatch):
    describe = Planted.describe

    def shaky(self, image, task, method="", options=PLAIN):
        caption = describe(self, image, task, method, options)
        if options.lesion is not None:
            object.__setattr__(caption, "maps", caption.maps[:, ::-1].copy())
        return caption

    monkeypatch.setattr(Planted, "describe", shaky)
    lesion(project, settings(), SILENT)
    (problem,) = project.problems.all()
    assert "With nothing taken away, ONE says or attends to something else" in problem.what
    monkeypatch.setattr(Planted, "describe", describe)
    project.db.execute("DELETE FROM lesion_runs")
    lesion(project, settings(), SILENT)
    assert project.problems.all() == []


def test_texts_of_one_mask_are_one_mask_and_not_several_in_a_family_of_tests(project):
    first = lesion(project, settings(masks=("LEFT", " left", "left 50.0%", "left"), controls=()), SILENT)
    assert first.done == 7
    again = lesion(project, settings(masks=("left 50 %",), controls=()), SILENT)
    assert (again.done, again.skipped) == (0, 7)
    assert {row.key.mask for row in project.lesions.all()} == {"left"}
    assert {row.finding.lesion for row in project.findings.findings(LESION)} == {"left · keys · 1"}


def test_left_mirrored_is_right_and_is_not_run_twice(project, models):
    lesion(project, settings(controls=()), SILENT)
    calls = models["one"].calls
    lesion(project, settings(controls=("mirrored",), images=("0.png",)), SILENT)
    rows = {(row.key.mask, row.key.control): row for row in project.lesions.all() if row.image_id == 1}
    assert rows["left", "mirrored"].outcomes == rows["right", ""].outcomes
    assert rows["right", "mirrored"].outcomes == rows["left", ""].outcomes
    # Both were there under their own names, and are run once more at most, with their forced captions.
    assert models["one"].calls - calls <= 4


def test_controls_have_the_area_or_the_attention_of_the_mask(project):
    project.masks.put("patch", 1, a_patch(*PATCH))
    lesion(project, settings(masks=("patch",), images=("0.png",)), SILENT)
    rows = {row.key.control: row for row in project.lesions.all()}
    own = rows[""]
    assert set(rows) == {"", "mirrored", "random", "equal_mass", "none"}
    assert rows["random"].area == rows["mirrored"].area == own.area
    assert rows["equal_mass"].outcomes["mass_in_mask"] == pytest.approx(
        own.outcomes["mass_in_mask"], rel=0.01
    )
    assert own.caption == "a dog stands"
    assert {rows[kind].caption for kind in ("mirrored", "equal_mass", "none")} == {"a ball stands"}


@pytest.mark.parametrize("grey", [0, 100])
def test_a_mask_that_is_the_same_everywhere_is_no_control_of_itself(project, grey):
    project.masks.put("haze", 1, np.full((HEIGHT, WIDTH), grey, np.uint8))
    project.masks.put("haze", 2, a_patch(*PATCH))
    asked = settings(masks=("haze",), images=("0.png", "1.png"), controls=("mirrored", "random"), n_random=3)
    done = lesion(project, asked, SILENT)
    assert (done.done, done.skipped, done.failed) == (2 + 5, 0, 0)
    assert (done.details["without_random"], done.details["without_equal_mass"]) == (3, 0)
    rows = project.lesions.all()
    assert [row.key.control for row in rows if row.image_id == 1] == ["", "mirrored"]
    assert Counter(row.key.control for row in rows if row.image_id == 2)["random"] == 3
    against = [
        row.finding.n_images
        for row in project.findings.findings(LESION_CONTROL)
        if row.finding.against == "random"
    ]
    assert set(against) == {1}


def test_the_flipped_control_is_about_the_mirrored_image(project):
    lesion(project, settings(masks=("left",), controls=("flipped",)), SILENT)
    for row in project.lesions.all():
        if row.key.control == "flipped":
            assert set(row.outcomes) == {"laterality"}
            assert row.outcomes["laterality"] == -1.0  # nothing is left on the right
        else:
            assert row.outcomes["laterality"] == 1.0


def test_a_redrawn_mask_is_done_again_alone(project, models):
    for image_id in (1, 2):
        project.masks.put("patch", image_id, a_patch(*PATCH))
    asked = settings(masks=("patch",), images=("0.png", "1.png"), controls=())
    lesion(project, asked, SILENT)
    project.masks.put("patch", 2, a_patch(0, 0))
    done = lesion(project, asked, SILENT)
    assert (done.done, done.skipped) == (1, 1)
    assert [(row.image_id, row.caption) for row in project.lesions.all()] == [
        (1, "a dog stands"),
        (2, "a ball stands"),
    ]


def test_a_mask_that_no_image_has_is_told_once(project):
    project.objects.put(2, [ObjectBox("ball", Rect(32, 8, 8, 8))], "drawn")
    asked = settings(masks=("object ball",), images=("0.png",), controls=())
    done = lesion(project, asked, SILENT)
    assert (done.done, done.skipped, done.failed) == (0, 0, 1)
    assert "None of the images has the mask 'object ball'" in done.problems[0].what
    done = lesion(project, settings(masks=("object ball",), controls=()), SILENT)
    assert (done.done, done.failed, done.details["images_without_mask"]) == (1, 0, {"object ball": 6})
    assert project.problems.all() == []


def test_controls_and_strengths_of_a_mask_as_it_was_before_do_not_count(project):
    project.masks.put("patch", 1, a_patch(0, 0))
    asked = settings(masks=("patch",), images=("0.png",), controls=("mirrored", "equal_mass"))
    lesion(project, replace(asked, strengths=(0.5, 1.0)), SILENT)
    whole = np.full((HEIGHT, WIDTH), 255, np.uint8)
    whole[:8] = 0
    project.masks.put("patch", 1, whole)
    done = lesion(project, asked, SILENT)
    assert done.details["without_equal_mass"] == 1
    counted = {(row.key.control, row.key.strength) for row in project.lesions.all()}
    assert counted == {("", 1.0), ("mirrored", 1.0)}


def test_another_seed_replaces_the_random_controls_and_nothing_else(project):
    lesion(project, settings(controls=("random",)), SILENT)
    before = {(row.run_id, row.key): row.id for row in project.lesions.all()}
    done = lesion(project, settings(controls=("random",), seed=1, images=("0.png",)), SILENT)
    after = {(row.run_id, row.key): row.id for row in project.lesions.all()}
    assert done.done + done.skipped == 4  # the same half may be drawn twice
    assert done.done > 0
    assert set(after) == set(before)
    assert {key.control for (_, key), id_ in after.items() if before[_, key] != id_} == {"random"}


def test_objects_that_come_later_are_counted_when_it_is_run_again(project):
    asked = settings(images=("0.png", "1.png"), controls=())
    lesion(project, asked, SILENT)
    project.objects.put(1, [ObjectBox("ball", Rect(32, 8, 8, 8))], "drawn")
    done = lesion(project, asked, SILENT)
    assert (done.done, done.skipped) == (2, 2)
    assert all(("objects_lost" in row.outcomes) == (row.image_id == 1) for row in project.lesions.all())


def test_a_model_that_falls_silent_is_hit_hardest_and_counts(project, monkeypatch):
    describe = Planted.describe

    def silent(self, image, task, method="", options=PLAIN):
        caption = describe(self, image, task, method, options)
        if options.lesion is None or options.lesion.is_empty or options.forced:
            return caption
        raise NothingSaidError

    monkeypatch.setattr(Planted, "describe", silent)
    done = lesion(project, settings(masks=("left",), controls=("none",)), SILENT)
    assert done.failed == 0
    for row in project.lesions.all():
        if row.key.control != "none":
            assert (row.caption, row.outcomes["words_changed"]) == ("", 1.0)
            assert np.isfinite(row.outcomes["log_probability_drop"])
            assert np.isnan(row.outcomes["map_change"])
            assert not project.lesions.map_of(row.id).values.any()


def test_what_cannot_be_done_is_told_and_the_rest_goes_on(project):
    project.masks.put("patch", 1, a_patch(*PATCH))
    project.masks.put("whole", 1, np.full((HEIGHT, WIDTH), 255, np.uint8))
    asked = settings(
        masks=("patch", "whole"), images=("0.png", "1.png"), scopes=("keys", "text"), controls=()
    )
    done = lesion(project, asked, SILENT)
    # Text is refused of both masks on both images; the whole is, where it is; nobody's image is blamed for lacking one.
    assert (done.done, done.failed) == (1, 5)
    assert done.details["images_without_mask"] == {"patch": 1, "whole": 1}
    told = " ".join(f"{problem.where}: {problem.what}" for problem in done.problems)
    assert "ONE does not offer the lesion scope 'text'" in told
    assert "takes the whole image away" in told
    assert len(project.lesions.all()) == 1
    for wrong, said in (
        ({"masks": ("sideways",)}, "no mask 'sideways'"),
        ({"controls": ("placebo",)}, "no control called 'placebo'"),
        ({"strengths": (1.5,)}, "between 0 and 1"),
        ({"masks": ()}, "needs a mask"),
        ({"images": ("9.png",)}, "no image '9.png'"),
    ):
        with pytest.raises(GazeError, match=said):
            lesion(project, settings(**wrong), SILENT)


class _StopAfter(Silent):
    def __init__(self, n: int) -> None:
        self.left = n

    @property
    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_cancelled_experiment_goes_on_where_it_ended(project, tmp_path):
    asked = settings(strengths=(0.5, 1.0), models=("one", "two"))
    lesion(project, asked, SILENT)
    whole = {(row.run_id, row.key): (row.caption, row.outcomes) for row in project.lesions.all()}
    project.db.execute("DELETE FROM lesion_runs")
    stopped = lesion(project, asked, _StopAfter(150))
    assert stopped.cancelled
    assert 0 < stopped.done < len(whole)
    assert len(project.lesions.all()) == stopped.done
    rest = lesion(project, asked, SILENT)
    assert rest.skipped == stopped.done
    assert rest.done == len(whole) - stopped.done
    assert {(row.run_id, row.key): (row.caption, row.outcomes) for row in project.lesions.all()} == whole


def test_objects_that_are_named_no_more_are_counted(project):
    project.objects.put(
        1, [ObjectBox("ball", Rect(32, 8, 8, 8)), ObjectBox("dog", Rect(0, 0, 8, 8))], "drawn"
    )
    lesion(project, settings(images=("0.png", "1.png"), controls=()), SILENT)
    rows = {(row.image_id, row.key.mask): row.outcomes for row in project.lesions.all()}
    assert rows[1, "right"]["objects_lost"] == rows[1, "right"]["objects_lost_inside"] == 1.0
    assert rows[1, "left"]["objects_lost"] == 0.0
    assert "objects_lost" not in rows[2, "right"]


def test_findings_hold_the_effect_against_controls_and_between_decoders(project):
    for image in project.images.all():
        project.masks.put("patch", image.id, a_patch(*PATCH))
    lesion(project, settings(models=("one", "two"), masks=("patch", "left", "right")), SILENT)
    (own,) = [
        row.finding
        for row in project.findings.findings(LESION)
        if (row.finding.metric, row.finding.term, row.finding.against) == ("words_changed", "one", "")
        and row.finding.lesion == "patch · keys · 1"
    ]
    assert own.estimate == pytest.approx(1 / 3)
    (net,) = [
        row.finding
        for row in project.findings.findings(LESION_CONTROL)
        if (row.finding.metric, row.finding.term, row.finding.against)
        == ("words_changed", "one", "equal_mass")
        and row.finding.lesion == "patch · keys · 1"
    ]
    assert net.estimate == pytest.approx(1 / 3)
    sides = {row.finding.lesion for row in project.findings.findings(LESION_SIDE)}
    assert "left · keys · 1" in sides
    # One encoder alone makes no crossed design.
    assert project.findings.findings(LESION_FACTORIAL) == []


def test_a_planted_effect_of_the_decoder_is_found_and_none_of_the_encoder(project, models, monkeypatch):
    cells = [(encoder, decoder) for encoder in ("cnn", "vit") for decoder in ("lstm", "transformer")]
    four = [an_info(f"{encoder}-{decoder}", encoder, decoder) for encoder, decoder in cells]
    monkeypatch.setattr(extracting, "available_models", lambda: four)
    for info in four:
        models[info.id] = Planted(info)
        models[info.id].spared = 0.25 if info.decoder == "transformer" else 0.0
    for image in project.images.all():
        project.masks.put("patch", image.id, a_patch(*PATCH))
    lesion(project, settings(models=tuple(info.id for info in four), masks=("patch",)), SILENT)
    effects = {
        (row.finding.term, row.finding.metric): row.finding
        for row in project.findings.findings(LESION_FACTORIAL)
        if row.finding.lesion == "patch · keys · 1"
    }
    # Of three tokens one loses log(0.95 / 0.05) nats, or log(0.95 / 0.275) where a quarter of the patch is spared.
    planted = (np.log(0.05) - np.log(0.05 + 0.9 * 0.25)) / 3
    for term in ("decoder", "decoder:lesion"):
        found = effects[term, "log_probability_drop"]
        assert found.estimate == pytest.approx(planted, abs=1e-3)
        assert found.high < 0
        assert found.p == pytest.approx(2 / 2**7)  # all seven images one way, of all patterns of signs
    assert effects["encoder", "log_probability_drop"].estimate == pytest.approx(0.0, abs=1e-6)
    assert effects["encoder", "log_probability_drop"].p == 1.0
    assert effects["decoder", "words_changed"].estimate == pytest.approx(0.0, abs=1e-6)


def test_scores_of_lesioned_maps_are_those_that_scoring_gives(study):
    from gazeapp.engine.workflows.lesion_findings import assess

    path = study(n_images=3)
    with Project.open(path) as project:
        run = project.runs.all(task="general")[0]
        stored, words = project.maps.mean_of_run(run.id), project.runs.words(run.id)
        turned = stored.values[:, ::-1].copy()
        mass = np.ones(len(words), np.float32)
        maps = np.stack([turned] * len(words))
        caption = Caption(words, maps, mass, stored.rect, "general", run.method, facts={"tokens": [1]})
        settings_id = project.settings.put("lesion", {"model": run.model})
        from gazeapp.engine.project import LesionKey

        for control, values in (("", turned), ("random", stored.values)):
            key = LesionKey("left", control, 0, "keys", 1.0)
            project.lesions.put(run.id, key, MadeOf("m"), 0.5, caption, values, {}, 0.1, settings_id)
        assess(project, SILENT)
        scores = project.lesions.scores("tuebingen")
        (nss,) = [
            row.value
            for row in project.scores.all("tuebingen")
            if (row.image_id, row.source, row.task, row.metric) == (run.image_id, run.model, "general", "nss")
        ]
        turned_row, same_row = project.lesions.all()
        assert scores[same_row.id]["nss"] == pytest.approx((nss, nss), abs=1e-6)
        assert scores[turned_row.id]["nss"][1] == pytest.approx(nss, abs=1e-6)
        assert abs(scores[turned_row.id]["nss"][0] - nss) > 0.01
        drops = [
            row.finding for row in project.findings.findings(LESION) if row.finding.metric == "score_drop:nss"
        ]
        assert {one.unit for one in drops} >= {"%"} or len(drops) > 0


def test_a_copy_of_a_project_needs_no_model_to_be_assessed(project, tmp_path, models):
    lesion(project, settings(), SILENT)
    before = project.findings.findings(LESION)
    project.close()
    shutil.copy(project.path, tmp_path / "copy.gaze")
    calls = models["one"].calls
    with Project.open(tmp_path / "copy.gaze") as copied:
        done = lesion(copied, settings(), SILENT)
        assert done.done == 0
        assert copied.findings.findings(LESION) == before
    assert models["one"].calls == calls
