"""The report's section about lesions: its numbers are the means of what was stored, its sentences are true."""

from __future__ import annotations

import base64
import html as markup
import io
import re
import shlex

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.project import Project
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.neglect.examples import most_changed, with_mask
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.report import ReportSettings, report
from tests.copied import copy_study
from tests.engine.lesioned import FOUR, SPARED, add_lesions, values_of

STUDY = {"n_images": 10, "tasks": ("free",), "models": FOUR}
HOSTILE = '=<b>"left", ½/é</b>'


@pytest.fixture(scope="module")
def project(built_studies, tmp_path_factory):
    """A study with lesions, which tests here only read."""
    with Project.open(copy_study(built_studies(**STUDY), tmp_path_factory.mktemp("lesioned"))) as opened:
        add_lesions(opened)
        yield opened


@pytest.fixture(scope="module")
def neglect(project):
    return gather(project, "tuebingen", "r.html").neglect


def net_of(rows, model, mask, strength=1.0):
    """Return lesion minus the mean of the kinds of controls that each image has."""
    own, random, equal = (
        values_of(rows, "log_probability_drop", model=model, mask=mask, control=control, strength=strength)
        for control in ("", "random", "equal_mass")
    )
    return np.array([own[i] - np.mean([kind[i] for kind in (random, equal) if i in kind]) for i in own])


def test_a_study_without_lesions_has_no_such_section(study, tmp_path):
    with Project.open(study(**STUDY)) as opened:
        assert gather(opened, "tuebingen", "r.html").neglect is None
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'id="neglect"' not in page
    assert "<h3>Lesions</h3>" not in page


def test_the_tables_have_the_mean_of_each_image_minus_its_controls(project, neglect):
    rows = project.lesions.all()
    table = next(table for table in neglect.tables if table.id == "lesion_control")
    place = [column.id for column in table.columns].index("estimate")
    shown = {row.name: row.cells[place].value for row in table.rows}
    assert shown == {
        f"{name}, {mask}": pytest.approx(net_of(rows, model, mask).mean())
        for model, name in FOUR
        for mask in ("left", "right")
    }
    assert shown["CNN-LSTM, left"] == pytest.approx(SPARED, abs=0.1)


def test_the_planted_effect_and_only_that_is_told_in_words(project, neglect):
    rows = project.lesions.all()
    intro, said = (text.replace("\xa0", " ") for text in neglect.readings)
    assert intro.startswith("By loss of the intact caption (nats per token), scope keys, strength 1;")
    left, right = said.split("With “right” taken away, ", 1)
    mean = net_of(rows, "cnn-lstm", "left").mean()
    assert f"With “left” taken away, CNN-LSTM ({mean:.2f} [" in left
    assert (
        "clearly more than under matched controls; CNN-Transformer and ViT-Transformer do not differ" in left
    )
    assert right.startswith("no model differs clearly from matched controls (10 images).")
    # (all LSTM - all Transformer) / 2 of the lesion minus its controls.
    net = {model: net_of(rows, model, "left").mean() for model, _ in FOUR}
    effect = sum(value * (1 if model.endswith("lstm") else -1) for model, value in net.items()) / 2
    assert f"With “left” taken away, models with an LSTM decoder lose {effect:.2f} [" in said
    assert "Under “right” it is not shown (Transformer − LSTM, beyond controls: “right”" in said
    assert "That the encoder matters is not shown (ViT − CNN" in said
    assert "As they are, not minus controls: CNN-LSTM suffers more under “left” than under “right”" in said
    right_net = net_of(rows, "cnn-lstm", "right").mean()
    assert f"; beyond matched controls {mean:.2f} under “left” and {right_net:.2f} under “right”)" in (
        said.replace("\N{MINUS SIGN}", "-")
    )
    assert "nothing about the model until the control “the mirrored image under the mirrored mask”" in said
    assert "grows clearly with the strength for CNN-LSTM under “left” and ViT-LSTM under “left”." in said


