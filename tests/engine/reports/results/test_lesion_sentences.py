"""What is read of lesions in sentences: values, slopes, sides and effects of the design, each called what it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.reports.results.lesion_tables import (
    design_sentences,
    dose_sentence,
    dose_table,
    model_sentence,
    side_sentence,
)
from gazeapp.engine.reports.results.lesions import Asked
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.lesion_findings import assess
from gazeapp.engine.workflows.lesion_results import read_lesions
from tests.copied import copy_study
from tests.engine.lesioned import FOUR, add_lesions, values_of

STUDY = {"n_images": 10, "tasks": ("free",), "models": FOUR}
MORE = 1.5
"""What left costs CNN-LSTM at full strength alone beyond what it costs LSTM decoders, nats per token."""
LOWERED = 10.0
"""What is taken off every effect where they are to be below those of controls, nats per token."""
SIDES = Asked("free", "log_probability_drop", ("left", "right"), "keys", 1.0)


@pytest.fixture(scope="module")
def study(built_studies, tmp_path_factory):
    """A study where left hits LSTM decoders, that of CNN-LSTM more, and at full strength above the line."""
    with Project.open(copy_study(built_studies(**STUDY), tmp_path_factory.mktemp("read"))) as project:
        add_lesions(project, strengths=(0.8, 1.0), assessed=False)
        add_lesions(project, masks=("top",), strengths=(1.0,), assessed=False)
        project.db.execute(
            "UPDATE lesion_runs SET outcomes = json_set(outcomes, '$.log_probability_drop', "
            "json_extract(outcomes, '$.log_probability_drop') + ?) WHERE mask = 'left' AND control = '' "
            "AND strength = 1.0 AND run_id IN (SELECT id FROM runs WHERE model = 'cnn-lstm')",
            [MORE],
        )
        last = project.images.all()[-1].id
        project.db.execute(
            "DELETE FROM lesion_runs WHERE mask = 'top' AND run_id IN (SELECT id FROM runs WHERE image_id <> ?)",
            [last],
        )
        project.db.conn.commit()
        assess(project, SILENT)
        yield read_lesions(project, "tuebingen"), project.lesions.all()


def net_of(rows, model, mask, strength=1.0):
    """Return lesion minus the mean of the kinds of controls, of each image."""
    own, *kinds = (
        values_of(
            rows,
            "log_probability_drop",
            model=model,
            mask=mask,
            control=control,
            strength=strength,
            task="free",
        )
        for control in ("", "random", "equal_mass")
    )
    return np.array([own[i] - np.mean([kind[i] for kind in kinds if i in kind]) for i in own])


def plain(text):
    return text.replace("\xa0", " ").replace("\N{MINUS SIGN}", "-")


def test_a_slope_is_called_one_and_stands_beside_the_value_at_full_strength(study):
    lesions, rows = study
    most, full = (net_of(rows, "cnn-lstm", "left", strength) for strength in (0.8, 1.0))
    slope = np.polyfit([0.0, 0.8, 1.0], [0.0, most.mean(), full.mean()], 1)[0]
    said = plain(dose_sentence(lesions, SIDES))
    assert (
        f"the line through all strengths rises by {slope:.2f} nats per token more than under matched controls from "
        "none to 1"
    ) in said
    assert said.endswith(f"At strength 1 itself it is {full.mean():.2f} nats per token.")
    assert full.mean() - slope > 0.3
    assert "not the value at full strength" in dose_table(lesions, SIDES).columns[0].meaning


def test_sides_are_said_as_they_are_and_beyond_their_controls(study):
    lesions, rows = study
    raw = [
        np.array(
            list(
                values_of(
                    rows, "log_probability_drop", model="cnn-lstm", mask=mask, control="", strength=1.0
                ).values()
            )
        )
        for mask in ("left", "right")
    ]
    said = plain(side_sentence(lesions, SIDES))
    assert (
        f"CNN-LSTM, as they are: {(raw[0] - raw[1]).mean():.2f} nats per token more under the left than under"
        in said
    )
    left, right = (net_of(rows, "cnn-lstm", mask).mean() for mask in ("left", "right"))
    assert (
        f" Beyond matched controls it is {left:.2f} nats per token under the left and {right:.2f} nats per "
        "token under the right. Pictures and captions are not symmetric"
    ) in said


def test_an_interaction_and_an_encoder_are_told_where_they_are_clear(study):
    lesions, rows = study
    left, right = (plain(text) for text in design_sentences(lesions, SIDES))
    net = {model: net_of(rows, model, "left") for model, _ in FOUR}
    decoder = sum(net[m].mean() * (1 if m.endswith("lstm") else -1) for m in net) / 2
    encoder = sum(net[m].mean() * (1 if m.startswith("cnn") else -1) for m in net) / 2
    assert f"captions of LSTM decoders lose {decoder:.2f} nats per token more" in left
    assert f"captions of CNN encoders lose {encoder:.2f} nats per token more" in left
    both = (net["vit-transformer"] - net["vit-lstm"] - net["cnn-transformer"] + net["cnn-lstm"]).mean()
    assert both == pytest.approx(MORE, abs=0.15)
    assert (
        f"what the decoder contributes depends on the encoder: a difference of differences of {both:.2f} nats per "
        "token, beyond matched controls"
    ) in left
    assert "encoder" not in right


def test_images_are_counted_by_mask(study):
    lesions, _ = study
    asked = Asked("free", "log_probability_drop", ("left", "top"), "keys", 1.0)
    assert lesions.n_images(asked) == {"left": 10, "top": 1}


def test_a_loss_of_agreement_says_which_metric_it_is_by(study):
    assert "By the primary metric of the scoring alone" in study[0].about("score_drop:nss").meaning


def test_what_does_less_than_its_controls_is_told_as_less(study):
    lesions, rows = study
    less = tuple(replace(row, finding=_lowered(row.finding)) for row in lesions.results.findings)
    lowered = replace(lesions, results=replace(lesions.results, findings=less))
    models = lesions.models(SIDES)
    largest = max(net_of(rows, model, mask).mean() for model in models for mask in SIDES.masks) - LOWERED
    said = plain(model_sentence(lowered, SIDES))
    assert f": {-largest:.2f} nats per token less than under matched controls (" in said
    low, high = (float(end) for end in said.partition("[")[2].partition("]")[0].split(", "))
    assert 0 < low <= -largest <= high
    assert "nats per token less than under matched controls from none to 1" in plain(
        dose_sentence(lowered, SIDES)
    )
    assert plain(dose_sentence(lowered, SIDES)).endswith("nats per token less.")
    assert ": -" in plain(model_sentence(lowered, replace(SIDES, against="")))


def _lowered(finding):
    return replace(
        finding, estimate=finding.estimate - LOWERED, low=finding.low - LOWERED, high=finding.high - LOWERED
    )
