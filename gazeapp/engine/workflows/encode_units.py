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
from gazeapp.engine.neural.encoding.permutation import false_discovery, permutation_test
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
from gazeapp.engine.project.rows import MEANS
from gazeapp.engine.types import DoubleArray, FloatArray
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
    """Encoding models of one source: scores and predictions of all regions, and scores of all vertices.

    ``observed`` are the responses, with their means.
    """

    encoded: Encoded
    names: tuple[str, ...]
    observed: DoubleArray
    vertices: FloatArray | None
    n_permutations: int

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
            predictions=self.encoded.predictions.astype(np.float32),
            observed=(self.observed - self.encoded.means).astype(np.float32),
            fold=self.encoded.fold,
            facts={
                "median_penalty": _median(self.encoded.penalties),
                "n_permutations": self.n_permutations,
                MEANS: [float(mean) if np.isfinite(mean) else None for mean in self.encoded.means],
            },
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
        for source in (unit.source, "" if is_of_itself(unit) else unit.against):
            if source:
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

    def corrected(self, p: DoubleArray) -> DoubleArray:
        """Return p corrected for false discoveries over the regions, and over the groups by themselves.

        Groups are made of the regions, so that together they would count the same vertices twice. The largest value
        is taken over both, which is on the safe side.
        """
        found, is_group = np.full(p.shape, np.nan), self.subject.regions.is_group
        for family in (is_group, ~is_group):
            found[family] = false_discovery(p[family])
        return found

    def findings(
        self,
        unit: EncodingUnit,
        measure: str,
        numbers: Mapping[str, DoubleArray],
        notes: Sequence[str] = (),
        ceilings: DoubleArray | None = None,
        n_images: int | None = None,
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
                n_images=len(self.subject.images) if n_images is None else n_images,
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
    columns = {name: _empty(values) for name in _TESTED}
    columns["estimate"] = encoded.r
    if draws.n_bootstrap:
        columns["low"], columns["high"] = intervals(
            encoded.predictions, values, encoded.fold, draws.n_bootstrap, draws.seed, bench.should_stop
        )
    if draws.n_permutations:
        features = bench.maps.features(bench.key(unit.source))
        test = permutation_test(
            features, values, bench.ridge, draws.n_permutations, draws.seed, bench.should_stop
        )
        columns |= {"p": test.p, "p_fdr": bench.corrected(test.p), "p_max": test.p_max}
    ceilings = bench.subject.ceilings
    found = [
        *bench.findings(unit, "r", columns, ceilings=ceilings),
        *bench.findings(unit, "r2", {"estimate": encoded.r2}, ceilings=ceilings**2),
    ]
    made = Modelled(encoded, _columns(bench.subject), values, _vertices(bench, unit), draws.n_permutations)
    return Found(tuple(found), made)


def _vertices(bench: Bench, unit: EncodingUnit) -> FloatArray | None:
    """Return how well each vertex is predicted; None where that is not wanted."""
    if not bench.subject.parts or not bench.draws.vertices or unit.kind == CONTROL:
        return None
    features = bench.maps.features(bench.key(unit.source))
    return fit(features, bench.subject.values, bench.ridge, bench.should_stop).r.astype(np.float32)


def _difference(bench: Bench, unit: EncodingUnit) -> Found:
    own, other = bench.fitted(unit.source), bench.fitted(unit.against)
    draws, values = bench.draws, bench.subject.regions.values
    one = compare(
        own.predictions,
        other.predictions,
        values,
        own.fold,
        draws.n_bootstrap,
        draws.seed,
        bench.should_stop,
    )
    columns = _tested(one.difference, one.low, one.high, one.p, bench.corrected(one.p), one.p_max)
    return Found(tuple(bench.findings(unit, "r", columns)))


def _rsa(bench: Bench, unit: EncodingUnit) -> Found:
    draws, values = bench.draws, bench.subject.values
    good = usable(values)
    patterns = [values[:, region.vertices[good[region.vertices]]] for region, _ in bench.subject.parts]
    one = rsa(
        bench.maps.features(bench.key(unit.source)),
        patterns,
        draws.n_permutations,
        draws.n_bootstrap,
        draws.seed,
        bench.should_stop,
    )
    columns = _tested(one.rho, one.low, one.high, one.p, bench.corrected(one.p), one.p_max)
    return Found(tuple(bench.findings(unit, "rho", columns, one.notes, n_images=one.n_images)))


def is_of_itself(unit: EncodingUnit) -> bool:
    """Return whether a source is held against how central its own maps are, and nothing else of them."""
    return unit.analysis == PARTITION and unit.against == CENTRE


def _partition(bench: Bench, unit: EncodingUnit) -> Found:
    own = bench.maps.features(bench.key(unit.source))
    other = centre(own) if is_of_itself(unit) else bench.maps.features(bench.key(unit.against))
    draws = bench.draws
    found = partition(
        own,
        other,
        bench.subject.regions.values,
        bench.ridge,
        draws.n_permutations,
        draws.n_bootstrap,
        draws.seed,
        bench.should_stop,
    )
    findings: list[NeuralFinding] = []
    for measure in _PARTS:
        part: Part = getattr(found, measure)
        columns = _tested(part.value, part.low, part.high, part.p, bench.corrected(part.p), part.p_max)
        findings += bench.findings(unit, measure, columns)
    return Found(tuple(findings))


def _tested(*columns: DoubleArray) -> dict[str, DoubleArray]:
    return dict(zip(_TESTED, columns, strict=True))


def _columns(subject: Subject) -> tuple[str, ...]:
    regions = subject.regions
    return tuple(
        f"{GROUP_MARK}{name}" if group else name
        for name, group in zip(regions.names, regions.is_group, strict=True)
    )


def _empty(values: DoubleArray) -> DoubleArray:
    return np.full(values.shape[1], np.nan)


def _median(penalties: DoubleArray) -> float | None:
    known = penalties[np.isfinite(penalties)]
    return float(np.median(known)) if len(known) else None
