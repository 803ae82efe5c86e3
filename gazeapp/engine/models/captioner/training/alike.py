"""In what the trainings of captioners differ, from what their files say of them: no folders, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from gazeapp.engine.models.captioner.training.factorial_check import (
    OF_DECODER,
    OF_ENCODER,
    SETTING_FIELDS,
    beginning,
    who_has_what,
)
from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD, PLACES_ONLY, TrainSettings
from gazeapp.engine.types import Json

_MAY_DIFFER = frozenset({"encoder", "decoder", "name", "out", "seed"}) | PLACES_ONLY
_FIRST = (
    "data",
    "fingerprint",
    "start_from",
    "encoder_weights",
    "encoder_start",
    "frozen",
    "steps",
    "steps_done",
)
_COMPARED = tuple(
    dict.fromkeys(
        (
            *_FIRST,
            *SETTING_FIELDS,
            *(entry.name for entry in fields(TrainSettings) if entry.name not in _MAY_DIFFER),
        )
    )
)
"""All that four captioners of a factorial design share, the most telling first, and the steps that were done."""


@dataclass(frozen=True, slots=True)
class KnownTraining:
    """What the file of a captioner says of its training.

    Parameters
    ----------
    label
        What it is called in sentences.
    decoder
        ``lstm`` or ``transformer``.
    training
        Settings and course of its training, as `captioner.json` has them.
    """

    label: str
    decoder: str
    training: Json


def differing_trainings(known: Sequence[KnownTraining]) -> list[str]:
    """Return in what trainings differ that should not, as ``rate: a and b have 0.001, c has 0.0004`` each.

    What belongs to one kind of decoder or to an encoder is compared among those that share it; seeds may differ, and
    what a file does not say is not compared.
    """
    told = [(each, _told(each.training)) for each in known]
    found: list[str] = []
    for name in _COMPARED:
        if name == "seed" or (name == "fingerprint" and found):
            continue  # other data have other fingerprints
        for group in _groups(name, told):
            values = {each.label: facts[name] for each, facts in group if facts.get(name) is not None}
            if any(one != other for one, other in pairwise(values.values())):
                found.append(f"{_WORDS.get(name, name.replace('_', ' '))}: {who_has_what(values)}")
                break
    return found


_WORDS = {"fingerprint": "captions, vocabulary or split"}
_Told = tuple[KnownTraining, Json]


def _told(training: Json) -> Json:
    weights, before = training.get("encoder_weights"), training.get("start_from")
    facts: Json = {**training, **beginning(weights, before, training.get("origin", {}))}
    if facts.get("data") == DEMO_WORLD:
        facts["fingerprint"] = "drawn"
    if facts.get("fingerprint"):
        facts["fingerprint"] = str(facts["fingerprint"])[:12]
    return facts


def _groups(name: str, told: list[_Told]) -> list[list[_Told]]:
    """Return the trainings among which a setting has to be equal."""
    for decoder, names in OF_DECODER.items():
        if name in names:
            return [[each for each in told if each[0].decoder == decoder]]
    if name in OF_ENCODER:
        encoders: dict[Any, list[_Told]] = {}
        for each in told:
            encoders.setdefault(each[1].get("encoder"), []).append(each)
        return list(encoders.values())
    return [told]
