"""Dialogs for files begin where the last file of their kind was."""

from PySide6.QtWidgets import QFileDialog

from gazeapp.ui.folders import GAZE, PROJECTS, ask_for_files, last_folder, remember_folder
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
