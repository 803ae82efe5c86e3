"""Atlases in a project: built in, brought in, grouped, picked, written out and read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import BOTH, Atlas
from gazeapp.engine.neural.regions.built_in import built_in_atlas
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.regions import (
    ExportRegionsSettings,
    GroupRegionsSettings,
    ImportRegionsSettings,
    RemoveRegionsSettings,
    all_atlases,
    atlas_for,
    export_atlas,
    group_regions,
    import_atlas,
    put_own_region,
    region_list,
    remove_atlas,
    remove_own_region,
    set_groups,
)
from tests.engine.neural.regions.made_up_files import annot, numbers

NAMES = ["unknown", "V1", "V2", "V3", "V4", "FFC"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "study.gaze") as created:
        yield created


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """An atlas of HCP-MMP's spelling with five regions."""
    for letter in ("lh", "rh"):
        names = ["???", *(f"{letter[0].upper()}_{name}_ROI" for name in NAMES[1:])]
        annot(tmp_path / f"{letter}.visual.annot", numbers(letter), names)
    return str(tmp_path / "lh.visual.annot"), str(tmp_path / "rh.visual.annot")


def held(atlas: Atlas) -> object:
    return (
        *(atlas.name, atlas.source, atlas.limits, dict(atlas.groups)),
        [(region.name, region.hemisphere, region.vertices.tolist()) for region in atlas.regions],
    )


def take(project: Project, files: tuple[str, ...], **options: object) -> str:
    summary = import_atlas(project, ImportRegionsSettings(files, **options), SILENT)
    assert (summary.done, summary.failed) == (1, 0)
    return str(summary.details["atlas"])


def test_the_default_atlas_is_there_from_the_start(project: Project):
    assert [row.name for row in all_atlases(project)] == ["desikan"]
    assert all_atlases(project)[0].n_regions == 68
    assert held(atlas_for(project, "desikan")) == held(built_in_atlas("desikan"))
    with pytest.raises(GazeError, match="There is no atlas “wang”"):
        atlas_for(project, "wang")


def test_an_atlas_is_brought_in_once(project: Project, files: tuple[str, str]):
    summary = import_atlas(project, ImportRegionsSettings(files), SILENT)
    assert (summary.done, summary.skipped, summary.failed) == (1, 0, 0)
    assert (summary.details["atlas"], summary.details["regions"]) == ("visual", 10)
    atlas = atlas_for(project, "visual")
    for region in atlas.regions:
        letter, shift = ("lh", 0) if region.hemisphere == "left" else ("rh", 10_242)
        expected = np.flatnonzero(numbers(letter) == NAMES.index(region.name)) + shift
        np.testing.assert_array_equal(region.vertices, expected)
    again = import_atlas(project, ImportRegionsSettings(files), SILENT)
    assert (again.done, again.skipped) == (0, 1)
    assert [row.name for row in all_atlases(project)] == ["desikan", "visual"]


def test_another_atlas_takes_no_name_unasked(project: Project, files: tuple[str, str], tmp_path: Path):
    take(project, files)
    other = tuple(
        str(annot(tmp_path / "other" / f"{letter}.visual.annot", numbers(letter, n_regions=3), NAMES[:4]))
        for letter in ("lh", "rh")
    )
    with pytest.raises(GazeError, match="holds another atlas called “visual”"):
        import_atlas(project, ImportRegionsSettings(other), SILENT)
    take(project, other, name="small")
    take(project, other, replace=True)
    assert len(atlas_for(project, "visual").regions) == 6
    for name in ("desikan", "own"):
        with pytest.raises(GazeError, match="that of an atlas of gazeapp"):
            import_atlas(project, ImportRegionsSettings(other, name=name, replace=True), SILENT)


def test_files_that_do_not_fit_change_nothing(project: Project, tmp_path: Path):
    (tmp_path / "lh.x.csv").write_text("1\n" * 32_492)
    with pytest.raises(GazeError, match="fs_LR"):
        import_atlas(project, ImportRegionsSettings((str(tmp_path / "lh.x.csv"),)), SILENT)
    assert project.atlases.all() == []


def test_regions_as_they_are_scored(project: Project, files: tuple[str, str]):
    take(project, files)
    set_groups(project, "visual", {"early": ["V1", "V2"], "late": ["FFC"]})
    atlas = atlas_for(project, "visual")
    joined = region_list(atlas)
    assert [(region.id, group) for region, group in joined] == [
        *((name, False) for name in NAMES[1:]),
        *(("early", True), ("late", True)),
    ]
    parts = {
        region.id: set(region.vertices.tolist()) for region, _ in region_list(atlas, "separate", groups=False)
    }
    assert set(parts) == {f"{name} {side}" for name in NAMES[1:] for side in ("left", "right")}
    whole = {region.id: set(region.vertices.tolist()) for region, _ in joined}
    assert all(region.hemisphere == BOTH for region, _ in joined)
    assert whole["V1"] == parts["V1 left"] | parts["V1 right"]
    assert whole["early"] == whole["V1"] | whole["V2"]
    # A group whose regions are gone is left out.
    project.atlases.set_groups("visual", {"gone": ["x"]})
    assert not any(group for _, group in region_list(atlas_for(project, "visual")))


