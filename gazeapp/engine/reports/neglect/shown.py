"""What of all lesions a report shows: the outcome, the scope, the strength and the masks that it leads with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gazeapp.engine.lesions.outcomes import OUTCOMES, SCORE_DROP, outcome_facts
from gazeapp.engine.reports.neglect.brief import OUTCOME
from gazeapp.engine.reports.neglect.words import dose_parts_of, parts_of
from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.scoring.findings import LESION, Finding

_MOST_MASKS = 4
"""Masks in one figure; all are in the tables of the export."""


@dataclass(frozen=True)
class Shown:
    """What a report leads with.

    Parameters
    ----------
    results
        The results that it is of.
    outcome
        Id of the outcome.
    scope
        The scope that most lesions were made by.
    strength
        The highest strength of that scope.
    masks
        Masks, at most four.
    n_masks
        How many there are.
    """

    results: Results
    outcome: str
    scope: str
    strength: float
    masks: tuple[str, ...]
    n_masks: int

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


def shown_lesions(results: Results) -> Shown | None:
    """Return what a report of these results leads with; None without lesions that take something away."""
    found = [one for one in results.of(LESION) if not one.against and parts_of(one.lesion)[2] > 0]
    outcomes = {one.metric for one in found}
    outcome = next((one for one in (OUTCOME, *OUTCOMES) if one in outcomes), "")
    if not outcome:
        return None
    parts = [parts_of(one.lesion) for one in found if one.metric == outcome]
    scope = Counter(scope for _, scope, _ in parts).most_common(1)[0][0]
    strength = max(strength for _, own, strength in parts if own == scope)
    masks = list(dict.fromkeys(mask for mask, own, at in parts if (own, at) == (scope, strength)))
    return Shown(results, outcome, scope, strength, tuple(masks[:_MOST_MASKS]), len(masks))


def impairments(results: Results) -> list[str]:
    """Return the outcomes for which more is worse that the study has, in their order."""
    known = dict.fromkeys(one.metric for one in results.of(LESION))
    scores = [one for one in known if one.startswith(SCORE_DROP)]
    return [one for one in (*OUTCOMES, *scores) if one in known and outcome_facts(one).impairment]


def by_mask(name: Callable[[Finding], str]) -> Callable[[Finding], str]:
    """Return a function that calls a finding by its name and its mask."""

    def called(finding: Finding) -> str:
        return f"{name(finding)}, {parts_of(finding.lesion)[0]}"

    return called
