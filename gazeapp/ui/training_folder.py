"""What a training writes into its folder, read bit by bit while it runs, here or on another computer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.types import DoubleArray

NOTES = "training"
"""Folder of a captioner that holds what its training says of itself."""

STOP, ERRORS, DESIGN = "stop", "errors.txt", "FACTORIAL.md"
RUNNING, STOPPING, STOPPED, FINISHED, FAILED, SILENT, WAITING = (
    "running",
    "stopping",
    "stopped",
    "finished",
    "failed",
    "silent",
    "waiting",
)
QUIET_S = 120.0
"""Seconds without a word after which a training whose process is not on this computer counts as silent."""

_START_S = 3.0
_TAIL = 4000
_CLOCKS_DIFFER_S = 5.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on validation pictures after a step; ``measures`` such as ``cider`` by name."""

    step: int
    measures: Mapping[str, float]
    best: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Loss, learning rate and seconds since the start by step; arrays of one length, never written to."""

    steps: DoubleArray
    losses: DoubleArray
    rates: DoubleArray
    seconds: DoubleArray

    @classmethod
    def of(cls, rows: list[tuple[float, float, float, float]]) -> Curve:
        """Return the curve of rows (step, loss, rate, seconds)."""
        table = np.array(rows, np.float64).reshape(-1, 4).T.copy()
        table.flags.writeable = False
        return cls(*table)


@dataclass(frozen=True, slots=True)
class Training:
    """One training as it stands.

    ``state`` is one of this module's, ``updated`` the time of its last word, s, and ``design`` the page that compares
    it with the others of its factorial design.
    """

    folder: Path
    name: str
    state: str
    step: int = 0
    steps: int = 0
    message: str = ""
    pid: int = 0
    updated: float = 0.0
    was_here: bool = False
    curve: Curve = field(default_factory=lambda: Curve.of([]))
    evaluations: tuple[Evaluation, ...] = ()
    errors: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_weights: bool = False
    has_card: bool = False
    design: Path | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is at work, as far as can be told."""
        return self.state in (RUNNING, STOPPING)

    @property
    def can_go_on(self) -> bool:
        """Whether it ended with steps left."""
        return self.state in (STOPPED, FAILED, SILENT)


