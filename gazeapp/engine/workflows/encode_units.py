"""One unit of encoding: an analysis of one source's maps, or of two, against the responses of all regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.neural.controls import CENTRE, centre
from gazeapp.engine.neural.encoding.bootstrap import intervals
from gazeapp.engine.neural.encoding.compare import compare
from gazeapp.engine.neural.encoding.folds import RidgeSettings
from gazeapp.engine.neural.encoding.nested import Encoded
from gazeapp.engine.neural.encoding.nested import encode as fit
from gazeapp.engine.neural.encoding.permutation import permutation_test
from gazeapp.engine.neural.partition import Part, partition
from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    NAN,
    PARTITION,
    RSA,
    NeuralFinding,
)
from gazeapp.engine.neural.region_means import usable
from gazeapp.engine.neural.rsa import rsa
from gazeapp.engine.project import EncodingRow, EncodingUnit, ImageRow
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray
from gazeapp.engine.workflows.encode_inputs import CONTROL, SourceKey, Subject, TaskMaps

GROUP_MARK = "group:"
"""Begins the names of groups among the stored columns."""
_PARTS = ("unique", "unique_against", "shared", "joint")
_TESTED = ("estimate", "low", "high", "p", "p_fdr", "p_max")


@dataclass(frozen=True)
class Draws:
    """How often is drawn, from which seed, and whether vertices are predicted as well as regions."""

    n_permutations: int
    n_bootstrap: int
    seed: int
    vertices: bool


@dataclass(frozen=True)
class Modelled:
    """Encoding models of one source: scores and predictions of all regions, and scores of all vertices."""

    encoded: Encoded
    names: tuple[str, ...]
    observed: FloatArray
    vertices: FloatArray | None

    def row(
        self,
        unit: EncodingUnit,
        atlas: str,
        inputs: str,
        images: Sequence[ImageRow],
        settings_id: int,
        seconds: float,
    ) -> EncodingRow:
        """Return what is stored."""
        return EncodingRow(
            id=0,
            subject=unit.subject,
            task=unit.task,
            kind=unit.kind,
            source=unit.source,
            atlas=atlas,
            inputs_hash=inputs,
            regions=self.names,
            images=tuple(image.id for image in images),
            predictions=self.encoded.predictions,
            observed=self.observed,
            fold=self.encoded.fold,
            facts={"median_penalty": _median(self.encoded.penalties)},
            seconds=seconds,
            settings_id=settings_id,
        )


@dataclass(frozen=True)
class Found:
    """What a unit found, and the encoding models where it made some."""

    findings: tuple[NeuralFinding, ...]
    encoding: Modelled | None = None


@dataclass
class Bench:
    """The maps and responses of one task and subject, with what was fitted already.

    Parameters
    ----------
    maps, subject
        What goes in.
    ridge
        How encoding models are fitted.
    draws
        How often is drawn, and whether vertices are predicted.
    should_stop
        Whether the user wants to stop.
    """

    maps: TaskMaps
    subject: Subject
    ridge: RidgeSettings
    draws: Draws
    should_stop: Callable[[], bool]
    _fitted: dict[str, Encoded] = field(default_factory=dict)

    def read(self, unit: EncodingUnit) -> None:
        """Read what a unit needs of the project."""
        for source in filter(None, (unit.source, unit.against)):
            self.maps.features(self.key(source))

    def key(self, source: str) -> SourceKey:
        """Return kind and id of a source."""
        return next(key for key in self.maps.states if key[1] == source)

    def fitted(self, source: str) -> Encoded:
        """Return the encoding models of a source, fitted when first asked for."""
        if source not in self._fitted:
            features = self.maps.features(self.key(source))
            self._fitted[source] = fit(features, self.subject.regions.values, self.ridge, self.should_stop)
        return self._fitted[source]

    def families(self) -> Iterator[IntArray]:
        """Yield the columns of the regions, then those of the groups: tests are corrected over each by itself."""
        for of_groups in (False, True):
            columns = np.flatnonzero(self.subject.regions.is_group == of_groups)
            if len(columns):
                yield columns

    def findings(
        self,
        unit: EncodingUnit,
        measure: str,
        numbers: Mapping[str, DoubleArray],
        notes: Sequence[str] = (),
        ceilings: DoubleArray | None = None,
    ) -> Iterator[NeuralFinding]:
        """Yield a finding for each region, its numbers taken from columns of this order."""
        regions = self.subject.regions
        for k, name in enumerate(regions.names):
            ceiling = float(ceilings[k]) if ceilings is not None else NAN
            note = notes[k] if notes else ""
            if ceilings is not None and np.isfinite(ceiling):
                note = f"{note} {self.subject.note}".strip()
            yield NeuralFinding(
                unit.analysis,
                unit.task,
                unit.kind,
                unit.source,
                name,
                measure,
                **{field_: float(values[k]) for field_, values in numbers.items()},
                ceiling=ceiling,
                n_images=len(self.subject.images),
                n_vertices=int(regions.n_vertices[k]),
                against=unit.against,
                subject=unit.subject,
                group=bool(regions.is_group[k]),
                note=note,
            )


def run_unit(bench: Bench, unit: EncodingUnit) -> Found:
    """Do one unit.

    Raises
    ------
    GazeError
        If it cannot be done: too few images, maps that are all alike.
    StoppedError
        If the user wants to stop.
    """
    return {ENCODING: _encoding, DIFFERENCE: _difference, PARTITION: _partition, RSA: _rsa}[unit.analysis](
        bench, unit
    )


def _encoding(bench: Bench, unit: EncodingUnit) -> Found:
    draws, values = bench.draws, bench.subject.regions.values
    encoded = bench.fitted(unit.source)
    low, high = _empty(values), _empty(values)
    if draws.n_bootstrap:
        low, high = intervals(encoded.predictions, values, encoded.fold, draws.n_bootstrap, draws.seed)
    p, p_fdr, p_max = _empty(values), _empty(values), _empty(values)
    if draws.n_permutations:
        features = bench.maps.features(bench.key(unit.source))
        for columns in bench.families():
            test = permutation_test(
                features,
                values[:, columns],
                bench.ridge,
                draws.n_permutations,
                draws.seed,
                bench.should_stop,
            )
            p[columns], p_fdr[columns], p_max[columns] = test.p, test.p_fdr, test.p_max
    tested = {"p": p, "p_fdr": p_fdr, "p_max": p_max}
    found = [
        *bench.findings(
            unit,
            "r",
            {"estimate": encoded.r, "low": low, "high": high, **tested},
            ceilings=bench.subject.ceilings,
        ),
        *bench.findings(unit, "r2", {"estimate": encoded.r2}, ceilings=bench.subject.ceilings**2),
    ]
    return Found(tuple(found), Modelled(encoded, _columns(bench.subject), values, _vertices(bench, unit)))


def _vertices(bench: Bench, unit: EncodingUnit) -> FloatArray | None:
    """Return how well each vertex is predicted; None where that is not wanted."""
    if not bench.subject.parts or not bench.draws.vertices or unit.kind == CONTROL:
        return None
    features = bench.maps.features(bench.key(unit.source))
    return fit(features, bench.subject.values, bench.ridge, bench.should_stop).r.astype(np.float32)


def _difference(bench: Bench, unit: EncodingUnit) -> Found:
    own, other = bench.fitted(unit.source), bench.fitted(unit.against)
    values = bench.subject.regions.values
    columns = {name: _empty(values) for name in _TESTED}
    for family in bench.families():
        one = compare(
            own.predictions[:, family],
            other.predictions[:, family],
            values[:, family],
            own.fold,
            bench.draws.n_bootstrap,
            bench.draws.seed,
            bench.should_stop,
        )
        for name, found in zip(
            columns, (one.difference, one.low, one.high, one.p, one.p_fdr, one.p_max), strict=True
        ):
            columns[name][family] = found
    return Found(tuple(bench.findings(unit, "r", columns)))


def _rsa(bench: Bench, unit: EncodingUnit) -> Found:
    features, values = bench.maps.features(bench.key(unit.source)), bench.subject.values
    good = usable(values)
    columns = {
        name: _empty(bench.subject.regions.values)
        for name in ("estimate", "low", "high", "p", "p_fdr", "p_max")
    }
    notes = [""] * len(bench.subject.parts)
    for family in bench.families():
        patterns = [
            values[:, vertices[good[vertices]]]
            for vertices in (bench.subject.parts[k][0].vertices for k in family)
        ]
        one = rsa(
            features,
            patterns,
            bench.draws.n_permutations,
            bench.draws.n_bootstrap,
            bench.draws.seed,
            bench.should_stop,
        )
        for name, found in zip(
            columns, (one.rho, one.low, one.high, one.p, one.p_fdr, one.p_max), strict=True
        ):
            columns[name][family] = found
        for k, note in zip(family, one.notes, strict=True):
            notes[k] = note
    return Found(tuple(bench.findings(unit, "rho", columns, notes)))


def _partition(bench: Bench, unit: EncodingUnit) -> Found:
    own = bench.maps.features(bench.key(unit.source))
    against = bench.key(unit.against)
    # Of the centre control it is each model's own maps that count: how central they are, and nothing else of them.
    other = centre(own) if against == (CONTROL, CENTRE) else bench.maps.features(against)
    values = bench.subject.regions.values
    columns = {part: {name: _empty(values) for name in _TESTED} for part in _PARTS}
    for family in bench.families():
        draws = bench.draws
        found = partition(
            own,
            other,
            values[:, family],
            bench.ridge,
            draws.n_permutations,
            draws.n_bootstrap,
            draws.seed,
            bench.should_stop,
        )
        for part, into in columns.items():
            one: Part = getattr(found, part)
            numbers = (one.value, one.low, one.high, one.p, one.p_fdr, one.p_max)
            for name, of_family in zip(_TESTED, numbers, strict=True):
                into[name][family] = of_family
    return Found(
        tuple(finding for part, into in columns.items() for finding in bench.findings(unit, part, into))
    )


def _columns(subject: Subject) -> tuple[str, ...]:
    regions = subject.regions
    return tuple(
        f"{GROUP_MARK}{name}" if group else name
        for name, group in zip(regions.names, regions.is_group, strict=True)
    )


def _empty(values: FloatArray) -> DoubleArray:
    return np.full(values.shape[1], np.nan)


def _median(penalties: DoubleArray) -> float | None:
    known = penalties[np.isfinite(penalties)]
    return float(np.median(known)) if len(known) else None
