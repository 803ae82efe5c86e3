"""What a training says of itself in its folder: settings, history, how it stands, and whether it is asked to stop."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json

NOTES = "training"
SETTINGS, HISTORY, STATUS, STOP = "settings.json", "history.jsonl", "status.json", "stop"
_STATUS_EVERY_S = 2.0


class Records:
    """The notes of a training in the folder of its captioner.

    Parameters
    ----------
    folder
        Folder of the captioner.
    steps
        Steps of the training.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder = folder / NOTES
        self._steps = steps
        self._told_at = 0.0

    def begin(self, settings: TrainSettings, step: int) -> None:
        """Write the settings, and take up the history after ``step``; what came later is done again."""
        self._write_settings(settings)
        kept = [json.dumps(line) + "\n" for line in self.history() if step and line["step"] <= step]
        with replacing(self.folder / HISTORY) as partial:
            partial.write_text("".join(kept), "utf-8")
        self.status("running", step)

    def finished(self, settings: TrainSettings, step: int) -> None:
        """Say that the captioner is there, with the settings that made it."""
        self._write_settings(settings)
        self.status("finished", step)

    def history(self) -> list[Json]:
        """Return the lines of the history; one that was cut off is left out."""
        try:
            lines = (self.folder / HISTORY).read_text("utf-8").splitlines()
        except OSError:
            return []
        return [entry for line in lines if (entry := _entry(line))]

    def add(self, line: Json) -> None:
        """Add a line to the history.

        Raises
        ------
        GazeError
            When it cannot be written.
        """
        path = self.folder / HISTORY
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise GazeError(
                f"The history of the training cannot be written: {error.strerror or error}.",
                where=str(path),
                todo="Free some space, or mend the folder, and start it again to go on from its last checkpoint.",
            ) from error

    def status(self, state: str, step: int, message: str = "") -> None:
        """Say how the training stands: ``running``, ``stopped``, ``finished`` or ``failed``."""
        now = time.time()
        if state == "running" and now - self._told_at < _STATUS_EVERY_S and 0 < step < self._steps:
            return
        self._told_at = now
        told = {
            "state": state,
            "step": step,
            "steps": self._steps,
            "message": message,
            "pid": os.getpid(),
            "updated": now,
        }
        with replacing(self.folder / STATUS) as partial:
            partial.write_text(json.dumps(told) + "\n", "utf-8")

    def _write_settings(self, settings: TrainSettings) -> None:
        with replacing(self.folder / SETTINGS) as partial:
            partial.write_text(json.dumps(asdict(settings), indent=1) + "\n", "utf-8")

    @property
    def asked_to_stop(self) -> bool:
        """Whether somebody put the file ``stop`` there."""
        return (self.folder / STOP).exists()

    def stopped(self, step: int, message: str) -> None:
        """Say that the training was stopped, as it was asked to."""
        self.forget_stop()
        self.status("stopped", step, message)

    def forget_stop(self) -> None:
        """Take the file ``stop`` away, once it is obeyed."""
        (self.folder / STOP).unlink(missing_ok=True)


def _entry(line: str) -> Json:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) and isinstance(entry.get("step"), int) else {}
