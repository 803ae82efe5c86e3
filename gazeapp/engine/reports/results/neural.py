"""How well maps predict brain responses: what was found, and the numbers that are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    LEFT,
    NAN,
    PARTITION,
    RIGHT,
    NeuralFinding,
)
from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports.numbers import count, interval, number, p_value
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural_measures import (
    CORRECTIONS,
    MEASURES,
    MINUS,
    MOST_PAIRS,
    P_FDR,
    P_MAX,
    SHARE,
    NeuralAsked,
    NeuralMeasure,
    R,
    Shown,
    hemisphere_of,
    p_of,
    value_text,
)
from gazeapp.engine.reports.results.words import known
from gazeapp.engine.scoring.sources import HUMAN, MODEL

_Key = tuple[str, str, str, str, str, str, str, bool]


@dataclass
class _Index:
    """Findings by what they are about, so that a table of thousands is made in a frame.

    Parameters
    ----------
    of_source
        Region -> finding of one source by one measure.
    by_region
        Findings of a region, an analysis and a measure.
    tests
        (analysis, measure, task, subject) -> how p is corrected; nothing where nothing was tested.
    ceilings
        (task, subject) with a ceiling.
    compared
        (analysis, task, subject) -> ids of the sources that were compared.
    n_images
        (task, subject) -> images that numbers rest on, at most.
    intervals
        (task, subject) -> whether any correlation has an interval.
    """

    of_source: dict[_Key, dict[str, NeuralFinding]] = field(default_factory=dict)
    by_region: dict[tuple[str, str, str], list[NeuralFinding]] = field(default_factory=dict)
    tests: dict[tuple[str, str, str, str], set[str]] = field(default_factory=dict)
    ceilings: set[tuple[str, str]] = field(default_factory=set)
    compared: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    n_images: dict[tuple[str, str], int] = field(default_factory=dict)
    intervals: dict[tuple[str, str], bool] = field(default_factory=dict)

    def add(self, one: NeuralFinding) -> None:
        """Add a finding."""
        key = (one.analysis, one.task, one.subject, one.measure, one.against, one.kind, one.source, one.group)
        self.of_source.setdefault(key, {})[one.region] = one
        self.by_region.setdefault((one.region, one.analysis, one.measure), []).append(one)
        tests = self.tests.setdefault((one.analysis, one.measure, one.task, one.subject), set())
        if len(tests) < len(CORRECTIONS):
            tests.update(correction for correction in CORRECTIONS if known(p_of(one, correction)))
        if one.measure == R and known(one.ceiling):
            self.ceilings.add((one.task, one.subject))
        about = (one.task, one.subject)
        self.n_images[about] = max(self.n_images.get(about, 0), one.n_images)
        if (one.analysis, one.measure) == (ENCODING, R) and known(one.estimate):
            self.intervals[about] = self.intervals.get(about, False) or known(one.low)
        if one.against:
            ids = self.compared.setdefault((one.analysis, one.task, one.subject), set())
            ids.update((one.source, one.against))


def _key(asked: NeuralAsked, analysis: str, measure: str, source: SourceFacts, against: str) -> _Key:
    return (
        *(analysis, asked.task, asked.subject, measure, against),
        *(source.kind, source.id, asked.groups),
    )


@dataclass(frozen=True, eq=False)
class NeuralResults:
    """What encoding models of responses found with the regions of one atlas.

    Parameters
    ----------
    responses, simulated
        Name of the responses, and whether a model made them.
    atlas
        Name of the atlas; empty where responses are of regions of a table.
    source, ceiling_origin, limits
        Where responses and their ceilings come from, and what to know of the atlas, in words.
    sources
        Everything that predicts, in the order in which it is shown: people, models, controls.
    findings
        All findings, regions in the order of the atlas.
    groups
        Group -> its regions.
    summary, primary, preset
        Agreement of the same maps with fixations, the metric that leads, and its conventions.
    older
        Tasks whose findings are of other maps or fixations than those in use.
    planted
        Region -> highest r that can be reached, where a simulation says what it planted; regions that are not named
        have nothing planted.
    """

    responses: str
    simulated: bool = False
    atlas: str = ""
    source: str = ""
    ceiling_origin: str = ""
    limits: str = ""
    sources: tuple[SourceFacts, ...] = ()
    findings: tuple[NeuralFinding, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    summary: tuple[SummaryRow, ...] = ()
    primary: str = ""
    preset: str = ""
    older: frozenset[str] = frozenset()
    planted: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def _index(self) -> _Index:
        """Findings by what they are about."""
        made = _Index()
        for one in self.findings:
            made.add(one)
        return made

    @cached_property
    def _other_side(self) -> dict[tuple[_Key, str], Mapping[str, NeuralFinding]]:
        """What was looked at from the other side, kept for when it is asked for again."""
        return {}

    def prepare(self) -> NeuralResults:
        """Sort the findings now, on the thread that read them; return the results."""
        for name in ("_index", "_regions", "tasks", "subjects", "has_groups", "hemispheres"):
            getattr(self, name)
        return self

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks whose maps were used."""
        return tuple(dict.fromkeys(one.task for one in self.findings))

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Subjects with findings, the mean over them (empty) first."""
        return tuple(sorted({one.subject for one in self.findings}, key=lambda one: (bool(one), one)))

    @cached_property
    def has_groups(self) -> bool:
        """Whether there is a finding about a group."""
        return any(one.group for one in self.findings)

    @cached_property
    def hemispheres(self) -> tuple[str, ...]:
        """Hemispheres that regions name: ``left`` and ``right``, or none."""
        ends = {hemisphere_of(one.region) for one in self.findings if not one.group}
        return tuple(side for side in (LEFT, RIGHT) if side in ends)

    @cached_property
    def _regions(self) -> dict[bool, tuple[str, ...]]:
        own = {(one.group, one.region): None for one in self.findings}
        return {which: tuple(name for group, name in own if group == which) for which in (False, True)}

    def regions(self, *, groups: bool = False) -> tuple[str, ...]:
        """Return regions, or groups, in the order of the atlas."""
        return self._regions[groups]

    def planted_in(self, region: str, *, group: bool = False) -> float:
        """Return the highest r that what is planted in a region allows, 0 for nothing; NaN where that is not known."""
        if group or not self.planted:
            return NAN
        side = hemisphere_of(region)
        name = region.removesuffix(f" {side}") if side else region
        return self.planted.get(name, 0.0)

    def facts(self, id_: str, kind: str = "") -> SourceFacts:
        """Return what a source is; one that is not known is called by its id."""
        found = (one for one in self.sources if one.id == id_ and kind in ("", one.kind))
        return next(found, SourceFacts(kind, id_, "", id_, ""))

    def measures(self, task: str, subject: str) -> list[NeuralMeasure]:
        """Return the measures that there is a number of under a task and for a subject."""
        index = self._index
        return [
            one
            for one in MEASURES.values()
            if (one.analysis, one.measure, task, subject) in index.tests
            and (one.id != SHARE or (task, subject) in index.ceilings)
        ]

    def held_against(self, asked: NeuralAsked) -> list[str]:
        """Return the ids of the sources that others are compared with by the measure that is asked for."""
        measure = MEASURES[asked.measure]
        if not measure.compares:
            return []
        ids = self._index.compared.get((measure.analysis, asked.task, asked.subject), ())
        return [one.id for one in self.sources if one.id in ids]

    def n_images(self, asked: NeuralAsked) -> int:
        """Return on how many images numbers rest under a task and for a subject, at most."""
        return self._index.n_images.get((asked.task, asked.subject), 0)

    def has_intervals(self, asked: NeuralAsked) -> bool:
        """Return whether any correlation under a task and for a subject has an interval; true where there is none."""
        return self._index.intervals.get((asked.task, asked.subject), True)

    def corrections(self, asked: NeuralAsked) -> list[str]:
        """Return how p is corrected of the measure that is asked for: nothing where nothing was tested."""
        wanted = MEASURES[asked.measure]
        tests = self._index.tests.get((wanted.analysis, wanted.measure, asked.task, asked.subject), ())
        return [one for one in CORRECTIONS if one in tests]

    def of(
        self, asked: NeuralAsked, measure: str, source: SourceFacts, against: str = ""
    ) -> Mapping[str, NeuralFinding]:
        """Return region -> finding of one source by a measure; of two where it compares, from either side."""
        wanted = MEASURES[measure]
        own = self._found(asked, wanted.analysis, wanted.measure, source, against)
        if own or not wanted.compares:
            return own
        other = self.facts(against)
        turned = "unique_against" if wanted.analysis == PARTITION else wanted.measure
        key = (_key(asked, wanted.analysis, turned, other, source.id), against)
        if key not in self._other_side:
            found = self._found(asked, wanted.analysis, turned, other, source.id)
            self._other_side[key] = {region: _turned(one, source) for region, one in found.items()}
        return self._other_side[key]

    def part(
        self, asked: NeuralAsked, measure: str, source: SourceFacts, against: str
    ) -> NeuralFinding | None:
        """Return a part of the variance that two sources predict, in the region in hand, from either side."""
        own = self._found(asked, PARTITION, measure, source, against).get(asked.region)
        if own is not None:
            return own
        turned = {"unique": "unique_against", "unique_against": "unique"}.get(measure, measure)
        found = self._found(asked, PARTITION, turned, self.facts(against), source.id).get(asked.region)
        if found is None:
            return None
        return replace(found, kind=source.kind, source=source.id, against=against, measure=measure)

    def partners(self, asked: NeuralAsked) -> list[SourceFacts]:
        """Return the sources with which the one in hand shares out the variance of the region in hand."""
        own = self.facts(asked.source[1], asked.source[0])
        return [one for one in self.sources if one != own and self.part(asked, "unique", own, one.id)]

    def differences(self, asked: NeuralAsked) -> list[NeuralFinding]:
        """Return the differences in correlation in the region in hand, the largest first.

        Where there are many, those of the source in hand alone, each minus another one.
        """
        every = self.of_region(asked, DIFFERENCE, R)
        if len(every) > MOST_PAIRS:
            own = self.facts(asked.source[1], asked.source[0])
            every = [
                found
                for one in self.sources
                if (found := self.of(asked, MINUS, own, one.id).get(asked.region)) is not None
            ]
        return sorted(every, key=lambda one: -one.estimate)

    def of_region(self, asked: NeuralAsked, analysis: str, measure: str) -> list[NeuralFinding]:
        """Return the findings of an analysis in the region in hand."""
        return [
            one
            for one in self._index.by_region.get((asked.region, analysis, measure), ())
            if (one.task, one.subject, one.group) == (asked.task, asked.subject, asked.groups)
        ]

    def _found(
        self, asked: NeuralAsked, analysis: str, measure: str, source: SourceFacts, against: str
    ) -> Mapping[str, NeuralFinding]:
        return self._index.of_source.get(_key(asked, analysis, measure, source, against), {})

    def alignment(self, task: str) -> dict[str, SummaryRow]:
        """Return model id -> how well its maps agree with fixations by the primary metric, where that is known."""
        rows = (row for row in self.summary if (row.task, row.metric) == (task, self.primary))
        return {
            row.source: row
            for row in sorted(rows, key=lambda row: row.settings_id)
            if row.source_kind == MODEL and not row.lesion and row.percent is not None
        }


def measure_name(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return the name of the measure that is asked for, with what others are held against."""
    measure = MEASURES[asked.measure]
    return f"{measure.name} {results.facts(asked.against).name}" if measure.compares else measure.name


