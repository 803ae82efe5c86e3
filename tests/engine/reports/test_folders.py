"""Where the files of a study lie on its owner's machine is in nothing that goes to others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.report import ReportSettings, report


def test_problems_name_files_without_their_folders(study: Callable[..., Path], tmp_path: Path) -> None:
    path = study(n_images=2, tasks=("free",))
    lost = tmp_path / "images" / "scene-002.png"
    lost.write_bytes(b"rubbish")
    with Project.open(path) as project:
        for where in (str(tmp_path / "S01.asc"), "C:\\Users\\someone\\S02.asc", "free · scene-001.png"):
            project.problems.add("import gaze", where, "The recording stops in a trial.")
        (tmp_path / "maps").mkdir()
        (tmp_path / "maps" / "scene-001.png").write_bytes(b"no picture")
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "Own", "free"), SILENT)
        # The pictures that cannot be read are problems of the first export, which the second one lists.
        for _ in range(2):
            export(project, ExportSettings(str(tmp_path / "tables")), SILENT)
        report(project, ReportSettings(str(tmp_path / "report.html")), SILENT)
    written = [
        *(file for file in (tmp_path / "tables").rglob("*") if file.is_file()),
        tmp_path / "report.html",
    ]
    for folder in (str(tmp_path), "someone"):
        assert not [file.name for file in written if folder.encode() in file.read_bytes()]
    told = (tmp_path / "tables" / "problems.csv").read_text(encoding="utf-8")
    for name in ("S01.asc", "S02.asc", "free · scene-001.png", "scene-002.png"):
        assert name in told
