"""Images are scored side by side, and the matrix products of each stay on its own thread."""

from __future__ import annotations

import numpy as np
import scipy.linalg  # noqa: F401 - brings a library of its own, which must not be loaded half way
from threadpoolctl import threadpool_info, threadpool_limits

from gazeapp.engine.project import Project
from gazeapp.engine.workflows import score as score_module
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.score import ScoreSettings, score


def blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_matrix_products_have_one_thread_while_images_are_scored(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    rows = ["image,subject,x,y,duration_ms"]
    with Project.create(tmp_path / "study.gaze") as project:
        for name in ("a.png", "b.png"):
            project.images.add(tmp_path / name, name, name, 24, 16, "photograph")
            rows += [
                f"{name},p{k % 3},{x:.1f},{y:.1f},200"
                for k, (x, y) in enumerate(rng.uniform(0, (24, 16), (9, 2)))
            ]
        (tmp_path / "gaze.csv").write_text("\n".join(rows))
        import_gaze(project, ImportGazeSettings((str(tmp_path / "gaze.csv"),), task="general"), SILENT)
        seen = []
        scored = score_module.score_image
        monkeypatch.setattr(
            score_module, "score_image", lambda *given: seen.append(blas_threads()) or scored(*given)
        )
        with threadpool_limits(2, "blas"):
            usual = blas_threads()
            score(project, ScoreSettings(sigma=3.0, metrics=("nss", "cc"), n_bootstrap=50), SILENT)
            assert blas_threads() == usual == {2}
    assert seen == [{1}, {1}]
