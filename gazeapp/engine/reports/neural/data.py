"""What a report says of brain responses, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.reports.results.data import Figure, ResultTable
from gazeapp.engine.types import Json


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure that is drawn already: its title and caption, and a picture of it in a ``data:`` address.

    ``width`` and ``height`` are those of the picture, px; 0 where it has no size of its own.
    """

    title: str
    caption: str
    uri: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class NeuralTask:
    """What is said of one task.

    Parameters
    ----------
    task
        The task.
    readings
        What the numbers say, in sentences.
    heat
        Every region by every source; None where nothing was predicted.
    figures
        The numbers of groups and of the best regions.
    tables
        The same with all tests.
    cortexes
        How well each vertex is predicted, one picture for each source.
    limits
        Correlations of the first and the last colour of all these pictures.
    """

    task: str
    readings: tuple[str, ...]
    heat: Drawn | None
    figures: tuple[Figure, ...]
    tables: tuple[ResultTable, ...]
    cortexes: tuple[Drawn, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class NeuralPart:
    """What is said of one set of responses.

    Parameters
    ----------
    responses, simulated
        Their name, and whether a model made them.
    facts
        What was predicted from what: rows (name, value).
    cautions
        What is to be known before the numbers are believed.
    tasks
        What was found under each task.
    """

    responses: str
    simulated: bool
    facts: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    tasks: tuple[NeuralTask, ...]


@dataclass(frozen=True, slots=True)
class NeuralData:
    """What a report says of brain responses.

    Parameters
    ----------
    parts
        One for each set of responses.
    settings
        Settings of the newest encoding models, for the methods text; empty where there are none.
    analyses
        Which analyses were done, of `gazeapp.engine.neural.records`.
    controls
        (name, what it is) of the controls that were used.
    atlases
        (name, source, limits) of the atlases that were used.
    ceilings
        How ceilings were estimated, as sentences; empty where none is known.
    """

    parts: tuple[NeuralPart, ...]
    settings: Json
    analyses: tuple[str, ...]
    controls: tuple[tuple[str, str], ...]
    atlases: tuple[tuple[str, str, str], ...]
    ceilings: tuple[str, ...]