def test_an_atlas_leaves_and_comes_back_as_it_was(project: Project, files: tuple[str, str], tmp_path: Path):
    take(project, files)
    set_groups(project, "visual", {"“early”": ["V1", "V2"]})
    put_own_region(project, "Région 1", [4, 2, 20_000])
    for name in ("visual", "own", "desikan"):
        file = str(tmp_path / "out" / f"{name}.regions.json")
        assert export_atlas(project, ExportRegionsSettings(name, file), SILENT).done == 1
        with Project.create(tmp_path / f"{name}.gaze") as other:
            new_name = "copy" if name == "desikan" else ""
            taken = take(other, (file,), name=new_name)
            assert held(atlas_for(other, taken))[1:] == held(atlas_for(project, name))[1:]
            assert taken == (new_name or name)
        with pytest.raises(GazeError, match="file of that name already"):
            export_atlas(project, ExportRegionsSettings(name, file), SILENT)
        assert export_atlas(project, ExportRegionsSettings(name, file, replace=True), SILENT).done == 1
    with pytest.raises(GazeError, match=r"written as a \.json file"):
        export_atlas(project, ExportRegionsSettings("visual", str(tmp_path / "x.annot")), SILENT)


def test_a_file_of_gazeapp_that_was_changed_badly_is_refused(project: Project, tmp_path: Path):
    file = tmp_path / "own.regions.json"
    put_own_region(project, "a", [1])
    export_atlas(project, ExportRegionsSettings("own", str(file)), SILENT)
    text = file.read_text()
    for before, after in (
        ('"vertices": [1]', '"vertices": [10242]'),
        ('"vertices": [1]', '"vertices": []'),
        ('"vertices": [1]', '"vertices": ["x"]'),
        ('"hemisphere": "left"', '"hemisphere": "middle"'),
        ('"groups": {}', '"groups": []'),
        ("gazeapp-regions-1", "another"),
    ):
        assert before in text
        file.write_text(text.replace(before, after))
        with pytest.raises(GazeError, match=r"own\.regions\.json"):
            import_atlas(project, ImportRegionsSettings((str(file),), name="b"), SILENT)
    file.write_text(text.replace('"groups": {}', '"groups": {"g": ["strange"]}'))
    with pytest.raises(GazeError, match="no region “strange”"):
        import_atlas(project, ImportRegionsSettings((str(file),), name="b"), SILENT)


def test_groups_of_the_default_atlas_are_changed_and_come_back(project: Project):
    before = atlas_for(project, "desikan")
    summary = group_regions(
        project, GroupRegionsSettings("desikan", "motor", ("precentral", "paracentral")), SILENT
    )
    assert summary.details["groups"]["motor"] == ["precentral", "paracentral"]
    changed = atlas_for(project, "desikan")
    assert dict(changed.groups) == {**before.groups, "motor": ("precentral", "paracentral")}
    assert [row.name for row in all_atlases(project)] == ["desikan"]
    assert "motor" in all_atlases(project)[0].groups
    group_regions(project, GroupRegionsSettings("desikan", "motor"), SILENT)
    assert dict(atlas_for(project, "desikan").groups) == dict(before.groups)
    group_regions(project, GroupRegionsSettings("desikan", "ventral", ("fusiform",)), SILENT)
    group_regions(project, GroupRegionsSettings("desikan", presets=True), SILENT)
    assert dict(atlas_for(project, "desikan").groups) == dict(before.groups)
    remove_atlas(project, RemoveRegionsSettings("desikan"), SILENT)
    assert held(atlas_for(project, "desikan")) == held(before)
    with pytest.raises(GazeError, match="always there"):
        remove_atlas(project, RemoveRegionsSettings("desikan"), SILENT)


def test_groups_that_cannot_be_made(project: Project, files: tuple[str, str]):
    take(project, files)
    for settings, said in (
        (GroupRegionsSettings("visual", "x"), "has no group “x”"),
        (GroupRegionsSettings("visual", "x", ("V9",)), "has no region “V9”"),
        (GroupRegionsSettings("visual", presets=True), "No groups are known"),
        (GroupRegionsSettings("nothing", "x", ("V1",)), "There is no atlas"),
    ):
        with pytest.raises(GazeError, match=said):
            group_regions(project, settings, SILENT)
    assert dict(atlas_for(project, "visual").groups) == {}


def test_picked_regions_are_an_atlas(project: Project):
    put_own_region(project, "LOC", [5, 3, 10_242])
    put_own_region(project, "patch", [7])
    atlas = put_own_region(project, "LOC", [9], "add")
    assert held(atlas) == held(atlas_for(project, "own"))
    assert [(region.id, region.vertices.tolist()) for region in atlas.regions] == [
        *(("LOC left", [3, 5, 9]), ("LOC right", [10_242]), ("patch left", [7])),
    ]
    put_own_region(project, "LOC", [10_242], "subtract")
    remove_own_region(project, "patch")
    assert [region.id for region in atlas_for(project, "own").regions] == ["LOC left"]
    with pytest.raises(GazeError, match="No region called “patch”"):
        remove_own_region(project, "patch")
    summary = remove_atlas(project, RemoveRegionsSettings("own", "LOC"), SILENT)
    assert (summary.done, summary.failed) == (1, 0)
    # Without a region there is no atlas.
    assert [row.name for row in all_atlases(project)] == ["desikan"]


def test_what_cannot_be_removed(project: Project, files: tuple[str, str]):
    take(project, files)
    with pytest.raises(GazeError, match="Single regions are taken out of the atlas “own” alone"):
        remove_atlas(project, RemoveRegionsSettings("visual", "V1"), SILENT)
    with pytest.raises(GazeError, match="no atlas called “nothing”"):
        remove_atlas(project, RemoveRegionsSettings("nothing"), SILENT)
    with pytest.raises(GazeError, match="No region called “V1” was picked"):
        remove_atlas(project, RemoveRegionsSettings("own", "V1"), SILENT)
    assert remove_atlas(project, RemoveRegionsSettings("visual"), SILENT).done == 1
    assert [row.name for row in all_atlases(project)] == ["desikan"]
