"""What of all findings about brain responses a report shows: groups, the best regions, the best model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gazeapp.engine.neural.records import NeuralFinding
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural import NeuralResults, shown_sources
from gazeapp.engine.reports.results.neural_measures import NeuralAsked, R
from gazeapp.engine.reports.results.words import known
from gazeapp.engine.scoring.sources import HUMAN, MODEL, TRUTH

_BEST_WITH_GROUPS = 2
_BEST_ALONE = 6
"""Single regions that are shown beside groups, and where there are no groups."""
_MOST_GROUPS = 7

PICKED = (
    "These regions were picked by hand. Where they were picked for being predicted well, they must not be tested with "
    "the same responses: r, p and intervals then mean nothing."
)
"""What is said of regions that a user picked, where their atlas does not say it."""

Place = tuple[str, bool]
"""A region, or a group where the second says so."""


def is_picked(atlas: str) -> bool:
    """Return whether the name under which results are stored is that of the regions that the user picked."""
    return atlas.partition(",")[0] == "own"


@dataclass(frozen=True, eq=False)
class Told:
    """What is told of the findings of one task.

    Parameters
    ----------
    results
        All findings.
    task
        The task.
    """

    results: NeuralResults
    task: str

    def asked(self, place: Place = ("", False), measure: str = R) -> NeuralAsked:
        """Return what is asked for: a measure of a region, or of a group where the second of the pair says so."""
        own = ("", "") if self.leader is None else (self.leader.kind, self.leader.id)
        return NeuralAsked(self.task, measure=measure, region=place[0], groups=place[1], source=own)

    def found(self, source: SourceFacts, place: Place, measure: str = R) -> NeuralFinding | None:
        """Return the finding of a source in a region or group; None where there is no number."""
        # Not by way of asked(): the leader is chosen by these numbers.
        plain = NeuralAsked(self.task, measure=measure, groups=place[1])
        one = self.results.of(plain, measure, source).get(place[0])
        return one if one is not None and known(one.estimate) else None

    @cached_property
    def sources(self) -> tuple[SourceFacts, ...]:
        """Everything that predicts under the task: people, models, controls."""
        every = [
            shown_sources(self.results, NeuralAsked(self.task, groups=groups)) for groups in (True, False)
        ]
        return tuple(one for one in self.results.sources if any(one in own for own in every))

    @property
    def models(self) -> tuple[SourceFacts, ...]:
        """The models among them."""
        return tuple(one for one in self.sources if one.kind == MODEL)

    @property
    def people(self) -> tuple[SourceFacts, ...]:
        """People, where there are fixations."""
        return tuple(one for one in self.sources if one.kind == HUMAN)

    @property
    def controls(self) -> tuple[SourceFacts, ...]:
        """The controls among them; the true density of simulated observers is none."""
        return tuple(one for one in self.sources if one.kind not in (MODEL, HUMAN, TRUTH))

    @cached_property
    def groups(self) -> tuple[Place, ...]:
        """The groups of regions that have a number, at most seven."""
        own = [(name, True) for name in self.results.regions(groups=True)]
        has = [place for place in own if any(self.found(one, place) for one in self.results.sources)]
        return tuple(has[:_MOST_GROUPS])

    @cached_property
    def best_regions(self) -> tuple[Place, ...]:
        """The single regions that a model predicts best; without models, that anything does."""
        top: dict[str, float] = {}
        for source in self.models or self.sources:
            for name, one in self.results.of(NeuralAsked(self.task), R, source).items():
                if known(one.estimate):
                    top[name] = max(one.estimate, top.get(name, -1.0))
        ordered = sorted(top, key=lambda name: -top[name])
        return tuple((name, False) for name in ordered[: _BEST_WITH_GROUPS if self.groups else _BEST_ALONE])

    @property
    def places(self) -> tuple[Place, ...]:
        """What figures show: groups, then the best regions."""
        return (*self.groups, *self.best_regions)

    def best(self, place: Place, among: tuple[SourceFacts, ...], measure: str = R) -> Found | None:
        """Return who of some sources predicts a region or group best."""
        found = [
            Found(source, one) for source in among if (one := self.found(source, place, measure)) is not None
        ]
        return max(found, key=lambda one: one.finding.estimate, default=None)

    @cached_property
    def leader(self) -> SourceFacts | None:
        """The model with the highest mean correlation over what figures show."""
        places = self.groups or self.best_regions
        means = {}
        for model in self.models:
            own = [one.estimate for place in places if (one := self.found(model, place)) is not None]
            if own:
                means[model] = sum(own) / len(own)
        return max(means, key=lambda model: means[model], default=None)


@dataclass(frozen=True)
class Found:
    """A source and what was found of it."""

    source: SourceFacts
    finding: NeuralFinding
