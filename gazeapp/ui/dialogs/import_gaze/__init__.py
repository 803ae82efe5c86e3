"""Import gaze: what was found in the files, what is wrong with it, and how to put that right."""

from __future__ import annotations

from gazeapp.ui.dialogs.import_gaze.dialog import ImportGazeDialog

__all__ = ["ImportGazeDialog"]
