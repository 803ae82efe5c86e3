"""The files of an import: how each is read, what was found in it, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.gaze.cautions import counted
from gazeapp.engine.gaze.formats import FORMATS
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings
from gazeapp.engine.workflows.gaze_preview import Preview, is_there_already

READING, BAD, CAUTION, GOOD = "reading", "bad", "caution", "good"

_SETTINGS = {
    "format": "the format",
    "rules": "the messages that make trials",
    "profile": "the columns",
    "match": "which images names mean",
    "geometry": "screen and distance",
    "detect": "how fixations are found",
    "detection": "how fixations are found",
}
"""Field of the settings of a file -> what the user says there."""


@dataclass
class Entry:
    """A file that is to be imported.

    Parameters
    ----------
    file
        Its path as text, as the import takes it.
    settings
        How it is to be read.
    preview
        What was found in it; that of earlier settings while it is read again.
    is_fresh
        Whether the preview is of the present settings.
    share_read
        How far it was read, 0 to 1.
    """

    file: str
    settings: FileSettings = field(default_factory=FileSettings)
    preview: Preview | None = None
    is_fresh: bool = False
    share_read: float = 0.0
    _there: tuple[object, bool] = (None, False)

    @property
    def name(self) -> str:
        """File name."""
        return Path(self.file).name

    @property
    def state(self) -> str:
        """``reading``, ``bad`` (cannot be imported), ``caution`` or ``good``."""
        preview = self.preview
        if preview is None or not self.is_fresh:
            return READING
        if preview.error is not None or preview.plan is None:
            return BAD
        return CAUTION if preview.plan.cautions or not self.fixations else GOOD

    @property
    def can_be_imported(self) -> bool:
        """Whether nothing stands against it; choices that leave all out do not, as they can be changed later."""
        return self.state in (CAUTION, GOOD)

    def is_there(self, task: str, simulated: bool) -> bool:
        """Return whether an import would pass it over, as the project holds the same already."""
        if self.preview is None or not self.preview.imports:
            return False
        key = self.preview.imports, self.settings, task, simulated
        if self._there[0] != key:
            settings = ImportGazeSettings((self.file,), task, self.settings, simulated=simulated)
            self._there = key, is_there_already(self.preview, settings)
        return self._there[1]

    @property
    def format(self) -> str:
        """Id of the format that it was read as, or most likely is; empty when none is known."""
        preview = self.preview
        if preview is None:
            return ""
        if preview.plan is not None:
            return preview.plan.recording.format
        return preview.guesses[0].id if preview.guesses else ""

    @property
    def fixations(self) -> int:
        """Fixations that an import would use or keep for their image."""
        return int(self.preview.facts["fixations"]) if self.preview and self.preview.facts else 0

    def format_in_words(self) -> str:
        """Return the format and how sure it is."""
        preview = self.preview
        if preview is None or not self.format:
            return ""
        sure = preview.plan.recording.confidence if preview.plan else preview.guesses[0].confidence
        chosen = preview.settings.format != "auto"
        return f"{'chosen:' if chosen else f'{sure:.0%}'} {FORMATS[self.format].name}"

    def counts_in_words(self) -> str:
        """Return what was found, in a line."""
        preview = self.preview
        if self.state == READING:
            return f"reading, {self.share_read:.0%}" if 0 < self.share_read < 1 else "waiting to be read"
        if preview is None or preview.read is None:
            return "cannot be read"
        if preview.plan is None:
            return "cannot be imported yet"
        facts, problems = preview.facts, len(preview.plan.cautions)
        parts = [counted(facts["trials"], "trial"), counted(facts["fixations"], "fixation")]
        if not facts["fixations"]:
            parts[1] = f"0 of {sum(trial.n_recorded for trial in preview.plan.trials):,} in use"
        if preview.error is not None:
            parts = ["cannot be imported yet"]
        elif problems:
            parts.append(counted(problems, "caution"))
        return " · ".join(parts)


def edits_in_words(entries: Sequence[Entry]) -> str:
    """Return what the user has said of files, such as ``the columns, screen and distance (2 files)``."""
    plain, edited = FileSettings(), [entry for entry in entries if entry.settings != FileSettings()]
    said = dict.fromkeys(
        words
        for field_name, words in _SETTINGS.items()
        if any(getattr(entry.settings, field_name) != getattr(plain, field_name) for entry in edited)
    )
    if not edited:
        return ""
    return f"{', '.join(said)} ({edited[0].name if len(edited) == 1 else counted(len(edited), 'file')})"


def same_content(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return the names of files that are copies: the first, and the one that holds the same."""
    first: dict[str, Entry] = {}
    copies = []
    for entry in entries:
        if entry.preview is not None and entry.preview.read is not None:
            original = first.setdefault(entry.preview.read.sha256, entry)
            if original is not entry:
                copies.append((original.name, entry.name))
    return copies
