import math

import pytest

from gazeapp.engine.project import FindingRow
from gazeapp.engine.reports.results import comparisons, design, maps, people, tasks
from gazeapp.engine.reports.results.data import Cell, Column, Results, ResultTable, Row
from gazeapp.engine.reports.results.draw import table_lines, write_table_csv
from gazeapp.engine.scoring.ceilings.observers import ObserverPoint, fitted_limit
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.sources import HUMAN
from tests.engine.reports.results import made


@pytest.fixture(scope="module")
def study():
    return made.results()


def column(table, id_, task=""):
    """Return a column's cells by the names of the rows: of all, or of those of one task."""
    ids = [one.id for one in table.columns]
    rows = [row for row in table.rows if not task or row.cells[ids.index("task")].text == task]
    return {row.name: row.cells[ids.index(id_)] for row in rows}


def test_differences_have_their_tests_and_their_share_of_the_ceiling_in_one_row(study):
    table = comparisons.difference_table(study, "general", "nss")
    assert len(table.rows) == 6
    assert [one.id for one in table.columns] == [
        *("estimate", "percent", "effect", "p", "p_holm", "n_images", "n_subjects"),
    ]
    name = "CNN-LSTM − ViT-LSTM"
    assert column(table, "estimate")[name].value == -0.4
    assert column(table, "percent")[name].value == -20.0
    assert column(table, "percent")[name].low == -22.5
    assert column(table, "p_holm")[name].text == "0.024"
    assert comparisons.difference_table(study, "general", "auc") is None


def test_effects_of_the_design_are_named_by_their_levels_and_remarks_are_told(study):
    table = design.factorial_table(study, "nss")
    names = ["Encoder: ViT − CNN", "Decoder: Transformer − LSTM"]
    estimates = column(table, "estimate", "general")
    assert list(estimates) == [*names, "Encoder × decoder: (ViT − CNN) × (Transformer − LSTM)"]
    assert estimates[names[1]].value == 0.35
    assert column(table, "percent", "general")[names[1]].value == 17.5
    assert "2 of 32 images are left out." in table.note
    cells = design.cell_table(study, "nss")
    assert column(cells, "estimate", "general")["ViT + Transformer"].value == 1.3


def test_what_the_task_does_to_models_is_named_by_models_and_tasks(study):
    table = comparisons.model_task_table(study, "nss")
    values = {name: cell.value for name, cell in column(table, "estimate").items()}
    assert values["CNN-LSTM: general − social"] == pytest.approx(-0.1)
    assert values["CNN-LSTM − ViT-LSTM: general − social"] == pytest.approx(0.4)


def test_concentration_shows_maps_as_they_are_and_for_few_fixations(study):
    table = maps.concentration_table(study, "general")
    assert [one.id for one in table.columns] == list(maps.LEADING)
    entropy = {name: cell.value for name, cell in column(table, "entropy").items()}
    assert entropy["People"] == 0.5
    assert entropy["CNN-LSTM"] == pytest.approx(0.9)
    assert entropy["CNN-LSTM (few fixations)"] == pytest.approx(0.7)
    against = maps.concentration_comparison_table(study, "general", ["gini"])
    assert column(against, "gini_p")["CNN-LSTM − People"].value == 0.0008


def test_sides_are_tested_against_the_middle_and_against_people(study):
    alone = maps.laterality_table(study, "social")
    assert column(alone, "laterality")["People"].value == -0.08
    assert column(alone, "laterality_p")["People"].text == "0.050"
    against = maps.laterality_table(study, "social", against_people=True)
    assert against.rows[0].name == "CNN-LSTM − People"


def test_change_with_the_task_has_people_corrected_for_noise(study):
    (pair,) = tasks.task_pairs(study)
    table = tasks.differentiation_table(study, pair)
    assert column(table, "task_d")["People"].value == 0.5
    assert column(table, "task_d_corrected")["People"].value == 0.22
    assert column(table, "task_d_corrected")["CNN-LSTM"].text == "–"
    assert column(table, "d_with_people")["ViT-LSTM"].value == pytest.approx(0.3)


def test_the_cross_task_matrix_has_maps_against_fixations(study):
    table = tasks.cross_task_table(study, ("general", "social"))
    row = {one.id: row for one, row in zip(table.columns, table.rows[1].cells, strict=True)}
    assert table.rows[1].name == "CNN-LSTM"
    # The map of the own task scores 0.3 more.
    assert row["general_on_general"].value == pytest.approx(1.7)
    assert row["general_on_social"].value == pytest.approx(1.4)
    assert row["social_on_general"].value == pytest.approx(1.4)
    assert row["specificity"].value == pytest.approx(0.3)
    assert row["specificity_p"].value == 0.005


