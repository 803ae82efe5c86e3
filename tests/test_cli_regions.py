"""Atlases in a terminal: lists, exit codes, JSON, sentences instead of tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gazeapp.cli import main
from gazeapp.engine.project import Project
from tests.engine.neural.regions.made_up_files import numbers, volume


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.gaze"
    Project.create(path).close()
    return path


@pytest.fixture
def wang(tmp_path: Path) -> tuple[Path, Path]:
    left, right = (
        volume(tmp_path / "files" / f"{letter}.wang15_mplbl.mgz", numbers(letter).astype(np.int32))
        for letter in ("lh", "rh")
    )
    return left, right


def test_the_list_names_atlases_with_their_limits(study: Path):
    said = run("regions", study)
    assert said.exit_code == 0
    assert "desikan: 68 regions, 4 groups;" in said.stdout
    assert "no V1, V2, V3, hV4 or LOC" in said.stdout
    (atlas,) = json.loads(run("regions", study, "--json").stdout)["atlases"]
    assert (atlas["name"], atlas["regions"]) == ("desikan", 68)
    assert atlas["groups"]["early visual"] == ["pericalcarine", "lingual", "cuneus"]


def test_regions_of_an_atlas_have_sizes(study: Path):
    regions = json.loads(run("regions", study, "desikan", "--json").stdout)["regions"]
    fusiform = [one for one in regions if one["name"] == "fusiform"]
    assert [(one["hemisphere"], one["vertices"]) for one in fusiform] == [("left", 308), ("right", 297)]
    assert all(1000 < one["area_mm2"] < 5000 for one in fusiform)
    assert next(one["name"] for one in regions if one["group"]) == "early visual"
    said = run("regions", study, "desikan").stdout
    assert "group of pericalcarine, lingual, cuneus" in said
    assert "308 vertices" in said


def test_an_atlas_comes_in_is_grouped_leaves_and_comes_back(
    study: Path, wang: tuple[Path, Path], tmp_path: Path
):
    result = run("import-regions", study, *wang, "--name", "Wang")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "“Wang” with 10 regions: 1 done" in result.stdout
    grouped = run("group-regions", study, "Wang", "V1", "V1v", "V1d", "--json")
    assert json.loads(grouped.stdout)["groups"]["V1"] == ["V1v", "V1d"]
    assert "Wang: 10 regions, 1 group;" in run("regions", study).stdout
    file = tmp_path / "wang.regions.json"
    assert run("export-regions", study, "Wang", "-o", file).exit_code == 0
    assert run("remove-regions", study, "Wang").exit_code == 0
    assert "Wang" not in run("regions", study).stdout
    back = run("import-regions", study, file, "--json")
    assert json.loads(back.stdout)["done"] == 1
    assert json.loads(run("import-regions", study, file, "--json").stdout)["skipped"] == 1
    listed = json.loads(run("regions", study, "Wang", "--json").stdout)["regions"]
    n = int(sum(np.isin(numbers(letter), (1, 2)).sum() for letter in ("lh", "rh")))
    assert [one["vertices"] for one in listed if one["name"] == "V1"] == [n]


def test_notes_are_told_on_stderr_or_in_json(study: Path, wang: tuple[Path, Path]):
    result = run("import-regions", study, wang[0])
    assert result.exit_code == 0
    assert "Note: rh.wang15_mplbl.mgz, which lies beside lh.wang15_mplbl.mgz" in result.stderr
    again = json.loads(run("import-regions", study, wang[0], "--name", "b", "--json").stdout)
    assert len(again["notes"]) == 1


def test_atlases_on_this_computer_are_found(study: Path, wang: tuple[Path, Path]):
    words = ("regions", study, "--subjects-dir", wang[0].parent / "none", "--folder", wang[0].parent)
    found = json.loads(run(*words, "--json").stdout)["found"]
    assert [(one["name"], one["paths"]) for one in found] == [("wang15_mplbl", [str(path) for path in wang])]
    assert "gazeapp import-regions" in run(*words).stdout
    nothing = run("regions", study, "--find", "--subjects-dir", study.parent / "none")
    assert "No further atlas was found" in nothing.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["regions", "{}", "nothing"], "There is no atlas “nothing”."),
        (["import-regions", "{}", "lh.nowhere.annot"], "There is no such file."),
        (["export-regions", "{}", "nothing", "-o", "x.json"], "There is no atlas “nothing”."),
        (["remove-regions", "{}", "nothing"], "no atlas called “nothing”"),
        (["remove-regions", "{}", "desikan"], "is always there"),
        (["group-regions", "{}", "desikan", "mine", "V1"], "has no region “V1”"),
        (["group-regions", "{}", "desikan", "mine"], "has no group “mine”"),
    ],
)
def test_what_goes_wrong_is_a_sentence(study: Path, words: list[str], sentence: str):
    result = run(*(study if word == "{}" else word for word in words))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_wrong_usage(study: Path):
    for words in (["desikan"], ["desikan", "early visual", "--presets"]):
        assert run("group-regions", study, *words).exit_code == 2
