"""The demo study's brain responses, from their file to what is predicted of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.demo.scenes import TASKS
from gazeapp.engine.demo.world import RESPONSES, RESPONSES_TRUTH, write_demo_study
from gazeapp.engine.neural.encoding.folds import MIN_IN_FOLD
from gazeapp.engine.neural.simulation.plan import PLANTED
from gazeapp.engine.project import Project
from gazeapp.engine.scoring.sources import TRUTH
from gazeapp.engine.workflows.demo import (
    FEWEST_ENCODED,
    RESPONSES_NAME,
    TRUTH_NAME,
    DemoSettings,
    build_demo,
    demo_encoding,
)
from gazeapp.engine.workflows.encode import EncodeSettings, encode
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.import_responses import ImportResponsesSettings, import_responses


class Quiet:
    def __init__(self, cancelled: bool = False) -> None:
        self.cancelled = cancelled

    def report(self, done: int, total: int, message: str) -> None:
        pass


@pytest.mark.parametrize("n_scenes", [8, 9, 11, 14, 15, 48])
def test_folds_of_few_scenes_are_large_enough(n_scenes: int):
    assert n_scenes >= FEWEST_ENCODED
    settings = demo_encoding(DemoSettings("", n_scenes=n_scenes))
    held_out = -(-n_scenes // settings.n_folds)
    assert n_scenes // settings.n_folds >= MIN_IN_FOLD
    assert (n_scenes - held_out) // settings.n_inner >= 2
    if n_scenes == 48:
        assert settings == EncodeSettings(RESPONSES_NAME)


def test_a_demo_study_of_an_earlier_version_gets_its_responses(tmp_path: Path):
    settings = DemoSettings(str(tmp_path), n_scenes=2, n_observers=2, seed=3)
    build_demo(settings, Quiet(cancelled=True))
    before = {name: (tmp_path / name).read_bytes() for name in (RESPONSES, RESPONSES_TRUTH)}
    for name in before:
        (tmp_path / name).unlink()
    build_demo(settings, Quiet(cancelled=True))
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_planted_regions_are_found_from_the_files_of_the_study(tmp_path: Path):
    """Of 30 scenes: the true density predicts what it drives about as well as the truth says, and nothing else."""
    study = write_demo_study(tmp_path, n_scenes=30, n_observers=1)
    driven = [one.region for one in PLANTED if set(one.drives) == {"people, general"}]
    with Project.create(tmp_path / "demo.gaze") as project:
        for task in TASKS:
            project.tasks.add(task)
        add_images(project, AddImagesSettings((str(tmp_path / "images"),)), Quiet())
        maps = ImportMapsSettings(
            str(tmp_path / "true_density" / "general"), TRUTH_NAME, ("general",), kind=TRUTH
        )
        import_maps(project, maps, Quiet())
        told = import_responses(
            project, ImportResponsesSettings(str(study.responses), RESPONSES_NAME), Quiet()
        )
        assert (told.done, told.failed, told.problems) == (30, 0, ())
        row = project.responses.get(RESPONSES_NAME)
        assert row.simulated
        assert "planted" in row.source
        assert "fusiform 0.87" in json.dumps(row.facts)
        with np.load(study.responses) as stored:
            np.testing.assert_array_equal(project.responses.read(row.name).values, stored["Y"])
        settings = EncodeSettings(
            *(row.name,), tasks=("general",), vertices=False, partitions=False, rsa=False, n_permutations=99
        )
        encode(project, settings, Quiet())
        found = {
            one.region: one
            for one in project.encodings.findings(row.name)
            if (one.kind, one.measure) == (TRUTH, "r") and not one.group
        }
    with study.responses_truth.open(newline="", encoding="utf-8") as file:
        truth = {row["region"]: row for row in csv.DictReader(file) if row["hemisphere"] == "both"}
    for name in driven:
        promised = float(truth[name]["expected_r"])
        # Three standard errors of a correlation over 30 images, 10 of them lost to the fit.
        assert found[name].estimate == pytest.approx(promised, abs=3 * (1 - promised**2) / 20**0.5)
    assert found["fusiform"].p <= 0.05
    silent = [one for name, one in found.items() if name not in {planted.region for planted in PLANTED}]
    assert len(silent) == 24
    assert sum(one.p <= 0.05 for one in silent) <= 4
    for planted in PLANTED[:4]:
        # The agreement of four subjects over 30 images.
        assert found[planted.region].ceiling == pytest.approx(planted.share**0.5, abs=0.1)
