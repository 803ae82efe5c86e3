"""The score verb: units that are stored whole, skipped when nothing changed and replaced when something did."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import CHOICES
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.metrics import cc, nss, pixels
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows import score as score_module
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.score import ScoreSettings, score

WIDTH, HEIGHT = SIZE = 48, 36
FAST = {"sigma": 4.0, "n_bootstrap": 200, "n_splits": 20}


NO_INTERVALS = "Only 4 images have fixations; there are no intervals over fewer than 6."


def said(done):
    """Return what is said of more than that four images are few."""
    return [problem.what for problem in done.problems if problem.what != NO_INTERVALS]


class Study:
    """A project with images of one size, fixations around a known place, and a map for each image."""

    def __init__(self, folder, n_images=4):
        self.folder = folder
        self.rng = np.random.default_rng(0)
        self.project = Project.create(folder / "study.gaze")
        self.names = [f"scene-{k}.png" for k in range(n_images)]
        for name in self.names:
            self.picture(name, WIDTH, HEIGHT)

    def picture(self, name, width, height):
        path = self.folder / name
        pixels = np.random.default_rng(list(name.encode())).integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        self.project.images.add(path, name, sha256_of(path), width, height, "photograph")

    def look(self, task="general", n_subjects=6, names=None, file="a.csv", seed=1):
        rng = np.random.default_rng(seed)
        rows = ["image,subject,x,y,duration_ms"]
        for k, name in enumerate(names or self.names):
            for person in range(n_subjects):
                for _ in range(5):
                    x = np.clip(rng.normal(10 + 8 * k, 4), 0, WIDTH - 0.1)
                    y = np.clip(rng.normal(18, 4), 0, HEIGHT - 0.1)
                    rows.append(f"{name},p{person:02d},{x:.2f},{y:.2f},{100 + len(rows) % 7 * 50}")
        path = self.folder / file
        path.write_text("\n".join(rows) + "\n")
        choices = GazeChoices(sigma=5.0)
        import_gaze(self.project, ImportGazeSettings((str(path),), task=task, choices=choices), SILENT)

    def model(self, id="cnn-lstm", kind="captioner", task="general", method="raw", version=1, names=None):
        self.project.tasks.add(task)
        self.project.runs.put_model(ModelInfo(id, id.upper(), kind, methods=(method,)))
        # What a run keeps beside its maps makes it no other kind of run, so that versions stand for runs made again.
        settings_id = self.project.settings.put("extract", {"model": id, "keep": str(version)})
        for name in names or self.names:
            values = self.rng.random((6, 8)).astype(np.float32)
            image = self.project.images.by_name(name)
            self.project.runs.put_map(
                image.id, id, task, method, values / values.sum(), Rect.of_image(WIDTH, HEIGHT), settings_id
            )

    def score(self, progress=SILENT, **settings):
        return score(self.project, ScoreSettings(**(FAST | settings)), progress)

    def summary(self, **wanted):
        rows = [
            row
            for row in self.project.scores.summary()
            if all(getattr(row, key) == value for key, value in wanted.items())
        ]
        assert len(rows) == 1, rows
        return rows[0]

    def rows(self, table="scores"):
        return sorted(map(repr, self.project.db.execute(f"SELECT * FROM {table}")))


@pytest.fixture
def study(tmp_path, request):
    made = Study(tmp_path, getattr(request, "param", 4))
    yield made
    assert made.project.integrity_problems() == []
    made.project.close()


BASELINES = {"uniform", "random", "centre_gaussian", "spectral_residual", "centre_bias", "other_image"}


@pytest.mark.parametrize("study", [8], indirect=True)
def test_every_map_is_scored_and_summarised(study):
    study.look()
    study.model()
    done = study.score()
    assert (done.done, done.skipped, done.failed, done.cancelled) == (8, 0, 0, False)
    assert done.details["primary"] == "nss"
    scores = study.project.scores.all()
    assert {(row.source_kind, row.source) for row in scores} == {
        ("model", "cnn-lstm"),
        *(("baseline", name) for name in BASELINES),
    }
    assert len(scores) == 8 * 7 * 7
    assert {row.metric for row in scores} == {"nss", "auc", "sauc", "ig", "cc", "sim", "kl"}
    row = study.summary(source="cnn-lstm", metric="nss")
    assert (row.n_images, row.n_subjects, row.method, row.preset, row.chance) == (
        8,
        6,
        "raw",
        "tuebingen",
        0.0,
    )
    assert row.mean == pytest.approx(
        np.mean([s.value for s in scores if s.source == "cnn-lstm" and s.metric == "nss"])
    )
    assert row.percent == pytest.approx(100 * row.mean / row.ceiling)
    assert row.ci_low <= row.percent <= row.ci_high
    assert (row.estimator, row.interval) == ("loso_extrapolated", "images and people")
    estimators = {r.metric: r.estimator for r in study.project.scores.summary() if r.source == "uniform"}
    assert estimators == {
        "nss": "loso_extrapolated",
        "auc": "loso_extrapolated",
        "sauc": "loso_extrapolated",
        "ig": "loso_extrapolated",
        "cc": "sqrt_spearman_brown",
        "sim": "half_vs_half",
        "kl": "half_vs_half",
    }


def test_a_stored_score_is_the_metric_of_the_map_at_the_image_s_size(study):
    study.look()
    study.project.tasks.add("general")
    study.project.runs.put_model(ModelInfo("m", "M", "imported", methods=("imported",)))
    values = np.random.default_rng(3).random((HEIGHT, WIDTH)).astype(np.float16).astype(np.float32)
    values /= values.sum()
    image = study.project.images.by_name("scene-1.png")
    settings_id = study.project.settings.put("import maps", {})
    study.project.runs.put_map(image.id, "m", "general", "imported", values, image.rect, settings_id)
    study.score()
    table = study.project.gaze.fixations(image.id, "general")
    expected = nss(values, pixels(table.x, table.y, HEIGHT, WIDTH))
    stored = [r for r in study.project.scores.all() if r.source == "m" and r.metric == "nss"]
    assert [row.image_id for row in stored] == [image.id]
    assert stored[0].value == pytest.approx(expected, abs=2e-3)


def test_scoring_again_computes_nothing_and_changes_nothing(study, monkeypatch):
    study.look()
    study.model()
    study.score()
    tables = ("scores", "ceilings", "people_parts", "summary", "settings")
    before = {table: study.rows(table) for table in tables}
    monkeypatch.setattr(score_module, "score_image", lambda *_: pytest.fail("scored again"))
    again = study.score()
    assert (again.done, again.skipped) == (0, 4)
    assert before == {table: study.rows(table) for table in before}


def test_the_number_of_threads_changes_no_number(study):
    study.look()
    study.model()
    study.score(threads=1)
    one = {table: study.rows(table) for table in ("scores", "ceilings", "people_parts", "summary")}
    study.project.db.execute("DELETE FROM scores")
    study.project.db.conn.commit()
    assert study.score(threads=3).done == 4
    assert one == {table: study.rows(table) for table in one}


ON_MAPS = ("nss", "auc", "sauc", "cc", "sim", "kl")


def test_new_maps_replace_the_scores_of_their_images_alone(study):
    study.look()
    study.model()
    study.score(metrics=ON_MAPS)
    study.model(version=2, names=["scene-2.png"])
    again = study.score(metrics=ON_MAPS)
    assert (again.done, again.skipped) == (1, 3)
    assert len(study.project.scores.all()) == 4 * 7 * 6
    study.model("vit-lstm", names=study.names[:2])
    assert study.score(metrics=ON_MAPS).done == 2
    assert study.summary(source="vit-lstm", metric="nss").n_images == 2


def test_new_maps_replace_all_scores_where_densities_are_learnt_from_all_maps(study):
    study.look()
    study.model()
    study.score(metrics=("nss", "ig"))
    study.model(version=2, names=["scene-2.png"])
    assert study.score(metrics=("nss", "ig")).done == 4


def test_the_summary_after_one_image_was_scored_again_is_that_of_scoring_all(study):
    study.look()
    study.look(n_subjects=9, names=study.names[:2], file="b.csv", seed=4)
    study.model()
    study.score(metrics=ON_MAPS)
    study.model(version=2, names=["scene-2.png"])
    assert study.score(metrics=ON_MAPS).done == 1
    found = study.project.scores.summary()
    digest = study.project.settings.get(found[0].settings_id).hash
    people = study.project.scores.people_parts("general", digest)
    assert [len(row.subjects) for row in people] == [9, 9, 6, 6]
    for table in ("scores", "ceilings", "people_parts", "subject_scores", "summary"):
        study.project.db.execute(f"DELETE FROM {table}")
    study.project.db.conn.commit()
    assert study.score(metrics=ON_MAPS).done == 4
    assert study.project.scores.summary() == found


@pytest.mark.parametrize("study", [6], indirect=True)
def test_intervals_are_about_people_too(study):
    study.look()
    study.model()
    study.score()
    both = study.summary(source="cnn-lstm", metric="nss")
    study.project.db.execute("DELETE FROM people_parts")
    study.project.db.conn.commit()
    study.score()
    images = study.summary(source="cnn-lstm", metric="nss")
    assert (both.percent, both.ceiling) == (images.percent, images.ceiling)
    assert (both.interval, images.interval) == ("images and people", "images")
    assert both.ci_high - both.ci_low >= images.ci_high - images.ci_low


def test_new_fixations_replace_the_scores_of_the_whole_task(study):
    study.look()
    study.look("social", file="b.csv", seed=2)
    study.score()
    study.look("social", n_subjects=2, names=["scene-0.png"], file="c.csv", seed=3)
    again = study.score()
    # The other task's people are a baseline on that image.
    assert (again.done, again.skipped) == (5, 3)


def test_images_whose_fixations_are_gone_lose_their_scores(study):
    study.look()
    study.score()
    image = study.project.images.by_name("scene-3.png")
    study.project.db.execute("UPDATE trials SET image_id = NULL WHERE image_id = ?", (image.id,))
    study.project.db.conn.commit()
    study.score()
    assert image.id not in {row.image_id for row in study.project.scores.all()}
    assert study.project.db.execute("SELECT count(*) FROM people_parts").fetchone() == (3,)
    assert study.summary(source="uniform", metric="nss").n_images == 3


def test_other_settings_make_other_rows_and_the_last_ones_are_shown(study):
    study.look()
    study.model()
    study.score(sigma=4.0)
    narrow = study.project.scores.summary()
    study.score(sigma=6.0)
    assert study.project.db.execute("SELECT count(DISTINCT settings_hash) FROM scores").fetchone() == (2,)
    shown = {row.settings_id for row in study.project.scores.all()}
    assert shown == {row.settings_id for row in study.project.scores.summary()}
    assert study.project.settings.get(shown.pop()).values["sigma"] == 6.0
    back = study.score(sigma=4.0)
    assert (back.done, back.skipped) == (0, 4)
    assert study.project.scores.summary() == narrow


def test_presets_stand_side_by_side(study):
    study.look()
    study.model()
    study.score()
    study.score(preset="mit")
    summary = study.project.scores.summary()
    assert {row.preset for row in summary} == {"tuebingen", "mit"}
    assert {row.preset for row in study.project.scores.all("mit")} == {"mit"}
    mit = next(
        row for row in summary if row.preset == "mit" and row.source == "cnn-lstm" and row.metric == "auc"
    )
    assert mit.mean is not None
    assert mit.percent is None
    assert any("AUC-Judd" in problem.what for problem in study.project.problems.all())


@pytest.mark.parametrize("study", [6], indirect=True)
def test_the_preset_harmonization_is_spearman_over_its_ceiling(study):
    study.look()
    study.model()
    study.score(preset="harmonization")
    rows = study.project.scores.summary("harmonization")
    assert {row.metric for row in rows} == {"spearman"}
    for source in ("cnn-lstm", "centre_bias"):
        row = study.summary(source=source, metric="spearman")
        assert row.estimator == "sqrt_spearman_brown"
        assert row.percent == pytest.approx(100 * row.mean / row.ceiling)
        assert row.ci_low < row.percent < row.ci_high


def test_metrics_without_a_ceiling_never_have_a_percentage(study):
    study.look()
    study.model()
    assert said(study.score(metrics=("emd", "auc_judd", "sim"))) == [
        "AUC-Judd of one person is not comparable with that of many, so it has no ceiling."
    ]
    rows = study.project.scores.summary()
    assert {row.metric for row in rows} == {"auc_judd", "sim", "emd"}
    assert all(row.percent is None for row in rows)
    assert study.summary(source="cnn-lstm", metric="emd").estimator == "half_vs_half"
    assert study.summary(source="cnn-lstm", metric="auc_judd").ceiling is None
    stored = {row.metric: row.value for row in study.project.scores.all() if row.source == "uniform"}
    assert stored["auc_judd"] == 0.5


def test_the_same_seed_draws_the_same_pixels(study):
    study.look()
    study.model()
    study.score(preset="mit", metrics=("auc_borji",), seed=1)
    first = [row.value for row in study.project.scores.all()]
    study.score(preset="mit", metrics=("auc_borji",), seed=2)
    assert [row.value for row in study.project.scores.all()] != first
    again = study.score(preset="mit", metrics=("auc_borji",), seed=1)
    assert again.skipped == 4
    assert [row.value for row in study.project.scores.all()] == first


@pytest.mark.parametrize(
    ("metrics", "on_all", "on_some"),
    [
        (("auc", "ll"), None, None),
        (
            ("spearman", "cc"),
            "CC and Spearman have no percentage.",
            "they are left out of the percentages of CC and Spearman.",
        ),
        (
            ("cc", "sim"),
            "CC has no percentage, and SIM has no reference.",
            "they are left out of the percentages of CC and of the reference of SIM.",
        ),
        (("sim", "kl"), "SIM and KL have no reference.", "they are left out of the reference of SIM and KL."),
    ],
)
def test_what_few_people_cost_is_said_of_the_metrics_that_were_chosen(study, metrics, on_all, on_some):
    def cost():
        told = [what for what in said(study.score(metrics=metrics)) if "fewer than 4" in what]
        return told[0].partition("halves of them: ")[2] if told else None

    study.look(n_subjects=3)
    assert cost() == on_all
    study.look(n_subjects=6, names=study.names[:3], file="more.csv", seed=8)
    assert cost() == on_some


def test_the_true_density_is_told_from_models(study):
    study.look()
    study.model("true_density_(simulated)", kind="truth", method="imported")
    study.score()
    row = study.summary(source_kind="truth", metric="nss")
    assert row.source == "true_density"
    assert not [r for r in study.project.scores.all() if r.source_kind == "model"]


def test_sigma_is_that_of_the_choices_unless_another_is_asked_for(study):
    study.look()
    assert study.score(sigma=None).details["sigma_px"] == 5.0
    assert study.score(sigma=0.25, sigma_unit="deg", px_per_deg=30).details["sigma_px"] == 7.5


def test_sigma_in_degrees_needs_the_pixels_per_degree(study):
    study.look()
    with pytest.raises(GazeError, match="px per degree, which are not known") as caught:
        study.score(sigma=1.0, sigma_unit="deg")
    assert caught.value.where == "a.csv"


def show_larger(study, px_per_degree=20.0):
    """Let positions be screen px, images shown at their own size, and scene-1.png at twice that."""
    gaze = study.project.gaze
    study.project.db.execute("""UPDATE recordings SET frame = '{"of": "screen", "unit": "px"}'""")
    study.project.db.conn.commit()
    gaze.set_geometry(1, Geometry(px_per_deg=px_per_degree).as_json())
    gaze.change_trials(
        {
            trial.id: {
                "shown": (0.0, 0.0, *(n * (2.0 if trial.image_name == "scene-1.png" else 1.0) for n in SIZE))
            }
            for trial in gaze.trials()
        }
    )


def human_cc(study, name, sigma_px, weights=None):
    """Return the CC of an image's stored map with its human map."""
    image = study.project.images.by_name(name)
    [run] = study.project.runs.all(image_id=image.id)
    stored = study.project.maps.mean_of_run(run.id)
    table = study.project.gaze.fixations(image.id, "general")
    human = human_map(table.x, table.y, HEIGHT, WIDTH, sigma_px, None if weights is None else weights(table))
    return cc(to_image(stored.values, stored.rect, HEIGHT, WIDTH), human)


