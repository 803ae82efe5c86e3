"""Tables and figures about brain responses: every number is a finding, and says how it is to be read."""

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.neural.records import ENCODING
from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.draw import figure_bytes, table_lines
from gazeapp.engine.reports.results.neural import NeuralResults, origin, shown_sources, with_region
from gazeapp.engine.reports.results.neural_figures import (
    bar_figure,
    difference_figure,
    dissociation_figure,
    partition_figure,
    profile_figure,
)
from gazeapp.engine.reports.results.neural_heat import colour_limits, filtered, heat
from gazeapp.engine.reports.results.neural_measures import NeuralAsked, shown
from gazeapp.engine.reports.results.neural_notes import notes
from gazeapp.engine.reports.results.neural_tables import (
    difference_table,
    dissociation_sentence,
    dissociation_table,
    model_pairs,
    partition_table,
    region_table,
)
from tests.ui.small_neural import CEILING, HALF_WIDTH, SOURCES, STRENGTH, findings, planted

REGIONS = ("V1 left", "V1 right", "V4 left", "=V4 right")
ASKED = NeuralAsked("general", region="V1 left", source=("model", "cnn-lstm"))
SHARES = {"cnn-lstm": 86.0, "cnn-transformer": 57.0, "vit-lstm": 80.0, "vit-transformer": 44.0}


def facts(kind, id_):
    return SourceFacts(kind, id_, "", id_.upper(), "#336699")