def test_figures_have_the_means_of_lesions_and_of_each_kind_of_control(project, neglect):
    rows = project.lesions.all()
    figures = {figure.id: figure for figure in neglect.figures}
    assert list(figures) == [
        *("lesion_keys", "lesion_net_keys", "lesion_dose_keys", "lesion_side_keys", "lesion_factorial_keys")
    ]
    (plot,) = figures["lesion_keys"].axes
    drawn = {(float(s.x[0]), s.marker, s.hollow): float(s.y[0]) for s in plot.series}
    names = [(name, at) for at, name in plot.x_ticks if name]
    assert [name for name, _ in names] == [
        f"{name}, {mask}" for _, name in FOUR for mask in ("left", "right")
    ]
    for (model, mask), (_, at) in zip(
        [(m, k) for m, _ in FOUR for k in ("left", "right")], names, strict=True
    ):
        for control, key in (
            ("", (at, "o", False)),
            ("random", (at + 0.55, "o", True)),
            ("equal_mass", (at + 1.0, "D", True)),
        ):
            own = values_of(
                rows, "log_probability_drop", model=model, mask=mask, control=control, strength=1.0
            )
            assert drawn[key] == pytest.approx(np.mean(list(own.values())))
    (side,) = figures["lesion_side_keys"].axes
    assert side.y_label == "left − right, nats per token"
    assert [name for _, name in side.x_ticks] == [f"{name}, left − right" for _, name in FOUR]
    dose = figures["lesion_dose_keys"].axes[0]
    solid = next(s for s in dose.series if s.name == "CNN-LSTM")
    expected = [0.0]
    for strength in (0.5, 1.0):
        own = values_of(
            rows, "log_probability_drop", model="cnn-lstm", mask="left", control="", strength=strength
        )
        expected.append(np.mean(list(own.values())))
    np.testing.assert_allclose(solid.y, expected)
    np.testing.assert_allclose(solid.x, [0.0, 0.5, 1.0], atol=0.02)


def test_what_was_done_is_counted(neglect):
    # 10 images x 4 models x 2 masks x 2 strengths; equal attention is missing on one image.
    assert "160 lesions and 504 controls" in neglect.done[0].replace("\xa0", " ")
    assert {name: n for name, _, n in neglect.controls} == {
        "the mirrored mask": 160,
        "as much area elsewhere": 160,
        "as much attention elsewhere": 144,
        "nothing taken away": 40,
    }
    assert neglect.check.replace("\xa0", " ").startswith("With nothing taken away, all 40 runs gave")
    assert any(text.startswith("16\xa0controls of equal attention do not exist") for text in neglect.cautions)
    assert [(mask.name, mask.area, mask.n_images) for mask in neglect.masks] == [
        ("left", "50\xa0%", 10),
        ("right", "50\xa0%", 10),
    ]
    assert {scope.models for scope in neglect.scopes} == {
        *(("CNN-LSTM",), ("CNN-Transformer",), ("ViT-LSTM",), ("ViT-Transformer",))
    }
    assert all("mixed" in scope.misses for scope in neglect.scopes)


def test_a_model_that_does_not_repeat_itself_is_named(study):
    with Project.open(study(**STUDY)) as opened:
        add_lesions(opened, strengths=(1.0,), spoiled="vit-lstm", assessed=False)
        check = gather(opened, "tuebingen", "r.html").neglect.check
    assert "10 of 40\xa0runs were not the intact run again (ViT-LSTM on 10)" in check


def test_examples_are_the_images_that_lost_most_one_of_each_model_first(project):
    rows = [row for row in project.lesions.all() if not row.key.control and row.key.strength == 1.0]
    chosen = most_changed(project.lesions.all(), 5)
    assert chosen[0].outcomes["log_probability_drop"] == max(r.outcomes["log_probability_drop"] for r in rows)
    assert {row.model for row in chosen[:4]} == {model for model, _ in FOUR}
    assert len({row.image_id for row in chosen}) == 5
    assert all(row in rows for row in chosen)
    assert most_changed([], 3) == []