def stored_cc(study, name):
    image = study.project.images.by_name(name)
    [row] = [
        r
        for r in study.project.scores.all()
        if (r.image_id, r.metric, r.source) == (image.id, "cc", "cnn-lstm")
    ]
    return row.value


def test_a_sigma_in_degrees_is_that_of_each_image(study):
    study.look()
    study.model()
    show_larger(study)
    study.project.settings.set_current(CHOICES, GazeChoices(sigma=0.25, sigma_unit="deg").as_json())
    done = study.score(sigma=None)
    assert (done.details["sigma_px"], done.details["sigma_px_range"]) == (None, [2.5, 5.0])
    assert stored_cc(study, "scene-0.png") == pytest.approx(human_cc(study, "scene-0.png", 5.0), abs=1e-5)
    assert stored_cc(study, "scene-1.png") == pytest.approx(human_cc(study, "scene-1.png", 2.5), abs=1e-5)
    [settings] = {row.settings_id for row in study.project.scores.all()}
    values = study.project.settings.get(settings).values
    assert (values["sigma"], values["sigma_unit"]) == (0.25, "deg")
    assert study.score(sigma=None).skipped == 4
    study.project.gaze.set_geometry(1, Geometry(px_per_deg=24.0).as_json())
    again = study.score(sigma=None)
    assert (again.done, again.details["sigma_px_range"]) == (4, [3.0, 6.0])
    # One number for all images takes the place of each image's own.
    assert study.score(sigma=None, px_per_deg=16.0).details["sigma_px"] == 4.0


