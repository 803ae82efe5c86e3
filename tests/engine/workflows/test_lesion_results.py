"""What an experiment comes to before it is run, and what is read of it afterwards, held against the verb itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.reports.results.lesion_figures import model_figure
from gazeapp.engine.reports.results.lesions import Asked
from gazeapp.engine.workflows.base import SILENT, Silent
from gazeapp.engine.workflows.lesion import lesion
from gazeapp.engine.workflows.lesion_count import count_lesions
from gazeapp.engine.workflows.lesion_results import read_lesions
from tests.engine.workflows.test_lesion import models, project, settings  # noqa: F401 - fixtures

TWO = {"models": ("one", "two"), "strengths": (0.5, 1.0), "n_random": 2}


def test_what_is_counted_is_what_the_verb_does(project):  # noqa: F811
    asked = settings(**TWO)
    before = count_lesions(project, asked)
    # 7 images, 2 models, 2 masks at 2 strengths, each with 1 + 2 + 2 controls, and once nothing.
    assert (before.asked, before.there, before.seconds) == (7 * 2 * (2 * 2 * 6 + 1), 0, None)
    summary = lesion(project, asked, SILENT)
    after = count_lesions(project, asked)
    assert (
        after.asked == before.asked == summary.done + summary.skipped + summary.details["without_equal_mass"]
    )
    assert after.there == summary.done
    (each,) = project.db.execute("SELECT avg(seconds) FROM lesion_runs").fetchone()
    assert after.seconds == pytest.approx(each * (after.asked - after.there), rel=0.5, abs=0.01)


def test_fewer_images_are_counted_apart(project):  # noqa: F811
    lesion(project, settings(), SILENT)
    own = count_lesions(project, settings())
    one = count_lesions(project, settings(images=("3.png",)))
    assert (one.asked * 7, one.there > 0) == (own.asked, True)
    assert count_lesions(project, settings(masks=("left",))).there < own.there


def test_a_model_that_has_not_run_is_estimated_by_nothing(project):  # noqa: F811
    lesion(project, settings(), SILENT)
    assert count_lesions(project, settings(models=("one", "two"))).seconds is None
    assert count_lesions(project, settings()).seconds is not None


def test_counting_stores_nothing_and_refuses_what_the_verb_refuses(project):  # noqa: F811
    changes = project.db.conn.total_changes
    count_lesions(project, settings())
    assert project.db.conn.total_changes == changes
    with pytest.raises(GazeError, match="There is no mask 'lfet'"):
        count_lesions(project, settings(masks=("lfet",)))


def test_dots_are_the_stored_outcomes_of_the_images(project):  # noqa: F811
    lesion(project, settings(), SILENT)
    read = read_lesions(project, "")
    assert read.older == ()
    figure = model_figure(read, Asked("general", "log_probability_drop", ("left",), "keys", 1.0))
    assert figure is not None
    dots = next(one for one in figure.axes[0].series if one.small)
    stored = {
        row.image_id: row.outcomes["log_probability_drop"]
        for row in project.lesions.all(model="one")
        if (row.key.mask, row.key.control) == ("left", "")
    }
    assert {key[0]: value for key, value in zip(dots.keys, dots.y, strict=True)} == stored
    net = next(one for one in figure.axes[1].series if one.small)
    mark = next(one for one in figure.axes[1].series if not one.small)
    assert mark.y[0] == pytest.approx(np.nanmean(net.y))


def test_what_has_changed_since_is_told(project):  # noqa: F811
    rows = (32, 48)
    for image in project.images.all():
        project.masks.put("drawn", image.id, np.pad(np.full((32, 12), 255, np.uint8), ((0, 0), (0, 36))))
    asked = settings(masks=("drawn",), controls=("random",))
    lesion(project, asked, SILENT)
    assert read_lesions(project, "").older == ()
    project.masks.put("drawn", project.images.all()[0].id, np.full(rows, 120, np.uint8))
    (said,) = read_lesions(project, "").older
    assert said.startswith("“drawn” was drawn anew since")
    lesion(project, asked, SILENT)
    assert read_lesions(project, "").older == ()
    # Stopped before the means are made, lesions are there that no mean knows.
    assert lesion(project, replace(asked, n_random=2), Halfway()).cancelled
    (said,) = read_lesions(project, "").older
    assert said.startswith("Means and tests are older than the lesions")


class Halfway(Silent):
    """Stops once some lesions have been made."""

    def report(self, done: int, total: int, message: str) -> None:
        self.cancelled = message.startswith("lesions") and done > total * 3 // 4


def test_captions_that_were_made_anew_leave_lesions_behind(project):  # noqa: F811
    from gazeapp.engine.workflows.extract import extract

    asked = settings(controls=())
    lesion(project, asked, SILENT)
    assert len(read_lesions(project, "").of_tasks["general"].images) == 7
    extract(project, replace(asked.intact, words="all"), SILENT)
    older = read_lesions(project, "").older
    assert any("7\u00a0captions" in said and "do not count" in said for said in older)
