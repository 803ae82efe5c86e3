"""The report's section about brain responses: its numbers are those that were stored, its sentences are true."""

from __future__ import annotations

import base64
import io
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    LEFT,
    N_VERTICES,
    PARTITION,
    RSA,
    Atlas,
    NeuralFinding,
    Region,
)
from gazeapp.engine.neural.surface.colouring import Colouring
from gazeapp.engine.project import EncodingUnit, Project
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.neural.brief import encoding_in_lines
from gazeapp.engine.reports.neural.chosen import PICKED, Told
from gazeapp.engine.reports.neural.cortex import cortex_colouring, cortex_drawn
from gazeapp.engine.reports.neural.figures import neural_figures
from gazeapp.engine.reports.neural.heat_figure import heat_drawn
from gazeapp.engine.reports.neural.parts import part_table
from gazeapp.engine.reports.neural.readings import neural_readings
from gazeapp.engine.reports.neural.subjects import subject_table
from gazeapp.engine.reports.results.neural_heat import heat
from gazeapp.engine.reports.results.neural_measures import MEAN_OF_SUBJECTS, NeuralAsked
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.encode import EncodeSettings
from gazeapp.engine.workflows.neural_report import gather_neural, read_all
from gazeapp.engine.workflows.report import ReportSettings, report
from tests.copied import copy_study
from tests.ui.small_neural import ATLAS, CEILING, GROUPS, RESPONSES, STRENGTH, planted, put_neural
from tests.ui.small_study import MODELS, build

NAMES = dict(MODELS)
ENCODE = "predict from maps"
HOSTILE = '=<b>"V1", ½</b>'


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    made = build(tmp_path_factory.mktemp("neural") / "study", images=6, subjects=2)
    with Project.open(made.path) as project:
        put_neural(project)
    return made


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return build(tmp_path_factory.mktemp("bare") / "study", images=3, subjects=0, scored=False)


@pytest.fixture
def project(tmp_path, built):
    with Project.open(copy_study(built.path, tmp_path / "study")) as opened:
        yield opened


@pytest.fixture(scope="module")
def results(built):
    with Project.open(built.path) as project:
        return read_all(project, "tuebingen")[0].results


def data_of(project):
    return gather_neural(project, read_all(project, "tuebingen"))


def plain(text):
    return text.replace("\xa0", " ").replace("\N{MINUS SIGN}", "-")


def section_of(path):
    page = path.read_text(encoding="utf-8")
    section = page[page.index('<section aria-labelledby="neural">') :]
    return section[: section.index("</section>")]


def test_a_study_without_responses_has_no_such_section(bare, tmp_path):
    with Project.open(copy_study(bare.path, tmp_path / "study")) as opened:
        assert data_of(opened) is None
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "neural" not in page.partition("</style>")[2]


def test_responses_of_which_nothing_was_predicted_are_told(bare, tmp_path):
    with Project.open(copy_study(bare.path, tmp_path / "study")) as opened:
        put_neural(opened, predicted=False)
        (part,) = data_of(opened).parts
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    assert part.tasks == ()
    assert "Nothing was predicted" in part.cautions[-1]
    assert "Nothing was predicted" in section_of(tmp_path / "r.html")


def test_the_facts_say_what_was_predicted_from_what(project):
    (part,) = data_of(project).parts
    facts = {name: plain(value) for name, value in part.facts}
    assert facts["Responses"] == f"{RESPONSES}, simulated"
    assert facts["Space"] == "fsaverage5, 20,484 vertices"
    assert facts["Atlas"] == "desikan, 34 regions and 2 groups"
    assert facts["Predicted, task general"].startswith("12 images, from People, CNN-LSTM")
    assert "no V1" in facts["Limits of the atlas"]
    assert facts["Noise ceiling"] == "Correlation of two halves of the repeats."