def in_words(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return what numbers rest on: responses, subject, task, atlas."""
    parts = [
        f"responses “{results.responses}”{' (simulated)' if results.simulated else ''}",
        f"subject {asked.subject}" if asked.subject else "",
        f"task {asked.task}",
        f"atlas {results.atlas}" if results.atlas else "",
    ]
    return ", ".join(part for part in parts if part)


def _planted_text(results: NeuralResults, one: NeuralFinding) -> str:
    """Return what a simulation planted in the region; nothing where that is not known."""
    r = results.planted_in(one.region, group=one.group)
    if not known(r):
        return ""
    return (
        f"Planted in the simulation: a signal that allows r up to {number(r)}"
        if r
        else "Nothing was planted here"
    )


def origin(results: NeuralResults, asked: NeuralAsked, number_: Shown, measure: str) -> str:
    """Return what a number says of itself: what it is, interval, tests, ceiling, what it rests on; lines."""
    one = number_.finding
    facts = MEASURES[measure]
    name = results.facts(one.source, one.kind).name
    against = f" {results.facts(one.against).name}" if one.against else ""
    ends = interval(number_.low, number_.high, facts.decimals)
    is_share = measure == SHARE and known(number_.value)
    said = f"{value_text(number_.value, measure)}{' of ceiling' if is_share else ''}"
    lines = [
        f"{one.region}, {name}",
        f"{facts.name}{against}: {said}" + (f", 95 % interval {ends}" if ends else ""),
        facts.meaning,
        _unknown_share(one) if measure == SHARE else "",
        p_text(one),
        _ceiling_text(results, one),
        _planted_text(results, one),
        count(one.n_images, "image")
        + (f", {count(one.n_vertices, 'vertex', 'vertices')}" if one.n_vertices else ""),
        in_words(results, asked)[:1].upper() + in_words(results, asked)[1:],
        one.note,
    ]
    return "\n".join(line for line in lines if line)


def p_text(finding: NeuralFinding) -> str:
    """Return the p of a finding, uncorrected and corrected; empty without a test."""
    if not known(finding.p):
        return ""
    parts = [f"p {p_value(finding.p)}"]
    for correction, p in ((P_FDR, finding.p_fdr), (P_MAX, finding.p_max)):
        if known(p):
            parts.append(f"corrected ({CORRECTIONS[correction]}) {p_value(p)}")
    return ", ".join(parts)


def _ceiling_text(results: NeuralResults, finding: NeuralFinding) -> str:
    if not known(finding.ceiling):
        return ""
    origin_ = f" ({results.ceiling_origin.rstrip('.')})" if results.ceiling_origin else ""
    return f"Noise ceiling {number(finding.ceiling)}{origin_}"


def _unknown_share(finding: NeuralFinding) -> str:
    """Return why a correlation has no share of its ceiling; empty where it has one, or nothing was found."""
    if not known(finding.estimate) or finding.ceiling > 0:
        return ""
    if not known(finding.ceiling):
        return f"No share can be named: no noise ceiling of {finding.region} is known"
    return f"No share can be named: the noise ceiling of {finding.region} is {number(finding.ceiling)}"


def why_unknown(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return why sources have no number in the region in hand by the measure asked for; empty where each has one."""
    if asked.measure != SHARE:
        return ""
    found = (results.of(asked, SHARE, one).get(asked.region) for one in shown_sources(results, asked))
    reasons = dict.fromkeys(_unknown_share(one) for one in found if one is not None)
    return next((f"{reason}." for reason in reasons if reason), "")


def shown_sources(results: NeuralResults, asked: NeuralAsked, measure: str = "") -> list[SourceFacts]:
    """Return the sources that have a number by a measure, that which is asked for unless another is given."""
    wanted = measure or asked.measure
    return [one for one in results.sources if results.of(asked, wanted, one, asked.against)]


def is_control(source: SourceFacts) -> bool:
    """Return whether a source is there to hold models against, and no model or person."""
    return source.kind not in (MODEL, HUMAN)


def with_region(results: NeuralResults, asked: NeuralAsked) -> NeuralAsked:
    """Return what is asked for with a region and a source that there are: the best predicted where none is in hand."""
    sources = shown_sources(results, asked)
    names = results.regions(groups=asked.groups)
    if not sources or not names:
        return replace(asked, region="", source=("", ""))
    own = next((one for one in sources if (one.kind, one.id) == asked.source), None)
    source = own or next((one for one in sources if one.kind == MODEL), sources[0])
    region = (
        asked.region
        if asked.region in names
        else _best(results.of(asked, asked.measure, source, asked.against))
    )
    return replace(asked, region=region or names[0], source=(source.kind, source.id))


def _best(found: Mapping[str, NeuralFinding]) -> str:
    values = {region: one.estimate for region, one in found.items() if known(one.estimate)}
    return max(values, key=values.__getitem__, default="")


def _turned(one: NeuralFinding, source: SourceFacts) -> NeuralFinding:
    """Return what was found of two sources as it is from the other's side."""
    if one.analysis == PARTITION:
        return replace(one, kind=source.kind, source=source.id, against=one.source, measure="unique")
    return replace(
        one,
        kind=source.kind,
        source=source.id,
        against=one.source,
        estimate=-one.estimate,
        low=-one.high,
        high=-one.low,
    )
