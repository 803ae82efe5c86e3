"""Which scripts can be asked for brain responses, and what to know of each before it is."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.ui.dialogs.model_offers import Agreement

FACTS = ("What it is", "Licence", "Download", "This computer")
"""Names of what is told of each."""
TRIBE, TRIBE_NAME = "tribe", "TRIBE"
"""The script that ships, and what its responses are called."""


@dataclass(frozen=True, slots=True)
class PredictorOffer:
    """A script that can be asked for responses.

    Parameters
    ----------
    runner
        What `PredictResponsesSettings.runner` calls it.
    title, facts
        Its name, and (name, value) of what to know about it.
    asks
        What the user has to agree to first; None when that is nothing.
    """

    runner: str
    title: str
    facts: tuple[tuple[str, str], ...]
    asks: Agreement | None = None

    @property
    def usual_name(self) -> str:
        """What its responses are called where the user does not say."""
        return TRIBE_NAME if self.runner == TRIBE else self.title


@dataclass(frozen=True, slots=True)
class PredictorsFound:
    """The scripts, those that ship first, and what was wrong with files that are none."""

    offers: tuple[PredictorOffer, ...]
    problems: tuple[GazeError, ...] = ()