def test_sentences_say_who_is_best_and_what_the_best_control_leaves(results):
    counts, early, _, gaze = map(plain, neural_readings(Told(results, "general")))
    # A number is clear above 0.08; r falls evenly over 34 regions.
    above = {
        source: sum(planted(source, place, 34) > 0.08 for place in range(34))
        for source in ("people", "cnn-lstm")
    }
    assert counts.startswith("Of 34 regions, responses are predicted above chance")
    assert f"people in {above['people']}, CNN-LSTM in {above['cnn-lstm']}, " in counts
    assert "centre in 0" in counts
    assert early.startswith(
        "Group early visual: CNN-Transformer (r 0.36 [0.28, 0.44], p = 0.002) predicts best"
    )
    assert f"{100 * STRENGTH['cnn-transformer'] / CEILING:.0f} % of the noise ceiling" in early
    assert "people’s fixations predict r 0.20" in early
    own, other = STRENGTH["cnn-transformer"] ** 2, STRENGTH["contrast"] ** 2
    unique = own + 0.3 * other - other
    assert "The best control, contrast energy, reaches r 0.16; CNN-Transformer predicts more than it" in early
    assert f"unique R² {unique:.3f}, p = 0.002" in early
    assert "Clear differences: CNN-Transformer over ViT-LSTM by 0.18 [0.13, 0.23]" in early
    assert (
        "RSA agrees: CNN-Transformer (ρ 0.18 [0.14, 0.22], p = 0.002); the best control is contrast energy "
        "(ρ 0.08 [0.04, 0.12], p = 0.002)." in early
    )
    assert gaze.startswith(
        "CNN-LSTM agrees best with fixations (86 % of the ceiling), but CNN-Transformer predicts"
    )


def _changed(results, change):
    return replace(results, findings=tuple(change(one) for one in results.findings))


def _with_contrast(r, p_fdr=0.001):
    """Return a change after which contrast reaches r everywhere, and models predict nothing beyond it."""

    def stronger(one):
        if one.analysis == ENCODING and one.source == "contrast" and one.measure == "r":
            return replace(one, estimate=r, low=r - 0.1, high=r + 0.1, p_fdr=p_fdr)
        if one.analysis == PARTITION and one.measure == "unique" and one.against == "contrast":
            return replace(one, estimate=-0.01, p_fdr=0.9)
        return one

    return stronger


def _against_contrast(results, gap, p_fdr):
    """Return results with the difference of the best model and contrast in each group."""
    made = tuple(
        NeuralFinding(
            *(DIFFERENCE, "general", "model", "cnn-transformer", group, "r", gap, gap - 0.1, gap + 0.1),
            p=p_fdr,
            p_fdr=p_fdr,
            against="contrast",
            group=True,
        )
        for group in GROUPS
    )
    return replace(results, findings=(*results.findings, *made))


def _early(results):
    return plain(neural_readings(Told(results, "general"))[1])


def test_a_control_is_said_to_be_better_only_where_the_difference_is_clear(results):
    strong = _changed(results, _with_contrast(0.6))
    early = _early(_against_contrast(strong, -0.24, 0.01))
    assert "The control contrast energy predicts better (r 0.60; by 0.24 [0.14, 0.34], p = 0.010);" in early
    assert (
        "that CNN-Transformer predicts anything beyond it is not shown (unique R² -0.010, p = 0.900)" in early
    )
    for unclear in (strong, _against_contrast(strong, -0.24, 0.2)):
        early = _early(unclear)
        assert (
            "contrast energy reaches r 0.60, more than CNN-Transformer (whether that holds is not shown)"
            in early
        )
        assert "well" not in early
        assert "better" not in early


def test_a_control_with_nearly_the_same_r_does_about_as_well(results):
    assert "The control contrast energy does about as well (r 0.40)" in _early(
        _changed(results, _with_contrast(0.4))
    )


def test_where_nothing_is_clear_no_model_is_called_best(results):
    told = Told(_changed(results, lambda one: replace(one, p_fdr=0.4)), "general")
    counts, early, *_ = map(plain, neural_readings(told))
    assert "CNN-Transformer in 0" in counts
    assert "no model is shown to predict responses above chance; the highest is CNN-Transformer" in early
    assert "No two models differ clearly." in early
    assert "best of the models" not in early
    assert (
        "The best control, contrast energy (r 0.16 [0.08, 0.24], p = 0.400), is not shown to either." in early
    )


def test_where_only_a_control_is_clear_it_is_named(results):
    def change(one):
        changed = _with_contrast(0.85, 0.01)(one)
        return changed if changed.source == "contrast" else replace(one, p_fdr=0.06)

    early = _early(_changed(results, change))
    assert "no model is shown to predict responses above chance; the highest is CNN-Transformer" in early
    assert "The control contrast energy (r 0.85 [0.75, 0.95], p = 0.010) predicts them." in early
    assert "no model is shown to share the region’s geometry; the control contrast energy (ρ 0.08 " in early


