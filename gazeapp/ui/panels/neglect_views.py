"""The views of the experiment: what each is about, its figure, its table and the sentence that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gazeapp.engine.reports.neglect.words import SIDES_CAUTION
from gazeapp.engine.reports.results.data import Figure, ResultTable
from gazeapp.engine.reports.results.lesion_curves import design_figure, dose_figure
from gazeapp.engine.reports.results.lesion_figures import model_figure, side_figure
from gazeapp.engine.reports.results.lesion_tables import (
    design_sentences,
    design_table,
    dose_sentence,
    dose_table,
    model_sentence,
    model_table,
    side_sentence,
    side_table,
)
from gazeapp.engine.reports.results.lesions import Asked, LesionResults


@dataclass(frozen=True)
class ExperimentView:
    """One way to look at an experiment.

    Parameters
    ----------
    id, name
        Stable name, and the one to show.
    about, needs
        What it answers, and what has to be done before it shows anything, as sentences.
    figure, table, sentence
        What make its parts of what was found and what is asked for.
    free
        Choice that makes no difference here -> why.
    """

    id: str
    name: str
    about: str
    needs: str
    figure: Callable[[LesionResults, Asked], Figure | None]
    table: Callable[[LesionResults, Asked], ResultTable | None]
    sentence: Callable[[LesionResults, Asked], str]
    free: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a view shows for what is asked for; made on any thread."""

    figure: Figure | None = None
    table: ResultTable | None = None
    sentence: str = ""


def prepared(view: ExperimentView, lesions: LesionResults, asked: Asked) -> Prepared:
    """Make what a view shows."""
    return Prepared(view.figure(lesions, asked), view.table(lesions, asked), view.sentence(lesions, asked))


VIEWS = (
    ExperimentView(
        "models",
        "By model",
        "How much each model suffers, beside its controls, and every image behind the means.",
        "It needs a lesion by this scope at this strength.",
        model_figure,
        model_table,
        model_sentence,
    ),
    ExperimentView(
        "dose",
        "By strength",
        "How the harm grows with the share that is taken away.",
        "It needs two strengths above 0.",
        dose_figure,
        dose_table,
        dose_sentence,
        {"strength": "All strengths are shown here."},
    ),
    ExperimentView(
        "sides",
        "Side by side",
        f"Whether a lesion of one side does more than one of the other, as they are. {SIDES_CAUTION}",
        "It needs left and right, or the mirrored mask as a control.",
        side_figure,
        side_table,
        side_sentence,
        {"against": "Each side is the control of the other here."},
    ),
    ExperimentView(
        "design",
        "Architecture",
        "Whether decoders, or encoders, of one kind are hit harder than those of another, and whether the one depends "
        "on the other.",
        "It needs models that cross two encoders with two decoders, and an outcome that is an impairment.",
        design_figure,
        design_table,
        lambda lesions, asked: "\n".join(design_sentences(lesions, asked)),
        {"against": "Both are shown here: as it is, and minus matched controls."},
    ),
)
"""Every view, in the order in which they are offered."""
