"""Stand-ins of the libraries that the script of TRIBE v2 needs: the same calls, a model that can be worked out by hand.

The response at second t and vertex v to a film is ``brightness of its picture + 10 t + v / 1000``, so that averages and
their order are known. Rows come back sorted by the name of the timeline, as the library's do. A file says how
they fail, another one gets every call.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.neural.prediction import ImageFile

N_VERTICES = 20_484

_LOG = """
import json, os


def log(**what):
    with open(os.environ["FAKE_LOG"], "a") as file:
        file.write(json.dumps(what) + "\\n")


def mode():
    with open(os.environ["FAKE_LOG"] + ".mode") as file:
        return file.read()
"""

_TORCH = """
from fake_log import mode


class cuda:
    @staticmethod
    def is_available():
        return mode() != "no card"
"""

_HUB = """
from pathlib import Path
from fake_log import log, mode


class GatedRepoError(Exception):
    pass


class LocalEntryNotFoundError(Exception):
    pass


def snapshot_download(name, revision, allow_patterns):
    log(call="weights", name=name, revision=revision, files=allow_patterns)
    if mode() == "gated":
        raise GatedRepoError("Access to model facebook/tribev2 is restricted.")
    if mode() == "offline":
        try:
            raise LocalEntryNotFoundError("No entry.")
        except LocalEntryNotFoundError as error:
            raise OSError("An error happened.") from error
    return "/weights"
"""

_MOVIEPY = """
import numpy as np
from fake_log import log


class ImageClip:
    def __init__(self, pixels, duration):
        self.pixels, self.duration = np.asarray(pixels), duration

    def write_videofile(self, path, codec, audio, fps, logger):
        height, width = self.pixels.shape[:2]
        log(call="film", size=[width, height], seconds=self.duration, fps=fps, codec=codec, audio=audio)
        with open(path, "wb") as file:
            np.savez(file, pixels=self.pixels, duration=self.duration)
"""

_TRIBE = """
from types import SimpleNamespace

import numpy as np
from fake_log import log, mode


class TribeModel:
    @classmethod
    def from_pretrained(cls, folder, cache_folder=None, device="auto", config_update=None):
        log(call="load", folder=folder, device=device, changed=config_update)
        return cls()

    def predict(self, events, verbose=True):
        log(call="predict", n=len(events))
        if mode() == "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 3 GiB")
        if mode() == "bug":
            raise KeyError("infra.workdir")
        rows, segments = [], []
        for timeline, events in events.groupby("timeline"):
            with np.load(events.filepath.iloc[0]) as film:
                bright, seconds = film["pixels"].mean(), float(film["duration"])
            for t in range(int(np.ceil(seconds))):
                rows.append(bright + 10 * t + np.arange(20484) / 1000)
                segments.append(SimpleNamespace(start=float(t), duration=1.0, timeline=timeline))
        rows = np.array(rows, np.float32)
        if mode() == "nan":
            rows[0, 5] = np.nan
        if mode() == "shape":
            rows = rows[:, :1000]
        if mode() == "empty":
            rows, segments = rows[:0], []
        return rows, segments
"""

_EVENTS = """
from fake_log import log


def get_audio_and_text_events(events, audio_only=False):
    log(call="events", audio_only=audio_only, types=sorted(set(events.type)), starts=sorted(set(events.start)))
    return events
"""

_FILES = {
    "fake_log.py": _LOG,
    "torch.py": _TORCH,
    "huggingface_hub.py": _HUB,
    "moviepy.py": _MOVIEPY,
    "tribev2/__init__.py": _TRIBE,
    "tribev2/demo_utils.py": _EVENTS,
}


class TribeWorld:
    """The libraries in a folder, scripts started so that they find them, and what was called."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        libraries = folder / "libraries"
        for name, text in _FILES.items():
            path = libraries / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        uv = folder / "uv"
        uv.write_text(f'#!/bin/sh\nshift 3\nPYTHONPATH="{libraries}" exec {sys.executable} "$@"\n')
        uv.chmod(0o700)
        patch.setattr("gazeapp.engine.runners.launch.find_uv", lambda: str(uv))
        patch.setenv("FAKE_LOG", str(folder / "calls"))
        self.behave("")

    def behave(self, mode: str) -> None:
        """Let the libraries fail in some way, or no longer."""
        (self.folder / "calls.mode").write_text(mode)

    def calls(self, kind: str) -> list[dict[str, Any]]:
        """Return every call of a kind so far."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if call.pop("call") == kind]

    def image(self, name: str, grey: int, size: tuple[int, int] = (30, 20)) -> ImageFile:
        """Write an even picture and return it."""
        path = self.folder / name
        Image.new("RGB", size, (grey, grey, grey)).save(path)
        return ImageFile(name, path, sha256_of(path))


def response(grey: float, mean_second: float) -> np.ndarray:
    """Return the response to an even picture, averaged over rows whose mean second is given, shape (20484,)."""
    return grey + 10 * mean_second + np.arange(N_VERTICES) / 1000