def test_durations_weigh_in_the_metrics_of_maps_only(study):
    study.look()
    study.model()
    study.score(metrics=tuple(METRICS))
    plain = {metric: study.summary(source="cnn-lstm", metric=metric) for metric in METRICS}
    study.project.settings.set_current(CHOICES, GazeChoices(weighting="duration").as_json())
    assert study.score(metrics=tuple(METRICS)).done == 4
    expected = human_cc(study, "scene-2.png", 4.0, lambda table: table.duration_ms)
    assert stored_cc(study, "scene-2.png") == pytest.approx(expected, abs=1e-5)
    for metric in METRICS:
        row, before = study.summary(source="cnn-lstm", metric=metric), plain[metric]
        same = (row.mean, row.ceiling, row.percent, row.ci_low, row.ci_high) == (
            *(before.mean, before.ceiling, before.percent, before.ci_low, before.ci_high),
        )
        assert same == (METRICS[metric].against == "fixations"), metric
    assert study.score(metrics=tuple(METRICS)).skipped == 4
    study.project.db.execute("UPDATE fixations SET duration_ms = 999 WHERE trial_id = 1 AND position = 1")
    study.project.db.conn.commit()
    assert study.score(metrics=tuple(METRICS)).done == 1
    study.project.settings.set_current(CHOICES, GazeChoices().as_json())
    assert study.score(metrics=tuple(METRICS)).skipped == 4
    assert study.summary(source="cnn-lstm", metric="cc") == plain["cc"]