def test_figures_have_the_numbers_of_groups_and_the_best_regions(results):
    told = Told(results, "general")
    first, second = results.regions()[:2]
    assert [place for place, _ in told.places] == [*GROUPS, first, second]
    assert told.leader.id == "cnn-transformer"
    figures = {figure.id: figure for figure in neural_figures(told)}
    assert [id_.split("_")[1] for id_ in figures] == ["r", "differences", "partition", "rho", "dissociation"]
    plot = figures["neural_r_general"].axes[3]
    assert plot.title == second
    names = [name for _, name in plot.x_ticks]
    bars = {names[int(s.x[0])]: float(s.y[0]) for s in plot.series if s.bars}
    assert bars["CNN-Transformer"] == pytest.approx(planted("cnn-transformer", 1, 34))
    assert len(bars) == len(STRENGTH)
    marks = {names[int(s.x[0])]: s for s in plot.series if not s.bars}
    assert not marks["CNN-Transformer"].hollow
    assert marks["Centre"].hollow
    assert float(marks["People"].low[0]) == pytest.approx(planted("people", 1, 34) - 0.08)
    assert [line.value for line in plot.lines] == [0.0, CEILING]
    gaps = figures["neural_differences_general"].axes[0]
    assert gaps.x_ticks[0][1] == "CNN-LSTM − People"
    assert float(gaps.series[0].y[0]) == pytest.approx(STRENGTH["cnn-lstm"] - STRENGTH["people"])
    assert all(figure.simulated for figure in figures.values())


def _captions(results):
    return {
        figure.id.split("_")[1]: plain(figure.caption) for figure in neural_figures(Told(results, "general"))
    }


def test_captions_promise_intervals_and_tests_only_where_there_are_some(results):
    there = _captions(results)
    assert all("with 95 % intervals" in there[one] for one in ("differences", "dissociation"))
    assert all("Bars with 95 % intervals" in there[one] for one in ("r", "rho"))
    assert all("Filled where p < 0.05" in there[one] for one in ("r", "rho", "differences"))
    nan = float("nan")
    bare = _changed(results, lambda one: replace(one, low=nan, high=nan, p=nan, p_fdr=nan, p_max=nan))
    gone = _captions(bare)
    why = "without 95 % intervals (they take resamples, and at least 6 images in every fold)"
    assert all(why in gone[one] for one in ("differences", "dissociation"))
    assert why in gone["r"].replace("Bars w", "w")
    assert "without 95 % intervals (they take resamples of the images)" in gone["rho"]
    assert not any("with 95 % intervals" in text or "Filled where" in text for text in gone.values())
    captions = [heat_drawn(heat(one, NeuralAsked("general")), True).caption for one in (results, bare)]
    assert ["bold where p < 0.05" in caption for caption in captions] == [True, False]


def test_of_many_pairs_the_caption_says_whose_are_shown(results):
    assert "Of many pairs" not in _captions(results)["differences"]
    more = tuple(
        replace(one, against=f"{one.against} {k}")
        for k in range(2)
        for one in results.findings
        if one.analysis == DIFFERENCE
    )
    said = _captions(replace(results, findings=(*results.findings, *more)))["differences"]
    assert "Of many pairs those of CNN-Transformer, which has the highest mean r over groups." in said


def test_variance_is_a_figure_of_one_model_that_says_why_and_a_table_of_all(results):
    told = Told(results, "general")
    assert (
        "Shown is one model, CNN-Transformer, which has the highest mean r over groups; tables have all."
        in (_captions(results)["partition"])
    )
    rows = {row.name: row for row in part_table(told, (GROUPS[0], True)).rows}
    assert len(rows) == 4 * 5  # each model beyond the three others, people and contrast
    own, other = STRENGTH["cnn-lstm"] ** 2, STRENGTH["contrast"] ** 2
    joint = own + 0.3 * other
    unique, p, shared, both = rows["CNN-LSTM beyond Contrast energy"].cells
    assert (unique.value, unique.low) == (pytest.approx(joint - other), pytest.approx(joint - other - 0.01))
    assert p.value == 0.002
    assert (shared.value, both.value) == (pytest.approx(own + other - joint), pytest.approx(joint))
    # What stands in the stored pair as the other's part is this model's own from its side.
    first, second = STRENGTH["cnn-lstm"] ** 2, STRENGTH["vit-lstm"] ** 2
    turned = rows["ViT-LSTM beyond CNN-LSTM"].cells[0].value
    assert turned == pytest.approx(max(first, second) + 0.3 * min(first, second) - first)


def _texts(drawn):
    svg = base64.b64decode(drawn.uri.partition("base64,")[2]).decode()
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_heat_table_has_every_region_and_number(results):
    drawn = heat_drawn(heat(results, NeuralAsked("general")), simulated=True)
    texts = _texts(drawn)
    assert set(results.regions()) <= set(texts)
    assert texts.count("0.36") >= 1
    assert "Simulated responses" in texts
    assert "Simulated responses" not in _texts(
        heat_drawn(heat(results, NeuralAsked("general")), simulated=False)
    )


