"""SALICON: gaze as people show it with the mouse, one MATLAB file per image.

Layout: ``image``, ``resolution``, and ``gaze(subject) = {location, timestamp, fixations}``: mouse
samples (n x 2 px) with their times in ms, and the fixations that the authors made of them (m x 2 px).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from gazeapp.engine.gaze.formats import matlab
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES, Trials, file_or_folder, numbered
from gazeapp.engine.gaze.records import IMAGE, Contents, Eye, Facts, Fixations, Frame, Samples, Trial
from gazeapp.engine.gaze.source import Source

_FIELDS = ("location", "timestamp", "fixations")
_NOTES = (
    "Gaze was shown with the mouse and not recorded from the eyes; the fixations are the authors', without "
    "times and durations.",
    "The files do not name their subjects: s01, s02 and so on are their order on each image, so that the "
    "same name on two images need not be the same person.",
    matlab.FROM_ONE,
)


def recognise(source: Source) -> Guess | None:
    """Tell SALICON by the fields of its variable 'gaze', in a file or in a folder's first files."""
    if not any(matlab.holds(head, "gaze", matlab.STRUCT, _FIELDS) for head in matlab.heads(source)):
        return None
    return Guess(0.97, "the MATLAB variable 'gaze' with the fields location, timestamp and fixations")


def read(source: Source, options: ReadOptions) -> Contents:
    """Read one image's file, or all of a folder; positions are image px, counted from 1.

    Raises
    ------
    GazeError
        When no file can be read.
    """
    trials = Trials()
    told = list(file_or_folder(source, ".mat", partial(_read_one, trials, options), trials.lost))
    if not len(trials):
        raise source.problem(
            "There is no gaze in the layout of SALICON.",
            "Each file needs the variables image and gaze, with location, timestamp and fixations.",
        )
    return trials.contents(Facts(Frame(of=IMAGE), notes=(*_NOTES, *told)))


def _read_one(trials: Trials, options: ReadOptions, source: Source) -> None:
    values = matlab.load(source)
    name = matlab.text(values.get("image")) or source.stem
    gaze = matlab.single(values.get("gaze"))
    for k, subject in enumerate(matlab.entries(gaze), start=1):
        positions = matlab.matrix(matlab.field(subject, "fixations"), 2)
        if positions is None:
            trials.lost[NOT_TWO_COORDINATES] += 1
            continue
        trial = Trial(f"{name}, {k}", numbered(k), name)
        samples = _samples(subject) if options.samples else None
        trials.add(trial, Fixations.of(positions[:, 0], positions[:, 1]), samples)


def _samples(subject: Any) -> Samples | None:
    positions = matlab.matrix(matlab.field(subject, "location"), 2)
    times = matlab.vector(matlab.field(subject, "timestamp"))
    if positions is None or times is None or len(times) != len(positions):
        return None
    order = np.argsort(times, kind="stable")
    eye = np.full(len(times), Eye.UNKNOWN, dtype=np.int8)
    return Samples(times[order], positions[order, 0], positions[order, 1], eye)


FORMAT = Format("salicon", "SALICON data set (.mat per image)", (".mat",), recognise, read, has_samples=True)