def test_the_matrix_tells_the_map_from_the_fixations():
    """A map of task a on fixations of task b is stored under task b, against a."""
    asymmetric = [
        Finding("cross_task", fixations, "nss", "m", against=of_map, kind="model", estimate=value, n_images=9)
        for of_map, fixations, value in (("a", "a", 1.0), ("a", "b", 0.7), ("b", "a", 0.2), ("b", "b", 0.9))
    ]
    found = Results(
        "tuebingen", tasks=("a", "b"), findings=tuple(FindingRow(one, "", 1) for one in asymmetric)
    )
    table = tasks.cross_task_table(found, ("a", "b"))
    values = {one.id: cell.value for one, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    assert (values["a_on_b"], values["b_on_a"]) == (0.7, 0.2)


def test_scanpaths_stand_beside_chance(study):
    table = people.scanpath_table(study, "general")
    assert [row.name for row in table.rows] == [
        *("ScanMatch", "String edit similarity", "DTW distance, % of the diagonal"),
    ]
    first = [cell.value for cell in table.rows[0].cells]
    assert first == pytest.approx([0.42, 0.31, 0.11, 0.0003, 1.4, 30])


def test_observers_are_counted(study):
    table = people.observer_table(study, "nss")
    for task in made.TASKS:
        assert list(column(table, "estimate", task)) == ["1", "2", "4", "8", "11"]
        curve = study.of("observers", task, "nss")
        fit = fitted_limit(
            [ObserverPoint(int(one.term), one.estimate, 0.0, 0.0, one.n_images) for one in curve]
        )
        assert (
            f"The fitted curve of the task {task} tends to {fit.limit:.2f}: a fit, no ceiling." in table.note
        )


def test_unknown_terms_and_metrics_are_shown_as_they_are():
    odd = Finding("laterality", "t", "some_new_measure", "who?", estimate=0.25, kind="model")
    found = Results("tuebingen", tasks=("t",), findings=(FindingRow(odd, "", 1),))
    table = comparisons.finding_table(found, [odd], comparisons.Words("x", "X", "Term", ""))
    assert table.rows[0].name == "who?"
    assert table.columns[0].name == "Some new measure"
    assert table.rows[0].cells[0].text == "0.250"


def test_nothing_found_is_no_table():
    nothing = Results("tuebingen", tasks=("a", "b"))
    assert comparisons.difference_table(nothing) is None
    assert comparisons.model_task_table(nothing) is None
    assert design.factorial_table(nothing, "nss") is None
    assert maps.concentration_table(nothing, "a") is None
    assert maps.laterality_table(nothing, "a") is None
    assert tasks.differentiation_table(nothing, ("a", "b")) is None
    assert tasks.cross_task_table(nothing, ("a", "b")) is None
    assert people.scanpath_table(nothing, "a") is None
    assert people.observer_table(nothing, "nss") is None


def test_simulated_observers_are_called_so_in_every_table():
    study = made.results(simulated=True)
    tables = [
        comparisons.difference_table(study),
        maps.concentration_table(study, "general"),
        tasks.cross_task_table(study, ("general", "social")),
        people.scanpath_table(study, "general"),
    ]
    assert all("Simulated observers, not people." in table.note for table in tables)


def test_a_table_is_written_with_full_precision_its_units_and_harmless_text(tmp_path):
    third = 1 / 3
    table = ResultTable(
        "t",
        "T",
        (Column("nss", "NSS", "standard deviations"), Column("note", "Note")),
        (
            Row(
                "model",
                "=cmd()",
                "#000000",
                (Cell("0.33", third, low=0.1 + 0.2, high=0.5), Cell("-1, or so")),
            ),
            Row(HUMAN, "People", "", (Cell("–"), Cell("@x"))),
        ),
    )
    assert write_table_csv(table, tmp_path / "t.csv") == 2
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines() == [
        "Source,kind,nss (standard deviations),nss_ci_low,nss_ci_high,note",
        f"'=cmd(),model,{third!r},{0.1 + 0.2!r},0.5,\"'-1, or so\"",
        "People,human,,,,'@x",
    ]


def test_negative_numbers_stay_numbers(study):
    lines = list(table_lines(comparisons.difference_table(study, "general", "nss")))
    place = lines[0].index("estimate (standard deviations)")
    assert float(lines[2][place]) == -0.4
    assert all(math.isfinite(float(line[place])) for line in lines[1:])
