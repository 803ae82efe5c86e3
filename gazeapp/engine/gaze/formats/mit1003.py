"""MIT1003: 240 Hz samples of 15 subjects on 1003 images, one MATLAB file per subject and image.

Layout: ``DATA/<subject>/<image>.mat`` with one structure, named like the file (cut to 63 characters):
``.imgName`` and ``.DATA(1).eyeData``, n x 2. The authors draw the positions on the image as they are,
so that they are image px, and say that negative ones are blinks.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from gazeapp.engine.gaze.formats import matlab
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import Trials, file_or_folder
from gazeapp.engine.gaze.records import IMAGE, Contents, Eye, Facts, Frame, Samples, Trial
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import DoubleArray

RATE_HZ = 240.0

_FIELDS = ("DATA", "eyeData")
_NOTES = (
    matlab.FROM_ONE,
    "The files hold samples, and fixations are to be detected. The authors start a trial while the eye "
    "is on a cross in the middle, and leave out the first fixation.",
    "Samples with a negative position are blinks, as the authors say, and count as lost.",
    "Subjects are named after the folders of their files.",
)


def recognise(source: Source) -> Guess | None:
    """Tell MIT1003 by the fields of its structure, in a file or in a folder's first files."""
    if not any(matlab.holds(head, "", matlab.STRUCT, _FIELDS) for head in matlab.heads(source)):
        return None
    return Guess(0.95, "a MATLAB structure with the fields DATA and eyeData")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read the samples of one file, or of all files of a folder; times begin at 0 in each trial.

    Raises
    ------
    GazeError
        When no file can be read.
    """
    trials = Trials()
    told = list(file_or_folder(source, ".mat", partial(_read_one, trials), trials.lost))
    if not len(trials):
        raise source.problem(
            "There is no recording in the layout of MIT1003.",
            "Give the folder DATA, which has one folder for each subject, or one file of it.",
        )
    return trials.contents(Facts(Frame(of=IMAGE), rate_hz=RATE_HZ, notes=(*_NOTES, *told)))


def _read_one(trials: Trials, source: Source) -> None:
    for value in matlab.load(source).values():
        repetitions = matlab.entries(matlab.field(value, "DATA"))
        positions = matlab.matrix(matlab.field(repetitions[0], "eyeData"), 2) if repetitions else None
        if positions is None:
            continue
        name = matlab.text(matlab.field(value, "imgName")) or f"{source.stem}.jpeg"
        samples = _samples(positions)
        trial = Trial(source.stem, source.path.resolve().parent.name or source.stem, name)
        trials.add(trial, samples=samples)
        return
    raise source.problem(
        "The file holds no eye data in the layout of MIT1003.",
        "It needs a structure with DATA(1).eyeData, two columns of positions.",
    )


def _samples(positions: DoubleArray) -> Samples:
    lost = ~((positions >= 0).all(axis=1))
    positions[lost] = np.nan
    times = np.arange(len(positions), dtype=np.float64) * (1000 / RATE_HZ)
    return Samples(times, positions[:, 0], positions[:, 1], np.full(len(times), Eye.UNKNOWN, np.int8))


FORMAT = Format(
    "mit1003", "MIT1003 data set (.mat per subject and image)", (".mat",), recognise, read, has_samples=True
)
