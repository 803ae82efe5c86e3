"""Masks, objects and what lesions did come back as they were stored."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import LesionKey, MadeOf, ObjectBox, Project
from gazeapp.engine.project.masks import mask_sha256
from gazeapp.engine.types import Rect

WIDTH, HEIGHT = 31, 20
LEFT = LesionKey("left", "", 0, "keys", 1.0)


@pytest.fixture
def project(tmp_path: Path):
    opened = Project.create(tmp_path / "study.gaze")
    for k in (1, 2):
        path = tmp_path / f"{k}.png"
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), 40 * k, np.uint8)).save(path)
        opened.images.add(path, path.name, f"{k}" * 64, WIDTH, HEIGHT, "photograph")
    opened.tasks.add("general")
    opened.runs.put_model(ModelInfo("cnn-lstm", "CNN-LSTM", "captioner"))
    yield opened
    opened.close()


def a_mask(seed: int = 0):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)


def a_caption(seed: int = 0) -> Caption:
    rng = np.random.default_rng(seed)
    maps = rng.random((2, 4, 5)).astype(np.float32)
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    words = (Word("a", -0.5, False), Word("ball", -0.25, True))
    return Caption(words, maps, np.ones(2, np.float32), Rect(0, 0, WIDTH, HEIGHT), "general", "alpha")


def a_run(project: Project, image_id: int = 1, seed: int = 0, **values: object) -> int:
    caption = a_caption(seed)
    settings = project.settings.put("extract", {"model": "cnn-lstm", **values})
    return project.runs.put(image_id, "cnn-lstm", "general", caption, caption.mean_map(), settings, 0.1)


def a_lesion(project: Project, run_id: int, key: LesionKey = LEFT, sha: str = "m", **outcomes: float) -> int:
    caption = a_caption(7)
    settings = project.settings.put("lesion", {"model": "cnn-lstm"})
    return project.lesions.put(
        run_id, key, MadeOf(sha, sha), 0.5, caption, caption.mean_map(), outcomes, 0.1, settings
    )


def lesion_hash(project: Project) -> str:
    return project.settings.get(project.settings.put("lesion", {"model": "cnn-lstm"})).hash


def test_a_mask_comes_back_to_the_byte(project):
    mask = a_mask()
    stored = project.masks.put(" ball ", 1, mask)
    found = project.masks.get("ball", 1)
    assert np.array_equal(found.values, mask)
    assert not found.values.flags.writeable
    assert found.area == stored.area == pytest.approx(mask.mean() / 255, abs=1e-12)
    assert found.sha256 == mask_sha256(mask) != mask_sha256(mask.T)
    assert project.masks.get("ball", 2) is None
    assert project.masks.get("other", 1) is None


def test_the_library_counts_images_and_areas(project):
    project.masks.put("ball", 1, np.full((HEIGHT, WIDTH), 255, np.uint8))
    project.masks.put("ball", 2, np.zeros((HEIGHT, WIDTH), np.uint8))
    project.masks.add("empty")
    assert [(one.name, one.n_images, one.mean_area) for one in project.masks.library()] == [
        ("ball", 2, 0.5),
        ("empty", 0, 0.0),
    ]
    assert project.masks.images("ball") == [1, 2]
    assert project.masks.of_image(1) == ["ball"]
    project.masks.remove("ball", 1)
    assert project.masks.images("ball") == [2]
    project.masks.remove("ball")
    assert [one.name for one in project.masks.library()] == ["empty"]
    assert project.db.execute("SELECT count(*) FROM mask_images").fetchone()[0] == 0


def test_a_later_mask_of_the_same_name_takes_the_place(project):
    project.masks.put("ball", 1, a_mask(0))
    project.masks.put("ball", 1, a_mask(1), origin="imported")
    assert np.array_equal(project.masks.get("ball", 1).values, a_mask(1))
    assert project.masks.get("ball", 1).origin == "imported"


def test_what_does_not_fit_is_a_sentence(project):
    with pytest.raises(GazeError, match="The mask is 20 x 31 px, the image 31 x 20 px"):
        project.masks.put("ball", 1, a_mask().T)
    with pytest.raises(GazeError, match="no image with number 9"):
        project.masks.put("ball", 9, a_mask())
    with pytest.raises(GazeError, match="name that can be read"):
        project.masks.put("  ", 1, a_mask())
    assert project.masks.library() == []


def test_renaming_never_merges_two_masks(project):
    project.masks.put("ball", 1, a_mask())
    project.masks.put("dog", 1, a_mask(1))
    with pytest.raises(GazeError, match="'dog' already"):
        project.masks.rename("ball", "dog")
    with pytest.raises(GazeError, match="no mask 'cat'"):
        project.masks.rename("cat", "mouse")
    project.masks.rename("ball", "round ball")
    assert project.masks.of_image(1) == ["round ball", "dog"]


def test_objects_replace_those_of_their_origin_only(project):
    ball, dog = (ObjectBox(name, Rect(1, 2, 3, 4)) for name in ("ball", "dog"))
    project.objects.put(1, [ball, dog], "coco")
    project.objects.put(1, [dog], "drawn")
    project.objects.put(1, [dog], "coco")
    assert [(one.label, one.rect, one.origin) for one in project.objects.of_image(1)] == [
        ("dog", Rect(1, 2, 3, 4), "drawn"),
        ("dog", Rect(1, 2, 3, 4), "coco"),
    ]
    assert project.objects.labels() == ["dog"]
    assert project.objects.n_images() == 1


def test_what_a_lesion_did_comes_back(project):
    run_id = a_run(project)
    made = a_lesion(project, run_id, words_changed=0.5, laterality=float("nan"))
    (row,) = project.lesions.all()
    assert (row.id, row.run_id, row.image_id, row.model, row.task, row.key) == (
        made,
        run_id,
        1,
        "cnn-lstm",
        "general",
        LEFT,
    )
    assert row.words == a_caption(7).words
    assert row.caption == "a ball"
    assert row.outcomes["words_changed"] == 0.5
    assert np.isnan(row.outcomes["laterality"])
    assert np.allclose(project.lesions.map_of(made).values, a_caption(7).mean_map(), atol=1e-4)
    assert project.lesions.all(image_id=2) == []
    assert project.lesions.all(task="general", model="cnn-lstm") == [row]


def test_a_unit_is_done_again_when_its_mask_changed(project):
    run_id, now = a_run(project), lesion_hash(project)
    a_lesion(project, run_id, sha="before", words_changed=0.1)
    assert project.lesions.exists(run_id, LEFT, MadeOf("before", "before"), now)
    assert not project.lesions.exists(run_id, LEFT, MadeOf("after", "after"), now)
    a_lesion(project, run_id, sha="after", words_changed=0.2)
    assert [row.outcomes["words_changed"] for row in project.lesions.all()] == [0.2]


def test_lesions_of_runs_that_no_longer_count_are_left_out(project):
    old = a_run(project, seed=0)
    a_lesion(project, old)
    new = a_run(project, seed=1, words="all")
    assert project.lesions.all() == []
    a_lesion(project, new, words_changed=0.7)
    assert [row.run_id for row in project.lesions.all()] == [new]


def test_scores_go_with_their_lesion(project):
    made = a_lesion(project, a_run(project))
    project.lesions.put_scores("tuebingen", [(made, "nss", 1.5, 2.0), (made, "cc", float("nan"), 0.5)], "now")
    scores = project.lesions.scores("tuebingen")
    assert scores[made]["nss"] == (1.5, 2.0)
    assert np.isnan(scores[made]["cc"][0])
    assert project.lesions.scored("tuebingen", "now") == {made}
    assert project.lesions.scored("tuebingen", "later") == frozenset()
    project.db.execute("DELETE FROM runs")
    assert project.lesions.scores("tuebingen") == {}


def test_a_kill_right_after_a_mask_loses_nothing(project):
    code = (
        "import os, sys, numpy as np\n"
        "from gazeapp.engine.project import Project\n"
        "p = Project.open(sys.argv[1])\n"
        f"p.masks.put('ball', 1, np.full(({HEIGHT}, {WIDTH}), 9, np.uint8))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = project.path
    project.close()
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with Project.open(path) as opened:
        assert (opened.masks.get("ball", 1).values == 9).all()
        assert opened.integrity_problems() == []


def test_a_project_of_the_version_before_opens_as_it_was(project, tmp_path):
    from gazeapp.engine.project import schema

    path = tmp_path / "old.gaze"
    conn = sqlite3.connect(path)
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    for number, step in enumerate(schema.MIGRATIONS[:4], start=1):
        conn.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
    conn.execute(
        "INSERT INTO findings (analysis, metric, term, n_images, n_subjects, settings_id) VALUES "
        "('difference', 'nss', 'cnn-lstm', 3, 4, 1)"
    )
    conn.commit()
    conn.close()
    with Project.open(path) as opened:
        assert opened.masks.library() == []
        (row,) = opened.findings.findings()
        assert row.finding.lesion == ""
        assert row.finding.n_images == 3
