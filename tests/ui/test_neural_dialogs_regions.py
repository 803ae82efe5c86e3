"""The dialog of regions: atlases come and go, groups are changed in place, own regions are renamed and deleted."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gazeapp.engine.neural.records import N_HEMISPHERE
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.regions import atlas_for, put_own_region
from gazeapp.ui.dialogs.regions import RegionsDialog
from gazeapp.ui.dialogs.regions_import import ImportAtlasDialog


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch):
    """Keep the atlases of whoever runs the tests out of them."""
    for name in ("SUBJECTS_DIR", "FREESURFER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dialog(qtbot, study, lookups, monkeypatch):
    monkeypatch.setattr(RegionsDialog, "sure", lambda *_args: True)
    made = RegionsDialog(None, study.path, lookups)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.list.count() > 0)
    return made


def annot(folder):
    import nibabel as nib

    table = np.array([[0, 0, 0, 0, 0], [10, 20, 30, 0, 0], [40, 50, 60, 0, 0]])
    paths = [folder / f"{side}.mine.annot" for side in ("lh", "rh")]
    for path, end in zip(paths, (500, 520), strict=True):
        labels = np.zeros(N_HEMISPHERE, int)
        labels[:300], labels[300:end] = 1, 2
        nib.freesurfer.write_annot(str(path), labels, table, ["unknown", "first", "second"], fill_ctab=True)
    return paths


def names(dialog):
    return [dialog.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(dialog.list.count())]


def select(dialog, name):
    dialog.list.setCurrentRow(names(dialog).index(name))


def groups_of(dialog, name):
    with Project.open(dialog._path) as project:
        return dict(atlas_for(project, name).groups)


def settle(qtbot, dialog):
    qtbot.waitUntil(lambda: not dialog._unsaved and not dialog._jobs)


def tick(dialog, region, on=True):
    (item,) = dialog.groups.regions.findItems(region, Qt.MatchFlag.MatchExactly)
    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def ticked(dialog):
    items = (dialog.groups.regions.item(k) for k in range(dialog.groups.regions.count()))
    return {item.text() for item in items if item.checkState() == Qt.CheckState.Checked}


def test_the_default_atlas_is_there_with_its_limits_and_groups(dialog):
    assert names(dialog) == ["desikan", "own"]
    assert "there is no V1" in dialog.about.text()
    assert "FreeSurfer's labels" in dialog.about.text()
    assert dialog.groups.regions.count() == 34
    assert ticked(dialog) == {"pericalcarine", "lingual", "cuneus"}
    assert not dialog.remove.isEnabled()
    assert "always there" in dialog.remove.toolTip()


def test_groups_are_made_filled_renamed_and_deleted(qtbot, dialog):
    groups = dialog.groups
    before = groups_of(dialog, "desikan")
    groups.add.click()
    settle(qtbot, dialog)
    assert groups_of(dialog, "desikan") == before  # a group without regions is not stored
    tick(dialog, "fusiform")
    tick(dialog, "lingual")
    groups.list.currentItem().setText("my group")
    settle(qtbot, dialog)
    assert groups_of(dialog, "desikan") == before | {"my group": ("fusiform", "lingual")}
    assert dialog.has_changed
    for wrong, why in (("", "needs a name"), ("ventral", "already"), ("insula", "is a region")):
        groups.list.currentItem().setText(wrong)
        assert why in groups.note.text()
        assert groups.list.currentItem().text() == "my group"
    tick(dialog, "lingual", on=False)
    tick(dialog, "fusiform", on=False)
    assert "kept once it has" in groups.note.text()
    tick(dialog, "insula")
    settle(qtbot, dialog)
    assert groups_of(dialog, "desikan")["my group"] == ("insula",)
    groups.delete.click()
    settle(qtbot, dialog)
    assert groups_of(dialog, "desikan") == before
    groups.delete.click()
    settle(qtbot, dialog)
    assert len(groups_of(dialog, "desikan")) == len(before) - 1
    groups.preset.click()
    settle(qtbot, dialog)
    assert groups_of(dialog, "desikan") == before


def test_a_group_that_is_being_filled_stays_when_another_is_stored(qtbot, dialog):
    tick(dialog, "fusiform")
    dialog._save_groups()
    dialog.groups.add.click()
    settle(qtbot, dialog)
    assert dialog.groups.list.currentItem().text() == "new group"
    assert ticked(dialog) == set()
    select(dialog, "own")
    select(dialog, "desikan")
    assert not dialog.groups.list.findItems("new group", Qt.MatchFlag.MatchExactly)


def test_regions_are_found_by_a_part_of_their_name(dialog):
    dialog.groups.find.setText("OCCIP")
    listed = [dialog.groups.regions.item(k) for k in range(dialog.groups.regions.count())]
    assert [item.text() for item in listed if not item.isHidden()] == ["lateraloccipital"]


def test_what_was_changed_last_is_stored_when_the_dialog_closes(qtbot, dialog, lookups):
    tick(dialog, "fusiform")
    dialog.reject()
    qtbot.waitUntil(lambda: not lookups.busy)
    assert "fusiform" in groups_of(dialog, "desikan")["early visual"]


def test_an_atlas_that_was_found_is_imported_and_removed(qtbot, dialog, tmp_path, lookups, monkeypatch):
    annot(tmp_path)
    seen = {}

    def choose(importing):
        seen["empty"] = importing.accept_button.toolTip()
        importing._folders.append(tmp_path)
        importing._search()
        qtbot.waitUntil(lambda: importing.found.count() == 1)
        importing.found.setCurrentRow(0)
        qtbot.waitUntil(importing.accept_button.isEnabled)
        seen["says"] = importing.says.text()
        importing.name.setText("desikan")
        seen["reserved"] = importing.accept_button.toolTip()
        importing.name.setText("")
        return ImportAtlasDialog.DialogCode.Accepted

    monkeypatch.setattr(ImportAtlasDialog, "exec", choose)
    dialog.add.click()
    settle(qtbot, dialog)
    assert "from the list" in seen["empty"]
    assert seen["says"].startswith("2 regions from lh.mine.annot, rh.mine.annot.")
    assert "atlas of gazeapp" in " ".join(seen["reserved"].split())
    assert names(dialog) == ["desikan", "mine", "own"]
    assert dialog._name == "mine"
    assert not dialog.groups.preset.isEnabled()
    assert dialog.remove.isEnabled()
    dialog.remove.click()
    settle(qtbot, dialog)
    assert names(dialog) == ["desikan", "own"]


def test_a_name_that_is_taken_is_replaced_only_when_asked(qtbot, dialog, tmp_path, lookups):
    importing = ImportAtlasDialog(dialog, dialog._path, lookups, ["mine"], annot(tmp_path))
    qtbot.addWidget(importing)
    qtbot.waitUntil(importing.replace.isEnabled)
    assert "There is an atlas called “mine”" in " ".join(importing.accept_button.toolTip().split())
    importing.replace.setChecked(True)
    assert importing.accept_button.isEnabled()
    importing.replace.setChecked(False)
    importing.name.setText("other")
    assert importing.accept_button.isEnabled()
    assert not importing.replace.isEnabled()
    assert importing.choice()["name"] == "other"


def test_a_file_that_is_no_atlas_is_a_sentence(qtbot, dialog, tmp_path, lookups):
    wrong = tmp_path / "lh.wrong.annot"
    wrong.write_bytes(b"not one")
    importing = ImportAtlasDialog(dialog, dialog._path, lookups, [], [wrong])
    qtbot.addWidget(importing)
    qtbot.waitUntil(lambda: importing.accept_button.toolTip() not in ("", "Reading…"))
    assert not importing.accept_button.isEnabled()


def test_own_regions_are_renamed_and_deleted(qtbot, study, dialog):
    select(dialog, "own")
    assert "no region of your own yet" in dialog.own.says.text()
    with Project.open(study.path) as project:
        put_own_region(project, "my LOC", range(100, 160))
        put_own_region(project, "near V1", (5, N_HEMISPHERE + 5))
    dialog._look()
    settle(qtbot, dialog)
    assert dialog.own.says.text() == "my LOC: 60 vertices of fsaverage5."
    dialog.groups.add.click()
    tick(dialog, "my LOC")
    settle(qtbot, dialog)
    dialog.own.list.item(0).setText("LOC")
    settle(qtbot, dialog)
    assert [dialog.own.list.item(k).text() for k in range(2)] == ["LOC", "near V1"]
    assert groups_of(dialog, "own") == {"new group": ("LOC",)}
    dialog.own.list.item(0).setText("near V1")
    settle(qtbot, dialog)
    assert "“near V1” already" in dialog.trouble.text()
    assert [dialog.own.list.item(k).text() for k in range(2)] == ["LOC", "near V1"]
    dialog.own.list.setCurrentRow(0)
    dialog.own.delete.click()
    settle(qtbot, dialog)
    assert [dialog.own.list.item(k).text() for k in range(dialog.own.list.count())] == ["near V1"]
    with Project.open(study.path) as project:
        assert {region.id for region in atlas_for(project, "own").regions} == {
            "near V1 left",
            "near V1 right",
        }


def test_nothing_goes_without_being_asked(qtbot, study, lookups, monkeypatch):
    with Project.open(study.path) as project:
        put_own_region(project, "mine", (1, 2))
    asked = []
    monkeypatch.setattr(RegionsDialog, "sure", lambda _dialog, question, *_rest: asked.append(question))
    made = RegionsDialog(None, study.path, lookups)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.list.count() > 0)
    select(made, "own")
    made.own.delete.click()
    select(made, "desikan")
    made.groups.preset.click()
    assert asked == ["Delete your region “mine”?", "Go back to the preset groups?"]
    assert not made.has_changed


def test_the_window_reads_the_study_again_after_a_change(qtbot, open_window, monkeypatch):
    def change(dialog):
        qtbot.waitUntil(lambda: dialog.list.count() > 0)
        tick(dialog, "fusiform")
        dialog.reject()

    monkeypatch.setattr(RegionsDialog, "exec", change)
    with qtbot.waitSignal(open_window.session.refreshed):
        open_window.actions_["neural.regions"].trigger()
    with Project.open(open_window.session.path) as project:
        assert "fusiform" in atlas_for(project, "desikan").groups["early visual"]


def test_atlases_that_were_not_looked_for_any_more_are_not_said_to_be_none(qtbot, study, lookups, held):
    dialog = ImportAtlasDialog(None, study.path, lookups, [])
    qtbot.addWidget(dialog)
    lookups.cancel_all()
    assert dialog.searched.text() == "Looking for atlases on this computer…"


@pytest.mark.parametrize("name", ["~nobody-at-all/names.txt", "/tmp/" + "x" * 300, "/tmp/no such names.txt"])
def test_a_file_of_names_that_cannot_be_is_told(qtbot, study, lookups, tmp_path, name):
    dialog = ImportAtlasDialog(None, study.path, lookups, [], annot(tmp_path))
    qtbot.addWidget(dialog)
    qtbot.waitUntil(dialog.accept_button.isEnabled)
    dialog.names_file.line.setText(name)
    assert "no such file of names" in dialog.accept_button.toolTip()
    dialog.names_file.line.clear()
    qtbot.waitUntil(dialog.accept_button.isEnabled)


def test_the_page_on_which_regions_are_picked_is_named(dialog):
    assert "panel NEURAL, page Cortex" in dialog.own.says.text()
