"""What of all lesions a report shows: the outcome, the scope, the strength and the masks that it leads with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gazeapp.engine.lesions.outcomes import OUTCOMES, SCORE_DROP, outcome_facts
from gazeapp.engine.reports.neglect.brief import OUTCOME
from gazeapp.engine.reports.neglect.words import dose_parts_of, parts_of, short
from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.words import term_name
from gazeapp.engine.scoring.findings import LESION, Finding

_MOST_MASKS = 4
"""Masks in one figure; all are in the tables of the export."""


@dataclass(frozen=True)
class Shown:
    """What a report shows of the lesions by one scope.

    Parameters
    ----------
    results
        The results that it is of.
    outcome
        Id of the outcome.
    scope
        The scope of the lesions.
    strength
        The highest strength of that scope.
    every
        All masks.
    """

    results: Results
    outcome: str
    scope: str
    strength: float
    every: tuple[str, ...]

    @property
    def masks(self) -> tuple[str, ...]:
        """The masks that figures and sentences have, at most four."""
        return self.every[:_MOST_MASKS]

    def label(self, mask: str) -> str:
        """Return what a mask is called in figures and tables: its name, without its end where that is long."""
        own = short(mask)
        return own if [short(one) for one in self.every].count(own) < 2 else mask

    def of(self, analysis: str, task: str | None = None, outcome: str = "") -> list[Finding]:
        """Return findings of an analysis by the outcome, at the strength, scope and masks that are shown."""
        return [
            one
            for one in self._any(analysis, task, outcome)
            if (parts := parts_of(one.lesion))[0] in self.masks and parts[1:] == (self.scope, self.strength)
        ]

    def at_all_strengths(self, analysis: str, task: str | None = None) -> list[Finding]:
        """Return the same at every strength."""
        return [
            one
            for one in self._any(analysis, task)
            if (parts := parts_of(one.lesion))[0] in self.masks and parts[1] == self.scope
        ]

    def of_doses(self, analysis: str, task: str | None = None) -> list[Finding]:
        """Return findings about all strengths together."""
        return [
            one
            for one in self._any(analysis, task)
            if (parts := dose_parts_of(one.lesion))[0] in self.masks and parts[1] == self.scope
        ]

    def _any(self, analysis: str, task: str | None, outcome: str = "") -> list[Finding]:
        found = self.results.of(analysis, task, outcome or self.outcome)
        return [one for one in found if not is_share(one.unit)]


def shown_lesions(results: Results) -> tuple[Shown, ...]:
    """Return what a report of these results shows, one for each scope, the one of most lesions first.

    Lesions that take nothing away do not count.
    """
    found = [one for one in results.of(LESION) if not one.against and parts_of(one.lesion)[2] > 0]
    outcomes = {one.metric for one in found}
    outcome = next((one for one in (OUTCOME, *OUTCOMES) if one in outcomes), "")
    parts = [parts_of(one.lesion) for one in found if one.metric == outcome]
    shown = []
    for scope, _ in Counter(scope for _, scope, _ in parts).most_common():
        strength = max(at for _, own, at in parts if own == scope)
        masks = list(dict.fromkeys(mask for mask, own, at in parts if (own, at) == (scope, strength)))
        shown.append(Shown(results, outcome, scope, strength, tuple(masks)))
    return tuple(shown)


def impairments(results: Results) -> list[str]:
    """Return the outcomes for which more is worse that the study has, in their order."""
    known = dict.fromkeys(one.metric for one in results.of(LESION))
    scores = [one for one in known if one.startswith(SCORE_DROP)]
    return [one for one in (*OUTCOMES, *scores) if one in known and outcome_facts(one).impairment]


def by_mask(shown: Shown) -> Callable[[Finding], str]:
    """Return a function that calls a finding by its model and its mask."""

    def called(finding: Finding) -> str:
        model = term_name(shown.results, finding.term, finding.kind)
        return f"{model}, {shown.label(parts_of(finding.lesion)[0])}"

    return called
