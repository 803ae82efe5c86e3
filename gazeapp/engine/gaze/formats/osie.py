"""OSIE: the fixations of 15 subjects on 700 images, one MATLAB file.

Layout: ``fixations{image} = {img, subjects{subject} = {fix_x, fix_y, fix_duration}}``, px and ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gazeapp.engine.gaze.formats import matlab
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES, Trials, numbered
from gazeapp.engine.gaze.records import IMAGE, NO_IMAGE_NAME, Contents, Facts, Fixations, Frame, Trial
from gazeapp.engine.gaze.source import Source

_VARIABLE = "fixations"
_FIELDS = ("img", "subjects", "fix_x")
UNNAMED = (
    "The file does not name its subjects: they are s01, s02 and so on in its order. That the same place "
    "in the order is the same person on every image is taken for granted."
)


def recognise(source: Source) -> Guess | None:
    """Tell OSIE by its variable and fields."""
    if not matlab.holds(source.head, _VARIABLE, matlab.CELL, _FIELDS):
        return None
    return Guess(0.97, "the MATLAB variable 'fixations' with the fields img, subjects and fix_x")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read all images and subjects; positions are image px, counted from 1.

    Raises
    ------
    GazeError
        When the file is damaged, of MATLAB's version 7.3, or holds no such fixations.
    """
    trials = Trials()
    images = matlab.entries(matlab.load(source, _VARIABLE).get(_VARIABLE))
    for number, image in enumerate(images, start=1):
        name = matlab.text(matlab.field(image, "img"))
        for k, subject in enumerate(matlab.entries(matlab.field(image, "subjects")), start=1):
            if not name:
                trials.lost[NO_IMAGE_NAME] += 1
                continue
            _add(trials, Trial(str(number), numbered(k), name), subject)
    if not len(trials):
        raise source.problem(
            "The file holds no fixations in the layout of OSIE.",
            "It needs a variable 'fixations' with img and subjects; write others as a table.",
        )
    return trials.contents(Facts(Frame(of=IMAGE), notes=(matlab.FROM_ONE, UNNAMED)))


def _add(trials: Trials, trial: Trial, subject: Any) -> None:
    x, y, duration = (
        matlab.vector(matlab.field(subject, name)) for name in ("fix_x", "fix_y", "fix_duration")
    )
    if x is None or y is None or len(x) != len(y):
        trials.lost[NOT_TWO_COORDINATES] += 1
        return
    if duration is None or len(duration) != len(x):
        duration = np.full(len(x), np.nan)
    trials.add(trial, Fixations.of(x, y, duration_ms=duration))


FORMAT = Format("osie", "OSIE data set (fixations.mat)", (".mat",), recognise, read)