def test_fixations_without_a_duration_are_said_when_durations_weigh(study):
    study.look()
    study.project.settings.set_current(CHOICES, GazeChoices(weighting="duration").as_json())
    assert not said(study.score())
    study.project.db.execute("UPDATE fixations SET duration_ms = NULL WHERE position < 3 AND trial_id = 1")
    study.project.db.conn.commit()
    [told] = said(study.score())
    assert told.startswith("2 fixations have no duration; in human maps they count as much as the average")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"metrics": ("nss", "dtw")}, "dtw"),
        ({"preset": "other"}, "preset"),
        ({"sigma": -1.0}, "Sigma"),
        ({"n_splits": 0}, "splits"),
        ({"n_bootstrap": 0}, "resamples"),
        ({"max_side_px": 0}, "longest side"),
        ({"seed": -1}, "seed"),
        ({"tasks": ("nowhere",)}, "nowhere"),
    ],
)
def test_settings_that_make_no_sense_are_refused(study, settings, what):
    study.look()
    with pytest.raises(GazeError, match=what):
        study.score(**settings)


def test_without_fixations_the_user_is_told_what_to_do(study):
    study.model()
    with pytest.raises(GazeError, match="No image of the project has fixations"):
        study.score()


def test_images_without_fixations_and_without_maps_are_counted_not_failed(study):
    study.look(names=study.names[:3])
    study.model(names=study.names[1:])
    done = study.score()
    assert (done.done, done.failed) == (3, 0)
    assert done.details["images_without_fixations"] == {"general": 1}
    assert any(what == "1 of 4 images has no fixations and is not scored." for what in said(done))
    assert study.summary(source="cnn-lstm", metric="nss").n_images == 2
    assert study.summary(source="uniform", metric="nss").n_images == 3


