"""What the encoder and what the decoder contribute: contrasts of a crossed design.

Every effect is a weighted sum of the models' scores with weights that add up to 0. It is formed within each
image, so that images are compared with themselves, and goes through the two-way interval and the sign-flip
test (docs/methods/statistics.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gazeapp.engine.scoring.findings import FACTORIAL, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flips
from gazeapp.engine.scoring.statistics.scored import Scored, weighted
from gazeapp.engine.scoring.statistics.two_way import Interval, TwoWay
from gazeapp.engine.types import DoubleArray

ENCODER = "encoder"
DECODER = "decoder"
INTERACTION = "encoder:decoder"
CELL = "cell"
DESIGN = "design"
"""Terms of findings; what is compared, or which cell it is, stands in ``against``."""
PERCENT = "%"

Design = Mapping[str, tuple[str, str]]
"""Model -> (encoder, decoder)."""
_Weights = dict[tuple[str, str], float]
"""(encoder, decoder) -> weight of the cell's mean."""


@dataclass(frozen=True)
class Effect:
    """A contrast of cells: its name, what is compared, and the cells' weights."""

    term: str
    against: str
    weights: _Weights


class Crossed:
    """The cells of an encoder x decoder design.

    Parameters
    ----------
    models
        Models that were scored, in order.
    design
        Their encoders and decoders; models that are not in it take no part.
    """

    def __init__(self, models: Sequence[str], design: Design) -> None:
        self.models = [model for model in models if model in design]
        self.encoders = list(dict.fromkeys(design[model][0] for model in self.models))
        self.decoders = list(dict.fromkeys(design[model][1] for model in self.models))
        self.cells: dict[tuple[str, str], list[int]] = {}
        for k, model in enumerate(self.models):
            self.cells.setdefault(design[model], []).append(k)
        self.missing = [
            (encoder, decoder)
            for encoder in self.encoders
            for decoder in self.decoders
            if (encoder, decoder) not in self.cells
        ]

    def weights(self, cells: _Weights) -> DoubleArray:
        """Return the weights of the models, shape (n_models,); models of one cell share its weight."""
        weights = np.zeros(len(self.models))
        for cell, weight in cells.items():
            weights[self.cells[cell]] = weight / len(self.cells[cell])
        return weights

    def effects(self) -> list[Effect]:
        """Return all contrasts whose cells have models: main effects, then interactions.

        Main effects are differences of two levels, averaged over the other factor; interactions are
        differences of differences.
        """
        found = [*self._main(0), *self._main(1)]
        for (one, two), (a, b) in self._squares():
            cells = {(two, b): 1.0, (one, b): -1.0, (two, a): -1.0, (one, a): 1.0}
            found.append(Effect(INTERACTION, f"{two} - {one} : {b} - {a}", cells))
        return [effect for effect in found if all(cell in self.cells for cell in effect.weights)]

    def _main(self, factor: int) -> Iterator[Effect]:
        levels, others = (self.encoders, self.decoders)[:: 1 - 2 * factor]
        for one, two in combinations(levels, 2):
            cells: _Weights = {}
            for other in others:
                for level, sign in ((two, 1.0), (one, -1.0)):
                    cell = (other, level) if factor else (level, other)
                    cells[cell] = sign / len(others)
            yield Effect((ENCODER, DECODER)[factor], f"{two} - {one}", cells)

    def _squares(self) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        for encoders in combinations(self.encoders, 2):
            for decoders in combinations(self.decoders, 2):
                yield encoders, decoders

    def remark(self) -> str:
        """Return a sentence about what the design lacks, or averages; empty where it is one model a cell."""
        said = []
        if len(self.encoders) < 2 or len(self.decoders) < 2:
            said.append(
                "Both factors need two levels for an interaction; here there are "
                f"{len(self.encoders)} encoders and {len(self.decoders)} decoders."
            )
        if self.missing:
            names = ", ".join(f"{encoder} with {decoder}" for encoder, decoder in self.missing)
            said.append(f"No model was scored of {names}; effects that need it are left out.")
        for (encoder, decoder), members in self.cells.items():
            if len(members) > 1:
                names = ", ".join(self.models[k] for k in members)
                said.append(f"{encoder} with {decoder} is the mean of {len(members)} models: {names}.")
        return " ".join(said)


