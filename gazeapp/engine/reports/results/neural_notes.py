"""What has to be known before numbers about brain responses are read: regions picked by hand, and few images."""

from __future__ import annotations

from gazeapp.engine.neural.encoding.bootstrap import MIN_IN_FOLD
from gazeapp.engine.reports.neural.chosen import PICKED, is_picked
from gazeapp.engine.reports.numbers import count
from gazeapp.engine.reports.results.neural import NeuralResults
from gazeapp.engine.reports.results.neural_measures import NeuralAsked

LEAST_IMAGES = 30
"""Images below which a study says little whatever it finds."""


def notes(results: NeuralResults, asked: NeuralAsked) -> list[str]:
    """Return what to know of the numbers under a task and for a subject, in sentences; nothing where all is well."""
    n = results.n_images(asked)
    said = []
    if n and not results.has_intervals(asked):
        said.append(
            f"{count(n, 'image')}: no intervals and no p of differences, which take resamples and at least "
            f"{MIN_IN_FOLD} images in every fold."
        )
    if 0 < n < LEAST_IMAGES:
        few = "so few images" if said else count(n, "image")
        said.append(
            f"r of {few} is uncertain: hardly anything but strong effects can be found, and what is not found may be "
            "there."
        )
    if is_picked(results.atlas):
        said.insert(0, results.limits or PICKED)
    return said
