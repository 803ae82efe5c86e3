"""Atlases are found where they usually lie, and nothing else is taken for one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gazeapp.engine.neural.regions import discover as module
from gazeapp.engine.neural.regions.discover import FoundAtlas, discover

FSAVERAGE = (
    *(
        "lh.aparc.annot",
        "rh.aparc.annot",
        "lh.aparc.a2009s.annot",
        "rh.aparc.a2009s.annot",
        "lh.HCPMMP1.annot",
    ),
    *("lh.wang15_mplbl.mgz", "rh.wang15_mplbl.mgz", "lh.streams.mgz", "rh.streams.mgz", "streams.mgz.ctab"),
    *("lh.V1_exvivo.label", "lh.MT_exvivo.label", "rh.V1_exvivo.thresh.label", "lh.cortex.label"),
    *("lh.thickness.mgz", "lh.wang15_fplbl.mgz", "notes_fsa5.csv", ".hidden.annot"),
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch):
    for name in ("SUBJECTS_DIR", "FREESURFER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "package_folder", lambda name: None)


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    for subject, names in (("fsaverage", FSAVERAGE), ("fsaverage5", FSAVERAGE[:2]), ("bert", FSAVERAGE[:2])):
        folder = tmp_path / "subjects" / subject / "label"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
    return tmp_path / "subjects"


def by_name(found: list[FoundAtlas]) -> dict[str, FoundAtlas]:
    named = {one.name: one for one in found}
    assert len(named) == len(found)
    return named


def test_freesurfers_folder(subjects: Path):
    found = by_name(discover(subjects))
    assert set(found) == {
        *("aparc", "aparc.a2009s", "HCPMMP1", "wang15_mplbl", "streams", "exvivo", "exvivo.thresh"),
    }
    # Of two resolutions, the one that needs no thinning.
    assert found["aparc"].place == "FreeSurfer, fsaverage5"
    assert found["aparc.a2009s"].place == "FreeSurfer, fsaverage"
    assert [path.name for path in found["aparc"].paths] == ["lh.aparc.annot", "rh.aparc.annot"]
    assert (found["aparc"].hemispheres, found["HCPMMP1"].hemispheres) == ("both", "left")
    assert [path.name for path in found["exvivo"].paths] == ["lh.MT_exvivo.label", "lh.V1_exvivo.label"]
    assert found["wang15_mplbl"].title.startswith("Wang 2015")
    assert found["aparc.a2009s"].title.startswith("Destrieux")


def test_the_environment_names_the_folder(subjects: Path, monkeypatch: pytest.MonkeyPatch):
    assert discover() == []
    monkeypatch.setenv("FREESURFER_HOME", str(subjects.parent))
    assert len(discover()) == 7
    monkeypatch.setenv("SUBJECTS_DIR", str(subjects / "nowhere"))
    assert discover() == []


def test_neuropythys_data_are_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "neuropythy"
    folder = package / "lib" / "data" / "fsaverage" / "surf"
    folder.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    for letter in ("lh", "rh"):
        for name in ("wang15_mplbl.v1_0", "wang15_fplbl.v1_0", "benson14_varea.v4_0", "benson14_angle.v4_0"):
            (folder / f"{letter}.{name}.mgz").touch()
    monkeypatch.undo()
    monkeypatch.setenv("SUBJECTS_DIR", str(tmp_path / "none"))
    monkeypatch.syspath_prepend(tmp_path)
    assert [(one.name, one.place) for one in discover()] == [
        ("benson14_varea", "neuropythy"),
        ("wang15_mplbl", "neuropythy"),
    ]
    assert "neuropythy" not in sys.modules


def test_a_folder_of_the_user_and_those_below(tmp_path: Path):
    folder = tmp_path / "atlases"
    (folder / "faces").mkdir(parents=True)
    (folder / "deep" / "deeper").mkdir(parents=True)
    for name in (
        "schaefer_400_fsa5.csv",
        "scores.csv",
        "mine.regions.json",
        "other.json",
        "glasser.L.label.gii",
    ):
        (folder / name).touch()
    for name in ("lh.FFA.label", "rh.FFA.label", "lh.OFA.label"):
        (folder / "faces" / name).touch()
    (folder / "deep" / "deeper" / "lh.x.annot").touch()
    found = by_name(discover(None, [folder]))
    assert set(found) == {"schaefer_400_fsa5", "mine", "glasser", "faces"}
    assert found["schaefer_400_fsa5"].hemispheres == "both"
    assert [path.name for path in found["faces"].paths] == ["lh.FFA.label", "lh.OFA.label", "rh.FFA.label"]
    assert discover(None, [tmp_path / "nowhere"]) == []