def factorial(
    scored: Scored,
    design: Design,
    task: str = "",
    metric: str = "",
    unit: str = "",
    n_resamples: int = 10_000,
    seed: int = 0,
) -> list[Finding]:
    """Return cell means and effects of an encoder x decoder design, for one task and metric.

    All of it is about the images that every model of the design has a score of.

    Parameters
    ----------
    scored
        Scores of the models, and of others, which take no part.
    design
        Model -> (encoder, decoder). A cell of several models, such as training seeds, is their mean.
    task, metric, unit
        What the scores are of.
    n_resamples, seed
        Resamples of the intervals and most sign flips of the tests, and their seed.

    Returns
    -------
    list
        In this order, each with ``term`` and ``against``: a remark without a number, where the design or
        the images are not complete (``design``); the mean of each cell (``cell``, its levels); effects
        (``encoder``, ``decoder``, ``encoder:decoder``, their levels) with tests, corrected over all
        effects by the method of Holm. Where there is a ceiling clearly above chance, cells and effects a
        second time in percent of it, over the images with all parts of the ceiling, without tests of
        their own. Nothing without a model in the design.
    """
    crossed = Crossed(scored.sources, design)
    if not crossed.models:
        return []
    about = Finding(FACTORIAL, task, metric, DESIGN, unit=unit)
    table, left_out = scored.columns(crossed.models)
    study = TwoWay(table, left_out, n_resamples, seed)
    effects = crossed.effects()
    cells = [
        Effect(CELL, f"{encoder} : {decoder}", {(encoder, decoder): 1.0})
        for encoder, decoder in crossed.cells
    ]
    found = _remarks(crossed, table, study, about)
    for one in cells:
        found.append(_finding(one, study.interval(weighted(crossed.weights(one.weights))), about))
    found += _tested(crossed, effects, table, study, about, n_resamples, seed)
    if scored.held is None:
        return found
    study = TwoWay(*scored.columns(crossed.models, in_percent=True), n_resamples, seed)
    if study.is_above(scored.above(len(crossed.models)), 0.0):
        for one in [*cells, *effects]:
            interval = study.interval(scored.percent(crossed.weights(one.weights)))
            found.append(_finding(one, interval, replace(about, unit=PERCENT)))
    return found


def _tested(
    crossed: Crossed,
    effects: Sequence[Effect],
    table: DoubleArray,
    study: TwoWay,
    about: Finding,
    n_resamples: int,
    seed: int,
) -> list[Finding]:
    """Return effects in the metric's unit, with tests corrected over all of them."""
    weights = [crossed.weights(effect.weights) for effect in effects]
    columns = [np.where(study.complete, table @ one, np.nan) for one in weights]
    p = sign_flips(np.column_stack(columns), n_resamples, seed) if columns else []
    found = []
    for effect, w, column, own, corrected in zip(effects, weights, columns, p, holm(p), strict=True):
        finding = _finding(effect, study.interval(weighted(w)), about)
        found.append(replace(finding, p=own, p_holm=corrected, effect=effect_size(column).value))
    return found


def _finding(effect: Effect, interval: Interval, about: Finding) -> Finding:
    return replace(about, term=effect.term, against=effect.against).filled(interval)


def _remarks(crossed: Crossed, table: DoubleArray, study: TwoWay, about: Finding) -> list[Finding]:
    said = crossed.remark()
    scored = int(np.isfinite(table).any(axis=1).sum())
    if study.n_images < scored:
        lost = scored - study.n_images
        said = f"{said} {lost} of {scored} images lack a score of some model and are left out.".strip()
    return [replace(about, note=said, n_images=study.n_images)] if said else []