@pytest.mark.parametrize(
    ("n_subjects", "sentence", "estimator", "has_percent"),
    [
        (1, "one person", "", False),
        (2, "about the images alone", "loso_mixture", True),
        (3, "fewer than 4", "loso_extrapolated", True),
    ],
)
def test_few_people_are_said_and_cost_what_they_must(study, n_subjects, sentence, estimator, has_percent):
    study.look(n_subjects=n_subjects)
    study.model()
    done = study.score()
    assert done.failed == 0
    assert any(sentence in problem.what for problem in done.problems)
    row = study.summary(source="cnn-lstm", metric="nss")
    assert row.mean is not None
    assert row.estimator == estimator
    assert (row.percent is not None) == has_percent
    assert study.summary(source="cnn-lstm", metric="cc").percent is None
    study.look(n_subjects=6, file="more.csv", seed=8)
    assert said(study.score()) == []
    assert [p.what for p in study.project.problems.all() if p.where == "general"] == [NO_INTERVALS]


def test_what_is_said_about_few_people_is_what_happens(study):
    study.look(n_subjects=3)
    [told] = [p.what for p in study.score().problems if "fewer than 4" in p.what]
    assert told.endswith("halves of them: CC has no percentage, and SIM and KL have no reference.")
    assert study.summary(source="centre_bias", metric="nss").n_images == 4
    study.look(n_subjects=6, names=study.names[:3], file="more.csv", seed=8)
    [told] = [p.what for p in study.score().problems if "fewer than 4" in p.what]
    assert told.startswith("1 of 4 images")
    assert told.endswith("they are left out of the percentages of CC and of the reference of SIM and KL.")
    assert study.summary(source="centre_bias", metric="cc").n_images == 3
    row, reference = (
        study.summary(source=source, metric="sim") for source in ("centre_bias", "half_vs_half")
    )
    assert (row.n_images, reference.n_images) == (4, 3)
    stored = [r.value for r in study.project.scores.all() if (r.source, r.metric) == ("centre_bias", "sim")]
    assert row.mean == pytest.approx(np.mean(stored), rel=1e-12)
    assert row.ceiling == pytest.approx(reference.mean, rel=1e-12)
    row = study.summary(source="centre_bias", metric="nss")
    assert (row.n_images, row.estimator) == (4, "loso_extrapolated")