class TrainingReader:
    """Reads one training's folder; `read` looks only at what is new.

    Parameters
    ----------
    folder
        Folder of the captioner that is trained.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._notes = folder / NOTES
        self._rows: list[tuple[float, float, float, float]] = []
        self._evaluations: list[Evaluation] = []
        self._curve = Curve.of([])
        self._offset, self._file = 0, (0, 0)
        self._json: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
        self._was_here = False

    def read(self, pid: int = 0, since: float = 0.0, root: Path | None = None) -> Training:
        """Return how the training stands.

        Parameters
        ----------
        pid, since
            Process that this window started for it, and when; 0 for none. It counts until it writes for itself.
        root
            Folder of the trainings that one process does one after another, where that process tells its troubles.
        """
        new = self._read_history()
        if new:
            self._curve = Curve.of(self._rows)
        status, settings = self._read_json("status.json"), self._read_json("settings.json")
        updated = max(_time(status.get("updated")), self._modified("history.jsonl"))
        state = str(status.get("state", ""))
        pid_told = _whole(status.get("pid"))
        if since > updated:
            # The process that was started just now has not said anything; the words of the one before are old.
            state, pid_told, updated = RUNNING, pid, since
        alive = is_alive(pid_told, updated)
        self._was_here = self._was_here or alive or (pid > 0 and pid == pid_told)
        last = int(self._rows[-1][0]) if self._rows else 0
        return Training(
            folder=self.folder,
            name=_name(settings, self.folder),
            state=self._judge(state, alive, updated),
            step=max(_whole(status.get("step")), last)
            if state in (RUNNING, "")
            else _whole(status.get("step")),
            steps=_whole(status.get("steps")) or _whole(settings.get("steps")),
            message=str(status.get("message", "")) if since <= updated else "",
            pid=pid_told,
            updated=updated,
            was_here=self._was_here,
            curve=self._curve,
            evaluations=tuple(self._evaluations),
            errors=_tail((root or self.folder) / NOTES / ERRORS),
            settings=settings,
            has_weights=(self.folder / "weights.safetensors").is_file(),
            has_card=(self.folder / "MODEL_CARD.md").is_file(),
            design=_design(self.folder, root),
        )

    def _judge(self, state: str, alive: bool, updated: float) -> str:
        if state in (STOPPED, FINISHED, FAILED):
            return state
        if not state and not self._rows and not updated:
            return WAITING
        quiet = time.time() - updated
        if alive or quiet < (_START_S if self._was_here else QUIET_S):
            return STOPPING if (self._notes / STOP).exists() else RUNNING
        return SILENT

    def _read_history(self) -> bool:
        """Take the lines that are new; begin anew when the file is another one, or shorter than before."""
        path = self._notes / "history.jsonl"
        try:
            facts = path.stat()
            identity = (facts.st_dev, facts.st_ino)
            if identity != self._file or facts.st_size < self._offset:
                self._file, self._offset = identity, 0
                self._rows, self._evaluations = [], []
            elif facts.st_size == self._offset:
                return False
            with path.open("rb") as file:
                file.seek(self._offset)
                block = file.read()
        except OSError:
            return False
        whole = block[: block.rfind(b"\n") + 1]  # the last line may be half written
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return True

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            step = int(entry["step"])
        except (ValueError, TypeError, KeyError):
            return
        loss, rate = _number(entry.get("loss")), _number(entry.get("rate"))
        if loss is not None:
            # A training that goes on after a kill begins at its checkpoint, before the last line.
            if self._rows and self._rows[-1][0] >= step:
                self._rows = [row for row in self._rows if row[0] < step]
                self._evaluations = [each for each in self._evaluations if each.step < step]
            seconds = _number(entry.get("seconds"))
            missing = float("nan")
            self._rows.append(
                (step, loss, missing if rate is None else rate, missing if seconds is None else seconds)
            )
            return
        names = ("cider", "bleu4", "validation_loss")
        measures = {name: value for name in names if (value := _number(entry.get(name))) is not None}
        if measures:
            while self._evaluations and self._evaluations[-1].step >= step:
                self._evaluations.pop()
            self._evaluations.append(Evaluation(step, measures, bool(entry.get("best"))))

    def _read_json(self, name: str) -> dict[str, Any]:
        """Return an object of a JSON file, the last one that could be read while it is being written."""
        path = self._notes / name
        known = self._json.get(path)
        try:
            facts = path.stat()
            stamp = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if known is not None and known[0] == stamp:
                return known[1]
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return known[1] if known is not None else {}
        found = data if isinstance(data, dict) else {}
        self._json[path] = (stamp, found)
        return found

    def _modified(self, name: str) -> float:
        try:
            return (self._notes / name).stat().st_mtime
        except OSError:
            return 0.0


def find_trainings(root: Path) -> list[Path]:
    """Return the folders with a training: those in ``root``, as the four of a factorial are, or ``root`` itself.

    A factorial with several seeds has a folder of four for each.
    """
    try:
        inside = sorted(path for path in root.iterdir() if path.is_dir())
        found = [path for path in inside if (path / NOTES).is_dir()]
        for path in inside:
            if path.name.startswith("seed-"):
                found += sorted(part for part in path.iterdir() if (part / NOTES).is_dir())
        return found or ([root] if (root / NOTES).is_dir() else [])
    except OSError:
        return []


def is_alive(pid: int, updated: float) -> bool:
    """Return whether the process that spoke at ``updated`` runs on this computer; numbers are used again."""
    if pid <= 0:
        return False
    import psutil

    try:
        process = psutil.Process(pid)
        older = process.create_time() <= updated + _CLOCKS_DIFFER_S
        return older and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _design(folder: Path, root: Path | None) -> Path | None:
    """Return the page about a factorial design that a training is part of, once there is one."""
    places = {folder.parent, *((root,) if root is not None else ())}
    return next((place / DESIGN for place in places if (place / DESIGN).is_file()), None)


def _tail(path: Path) -> str:
    """Return the last that a process wrote to its error stream, of trainings that a window started."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _name(settings: Mapping[str, Any], folder: Path) -> str:
    given = str(settings.get("name") or "")
    if given or not settings.get("encoder"):
        return given or folder.name
    shown = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}
    parts = (str(settings["encoder"]), str(settings.get("decoder", "")))
    return "-".join(shown.get(part, part) for part in parts)


def _time(value: object) -> float:
    """Return a time as seconds, given as such or as an ISO date; 0 for none."""
    number = _number(value)
    if number is not None:
        return number
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int:
    number = _number(value)
    return int(number) if number is not None and np.isfinite(number) else 0
