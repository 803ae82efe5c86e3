from dataclasses import replace

import pytest

from gazeapp.engine.project import FindingRow
from gazeapp.engine.reports.results import readings
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.study import study_sections
from gazeapp.engine.reports.results.words import CLEAR, is_clear
from gazeapp.engine.scoring.findings import Finding
from tests.engine.reports.results import made


def effect(term, against, estimate, p, low=None, high=None):
    return Finding(
        *("factorial", "general", "nss", term, against, estimate),
        low=estimate - 0.1 if low is None else low,
        high=estimate + 0.1 if high is None else high,
        p=p,
        p_holm=p,
    )


def of(*findings):
    return Results(
        "tuebingen", tasks=("general",), findings=tuple(FindingRow(one, "", 1) for one in findings)
    )


def test_effects_are_said_by_their_direction_and_what_is_not_told_is_said_so():
    text = readings.factorial_reading(
        of(
            effect("encoder", "vit - cnn", -0.3, 0.01),
            effect("decoder", "transformer - lstm", 0.05, 0.4),
            effect("encoder:decoder", "vit - cnn : transformer - lstm", 0.02, 0.7),
        ),
        "nss",
        "general",
    )
    assert (
        "ViT encoders score below CNN encoders (difference −0.30 [−0.40,\u00a0−0.20] standard deviations (NSS), "
        "p\u00a0=\u00a00.010)" in text
    )
    assert (
        "Transformer and LSTM decoders do not differ clearly (0.05 [−0.05,\u00a00.15] standard deviations (NSS), "
        "p\u00a0=\u00a00.400)" in text
    )
    assert "is not shown to depend on the other (0.02" in text


@pytest.mark.parametrize(
    ("p", "low", "high", "apart"),
    [
        (0.01, 0.1, 0.3, True),
        (0.2, 0.1, 0.3, False),
        (0.01, -0.1, 0.3, False),
        (float("nan"), 0.1, 0.3, True),
        (float("nan"), float("nan"), float("nan"), False),
        (0.01, float("nan"), float("nan"), True),
    ],
)
def test_test_and_interval_have_to_agree(p, low, high, apart):
    one = Finding("difference", "t", "nss", "a", "b", estimate=0.2, low=low, high=high, p=p)
    assert is_clear(one) is apart


def test_the_corrected_p_counts():
    one = effect("encoder", "vit - cnn", 0.3, 0.01)
    assert is_clear(one)
    assert not is_clear(replace(one, p_holm=0.06))


def test_models_that_the_task_changes_are_named():
    text = readings.model_task_reading(made.results(), "nss")
    assert "differ between the tasks for CNN-LSTM (general − social −0.10" in text
    assert "CNN-Transformer (" not in text
    assert "Some models change more than others: CNN-LSTM − CNN-Transformer and CNN-LSTM − ViT-LSTM." in text


def test_sides_and_concentration_name_who_does_not_differ_clearly():
    study = made.results()
    text = readings.concentration_reading(study, "general", "entropy")
    assert "have a higher relative entropy than people" in text
    by_gini = readings.concentration_reading(study, "general", "gini")
    assert by_gini == (
        "At people’s number of fixations CNN-LSTM has a higher Gini coefficient than people; ViT-Transformer "
        "has a lower Gini coefficient than people; CNN-Transformer and ViT-LSTM do not differ clearly from people."
    )


def test_change_with_the_task_is_read_without_noise_and_with_whom_it_goes():
    text = readings.differentiation_reading(made.results(), ("general", "social"))
    assert "people’s maps change by D = 0.220 [0.170,\u00a00.270]" in text
    assert "where people’s change: CNN-LSTM (ρ = 0.100" in text


def test_people_and_models_with_specific_maps_are_named():
    text = readings.cross_task_reading(made.results(), ("general", "social"))
    assert text.startswith(
        "By NSS a map of its own task predicts better than that of the other for People (0.30 ["
    )