def test_examples_mark_the_words_that_changed(project, tmp_path):
    report(project, ReportSettings(str(tmp_path / "r.html"), n_examples=2), SILENT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    section = page[page.index('<section aria-labelledby="neglect">') :]
    section = section[: section.index("</section>")]
    assert len(re.findall(r'<article class="example">', section)) == 2
    # a red ball near a person -> a red dog near a person
    before, after = re.findall(r'<dd dir="auto">(.*?)</dd>', section)[:2]
    assert before.split() == ["a", "red", "<del>ball</del>", "near", "a", "person"]
    assert after.split() == ["a", "red", "<ins>dog</ins>", "near", "a", "person"]
    # Two masks, and two examples of three pictures.
    pictures = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", section)
    assert len(pictures) == 2 + 2 * 3
    with Image.open(io.BytesIO(base64.b64decode(pictures[0]))) as first:
        pixels = np.asarray(first.convert("L"), float)
    width = pixels.shape[1]
    assert pixels[:, : width // 2 - 8].mean() < 0.6 * pixels[:, width // 2 + 8 :].mean()


def test_a_graded_mask_is_dimmed_by_its_share_and_outlined_at_half():
    picture = np.full((40, 100, 3), 200, np.uint8)
    mask = np.tile(np.linspace(255, 0, 100).astype(np.uint8), (40, 1))
    shown = with_mask(picture, mask)
    np.testing.assert_array_equal(shown[:, 0], np.rint(200 * (1 - 0.72)))
    assert (shown[:, -1] == 200).all()
    outlined = np.flatnonzero((shown[20] == [230, 40, 140]).all(axis=1))
    assert set(outlined) == {49, 50}


def test_names_of_masks_are_text_wherever_they_stand(study, tmp_path):
    with Project.open(study(**STUDY)) as opened:
        for image in opened.images.all():
            mask = np.zeros((image.height, image.width), np.uint8)
            mask[:, :60] = 255
            opened.masks.put(HOSTILE, image.id, mask)
        add_lesions(opened, masks=(HOSTILE,), strengths=(1.0,), said='<script> "dog" & more')
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=1), SILENT)
        lines = gather(opened, "tuebingen", "r.html").commands
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<b>&#34;left" not in page.replace("=<b>", "<b>")
    assert '<b>"left"' not in page
    assert "<script" not in page
    assert markup.escape(HOSTILE, quote=False).replace('"', "&#34;") in page
    assert "gazeapp import-masks study.gaze masks" in lines
    assert any(HOSTILE in shlex.split(line) for line in lines if line.startswith("gazeapp lesion"))


def draw_hand(project, images):
    for image in images:
        project.masks.put("hand", image.id, np.full((image.height, image.width), 255, np.uint8))


def test_a_mask_that_is_gone_from_the_library_is_told_and_not_drawn(study, tmp_path):
    with Project.open(study(**STUDY)) as opened:
        draw_hand(opened, opened.images.all())
        add_lesions(opened, masks=("hand", "left"), strengths=(1.0,))
        opened.masks.rename("hand", "paw")
        summary = report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=2), SILENT)
        neglect = gather(opened, "tuebingen", "r.html").neglect
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (summary.failed, [row.what for row in summary.problems]) == (0, [])
    assert [(mask.name, mask.origin) for mask in neglect.masks] == [
        ("hand", "no longer in the mask library"),
        ("left", "from its name"),
    ]
    assert any(text.startswith("“hand” is no longer in the mask library") for text in neglect.cautions)
    section = page[page.index('<section aria-labelledby="neglect">') :]
    assert len(re.findall("data:image/jpeg", section[: section.index("</section>")])) == 1 + 2 * 3
    assert "Loss of the intact caption by model and mask" in page


def test_an_image_that_lost_its_mask_is_left_out_and_named(study, tmp_path):
    with Project.open(study(**STUDY)) as opened:
        images = opened.images.all()
        draw_hand(opened, images)
        add_lesions(opened, masks=("hand",), strengths=(1.0,))
        for image in images[:-1]:
            opened.masks.remove("hand", image.id)
        summary = report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=10), SILENT)
    assert summary.failed == 10  # its thumbnail is of the first image
    said = " ".join(row.what for row in summary.problems)
    assert "()" not in said
    assert images[0].name in said


