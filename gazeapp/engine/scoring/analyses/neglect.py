"""What lesions do to models: against controls, left against right, over strength, by encoder and decoder.

Everything is formed within each image and goes through the interval over images and a test that permutes within
images; formulas and families of tests are in docs/methods/neglect.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.scoring.analyses.factorial import CELL, Crossed, Design, Effect
from gazeapp.engine.scoring.analyses.maps import Resampling
from gazeapp.engine.scoring.analyses.neglect_controls import Net, net_of_controls
from gazeapp.engine.scoring.analyses.neglect_dose import dose_contrasts
from gazeapp.engine.scoring.analyses.neglect_numbers import Contrast, measured
from gazeapp.engine.scoring.analyses.neglect_outcomes import (
    CONTROLS,
    EQUAL_MASS,
    FLIPPED,
    LATERAL,
    MATCHED,
    MIRRORED,
    NO_LESION,
    RANDOM,
    Condition,
    Outcomes,
    family,
    lesion_label,
)
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, LESION_FACTORIAL, LESION_SIDE, Finding
from gazeapp.engine.types import DoubleArray

__all__ = ["NET", "Condition", "Outcomes", "lesion_label", "neglect_findings"]

NET = ":lesion"
"""Ending of the term of an effect of the design on the lesion minus its matched controls."""
_NET_AGAINST = f" : lesion - {CONTROLS}"
_FOLLOWS = (
    "Half of the difference from the mirrored image under the mirrored mask: what follows picture and mask, without a "
    "habit of looking to one side."
)


def neglect_findings(
    outcomes: Outcomes,
    design: Design | None = None,
    sides: Sequence[tuple[str, str]] = (),
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return what lesions do to models, by one outcome under one task.

    Parameters
    ----------
    outcomes
        The outcome under every lesion and control.
    design
        Model -> (encoder, decoder), for the effects of these.
    sides
        Pairs of masks that are each other's mirror images, the second taken off the first. Besides these,
        masks named ``left …`` and ``right …`` are a pair; any other mask is compared with its mirrored control.
    resampling
        How intervals and tests are made.

    Returns
    -------
    list
        ``lesion`` names the lesion (``mask · scope · strength``, without strength where the finding is about all
        strengths), ``term`` is the model where nothing else is said:

        - analysis ``lesion``: the outcome; ``against`` is empty, or the name of the control that it is of.
        - ``lesion_control``: lesion minus control; ``against`` is ``controls`` (the mean of the matched ones,
          the effect to report), ``random``, ``equal_mass``, ``mirrored`` or ``flipped``.
        - ``lesion_side``: lesion minus its mirror image; ``against`` is the other mask or ``mirrored``.
        - ``lesion_dose``: rise of the outcome from strength 0 to 1 on the least-squares line of each image;
          ``against`` is empty, or ``controls`` for the lesion minus its matched controls.
        - ``lesion_factorial``, of impairments: ``term`` and ``against`` as of
          :func:`gazeapp.engine.scoring.analyses.factorial.factorial`; with ``:lesion`` behind the term of the
          lesion minus its matched controls.

        Drops of scores with a ceiling come a second time in percent of it.
    """
    how = resampling or Resampling()
    contrasts = [
        *_lesions(outcomes),
        *_against_controls(outcomes),
        *_sides(outcomes, sides),
        *dose_contrasts(outcomes),
        *(_effects(outcomes, design) if design and outcomes.more_is_worse else ()),
    ]
    return measured(contrasts, outcomes.known, outcomes.held, how)


def _lesions(outcomes: Outcomes) -> Iterator[Contrast]:
    for lesion in outcomes.lesions:
        for model in outcomes.models(lesion):
            for control in ("", *outcomes.controls(lesion)):
                about = outcomes.about(LESION, lesion, model, control)
                changes = outcomes.is_change and lesion.strength > 0 and control != NO_LESION
                own = family(LESION, lesion, control) if changes else ""
                yield Contrast(about, outcomes.of(lesion, control, model), own)


