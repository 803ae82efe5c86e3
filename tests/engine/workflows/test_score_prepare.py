"""Maps become densities by what each model's own images teach, however few of all images they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.project import Project
from gazeapp.engine.scoring.densities import conversion
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.score import ScoreSettings, score

N_IMAGES = 12
SETTINGS = ScoreSettings(metrics=("ig", "ll"), n_bootstrap=20, n_splits=5, seed=4)


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "set").mkdir()
    rng = np.random.default_rng(8)
    lines = ["image,subject,x,y"]
    for k in range(N_IMAGES):
        Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).save(tmp_path / "set" / f"i{k:02d}.png")
        for person in range(3):
            lines += [
                f"i{k:02d}.png,p{person},{x:.1f},{y:.1f}" for x, y in rng.uniform((2, 2), (38, 28), (4, 2))
            ]
    (tmp_path / "gaze.csv").write_text("\n".join(lines) + "\n")
    with Project.create(tmp_path / "study.gaze") as made:
        add_images(made, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        settings = ImportGazeSettings(
            (str(tmp_path / "gaze.csv"),), task="free", choices=GazeChoices(sigma=4.0)
        )
        import_gaze(made, settings, SILENT)
        yield made


def give_maps(project: Project, folder: Path, model: str, names: list[str]) -> None:
    (folder / model).mkdir()
    for name in names:
        values = np.random.default_rng([len(model), *name.encode()]).random((6, 8))
        np.save(folder / model / f"{name.removesuffix('.png')}.npy", values)
    import_maps(project, ImportMapsSettings(str(folder / model), model, ("free",)), SILENT)


def values(project: Project, source: str) -> dict[tuple[int, str], float]:
    return {
        (row.image_id, row.metric): row.value
        for row in project.scores.all()
        if row.source == source and row.value is not None
    }


def test_a_model_of_few_images_learns_on_its_own(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Of 12 images conversions see 3; a model has maps of the two that are drawn last."""
    monkeypatch.setattr(conversion, "MAX_IMAGES", 3)
    names = {image.id: image.name for image in project.images.all()}
    drawn = conversion.in_order(names, SETTINGS.seed)
    give_maps(project, tmp_path, "wide", list(names.values()))
    score(project, SETTINGS, SILENT)
    alone = {source: values(project, source) for source in ("wide", "other_image", "random")}
    assert all(len(found) == 2 * N_IMAGES for found in alone.values())
    give_maps(project, tmp_path, "few", [names[image_id] for image_id in drawn[-2:]])
    done = score(project, SETTINGS, SILENT)
    assert {image_id for image_id, _ in values(project, "few")} == set(drawn[-2:])
    assert not [problem.what for problem in done.problems if "information gain" in problem.what]
    assert {source: values(project, source) for source in alone} == alone


def test_a_model_of_one_image_has_no_density_and_is_named(project: Project, tmp_path: Path):
    names = [image.name for image in project.images.all()]
    give_maps(project, tmp_path, "wide", names)
    give_maps(project, tmp_path, "lone", names[:1])
    done = score(project, SETTINGS, SILENT)
    assert values(project, "lone") == {}
    assert [problem.what for problem in done.problems if "lone" in problem.what] == [
        "There is no information gain and no log-likelihood of lone: how a map becomes a density is learnt on other "
        "images, and there are fewer than 2 with a map and fixations."
    ]
