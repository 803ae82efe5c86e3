"""What scoring tells in a terminal and to a script, and what reports and exports say without scores."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project

N_IMAGES = 8


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path, rng = tmp_path / "study.gaze", np.random.default_rng(2)
    for folder in ("set", "good", "flat"):
        (tmp_path / folder).mkdir()
    lines = ["image,subject,x,y"]
    for k in range(N_IMAGES):
        Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).save(tmp_path / "set" / f"i{k}.png")
        centre = rng.uniform((6, 6), (34, 24))
        for person in range(6):
            spots = np.clip(rng.normal(centre, 3, (5, 2)), 0.5, (39, 29))
            lines += [f"i{k}.png,p{person},{x:.1f},{y:.1f}" for x, y in spots]
        far = np.hypot(*(np.mgrid[:30, :40][::-1] - centre[:, None, None]))
        np.save(tmp_path / "good" / f"i{k}.npy", np.exp(-(far**2) / 2 / 4**2))
        if k < 4:
            np.save(tmp_path / "flat" / f"i{k}.npy", rng.random((30, 40)))
    (tmp_path / "gaze.csv").write_text("\n".join(lines) + "\n")
    assert run("new", path, "--images", tmp_path / "set").exit_code == 0
    assert run("import-gaze", path, tmp_path / "gaze.csv", "--task", "free", "--sigma", "3px").exit_code == 0
    for model in ("good", "flat"):
        assert run("import-maps", path, tmp_path / model, "--model", model, "--task", "free").exit_code == 0
    return path


def test_the_table_holds_what_is_stored(study: Path):
    told = run("score", study, "--metric", "nss", "--metric", "sim", "--json")
    assert told.exit_code == 0, told.output
    [task] = json.loads(told.stdout)["results"]
    with Project.open(study) as project:
        rows = {row.source: row for row in project.scores.summary("tuebingen") if row.metric == "nss"}
    assert [source["source"] for source in task["sources"]] == ["loso_mixture", "good", "flat", "centre_bias"]
    assert (task["task"], task["metric"], task["n_images"]) == ("free", "nss", N_IMAGES)
    for source in task["sources"]:
        row = rows[source["source"]]
        assert [source[key] for key in ("n_images", "mean", "percent", "ci_low", "ci_high")] == [
            *(row.n_images, row.mean, row.percent, row.ci_low, row.ci_high)
        ]
    assert rows["good"].percent is not None
    lines = run("score", study, "--metric", "nss", "--metric", "sim").stdout.splitlines()
    assert lines[0].startswith("score: 0 done, 8 there already")
    assert lines[1] == "free: NSS over 8 images; percent of the human ceiling, 95 % interval"
    assert [line.split("  ")[1].strip() for line in lines[2:]] == [
        *("People: lower bound", "good", "flat", "Centre bias")
    ]
    good, flat = lines[3].split(), lines[4]
    assert good[1] == f"{rows['good'].mean:.2f}"
    assert good[2:4] == [f"{rows['good'].percent:.0f}", "%"]
    assert flat.endswith("(4 images)")
    assert len({line.index(" %") for line in lines[2:] if " %" in line}) == 1
    assert all(line.endswith(("]", "%", ")")) for line in lines[2:])
    "\n".join(lines).encode("ascii")


def test_a_metric_without_percentages_has_a_mean_alone(study: Path):
    lines = run("score", study, "--metric", "sim").stdout.splitlines()
    assert lines[1] == "free: SIM over 8 images"
    assert all("%" not in line for line in lines)


def test_what_is_no_longer_shown_is_said(study: Path):
    first = run("score", study, "--metric", "nss", "--metric", "sim", "--metric", "cc")
    assert "no longer" not in first.stderr
    fewer = run("score", study, "--metric", "nss")
    assert (
        "Note: CC and SIM of the earlier settings stay in the file but are no longer shown or exported.\n"
        in fewer.stderr
    )
    assert "no longer" not in run("score", study, "--metric", "nss").stderr
    other = run("score", study, "--metric", "nss", "--transform", "density", "--json")
    assert json.loads(other.stdout)["no_longer_shown"] == [
        "Scores of the earlier settings (map transform none, now density) stay in the file but are no longer shown or "
        "exported."
    ]
    mit = run("score", study, "--preset", "mit", "--metric", "nss", "--json")
    assert json.loads(mit.stdout)["no_longer_shown"] == []


def test_reports_and_exports_without_scores_say_so(study: Path, tmp_path: Path):
    unscored = "Note: The project has no scores yet; gazeapp score makes them.\n"
    report = run("report", study, "-o", tmp_path / "report.html")
    assert (report.exit_code, report.stderr) == (0, unscored)
    assert run("export", study, "-o", tmp_path / "tables").stderr == unscored
    run("score", study, "--metric", "nss")
    other = run("report", study, "-o", tmp_path / "report.html", "--preset", "mit")
    assert other.exit_code == 0
    assert "not scored with the preset mit" in other.stderr
    assert "there are scores of: tuebingen." in other.stderr
    assert run("report", study, "-o", tmp_path / "report.html").stderr == ""


def test_tables_say_the_transform_and_the_primary_metric(study: Path, tmp_path: Path):
    run("score", study, "--metric", "nss", "--metric", "cc", "--primary", "cc", "--transform", "density")
    run("score", study, "--preset", "mit", "--metric", "nss")
    assert run("export", study, "-o", tmp_path / "tables").exit_code == 0
    for name in ("scores.csv", "summary.csv"):
        with (tmp_path / "tables" / name).open(encoding="utf-8", newline="") as file:
            found = {(r["preset"], r["metric"], r["transform"], r["primary"]) for r in csv.DictReader(file)}
        assert found == {
            ("tuebingen", "nss", "density", "false"),
            ("tuebingen", "cc", "density", "true"),
            ("mit", "nss", "none", "true"),
        }