def test_lesions_of_a_mask_that_was_drawn_anew_are_told(study, tmp_path):
    with Project.open(study(**STUDY)) as opened:
        draw_hand(opened, opened.images.all())
        add_lesions(opened, masks=("hand",), strengths=(1.0,))
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    # Their lesions are stored with another hash than the mask in the library has.
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "“hand” was drawn anew since: run the experiment again" in page
    with Project.open(study(**STUDY)) as opened:
        add_lesions(opened, masks=("left",), strengths=(1.0,))
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
        assert "drawn anew" not in (tmp_path / "r.html").read_text(encoding="utf-8")
        opened.db.execute("DELETE FROM lesion_runs WHERE id % 2 = 0")
        opened.db.conn.commit()
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Means and tests are older than the lesions" in page


def test_masks_are_said_with_their_images_and_tasks_where_these_differ(study):
    with Project.open(study(**STUDY)) as opened:
        add_lesions(opened, masks=("left", "right"), strengths=(1.0,))
        add_lesions(opened, masks=("top",), strengths=(1.0,), assessed=False)
        opened.db.execute(
            "DELETE FROM lesion_runs WHERE mask = 'top' AND run_id IN (SELECT id FROM runs WHERE image_id <> ?)",
            [opened.images.all()[1].id],
        )
        opened.db.conn.commit()
        first, second, *_ = gather(opened, "tuebingen", "r.html").neglect.done
        opened.db.execute("DELETE FROM lesion_runs WHERE mask = 'top' AND id % 2 = 0")
        opened.db.conn.commit()
        uneven = gather(opened, "tuebingen", "r.html").neglect.done[1]
    assert (
        "“left” and “right” of 10 images under the task free and “top” of 1 image under the task free were each taken "
        "away, at strength 1 (0: nothing, 1: all): 84 lesions"
    ) in first.replace("\xa0", " ")
    assert second.startswith("The neglect is simulated")
    assert uneven.startswith("Not every mask was taken away from every model")


def test_the_command_line_says_all_that_was_varied(project):
    lines = [
        line for line in gather(project, "tuebingen", "r.html").commands if line.startswith("gazeapp lesion")
    ]
    assert lines == [
        "gazeapp lesion study.gaze --model cnn-lstm --model cnn-transformer --model vit-lstm --model vit-transformer "
        "--task free --mask left --mask right --scope keys --strength 0.5 --strength 1 --control equal_mass "
        "--control mirrored --control none --control random --method raw"
    ]
    used = gather(project, "tuebingen", "r.html").settings
    assert sum(row.n_rows for row in used if row.verb == "lesion") == 4


def test_long_names_of_masks_are_cut_where_they_stay_apart_and_scopes_are_told_apart(study):
    long = "the left hand of the person on the "
    with Project.open(study(**STUDY)) as opened:
        add_lesions(
            opened,
            masks=(f"{long}right", f"{long}left", "a very long name of one mask alone"),
            strengths=(1.0,),
        )
        add_lesions(opened, masks=("left",), strengths=(1.0,), scope="pixels")
        neglect = gather(opened, "tuebingen", "r.html").neglect
    figures = {figure.id: figure for figure in neglect.figures}
    names = [name for _, name in figures["lesion_net_keys"].axes[0].x_ticks]
    assert names[:3] == [
        f"CNN-LSTM, {long}right",
        f"CNN-LSTM, {long}left",
        "CNN-LSTM, a very long name of one m…",
    ]
    assert [name for _, name in figures["lesion_net_pixels"].axes[0].x_ticks] == [
        f"{name}, left" for _, name in FOUR
    ]
    assert any("each is told for itself" in text for text in neglect.cautions)
    assert [text[:60] for text in neglect.readings if text.startswith("By ")] == [
        "By loss of the intact caption (nats per token), scope keys, "[:60],
        "By loss of the intact caption (nats per token), scope pixels, "[:60],
    ]
