"""Taking lesions out of a project leaves what was never touched by them, and findings of what is left."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gazeapp.cli import main
from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT, Silent
from gazeapp.engine.workflows.lesion_findings import ANALYSES, assess
from gazeapp.engine.workflows.lesion_results import read_lesions
from gazeapp.engine.workflows.remove_lesions import RemoveLesionsSettings, remove_lesions
from tests.copied import copy_study
from tests.engine.lesioned import FOUR, add_lesions


@pytest.fixture(scope="module")
def lesioned(built_studies, tmp_path_factory):
    """A study with lesions by three masks, one of which the library knows no more; it is only copied."""
    built = built_studies(n_images=6, tasks=("free",), models=FOUR)
    path = copy_study(built, tmp_path_factory.mktemp("lesioned"))
    with Project.open(path) as project:
        add_lesions(project, masks=("left", "right", "old hand"), strengths=(1.0,))
    return path


@pytest.fixture
def project(lesioned, tmp_path):
    with Project.open(copy_study(lesioned, tmp_path)) as opened:
        yield opened


def remove(project, **chosen):
    return remove_lesions(project, RemoveLesionsSettings(**chosen), SILENT)


def findings(project):
    """Return the findings about lesions of each mask."""
    rows = [row.finding for analysis in ANALYSES for row in project.findings.findings(analysis)]
    return {one.lesion.partition(" · ")[0] for one in rows}, len(rows)


def kept(project):
    """Return how much there is of what is no lesion."""
    tables = ("runs", "maps", "words", "scores", "masks", "images")
    return [project.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


@pytest.mark.parametrize(
    ("chosen", "goes"),
    [
        ({"masks": ("old hand",)}, lambda row: row.key.mask == "old hand"),
        ({"masks": (" LEFT 50%", "right")}, lambda row: row.key.mask in ("left", "right")),
        ({"models": ("CNN-LSTM", "vit-lstm")}, lambda row: row.model in ("cnn-lstm", "vit-lstm")),
        (
            {"masks": ("left",), "models": ("cnn-lstm",)},
            lambda row: (row.key.mask, row.model) == ("left", "cnn-lstm"),
        ),
        ({"tasks": ("free",), "images": ("1",)}, lambda row: row.image_id == 1),
    ],
)
def test_what_was_chosen_goes_and_nothing_else(project, chosen, goes):
    if "images" in chosen:
        chosen = {**chosen, "images": (project.images.get(1).name,)}
    before, others = project.lesions.all(), kept(project)
    done = remove(project, **chosen)
    left = project.lesions.all()
    assert left == [row for row in before if not goes(row)]
    assert 0 < len(left) < len(before)
    assert (done.done, done.details["left"]) == (len(before) - len(left), len(left))
    assert kept(project) == others
    assert read_lesions(project, "").older == ()


def test_findings_are_those_of_what_is_left(project):
    remove(project, masks=("right", "old hand"))
    assert findings(project)[0] >= {"left"}
    assert not findings(project)[0] & {"right", "old hand"}
    # As if the others had never been made.
    made = [row.finding for row in project.findings.findings("lesion")]
    rows = project.db.execute("SELECT count(*) FROM lesion_scores").fetchone()[0]
    assert made
    project.db.execute("DELETE FROM findings")
    project.db.execute("DELETE FROM current WHERE settings_id NOT IN (SELECT settings_id FROM runs)")
    assess(project, SILENT)
    assert [repr(row.finding) for row in project.findings.findings("lesion")] == [repr(one) for one in made]
    assert rows == project.db.execute("SELECT count(*) FROM lesion_scores").fetchone()[0]


def test_all_of_them_go_without_a_choice(project):
    others, n = kept(project), len(project.lesions.all())
    project.problems.add("lesion", "x.png", "The image has no mask 'left'.", unit="x.png · left")
    done = remove(project)
    assert (done.done, done.details["masks"]) == (n, ["left", "right", "old hand"])
    assert (
        done.details["said"]
        == f"{n} lesions of left, right and old hand removed, controls among them; none is left."
    )
    assert project.lesions.all() == []
    assert findings(project) == (set(), 0)
    assert kept(project) == others
    for table in (
        "lesion_runs",
        "lesion_scores",
        "settings WHERE verb = 'lesion'",
        "problems WHERE verb = 'lesion'",
    ):
        assert project.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
    with pytest.raises(GazeError, match="has no lesions"):
        remove(project)


def test_nothing_taken_away_goes_with_the_last_lesion_of_a_run(project):
    remove(project, masks=("left",))
    remove(project, masks=("right",))
    assert {row.key.mask for row in project.lesions.all()} == {"old hand", "none"}
    remove(project, masks=("old hand",))
    assert project.lesions.all() == []


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"masks": ("top",)}, r"no lesions of the mask 'top'\. There are of: left, right and old hand\."),
        ({"masks": ("none",)}, "no lesions of the mask 'none'"),
        ({"models": ("vit",)}, "no lesions of the model 'vit'"),
        ({"tasks": ("search",)}, "no lesions of the task 'search'"),
        ({"images": ("9.png",)}, "no image '9.png'"),
    ],
)
def test_what_there_is_not_is_told_and_nothing_goes(project, chosen, said):
    before = project.lesions.all()
    with pytest.raises(GazeError, match=said):
        remove(project, masks=chosen.pop("masks", ("left",)), **chosen)
    assert project.lesions.all() == before


def test_choices_that_no_lesion_meets_together(project):
    remove(project, masks=("left",), models=("cnn-lstm",))
    before = project.lesions.all()
    with pytest.raises(GazeError, match="no lesions of all that together"):
        remove(project, masks=("left",), models=("cnn-lstm",))
    assert project.lesions.all() == before


def test_findings_that_were_not_made_anew_are_told_to_be_older(project):
    class Stopped(Silent):
        cancelled = True

    done = remove_lesions(project, RemoveLesionsSettings(masks=("left",)), Stopped())
    assert done.cancelled
    assert "left" not in {row.key.mask for row in project.lesions.all()}
    assert any("older" in one for one in read_lesions(project, "").older)


def test_the_command_says_what_it_did(project):
    path = str(project.path)
    told = CliRunner().invoke(main, ["remove-lesions", path, "--mask", "left", "--model", "cnn-lstm"])
    assert told.exit_code == 0, told.output
    assert "lesions of left removed" in told.stdout
    told = CliRunner().invoke(main, ["remove-lesions", path, "--mask", "top"])
    assert (told.exit_code, "no lesions of the mask 'top'" in told.output) == (1, True)
    told = CliRunner().invoke(main, ["remove-lesions", path, "--json"])
    assert json.loads(told.stdout)["left"] == 0