def test_of_many_regions_those_that_are_predicted_best_are_shown(results):
    many = tuple(
        NeuralFinding(ENCODING, "general", "model", "cnn-lstm", f"R{k}", "r", k / 100) for k in range(70)
    )
    drawn = heat_drawn(heat(replace(results, findings=many), NeuralAsked("general")), simulated=False)
    assert [text for text in _texts(drawn) if text.startswith("R")] == [f"R{k}" for k in range(22, 70)]
    assert "The 48 of 70 regions" in drawn.caption


def test_subjects_stand_one_below_the_other(results):
    own = [
        replace(one, subject=subject, estimate=one.estimate / 2)
        for one in results.findings
        for subject in ("s1", "s2")
        if one.analysis == ENCODING
    ]
    told = Told(replace(results, findings=(*results.findings, *own)), "general")
    table = subject_table(told)
    assert [row.name for row in table.rows] == [MEAN_OF_SUBJECTS, "s1", "s2"]
    assert [row.cells[0].value for row in table.rows] == pytest.approx([0.36, 0.18, 0.18])
    assert subject_table(Told(results, "general")) is None


def test_cautions_are_about_this_study(project):
    (part,) = data_of(project).parts
    said = plain(" ".join(part.cautions))
    assert "These responses are simulated" in said
    assert "rest on 12 images" in said
    assert "No noise ceiling" not in said
    row = project.responses.get(RESPONSES)
    unit = EncodingUnit("", "general", ENCODING, "model", "cnn-lstm")
    still = [
        NeuralFinding(RSA, "general", "model", "cnn-lstm", region, "rho", np.nan, note="No vertex varies.")
        for region in ("V1", "V2", "V3", "V4")
    ]
    for number in (2, 4):
        project.encodings.replace_findings(
            row.id, ATLAS, replace(unit, analysis=RSA), still[:number], project.settings.put(ENCODE, {}), "i"
        )
        (part,) = data_of(project).parts
        wanted = {2: "V1, V2: No vertex varies.", 4: "V1, V2, V3 and 1 more region: No vertex varies."}
        assert wanted[number] in plain(" ".join(part.cautions))
    one = NeuralFinding(
        ENCODING, "general", "model", "cnn-lstm", "V1", "r", 0.3, n_images=80, note="Odd one."
    )
    settings = [project.settings.put(ENCODE, EncodeSettings(seed=seed).values(row)) for seed in (1, 2)]
    project.encodings.replace_findings(row.id, "own", unit, [one], settings[0], "i")
    other = replace(one, source="vit-lstm")
    project.encodings.replace_findings(
        row.id, "own", replace(unit, source="vit-lstm"), [other], settings[1], "i"
    )
    project.db.execute("DELETE FROM encodings")
    project.db.execute(
        "INSERT INTO encodings (responses_id, subject, task_id, kind, source, atlas, inputs_hash, regions, images, "
        "predictions, observed, folds, facts, seconds, settings_id, settings_hash) "
        "VALUES (?, '', 1, 'model', 'cnn-lstm', 'own', 'i', '[\"V1\"]', '[1]', x'00000000', x'00000000', "
        "x'00000000', '{}', 1.0, ?, 'h')",
        (row.id, settings[0]),
    )
    data = data_of(project)
    said = plain(" ".join(data.parts[0].cautions))
    assert PICKED in said
    assert "No noise ceiling is known" in said
    assert "made with 2 different settings" in said
    assert "Odd one." in said
    assert "images. Encoding models need many" not in said
    assert data.settings["seed"] == 2
    assert data.ceilings == ()