def _against_controls(outcomes: Outcomes) -> Iterator[Contrast]:
    for lesion, model in _effective(outcomes):
        own = outcomes.of(lesion, "", model)
        random, equal_mass = (list(outcomes.draws(lesion, kind, model).values()) for kind in MATCHED)
        nets = {
            CONTROLS: net_of_controls(own, random, equal_mass),
            RANDOM: net_of_controls(own, random),
            EQUAL_MASS: net_of_controls(own, equal_mass),
        }
        for control, net in nets.items():
            about = replace(outcomes.about(LESION_CONTROL, lesion, model, control), note=_alone(net))
            yield Contrast(about, net.values, family(LESION_CONTROL, lesion, control), net.relabelled)
        for control in (MIRRORED, FLIPPED):
            about = outcomes.about(LESION_CONTROL, lesion, model, control)
            difference = own - outcomes.of(lesion, control, model)
            if control == FLIPPED and outcomes.outcome in LATERAL:
                about, difference = replace(about, note=_FOLLOWS), difference / 2.0
            yield Contrast(about, difference, family(LESION_CONTROL, lesion, control))


def _alone(net: Net) -> str:
    if not net.alone.any():
        return ""
    n_images = int(np.isfinite(net.values).sum())
    return f"{int(net.alone.sum())} of {n_images} images have one of the kinds of controls alone."


def _sides(outcomes: Outcomes, sides: Sequence[tuple[str, str]]) -> Iterator[Contrast]:
    pairs = _pairs([lesion.mask for lesion in outcomes.lesions], sides)
    paired = {mask for pair in pairs.items() for mask in pair}
    # A shift to the right under a left mask and one to the left under a right mask are the same, mirrored.
    turn = -1.0 if outcomes.outcome in LATERAL else 1.0
    for lesion, model in _effective(outcomes):
        if lesion.mask in pairs:
            against = pairs[lesion.mask]
            other = outcomes.of(replace(lesion, mask=against), "", model)
        elif lesion.mask not in paired:
            against = MIRRORED
            other = outcomes.of(lesion, MIRRORED, model)
        else:
            continue
        about = outcomes.about(LESION_SIDE, lesion, model, against)
        yield Contrast(about, outcomes.of(lesion, "", model) - turn * other, family(LESION_SIDE, lesion))


def _pairs(masks: Sequence[str], given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return mask -> its mirror image, of those given and of the masks named after a side."""
    named = {mask: "right" + mask[4:] for mask in masks if mask.split(" ")[0] == "left"}
    return {one: two for one, two in {**named, **dict(given)}.items() if one in masks and two in masks}


def _effects(outcomes: Outcomes, design: Design) -> Iterator[Contrast]:
    for lesion in outcomes.lesions:
        if lesion.strength > 0:
            own = {model: outcomes.of(lesion, "", model) for model in outcomes.models(lesion)}
            net = {model: outcomes.net(lesion, model).values for model in own}
            yield from _crossed(outcomes, lesion, own, design)
            yield from _crossed(outcomes, lesion, net, design, NET, _NET_AGAINST)


def _crossed(
    outcomes: Outcomes,
    lesion: Condition,
    values: Mapping[str, DoubleArray],
    design: Design,
    ending: str = "",
    against: str = "",
) -> Iterator[Contrast]:
    """Yield the cells and effects of the design, where it has any effects, with endings to their names."""
    values = {model: column for model, column in values.items() if np.isfinite(column).any()}
    crossed = Crossed(list(values), design)
    effects = crossed.effects()
    if not effects:
        return
    cells = [Effect(CELL, " : ".join(cell), {cell: 1.0}) for cell in crossed.cells]
    table = np.column_stack([values[model] for model in crossed.models])
    for one in [*cells, *effects]:
        about = outcomes.about(LESION_FACTORIAL, lesion, one.term + ending, one.against + against)
        about = replace(about, kind="", note=crossed.remark())
        own = "" if one.term == CELL else family(LESION_FACTORIAL, lesion, ending)
        yield Contrast(about, table @ crossed.weights(one.weights), own)


def _effective(outcomes: Outcomes) -> Iterator[tuple[Condition, str]]:
    """Yield the lesions that take something away, with each model that has the outcome under them."""
    for lesion in outcomes.lesions:
        if lesion.strength > 0:
            for model in outcomes.models(lesion):
                yield lesion, model