def summary(model, percent):
    return SummaryRow(
        "model", model, "general", "", "", "nss", "tuebingen", 12, 4, 1.0, 2.0, "loso", 0.0, percent, percent - 4,
        percent + 4, 1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def results():
    return NeuralResults(
        "mine",
        simulated=True,
        atlas="an atlas",
        ceiling_origin="halves of the repeats",
        limits="It has no V2.",
        sources=tuple(facts(*one) for one in SOURCES),
        findings=tuple(findings(REGIONS)),
        groups={"early visual": ("V1",)},
        summary=tuple(summary(*one) for one in SHARES.items()),
        primary="nss",
        preset="tuebingen",
    )


def cells(table):
    ids = [column.id for column in table.columns]
    return {row.name: dict(zip(ids, row.cells, strict=True)) for row in table.rows}


def test_each_cell_is_what_was_planted(results):
    made = heat(results, ASKED)
    assert [row.name for row in made.table.rows] == list(REGIONS)
    for place, row in enumerate(made.table.rows):
        for (_, source), cell in zip(SOURCES, row.cells, strict=True):
            assert cell.value == pytest.approx(planted(source, place, len(REGIONS)))
            assert (cell.low, cell.high) == pytest.approx((cell.value - HALF_WIDTH, cell.value + HALF_WIDTH))
    assert made.limits == pytest.approx((STRENGTH["other_image"], STRENGTH["cnn-transformer"]))
    assert not made.symmetric


def test_share_of_the_ceiling_is_not_cut_at_100(results):
    found = [replace(one, ceiling=0.3) if one.measure == "r" else one for one in results.findings]
    made = heat(replace(results, findings=tuple(found)), replace(ASKED, measure="share"))
    cell = made.table.rows[0].cells[2]
    assert cell.value == pytest.approx(100 * STRENGTH["cnn-transformer"] / 0.3)
    assert cell.value > 100
    assert made.table.columns[2].unit == "%"


def test_without_a_ceiling_no_share_is_offered(results):
    bare = [replace(one, ceiling=np.nan) for one in results.findings]
    ids = [one.id for one in replace(results, findings=tuple(bare)).measures("general", "")]
    assert ids == ["r", "r2", "difference", "unique", "rho"]
    assert "share" in [one.id for one in results.measures("general", "")]
    assert results.measures("social", "") == []


def test_weight_follows_the_correction(results):
    """p is 0.001 where the interval leaves out 0; times 2 by one correction, times 60 by the other."""
    by_fdr, by_max = (heat(results, replace(ASKED, correction=one)) for one in ("p_fdr", "p_max"))
    first = by_fdr.table.rows[0].cells
    assert [cell.is_clear for cell in first] == [abs(STRENGTH[source]) > HALF_WIDTH for _, source in SOURCES]
    assert not any(cell.is_clear for row in by_max.table.rows for cell in row.cells)
    unknown = [replace(one, p_max=np.nan) for one in results.findings]
    other = replace(results, findings=tuple(unknown))
    assert other.corrections(ASKED) == ["p_fdr", "p"]
    assert not heat(other, replace(ASKED, correction="p_max")).table.rows[0].cells[0].is_clear


def test_a_difference_is_the_same_from_either_side(results):
    asked = replace(ASKED, measure="difference", against="vit-transformer")
    made = heat(results, asked)
    names = [column.name for column in made.table.columns]
    assert names == ["PEOPLE", "CNN-LSTM", "CNN-TRANSFORMER", "VIT-LSTM"]
    assert made.symmetric
    assert made.limits[0] == -made.limits[1]
    turned = heat(results, replace(asked, against="cnn-lstm"))
    own, other = made.numbers[0][1], turned.numbers[0][-1]
    assert own.value == pytest.approx(STRENGTH["cnn-lstm"] - STRENGTH["vit-transformer"])
    assert (other.value, other.low, other.high) == pytest.approx((-own.value, -own.high, -own.low))


def test_shares_of_a_ceiling_near_0_do_not_stretch_the_colours(results):
    found = [
        replace(one, ceiling=0.01) if (one.measure, one.region) == ("r", "V1 left") else one
        for one in results.findings
    ]
    made = heat(replace(results, findings=tuple(found)), replace(ASKED, measure="share"))
    assert made.table.rows[0].cells[2].value == pytest.approx(3600.0)
    assert made.limits == (-50.0, 150.0)
    assert made.ends(0) == ("≤ −50", "≥ 150")
    assert heat(results, ASKED).ends(2) == ("−0.03", "0.36")


def test_colours_of_a_difference_of_shares_are_not_stretched_either():
    values = np.array([-221.0, 40.0])
    assert colour_limits(values, "share", symmetric=True) == (-100.0, 100.0)
    assert colour_limits(values / 1000, "share", symmetric=True) == (-0.221, 0.221)
    assert colour_limits(values, "r", symmetric=True) == (-221.0, 221.0)


@pytest.fixture
def without_ceiling(results):
    """Findings where the ceiling of the first region is 0."""
    found = [
        replace(one, ceiling=0.0) if one.region == ASKED.region and one.measure == "r" else one
        for one in results.findings
    ]
    return replace(results, findings=tuple(found))


@pytest.mark.filterwarnings("error")
def test_where_the_ceiling_is_0_shares_are_left_out_and_the_reason_is_said(without_ceiling):
    asked = replace(ASKED, measure="share")
    reason = "the noise ceiling of V1 left is 0.00"
    assert model_pairs(without_ceiling, asked) == []
    assert dissociation_table(without_ceiling, asked) is None
    assert dissociation_figure(without_ceiling, asked) is None
    sentence = dissociation_sentence(without_ceiling, asked)
    assert reason in sentence
    assert "best" not in sentence
    made = bar_figure(without_ceiling, asked)
    assert made.axes[0].series == made.axes[0].lines == ()
    assert "Dashed" not in made.caption
    assert reason in made.axes[0].y_label
    assert len(figure_bytes(made, "png")) > 1000
    one = without_ceiling.of(asked, "share", without_ceiling.sources[1])[asked.region]
    tip = origin(without_ceiling, asked, shown(one, "share"), "share")
    assert reason in tip
    assert "of ceiling" not in tip.splitlines()[1].removeprefix("r, % of ceiling")
    elsewhere = replace(asked, region="V4 left")
    assert len(model_pairs(without_ceiling, elsewhere)) == len(SHARES)
    assert "best" in dissociation_sentence(without_ceiling, elsewhere)


@pytest.mark.filterwarnings("error")
def test_a_model_without_a_share_is_left_out_of_the_sentence(results):
    found = [
        replace(one, ceiling=np.nan) if (one.source, one.measure) == ("cnn-lstm", "r") else one
        for one in results.findings
    ]
    some = replace(results, findings=tuple(found))
    asked = replace(ASKED, measure="share")
    assert [source.id for source, _, _ in model_pairs(some, asked)] == [
        "cnn-transformer",
        "vit-lstm",
        "vit-transformer",
    ]
    sentence = dissociation_sentence(some, asked)
    assert "CNN-LSTM" not in sentence
    assert "no noise ceiling of V1 left is known" in sentence
    assert [one.name for one in bar_figure(some, asked).axes[0].series] == [
        source.name for source in results.sources if source.id != "cnn-lstm"
    ]


@pytest.mark.filterwarnings("error")
def test_of_models_that_are_all_the_same_no_correlation_is_said(results):
    found = [
        replace(one, estimate=0.2) if (one.kind, one.measure) == ("model", "r") else one
        for one in results.findings
    ]
    assert "no rank correlation" in dissociation_sentence(replace(results, findings=tuple(found)), ASKED)


def test_points_and_bars_say_which_region_and_source_they_are(results):
    for made in (bar_figure(results, ASKED), dissociation_figure(results, ASKED)):
        told = [(one.name, one.about) for one in made.axes[0].series if one.name]
        assert told
        for name, about in told:
            source = next(one for one in results.sources if one.name == name)
            assert about == ((ASKED.region, source.kind, source.id),)
    for one in profile_figure(results, ASKED).axes[0].series:
        assert [region for region, _, _ in one.about] == list(REGIONS)


def test_lines_of_bars_are_named(results):
    lines = bar_figure(replace(results, planted={"V1": 0.4}), ASKED).axes[0].lines
    assert [(line.label, line.dashed, line.named) for line in lines] == [
        ("noise ceiling, 0.60", True, True),
        ("planted: r up to 0.40", False, True),
    ]


def test_bold_is_explained_where_something_was_tested(results):
    assert "Bold: p < 0.05. p corrected over the regions" in heat(results, ASKED).table.note
    assert "Asterisk" in bar_figure(results, ASKED).caption
    bare = replace(results, findings=tuple(replace(one, p=np.nan, p_fdr=np.nan) for one in results.findings))
    assert "Bold" not in heat(bare, ASKED).table.note
    assert "Asterisk" not in bar_figure(bare, ASKED).caption
    assert "Bold" not in region_table(results, ASKED).note


def test_what_a_simulation_planted_stands_with_what_was_found(results):
    told = replace(results, planted={"V1": 0.9})
    (line,) = [one for one in bar_figure(told, ASKED).axes[0].lines if not one.dashed]
    assert (line.value, line.label) == (0.9, "planted: r up to 0.90")
    elsewhere = replace(ASKED, region="V4 left")
    assert "nothing is planted here" in [one.label for one in bar_figure(told, elsewhere).axes[0].lines]
    assert "planted" not in bar_figure(results, ASKED).caption
    assert "allows r up to 0.90" in bar_figure(told, ASKED).axes[0].series[0].texts[0]
    assert "Nothing was planted" in bar_figure(told, elsewhere).axes[0].series[0].texts[0]


def test_few_images_and_missing_intervals_are_told(results):
    (few,) = notes(results, ASKED)
    assert "12\N{NO-BREAK SPACE}images is uncertain" in few
    many = [replace(one, n_images=60) for one in results.findings]
    assert notes(replace(results, findings=tuple(many)), ASKED) == []
    bare = [replace(one, low=np.nan, high=np.nan) if one.measure == "r" else one for one in many]
    (said,) = notes(replace(results, findings=tuple(bare)), ASKED)
    assert "no intervals" in said
    one_region = [one for one in many if one.region == "V1 left" and one.measure == "r"]
    mixed = replace(results, findings=tuple(bare + one_region))
    assert notes(mixed, ASKED) == []
    assert notes(mixed, replace(ASKED, task="social")) == []


def test_groups_stand_by_themselves(results):
    made = heat(results, replace(ASKED, groups=True))
    assert [row.name for row in made.table.rows] == ["early visual", "ventral"]
    assert made.table.row_header == "Group"


def test_filter_keeps_colours(results):
    made = heat(results, ASKED)
    kept = filtered(made, lambda name: name.startswith("V4"))
    assert [row.name for row in kept.table.rows] == ["V4 left"]
    assert kept.limits == made.limits
    assert kept.numbers[0][0].finding.region == "V4 left"


def test_region_in_hand_is_the_best_predicted_until_one_is_chosen(results):
    assert with_region(results, NeuralAsked("general")).region == "V1 left"
    assert with_region(results, NeuralAsked("general")).source == ("model", "cnn-lstm")
    assert with_region(results, replace(ASKED, region="V4 left")).region == "V4 left"
    assert with_region(results, replace(ASKED, region="gone")).region == "V1 left"
    assert with_region(results, NeuralAsked("social")).region == ""


def test_a_number_says_what_it_is(results):
    one = results.of(ASKED, "r", facts("model", "cnn-lstm"))["V1 left"]
    said = origin(results, ASKED, shown(one, "r"), "r")
    for part in (
        "V1 left, CNN-LSTM",
        "r: 0.24, 95 % interval [0.16,",
        "p 0.001, corrected (false discovery rate) 0.002, corrected (largest value) 0.060",
        "Noise ceiling 0.60 (halves of the repeats)",
        "12\u00a0images, 200\u00a0vertices",
        "“mine” (simulated), task general, atlas an atlas",
    ):
        assert part in said


def test_table_of_a_region_has_all_measures_and_tests(results):
    table = region_table(results, ASKED)
    assert [column.id for column in table.columns] == [
        "r", "p", "p_fdr", "p_max", "share", "r2", "rho", "n_images",
    ]  # fmt: skip
    own = cells(table)["CNN-TRANSFORMER"]
    r = STRENGTH["cnn-transformer"]
    assert [own[one].value for one in ("r", "share", "r2", "rho", "n_images")] == pytest.approx(
        [r, 100 * r / CEILING, r**2, r / 2, 12]
    )
    assert [row.kind for row in table.rows] == [kind for kind, _ in SOURCES]
    assert "It has no V2." in table.note
    assert "no brain was measured" in table.note


def test_names_that_are_formulas_are_written_as_text(results):
    lines = list(table_lines(heat(results, ASKED).table))
    assert not any(line[0].startswith("=") for line in lines)
    assert any("V4 right" in line[0] for line in lines)


def test_bars_are_the_sources_with_the_ceiling(results):
    axes = bar_figure(results, ASKED).axes[0]
    assert [float(one.y[0]) for one in axes.series] == pytest.approx([STRENGTH[id_] for _, id_ in SOURCES])
    assert [one.kind for one in axes.series][-1] == "baseline"
    assert [line.value for line in axes.lines] == [CEILING]
    assert [name.endswith(" *") for _, name in axes.x_ticks] == [
        abs(STRENGTH[id_]) > HALF_WIDTH for _, id_ in SOURCES
    ]
    share = bar_figure(results, replace(ASKED, measure="share"))
    assert [line.value for line in share.axes[0].lines] == [100.0]


def test_differences_of_a_few_models_are_all_there(results):
    table = difference_table(results, ASKED)
    assert len(table.rows) == 6 + 4
    values = [row.cells[0].value for row in table.rows]
    assert values == sorted(values, reverse=True)
    own = cells(table)["CNN-TRANSFORMER − VIT-LSTM"]["difference"]
    assert own.value == pytest.approx(STRENGTH["cnn-transformer"] - STRENGTH["vit-lstm"])
    hollow = [one.hollow for one in difference_figure(results, ASKED).axes[0].series]
    assert hollow == [abs(value) <= 0.05 for value in values]


def test_of_many_differences_those_of_the_source_in_hand_are_shown(results, monkeypatch):
    monkeypatch.setattr("gazeapp.engine.reports.results.neural.MOST_PAIRS", 5)
    found = results.differences(replace(ASKED, source=("model", "vit-lstm")))
    assert {one.source for one in found} == {"vit-lstm"}
    assert {one.against for one in found} == {"cnn-lstm", "cnn-transformer", "vit-transformer", "people"}
    gap = next(one for one in found if one.against == "cnn-lstm")
    assert gap.estimate == pytest.approx(STRENGTH["vit-lstm"] - STRENGTH["cnn-lstm"])


def test_parts_of_the_variance_add_up_to_both_together(results):
    table = cells(partition_table(results, replace(ASKED, source=("model", "vit-lstm"))))
    for other in ("CNN-LSTM", "CNN-TRANSFORMER", "VIT-TRANSFORMER", "PEOPLE", "CONTRAST"):
        row = {part: cell.value for part, cell in table[other].items()}
        assert row["unique"] + row["shared"] + row["unique_against"] == pytest.approx(row["joint"])
        assert row["unique"] + row["shared"] == pytest.approx(STRENGTH["vit-lstm"] ** 2)
        assert row["p_fdr"] == (0.002 if abs(row["unique"]) > 0.01 else 0.8)


def test_stacked_bars_begin_where_the_one_before_ends_and_parts_below_0_go_left(results):
    asked = replace(ASKED, source=("model", "cnn-lstm"))
    found = [
        replace(one, estimate=-0.02) if one.measure == "shared" and one.against == "people" else one
        for one in results.findings
    ]
    figure = partition_figure(replace(results, findings=tuple(found)), asked)
    people = [one for one in figure.axes[0].series if one.x[0] == 0]
    unique, shared, other = people
    assert (float(unique.base[0]), float(shared.base[0])) == (0.0, 0.0)
    assert float(shared.y[0]) == pytest.approx(-0.02)
    assert float(other.base[0]) == pytest.approx(float(unique.y[0]))
    whole = [one for one in figure.axes[0].series if one.x[0] == 1]
    assert [float(one.base[0]) for one in whole] == pytest.approx(
        [0.0, *(float(one.y[0]) for one in whole[:2])]
    )


def test_dissociation_pairs_each_model_with_both_intervals(results):
    axes = dissociation_figure(results, ASKED).axes[0]
    points = [one for one in axes.series if one.name]
    assert [float(one.x[0]) for one in points] == list(SHARES.values())
    assert [float(one.y[0]) for one in points] == pytest.approx([STRENGTH[id_] for id_ in SHARES])
    across = [one for one in axes.series if not one.name]
    assert [tuple(one.x) for one in across] == [(share - 4, share + 4) for share in SHARES.values()]
    assert "best control" in axes.lines[0].label
    assert axes.lines[0].value == STRENGTH["contrast"]
    own = cells(dissociation_table(results, ASKED))["VIT-LSTM"]
    assert (own["fixations"].value, own["r"].value) == (80.0, pytest.approx(STRENGTH["vit-lstm"]))


def test_the_sentence_names_both_winners_and_is_careful(results):
    said = dissociation_sentence(results, ASKED)
    assert said.startswith(
        "CNN-LSTM agrees best with fixations (86\u00a0% of the ceiling), but CNN-TRANSFORMER predicts"
    )
    # Ranks 4 2 3 1 of fixations and 2 4 1 3 of prediction: 1 - 6 * (4 + 4 + 4 + 4) / (4 * 15).
    assert "rank correlation of the two is −0.60; so few models" in said
    three = replace(results, summary=results.summary[:3])
    assert "3 models are too few for a correlation" in dissociation_sentence(three, ASKED)


def test_regions_that_can_be_named_have_a_figure(results):
    assert len(profile_figure(results, ASKED).axes[0].x_ticks) == len(REGIONS)
    many = replace(results, findings=tuple(findings([f"R{k}" for k in range(60)], groups=())))
    assert profile_figure(many, ASKED) is None


def test_nothing_found_is_nothing_shown(results):
    empty = replace(results, findings=tuple(one for one in results.findings if one.analysis != ENCODING))
    assert shown_sources(empty, ASKED) == []
    assert bar_figure(empty, ASKED) is None
    assert difference_table(replace(results, findings=()), ASKED) is None
    assert partition_figure(replace(results, findings=()), ASKED) is None
    assert dissociation_figure(replace(results, summary=()), ASKED) is None


def test_figures_are_written_and_say_that_responses_are_simulated(results):
    for figure in (
        bar_figure(results, ASKED),
        partition_figure(results, ASKED),
        dissociation_figure(results, ASKED),
    ):
        text = figure_bytes(figure, "svg").decode()
        assert "Simulated responses" in text
        assert "Simulated observers" not in text