def test_what_is_said_about_pairs_of_people_is_what_happens(study):
    study.look(n_subjects=2)
    [told] = [p.what for p in study.score().problems if "fewer than 3" in p.what]
    assert told.endswith("NSS, AUC, sAUC and IG are held against a lower bound.")
    assert study.summary(source="centre_bias", metric="nss").estimator == "loso_mixture"
    study.look(n_subjects=6, names=study.names[:3], file="more.csv", seed=8)
    [told] = [p.what for p in study.score().problems if "fewer than 3" in p.what]
    assert told.startswith("1 of 4 images")
    assert told.endswith("they are left out of the percentages of NSS, AUC, sAUC and IG.")
    assert study.summary(source="centre_bias", metric="nss").n_images == 3


def scatter(study):
    """Let everybody look anywhere: nobody predicts anybody."""
    rng = np.random.default_rng(0)
    rows = [
        f"{name},p{person},{rng.uniform(0, WIDTH):.2f},{rng.uniform(0, HEIGHT):.2f}"
        for name in study.names
        for person in range(6)
        for _ in range(5)
    ]
    path = study.folder / "anywhere.csv"
    path.write_text("\n".join(["image,subject,x,y", *rows]) + "\n")
    import_gaze(study.project, ImportGazeSettings((str(path),), task="general"), SILENT)


@pytest.mark.parametrize("study", [16], indirect=True)
def test_people_who_do_not_agree_give_no_percentage_and_that_is_said(study):
    scatter(study)
    study.model()
    done = study.score()
    row = study.summary(source="cnn-lstm", metric="auc")
    assert (row.percent, row.ci_low, row.estimator, row.n_images) == (None, None, "loso_extrapolated", 16)
    assert 0.48 < row.ceiling < 0.52
    [told] = [p.what for p in done.problems if "do not agree" in p.what]
    assert told.startswith("People do not agree clearly above chance in NSS, AUC, sAUC, CC: ")


@pytest.mark.filterwarnings("error")
def test_an_image_of_one_pixel_has_no_ceiling_of_maps_and_no_warning(tmp_path):
    made = Study(tmp_path)
    made.picture("dot.png", 1, 1)
    made.look()
    path = tmp_path / "dot.csv"
    path.write_text("image,subject,x,y\n" + "".join(f"dot.png,p{k:02d},0.5,0.5\n" for k in range(6)))
    import_gaze(made.project, ImportGazeSettings((str(path),), task="general"), SILENT)
    done = made.score()
    assert (done.done, done.failed) == (5, 0)
    dot = made.project.images.by_name("dot.png").id
    parts = {(r.metric, r.estimator): r.value for r in made.project.scores.ceilings() if r.image_id == dot}
    assert parts["cc", "split_half_r"] is None
    assert made.summary(source="centre_bias", metric="cc").n_images == 4
    made.project.close()


def test_a_single_image_has_no_centre_bias(study):
    study.look(names=["scene-0.png"])
    done = study.score()
    [told] = [what for what in said(done) if "Only one image" in what]
    assert told.endswith("(bandwidth and weights) is chosen on that image itself.")
    assert "3 of 4 images have no fixations and are not scored." in said(done)
    without_others = {"uniform", "random", "centre_gaussian", "spectral_residual"}
    assert {row.source for row in study.project.scores.all()} == without_others
    assert study.summary(source="uniform", metric="nss").ci_low is None


def test_an_undefined_metric_is_stored_as_missing(study):
    study.look()
    study.score()
    assert all(
        r.value is None for r in study.project.scores.all() if r.source == "uniform" and r.metric == "cc"
    )
    row = study.summary(source="uniform", metric="cc")
    assert (row.n_images, row.mean, row.percent) == (0, None, None)


def test_people_have_rows_of_their_own(study):
    study.look()
    study.score()
    percents = {
        source: study.summary(source_kind="human", source=source, metric="nss").percent
        for source in ("loso_mixture", "all_mixture")
    }
    assert percents["loso_mixture"] < 100 < percents["all_mixture"]
    half = study.summary(source_kind="human", source="half_vs_half", metric="sim")
    assert half.mean == pytest.approx(study.summary(source="uniform", metric="sim").ceiling)


class StopAfter:
    def __init__(self, units):
        self.units = units
        self.cancelled = False

    def report(self, done, total, message):
        self.cancelled = done >= self.units


def test_cancelling_keeps_what_is_done_and_going_on_ends_as_if_undisturbed(study):
    study.look()
    study.model()
    stopped = study.score(StopAfter(1), threads=1)
    assert stopped.cancelled
    assert 1 <= stopped.done < 4
    assert study.project.scores.summary() == []
    assert len({row.image_id for row in study.project.scores.all()}) == stopped.done
    rest = study.score()
    assert rest.skipped == stopped.done
    assert rest.done == 4 - stopped.done
    broken = {table: study.rows(table) for table in ("scores", "ceilings", "summary")}
    for table in broken:
        study.project.db.execute(f"DELETE FROM {table}")
    study.project.db.conn.commit()
    study.score()
    assert broken == {table: study.rows(table) for table in broken}


