"""The R code of docs and report reads an exported table and keeps the rows that it is about."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.reports.dictionary_text import dictionary_text
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.mixed_models import mixed_model_code
from gazeapp.engine.reports.render import render
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.score import ScoreSettings, score

STATISTICS = Path(__file__).parents[3] / "docs" / "methods" / "statistics.md"
TABLE = "scores_by_subject.csv"
NSS = ScoreSettings(metrics=("nss",), sigma=6.0, n_splits=5, n_bootstrap=100, threads=1)


def without_mixed_models(code):
    """Return the code for R alone: no packages, and linear models of the fixed part."""
    code = re.sub(r"^library\(.*$", "", code, flags=re.MULTILINE)
    return re.sub(r" \+ \(1 \| \w+\)", "", code.replace("lmer(", "lm("))


def metrics_of(folder):
    """Return the metrics of each source of the exported table."""
    found = {}
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["source_kind"], row["model"]), set()).add(row["metric"])
    return found


def exported(project, folder):
    export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        return [
            row
            for row in csv.DictReader(file)
            if (row["preset"], row["metric"], row["source_kind"], row["lesion"])
            == ("tuebingen", "nss", "model", "")
            and row["value"]
        ]


def run_in_r(code, folder):
    if shutil.which("Rscript") is None:
        pytest.skip("needs R")
    done = subprocess.run(
        ["Rscript", "-e", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_docs_show_the_code_for_tasks_and_crossed_models():
    code = mixed_model_code("tuebingen", "nss")
    assert f"```r\n{code}\n```" in STATISTICS.read_text(encoding="utf-8")
    assert f"```r\n{code}\n```" in dictionary_text()


def test_every_column_is_read_as_text_and_numbers_are_made_of_two():
    code = mixed_model_code("mit", "auc_judd")
    assert 'colClasses = "character", na.strings = character()' in code
    assert re.findall(r"d\$(\w+) <- as.numeric", code) == ["value", "n_fixations"]
    assert 'preset == "mit" & metric == "auc_judd"' in code


@pytest.mark.parametrize(
    ("has", "formulas"),
    [
        ({}, ["model * task", "encoder * decoder * task"]),
        ({"tasks": False}, ["model", "encoder * decoder"]),
        ({"crossed": False}, ["model * task"]),
        ({"tasks": False, "crossed": False}, ["model"]),
        ({"models": False, "crossed": False}, ["task"]),
        ({"models": False, "tasks": False, "crossed": False}, []),
    ],
)
def test_only_what_differs_in_the_study_is_a_factor(has, formulas):
    code = mixed_model_code("tuebingen", "nss", **has)
    assert re.findall(r"lmer\(value ~ (.*?) \+ \(1", code) == formulas
    assert bool(code) == bool(formulas)


def test_single_people_have_the_metrics_that_the_docs_name(study, tmp_path):
    with Project.open(study(n_images=2, tasks=("general",))) as project:
        scored = {row.metric for row in project.scores.summary("tuebingen")}
        exported(project, tmp_path / "out")
    found = metrics_of(tmp_path / "out")
    assert scored == {"nss", "auc", "sauc", "ig", "cc", "sim", "kl"}
    assert found["baseline", "centre_bias"] == {"nss", "auc", "sauc", "ig", "cc"}
    assert found["baseline", "uniform"] == {"ig"}
    people = {model for kind, model in found if kind == "human"}
    assert people == {"loso_mixture", "loso_extrapolated", "all_mixture"}
    assert all(f"| `{model}` |" in dictionary_text() for model in people)


def test_r_keeps_all_rows_of_models_though_no_model_has_an_encoder_or_a_lesion(study, tmp_path):
    with Project.open(study(n_images=2, scored=False)) as project:
        score(project, NSS, SILENT)
        project.db.execute("UPDATE models SET encoder = '', decoder = ''")
        rows = exported(project, tmp_path / "out")
    code = mixed_model_code("tuebingen", "nss", crossed=False)
    out = run_in_r(
        without_mixed_models(code) + '\ncat("rows", nrow(d), sum(d$value), sum(d$n_fixations))',
        tmp_path / "out",
    )
    n, total, fixations = out.split("rows ")[1].split()
    assert len(rows) == int(n) == 2 * 3 * 2 * 5
    assert float(total) == pytest.approx(sum(float(row["value"]) for row in rows), rel=1e-5)
    assert int(fixations) == sum(int(row["n_fixations"]) for row in rows)


def test_r_code_of_a_report_runs_and_its_effects_are_those_of_equal_weights(study, tmp_path):
    models = (
        ("cnn-lstm", "A"), ("cnn-transformer", "B"), ("vit-lstm", "C"), ("vit-transformer", "D"),
    )  # fmt: skip
    with Project.open(study(n_images=2, models=models, tasks=("general",), scored=False)) as project:
        score(project, NSS, SILENT)
        rows = exported(project, tmp_path / "out")
        html = render(gather(project, "tuebingen", "r.html"))
    shown = re.search(r'<pre class="r">(.*?)</pre>', html, re.DOTALL)
    code = shown[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#34;", '"')
    code = code.replace("&#39;", "'")
    assert "encoder * decoder +" in code
    assert "task +" not in code
    out = run_in_r(
        without_mixed_models(code) + '\ncat("effect", coef(m2)["encoder1"], "\\n")', tmp_path / "out"
    )

    def mean(encoder, decoder):
        values = [
            float(row["value"]) for row in rows if (row["encoder"], row["decoder"]) == (encoder, decoder)
        ]
        return sum(values) / len(values)

    half = sum(mean("cnn", one) - mean("vit", one) for one in ("lstm", "transformer")) / 4
    metric = re.search(r'metric == "(\w+)"', code)[1]
    assert metric == "nss"
    assert float(out.split("effect ")[1]) == pytest.approx(half, rel=1e-4, abs=1e-6)
