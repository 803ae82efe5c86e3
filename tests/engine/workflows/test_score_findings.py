"""What scoring says of a whole study: differences against the centre bias, and how many people a number is of."""

import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.scoring.findings import DIFFERENCE, OBSERVERS


@pytest.fixture
def project(study):
    models = (("cnn-lstm", "CNN-LSTM"), ("vit-lstm", "ViT-LSTM"))
    with Project.open(study(n_images=6, n_subjects=4, tasks=("general",), models=models)) as opened:
        yield opened


def test_findings_of_the_centre_bias_and_of_observers_are_those_of_the_summary_and_of_all_people(project):
    """One study, because making it takes the time: every part is about other findings."""
    rows = {
        row.source: row
        for row in project.scores.summary("tuebingen")
        if row.metric == "nss" and not row.lesion
    }
    found = [row.finding for row in project.findings.findings(DIFFERENCE)]
    above = [one for one in found if one.against == "centre_bias" and one.metric == "nss"]
    raw = {one.term: one for one in above if one.unit != "%"}
    percent = {one.term: one for one in above if one.unit == "%"}
    assert set(raw) == set(percent) == {"cnn-lstm", "vit-lstm"}
    for model, one in percent.items():
        assert one.estimate == pytest.approx(rows[model].percent - rows["centre_bias"].percent, rel=1e-9)
        assert one.low < one.estimate < one.high
        assert one.p == raw[model].p
    for family in (raw, percent):
        small, large = sorted(family.values(), key=lambda one: one.p)
        assert small.p_holm == pytest.approx(min(1.0, 2 * small.p))
        assert large.p_holm == pytest.approx(max(small.p_holm, large.p))

    curve = [row.finding for row in project.findings.findings(OBSERVERS)]
    # Each of 4 people is predicted from 1, 2 and 3 others.
    assert {one.term for one in curve} == {"1", "2", "3"}
    assert {one.n_subjects for one in curve} == {4}