def test_observers_and_scanpaths_are_read():
    study = made.results()
    assert "from 8 to 11 other people NSS goes from 1.18 to 1.23." in readings.observer_reading(study, "nss")
    text = readings.scanpath_reading(study, "social")
    assert "differ from those on different images by ScanMatch (0.110 [" in text


def test_a_report_compares_models_by_the_primary_metric_alone():
    study = made.results()
    other = replace(study.of("difference")[0], metric="auc")
    study = replace(study, findings=(*study.findings, FindingRow(other, "tuebingen", 5)))
    few = {section.id: section for section in study_sections(study)}
    every = {section.id: section for section in study_sections(study, all_metrics=True)}
    assert len(few["differences"].tables) == 1
    assert len(every["differences"].tables) == 2
    assert list(few) == [
        *(
            "differences",
            "factorial",
            "model-task",
            "concentration",
            "task-change",
            "laterality",
            "observers",
        ),
        "scanpaths",
    ]


def test_where_mirrored_images_were_described_the_control_is_read_too():
    def side(measure, estimate, p):
        return Finding(
            *("laterality", "general", measure, "m", "", estimate, estimate - 0.1, estimate + 0.1),
            p=p,
            p_holm=p,
            kind="model",
        )

    plain = side("laterality", -0.3, 0.01)
    [without] = study_sections(of(plain))
    assert "side bias" not in " ".join(without.readings)
    [section] = study_sections(
        of(plain, side("laterality_corrected", 0.02, 0.7), side("side_bias", -0.32, 0.01))
    )
    text = " ".join(section.readings)
    assert "By laterality, m (−0.30" in text
    assert "By laterality of the content, m shows no clear difference from the middle." in text
    assert "By side bias, m (−0.32" in text


def side(term, estimate, half, p=0.001, n_images=20):
    return Finding(
        *("laterality", "general", "laterality", term, "", estimate, estimate - half, estimate + half),
        p=p,
        p_holm=p,
        kind="model",
        n_images=n_images,
    )


def test_a_side_that_is_sure_but_tiny_is_hardly_one_and_a_map_for_all_images_has_no_side_by_test():
    text = readings.laterality_reading(
        of(side("near", 0.009, 0.002), side("far", 0.011, 0.002), side("fixed", 0.002, 0.0)),
        "general",
        "laterality",
    )
    assert "far (0.011 [0.009,\u00a00.013], p\u00a0=\u00a00.001) lies to the right" in text
    assert "near (0.009 [0.007,\u00a00.011], p\u00a0=\u00a00.001) lies hardly to a side" in text
    assert text.endswith("fixed has the same value on every image, 0.002 (hardly off the middle).")
    wide = readings.laterality_reading(of(side("fixed", -0.4, 1e-17)), "general", "laterality")
    assert wide == "By laterality, fixed has the same value on every image, −0.400 (left)."


def test_tables_say_whose_interval_has_no_width_and_when_a_difference_is_clear():
    [section] = study_sections(of(side("fixed", 0.002, 0.0), side("far", 0.3, 0.1)))
    [table] = section.tables
    assert "Where an interval has no width (fixed), the number is the same on every image." in table.note
    assert CLEAR in table.note
    [other] = study_sections(of(side("far", 0.3, 0.1)))
    assert "no width" not in other.tables[0].note


def test_every_table_with_a_p_says_when_a_difference_is_clear_and_no_caption_rests_on_the_interval_alone():
    shown = study_sections(made.results())
    tables = [table for section in shown for table in section.tables]
    tested = [
        table
        for table in tables
        if any(one.id in ("p", "p_holm") or one.id.endswith("_p") for one in table.columns)
    ]
    assert len(tested) > 6
    assert all(CLEAR in table.note for table in tested)
    captions = [figure.caption for section in shown for figure in section.figures]
    at_zero = [caption for caption in captions if "line at 0" in caption]
    assert at_zero
    assert all("p of the table is below 0.05" in caption for caption in at_zero)