class FullAfter:
    """Lets the project grow no further once some units are stored."""

    cancelled = False

    def __init__(self, project, units):
        self.db = project.db
        self.units = units

    def report(self, done, total, message):
        if done == self.units:
            self.db.execute("PRAGMA max_page_count = 1").fetchone()  # no smaller than the file is


def test_a_full_disk_ends_scoring_with_whole_units_and_the_next_run_goes_on(study):
    study.look()
    study.model()
    with pytest.raises(GazeError, match="The disk is full") as told:
        study.score(FullAfter(study.project, 2), threads=1, n_bootstrap=20)
    assert told.value.where == str(study.project.path)
    kept = study.rows()
    stored = {row.image_id for row in study.project.scores.all()}
    assert 2 <= len(stored) < 4
    assert study.project.scores.summary() == []
    study.project.db.execute("PRAGMA max_page_count = 100000").fetchone()
    rest = study.score(n_bootstrap=20)
    assert (rest.skipped, rest.done) == (len(stored), 4 - len(stored))
    assert set(kept) < set(study.rows())
    n_rows = {image: sum(r.image_id == image for r in study.project.scores.all()) for image in stored}
    assert len(kept) == sum(n_rows.values())


def test_one_image_that_fails_does_not_stop_the_others(study, monkeypatch):
    study.look()
    honest = score_module.score_image
    bad = study.project.images.by_name("scene-1.png").id

    def fail_one(job, rules, ready):
        if job.key == bad:
            raise GazeError("The map holds values that are not numbers.", todo="Make it again.")
        return honest(job, rules, ready)

    monkeypatch.setattr(score_module, "score_image", fail_one)
    done = study.score()
    assert (done.done, done.failed) == (3, 1)
    assert "general · scene-1.png" in [problem.where for problem in done.problems]
    assert study.summary(source="uniform", metric="nss").n_images == 3
    monkeypatch.setattr(score_module, "score_image", honest)
    assert study.score().done == 1
    assert [p.what for p in study.project.problems.all()] == [NO_INTERVALS]


def test_an_image_that_can_no_longer_be_scored_keeps_no_stale_scores(study, monkeypatch):
    study.look()
    study.score()
    study.look(n_subjects=3, file="more.csv", seed=8)

    def fail(job, rules, ready):
        raise GazeError("No more.")

    monkeypatch.setattr(score_module, "score_image", fail)
    assert study.score().failed == 4
    assert study.rows("scores") == study.rows("ceilings") == study.rows("summary") == []


def test_a_lesioned_map_is_scored_beside_the_whole_one(study):
    study.look()
    study.model()
    study.project.db.execute(
        "INSERT INTO runs (image_id, model, task_id, lesion, method, caption, model_task, seconds, settings_id, "
        "settings_hash) SELECT image_id, model, task_id, 'left', method, caption, model_task, seconds, settings_id, "
        "'other' FROM runs WHERE image_id = 1"
    )
    new = study.project.db.execute("SELECT max(id) FROM runs").fetchone()[0]
    settings_id = study.project.settings.put("extract", {"lesion": "left"})
    values = np.full((2, 2), 0.25, np.float32)
    study.project.maps.put_run(new, values, values[None][:0], Rect.of_image(WIDTH, HEIGHT), settings_id)
    study.project.db.conn.commit()
    study.score()
    assert study.summary(source="cnn-lstm", metric="nss", lesion="left").n_images == 1
    assert study.summary(source="cnn-lstm", metric="nss", lesion="").n_images == 4


def test_no_value_is_stored_as_nan(study):
    study.look()
    study.model()
    study.score()
    for row in study.project.scores.summary():
        assert all(
            v is None or math.isfinite(v)
            for v in (row.mean, row.ceiling, row.percent, row.ci_low, row.ci_high)
        )


def flatten(study, names):
    """Give the first model maps without any structure."""
    flat = np.full((6, 8), 1 / 48, np.float32)
    for name in names:
        run = next(r for r in study.project.runs.all() if r.image_id == study.project.images.by_name(name).id)
        study.project.db.execute("DELETE FROM maps WHERE run_id = ?", (run.id,))
        study.project.maps.put_run(
            run.id, flat, flat[None][:0], Rect.of_image(WIDTH, HEIGHT), run.settings_id
        )
    study.project.db.conn.commit()