def test_the_page_shows_it_all_and_says_that_it_is_simulated(project, tmp_path):
    row = project.responses.get(RESPONSES)
    id_ = project.settings.put(ENCODE, EncodeSettings(n_folds=7, n_permutations=321).values(row))
    project.db.execute("UPDATE neural_findings SET settings_id = ?", (id_,))
    summary = report(project, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    assert summary.failed == 0
    section = section_of(tmp_path / "r.html")
    assert '<span class="badge">simulated</span>' in section
    assert len(re.findall("data:image/svg", section)) == 6
    pictures = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", section)
    assert len(pictures) == 5  # people and four models; controls have no vertices
    assert "r 0.00" in section
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    methods = page[page.index('id="methods"') :]
    assert "divided into 7 folds" in methods
    assert "A fair r, and a fair share of the ceiling, can therefore stand beside an R² near 0." in methods
    assert "compared with each other, with people and with controls" in methods
    assert "Unique and shared variance in early visual" in section
    assert "(1 + number with at least the observed r) / (1 + 321)" in methods
    assert "Contrast energy" in methods
    assert f">{ENCODE}" in methods[methods.index('id="settings"') :]


def _as_picked(project, limits=""):
    """Let the stored findings be of regions that the user picked; one region of one model stays."""
    project.db.execute("UPDATE neural_findings SET atlas = 'own'")
    project.db.execute("UPDATE encodings SET atlas = 'own'")
    project.atlases.put(Atlas("own", (Region("mine", LEFT, np.arange(3)),), limits=limits))


@pytest.mark.parametrize("limits", ["", "Picked by eye, never to be tested with the same responses."])
def test_what_must_not_be_done_with_picked_regions_is_said_in_report_and_terminal(project, limits):
    assert not any("picked" in line for line in encoding_in_lines(project, RESPONSES, ATLAS))
    _as_picked(project, limits)
    (part,) = data_of(project).parts
    said = limits or PICKED
    assert part.cautions.count(said) == 1
    assert "Limits of the atlas" not in dict(part.facts)
    assert encoding_in_lines(project, RESPONSES, "own")[-1] == said
    assert "must not be tested with the same responses" in PICKED


def test_one_region_is_one_region_in_a_terminal(bare, tmp_path):
    with Project.open(copy_study(bare.path, tmp_path / "study")) as opened:
        put_neural(opened, regions=["V1"], table=True)
        lines = encoding_in_lines(opened, RESPONSES, "table")
    assert any("1 of 1 region  V1" in line for line in lines)
    assert not any("1 regions" in line for line in lines)


def test_all_pictures_of_the_cortex_are_on_one_scale():
    weak, strong = np.full(N_VERTICES, 0.1, np.float32), np.full(N_VERTICES, 0.4, np.float32)
    colours = cortex_colouring([weak, strong])
    assert (colours.low, colours.high) == (0.0, pytest.approx(0.4))

    def brightness(values, colouring):
        drawn = cortex_drawn(values, colouring, "A", simulated=True)
        content = base64.b64decode(drawn.uri.partition("base64,")[2])
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.size == (drawn.width, drawn.height)
            pixels = np.asarray(picture.convert("RGB"), float)
        return pixels[(pixels < 250).any(axis=2)].mean()

    assert brightness(strong, colours) > 1.3 * brightness(weak, colours)
    # Alone, each would have had all colours.
    assert brightness(weak, Colouring(0.0, 0.1)) == pytest.approx(brightness(strong, colours), rel=0.02)


def test_a_table_of_regions_has_no_groups_and_no_cortex(bare, tmp_path):
    with Project.open(copy_study(bare.path, tmp_path / "study")) as opened:
        put_neural(opened, regions=[HOSTILE, *(f"R{k}" for k in range(7))], table=True)
        (part,) = data_of(opened).parts
        report(opened, ReportSettings(str(tmp_path / "r.html"), n_examples=0), SILENT)
    assert dict(part.facts)["Space"].replace("\xa0", " ") == "a table of 8 regions"
    assert "Atlas" not in dict(part.facts)
    figure = part.tasks[0].figures[0]
    assert [plot.title for plot in figure.axes] == [HOSTILE, "R0", "R1", "R2", "R3", "R4"]
    section = section_of(tmp_path / "r.html")
    assert "data:image/png" not in section
    assert "<b>" not in section
    assert "=&lt;b&gt;&#34;V1&#34;, ½&lt;/b&gt;" in section


def test_the_command_lines_make_it_again(project):
    row = project.responses.get(RESPONSES)
    imported = project.settings.put(
        "import responses", {"file": "a b.npz", "name": RESPONSES, "window": [4.0, None, "s"], "tr_s": 2.0}
    )
    project.db.execute("UPDATE responses SET settings_id = ?", (imported,))
    values = EncodeSettings(n_folds=4, n_permutations=10, seed=3).values(row)
    project.db.execute("UPDATE neural_findings SET settings_id = ?", (project.settings.put(ENCODE, values),))
    lines = [shlex.split(line) for line in gather(project, "tuebingen", "r.html").commands]
    assert [
        *("gazeapp", "import-responses", "small.gaze", "a b.npz", "--simulated", "--name", RESPONSES),
        *("--window", "4:", "--tr", "2"),
    ] in lines
    assert [
        *("gazeapp", "neural", "small.gaze", "--responses", RESPONSES, "--atlas", ATLAS),
        *("--folds", "4", "--permutations", "10", "--seed", "3"),
    ] in lines
    assert lines[-1][1] == "report"
