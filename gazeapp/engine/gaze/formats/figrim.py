"""FIGRIM: fixations while images are memorised and recognised, one MATLAB file.

Layout: ``allImages(image).filename`` and ``.userdata(subject).fixations.{enc, rec, rec2}``, each n x 2
px: the first look, and the looks at the first and second repetition.
"""

from __future__ import annotations

from typing import Any

from gazeapp.engine.gaze.formats import matlab
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES, Trials, numbered
from gazeapp.engine.gaze.records import IMAGE, NO_IMAGE_NAME, Contents, Facts, Fixations, Frame, Trial
from gazeapp.engine.gaze.source import Source

_VARIABLE = "allImages"
_FIELDS = ("filename", "userdata")
_LOOKS = {"enc": "memory: first look", "rec": "memory: first repeat", "rec2": "memory: second repeat"}
_NOTES = (
    matlab.FROM_ONE,
    "The file does not name its subjects: they are s01, s02 and so on in its order. It gives no durations.",
    "The first look at an image and its repetitions are tasks of their own, so that no subject counts "
    "twice in one human map.",
)


def recognise(source: Source) -> Guess | None:
    """Tell FIGRIM by its variable and fields."""
    if not matlab.holds(source.head, _VARIABLE, matlab.STRUCT, _FIELDS):
        return None
    return Guess(0.97, "the MATLAB variable 'allImages' with the fields filename and userdata")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read all images, subjects and looks; positions are image px, counted from 1.

    Raises
    ------
    GazeError
        When the file is damaged, of MATLAB's version 7.3, or holds no such fixations.
    """
    trials = Trials()
    for image in matlab.entries(matlab.load(source, _VARIABLE).get(_VARIABLE)):
        name = matlab.text(matlab.field(image, "filename"))
        for k, subject in enumerate(matlab.entries(matlab.field(image, "userdata")), start=1):
            for look, task in _LOOKS.items():
                _add(trials, Trial(look, numbered(k), name, task), matlab.field(subject, "fixations", look))
    if not len(trials):
        raise source.problem(
            "The file holds no fixations in the layout of FIGRIM.",
            "It needs a variable 'allImages' with filename and userdata; write others as a table.",
        )
    return trials.contents(Facts(Frame(of=IMAGE), notes=_NOTES))


def _add(trials: Trials, trial: Trial, positions: Any) -> None:
    table = matlab.matrix(positions, 2) if positions is not None else None
    if positions is None or (table is not None and not len(table)):
        return  # this subject did not see the image then
    if table is None:
        trials.lost[NOT_TWO_COORDINATES] += 1
    elif not trial.image:
        trials.lost[NO_IMAGE_NAME] += len(table)
    else:
        trials.add(trial, Fixations.of(table[:, 0], table[:, 1]))


FORMAT = Format("figrim", "FIGRIM data set (allImages .mat)", (".mat",), recognise, read)