def test_maps_that_say_nothing_are_counted_and_said(study):
    study.look()
    study.model()
    flatten(study, study.names[:3])
    [told] = [what for what in said(study.score()) if "same value everywhere" in what]
    assert told.startswith("3 maps of cnn-lstm have the same value everywhere: they score chance")
    rows = [r for r in study.project.scores.all() if r.source == "cnn-lstm"]
    values = {
        metric: [r.value for r in rows if r.metric == metric] for metric in ("nss", "auc", "sauc", "cc")
    }
    assert (values["nss"].count(0), values["auc"].count(0.5), values["sauc"].count(0.5)) == (3, 3, 3)
    assert values["cc"].count(None) == 3
    assert study.summary(source="cnn-lstm", metric="cc").n_images == 1


def test_pictures_that_are_gone_cost_one_baseline_and_that_is_said(study):
    study.look()
    (study.folder / "scene-1.png").unlink()
    [told] = said(study.score())
    assert told.startswith("1 of 4 images cannot be read from their files")
    assert study.summary(source="spectral_residual", metric="nss").n_images == 3
    assert study.summary(source="random", metric="nss").n_images == 4


def test_one_map_has_no_information_gain_and_that_is_said(study):
    study.look()
    study.model(names=study.names[:1])
    [told] = said(study.score(metrics=("ll",)))
    assert told.startswith("There is no log-likelihood of cnn-lstm:")
    [told] = said(study.score())
    assert told.startswith("There is no information gain of cnn-lstm:")
    assert study.summary(source="cnn-lstm", metric="ig").n_images == 0
    assert study.summary(source="cnn-lstm", metric="nss").n_images == 1
    assert study.summary(source="spectral_residual", metric="ig").n_images == 4


@pytest.mark.parametrize(
    ("kind", "settings", "is_said"),
    [
        ("captioner", {"metrics": ("auc",)}, True),
        ("captioner", {"metrics": ("sim", "ll")}, True),
        ("captioner", {"metrics": ("kl",)}, True),
        ("captioner", {"metrics": ("kl", "nss"), "preset": "mit"}, True),
        # Information gain sees the density that a map is made, and a constant map becomes the centre bias.
        ("captioner", {"metrics": ("ig",)}, False),
        ("truth", {"metrics": ("cc", "nss")}, True),
        ("truth", {"metrics": ("ll",)}, True),
    ],
)
def test_constant_maps_are_known_by_any_metric_that_sees_them(study, kind, settings, is_said):
    study.look()
    study.model(kind=kind)
    flatten(study, study.names[1:2])
    told = [what for what in said(study.score(**settings)) if "same value everywhere" in what]
    name = "true_density" if kind == "truth" else "cnn-lstm"
    assert [what.partition(":")[0] for what in told] == (
        [f"One map of {name} has the same value everywhere"] if is_said else []
    )


def test_an_image_that_a_task_is_not_about_is_none_without_fixations(study):
    study.look("general", names=study.names[:3])
    study.look("social", names=study.names[3:], file="b.csv")
    assert study.score(metrics=("nss",)).details["images_without_fixations"] == {}
    # A map of a task, or a trial whose fixations are all beside the image, makes the image one of the task's.
    study.model(task="general", names=study.names[2:])
    outside = study.folder / "outside.csv"
    outside.write_text("image,subject,x,y\nscene-0.png,p00,-50,-50\n")
    import_gaze(study.project, ImportGazeSettings((str(outside),), task="social"), SILENT)
    done = study.score(metrics=("nss",))
    assert done.details["images_without_fixations"] == {"general": 1, "social": 1}
    told = [(p.where, p.what) for p in done.problems if "not scored" in p.what]
    assert told == [
        ("general", "1 of 4 images has no fixations and is not scored."),
        ("social", "1 of 2 images has no fixations and is not scored."),
    ]


def test_a_ceiling_that_is_chosen_on_its_own_image_is_said(study):
    study.look(names=study.names[:1])
    study.look(n_subjects=1, names=study.names[1:], file="alone.csv")
    [told] = [what for what in said(study.score(metrics=("nss",))) if "that image itself" in what]
    assert told.startswith("Only one of 4 images was seen by more than one person, so what the human ceiling")
    assert not [what for what in said(study.score(metrics=("cc",))) if "that image itself" in what]


def test_of_maps_that_were_made_again_the_newest_are_scored(study):
    study.look()
    study.model()
    study.score(metrics=("nss",))
    study.model(version=2)
    study.score(metrics=("nss",))
    again = {r.image_id: r.value for r in study.project.scores.all() if r.source == "cnn-lstm"}
    runs = {r.image_id: r for r in study.project.runs.all()}
    for image_id, value in again.items():
        table = study.project.gaze.fixations(image_id, "general")
        stored = study.project.maps.mean_of_run(runs[image_id].id)
        values = to_image(stored.values, stored.rect, HEIGHT, WIDTH)
        assert value == pytest.approx(nss(values, pixels(table.x, table.y, HEIGHT, WIDTH)), abs=1e-6)
