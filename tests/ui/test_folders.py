"""Dialogs for files begin where the last file of their kind was."""

import os
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from gazeapp.ui.dialogs.form import why_not_writable
from gazeapp.ui.dialogs.new_project import NewProjectDialog
from gazeapp.ui.dialogs.output import ExportDialog
from gazeapp.ui.folders import (
    GAZE,
    PROJECTS,
    ask_for_files,
    last_folder,
    remember_folder,
    there_is,
    typed_path,
    why_no_folder,
    why_no_path,
)
from gazeapp.ui.widgets import plain


def test_a_folder_is_remembered_for_its_kind_of_files(tmp_path, monkeypatch):
    began = []
    files = [str(tmp_path / "lab" / "a.asc")]
    (tmp_path / "lab").mkdir()

    def answer(_parent, _caption, start, _pattern):
        began.append(start)
        return files, ""

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", answer)
    for _ in range(2):
        ask_for_files(None, "Import gaze", GAZE, "*", tmp_path)
    assert began == [str(tmp_path), str(tmp_path / "lab")]
    assert last_folder(PROJECTS, tmp_path) == tmp_path
    files.clear()
    assert ask_for_files(None, "Import gaze", GAZE, "*") == []
    assert last_folder(GAZE) == tmp_path / "lab"
    remember_folder(GAZE, tmp_path / "gone")
    assert last_folder(GAZE, tmp_path) == tmp_path


def test_tooltips_are_wrapped_and_keep_their_lines():
    text = plain("one\n" + "many words " * 12)
    assert text.startswith("one\nmany words")
    assert max(map(len, text.splitlines())) <= 60


def test_a_path_that_was_typed_is_taken_or_told(tmp_path):
    assert typed_path("  ") is None
    assert typed_path(" ~ ") == Path.home()
    assert typed_path(f" {tmp_path} ") == tmp_path
    nobody, too_long = typed_path("~nobody-at-all/x"), tmp_path / ("x" * 300)
    assert there_is(tmp_path)
    assert not any(there_is(path) for path in (nobody, too_long, tmp_path / "x"))
    assert why_no_path(nobody) == "There is no home folder “~nobody-at-all”."
    assert why_no_path(too_long) == "That name is too long."
    assert why_no_path(tmp_path) == why_no_path(tmp_path / "new" / "x") == ""
    assert why_not_writable(too_long.with_suffix(".html"), ".html") == "That name is too long."


def test_where_no_folder_can_be_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    assert why_no_folder(tmp_path / "new" / "deep") == why_no_folder(tmp_path) == ""
    assert why_no_folder(tmp_path / "file") == "That is a file; name a folder."
    below = why_no_folder(tmp_path / "file" / "new" / "x")
    assert below == f"“{tmp_path / 'file'}” is no folder, so nothing can be in it."
    assert "whole disk" in why_no_folder(Path(tmp_path.anchor))
    assert why_no_folder(tmp_path / ("x" * 300)) == "That name is too long."


@pytest.mark.skipif(os.name != "posix", reason="these are no places of this system")
@pytest.mark.parametrize(
    ("path", "says"),
    [("/dev/null", "no folder"), ("/dev/null/x", "no folder"), ("/proc/x", "Nothing can be written")],
)
def test_devices_and_folders_of_the_system_are_no_places_for_files(path, says):
    if not Path(path).parts[1].startswith("proc") or Path("/proc").is_dir():
        assert says in why_no_folder(Path(path))


@pytest.mark.parametrize("text", ["~nobody-at-all/x", "/tmp/" + "x" * 300])
def test_no_dialog_breaks_on_a_path_that_cannot_be(qtbot, tmp_path, text):
    export, new = ExportDialog(None, tmp_path / "s.gaze"), NewProjectDialog(None)
    for dialog, fields in ((export, (export._place,)), (new, (new._place, new._images))):
        qtbot.addWidget(dialog)
        for field in fields:
            field.line.setText(text)
            assert not dialog.accept_button.isEnabled()
            assert field.path == Path(text)
