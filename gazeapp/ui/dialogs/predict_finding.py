"""Scripts that predict brain responses, and what there is to run them on; imports what is used off the GUI thread."""

from __future__ import annotations

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.models.vlm.loading.machine import nvidia_cards
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.engine.runners.script import RUN, RunnerScript, find_scripts
from gazeapp.ui.dialogs.model_finding import script_to_agree
from gazeapp.ui.dialogs.predict_offers import FACTS, TRIBE, PredictorOffer, PredictorsFound


def find_predictors() -> PredictorsFound:
    """Look for scripts that can be run; takes a moment."""
    scripts, problems = find_scripts()
    store, computer = ConsentStore(), _computer()
    found = [_offer(script, store, computer) for script in scripts if RUN in script.actions]
    found.sort(key=lambda offer: offer.runner != TRIBE)
    return PredictorsFound(tuple(found), tuple(problems))


def _offer(script: RunnerScript, store: ConsentStore, computer: str) -> PredictorOffer:
    facts = tuple(zip(FACTS, (script.description, script.licence, script.download, computer), strict=True))
    asks = None if script.agreed(store) else script_to_agree(script, store)
    return PredictorOffer(script.id, script.name, facts, asks)


def _computer() -> str:
    cards = nvidia_cards()
    if not cards:
        return "No NVIDIA graphics card was found here."
    return "; ".join(
        f"{card.name} with {readable(card.total)} of memory, {readable(card.free)} of it free"
        for card in cards
    )
