"""What a factorial design of captioners shows, as a page: what is shared, what differs, costs, figures, effects.

Effects are plain differences of held-out figures. With one seed they say nothing about how much another seed would
change them, and the page says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from gazeapp.engine.models.captioner.architecture import cost_tables, measure
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.markdown import plain
from gazeapp.engine.models.captioner.training.factorial_check import FactorialCheck, Member, verdict

EFFECTS = ("encoder", "decoder", "interaction")
_FEW = 50
"""Held-out pictures below which figures are hardly more than chance."""
_NO_FIGURES = ("n_validation", "n_test", "n")


def flat_figures(config: CaptionerConfig) -> dict[str, float]:
    """Return a captioner's held-out figures by name; of its attention, the ratios of its default map method."""
    figures = dict(config.figures)
    attention = figures.pop("attention", {})
    entries = attention.get(config.default_method, {}) if isinstance(attention, dict) else {}
    ratios = {f"attention to {name}": entry["ratio"] for name, entry in entries.items()}
    return {**_numbers(figures), **ratios}


def _numbers(figures: Mapping[str, object], before: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in figures.items():
        label = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            found |= _numbers(value, f"{label}, ")
        elif isinstance(value, int | float) and not isinstance(value, bool) and name not in _NO_FIGURES:
            found[label] = float(value)
    return found


def effects(members: Sequence[Member]) -> dict[str, dict[str, float]]:
    """Return what encoder and decoder make of every figure that four captioners have; nothing without all four.

    ``encoder`` is the first encoder's mean over both decoders minus the second's, ``decoder`` the LSTM's mean over both
    encoders minus the Transformer's, and ``interaction`` the difference between LSTM and Transformer with the first
    encoder minus the same with the second.
    """
    encoders = list(dict.fromkeys(member.config.encoder for member in members))
    cells = {(m.config.encoder, m.config.decoder): flat_figures(m.config) for m in members}
    if len(members) != 4 or len(encoders) != 2 or len(cells) != 4:
        return {}
    (a, b), (c, d) = ((cells[encoder, "lstm"], cells[encoder, "transformer"]) for encoder in encoders)
    return {
        name: {
            "encoder": (a[name] + b[name]) / 2 - (c[name] + d[name]) / 2,
            "decoder": (a[name] + c[name]) / 2 - (b[name] + d[name]) / 2,
            "interaction": (a[name] - b[name]) - (c[name] - d[name]),
        }
        for name in a
        if all(name in other for other in (b, c, d))
    }


def factorial_page(
    members: Mapping[int, Sequence[Member]],
    checks: Mapping[int, FactorialCheck],
    failures: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page of a factorial design as Markdown.

    Parameters
    ----------
    members
        The captioners that are there, by seed.
    checks
        What comparing those of each seed found.
    failures
        Trainings that failed: which, and what happened.
    """
    first = next((four for four in members.values() if four), ())
    parts = ["# Captioners of a factorial design", _intro(members)]
    if failures:
        parts += [
            "## What failed",
            "\n".join(f"- {plain(label)}: {plain(what)}" for label, what in failures),
        ]
    for seed, check in checks.items():
        parts += [f"## {_of_seed('What is shared', seed, checks)}", check_text(check)]
    if first:
        costs = [measure(member.config) for member in first]
        parts += [
            cost_tables(costs),
            "A multiplication and an addition are two operations; normalisations, activations and softmax not counted.",
        ]
    for seed, four in members.items():
        if four:
            parts += [f"## {_of_seed('Held-out figures', seed, members)}", _figures_table(four)]
    found = [one for four in members.values() if (one := effects(four))]
    if found:
        parts += ["## What encoder and decoder make of them", _effects_text(first, found)]
    return "\n\n".join(parts) + "\n"


def check_text(check: FactorialCheck) -> str:
    """Return what a comparison found, as Markdown: the verdict, what is shared, what differs."""
    lines = [verdict(check), ""]
    lines += [f"- **{plain(problem)}**" for problem in check.problems]
    lines += [f"- {plain(gap)}" for gap in check.unchecked]
    lines += [f"- {plain(note)}" for note in check.notes]
    if check.problems or check.unchecked or check.notes:
        lines.append("")
    lines += ["| the same in all | |", "|---|---|"]
    lines += [f"| {_name(name)} | {plain(value)} |" for name, value in check.same.items()]
    labels = list(dict.fromkeys(label for values in check.differs.values() for label in values))
    if labels:
        lines += ["", f"| differs | {' | '.join(plain(label) for label in labels)} |"]
        lines.append("|---|" + "---|" * len(labels))
        lines += [
            f"| {_name(name)} | {' | '.join(plain(values.get(label, '')) for label in labels)} |"
            for name, values in check.differs.items()
        ]
    return "\n".join(lines)


def _intro(members: Mapping[int, Sequence[Member]]) -> str:
    seeds = list(members)
    if len(seeds) == 1:
        return f"Two encoders by two decoders, trained alike, with one seed ({seeds[0]})."
    return f"Two encoders by two decoders, trained alike, with {len(seeds)} seeds ({', '.join(map(str, seeds))})."


def _of_seed(title: str, seed: int, seeds: Mapping[int, object]) -> str:
    return f"{title}, seed {seed}" if len(seeds) > 1 else title


def _figures_table(four: Sequence[Member]) -> str:
    figures = [flat_figures(member.config) for member in four]
    names = dict.fromkeys(name for one in figures for name in one)
    lines = [f"| figure | {' | '.join(plain(m.config.name) for m in four)} |", "|---|" + "---:|" * len(four)]
    for name in names:
        cells = [_figure(one[name]) if name in one else "" for one in figures]
        lines.append(f"| {plain(name)} | {' | '.join(cells)} |")
    few = [n for m in four if isinstance(n := m.config.figures.get("n_test"), int) and n < _FEW]
    if few:
        lines += [
            "",
            f"**Only {min(few)} held-out pictures**: differences between these figures are mostly chance; with "
            f"fewer than {_FEW}, rely on none of them.",
        ]
    return "\n".join(lines)


def _figure(value: float, sign: str = "") -> str:
    """Return a figure to three decimals, or four digits from 10 on; what is 0 to that has no sign."""
    if abs(value) >= 10:
        return f"{value:{sign}.4g}"
    return f"{value:{sign}.3f}" if round(value, 3) else "0.000"


def _effects_text(four: Sequence[Member], found: Sequence[Mapping[str, Mapping[str, float]]]) -> str:
    one, other = dict.fromkeys(member.config.encoder for member in four)
    lines = [
        f"| figure | {plain(one)} minus {plain(other)} | LSTM minus Transformer | interaction |",
        "|---|---:|---:|---:|",
    ]
    names = [name for name in found[0] if all(name in each for each in found)]
    for name in names:
        cells = [_spread([each[name][effect] for each in found]) for effect in EFFECTS]
        lines.append(f"| {plain(name)} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Encoder: the mean of both decoders with {plain(one)} minus that with {plain(other)}. Decoder: the mean of "
        "both encoders with the LSTM minus that with the Transformer. Interaction: LSTM minus Transformer with "
        f"{plain(one)}, minus the same with {plain(other)}.",
    ]
    if len(found) == 1:
        lines.append(
            "Plain differences between four trained networks, one for each pair: another seed gives other "
            "differences, and nothing here says how far they would lie apart."
        )
    else:
        lines.append(f"Mean over {len(found)} seeds, and the standard deviation between seeds after the ±.")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    mean = _figure(statistics.fmean(values), "+")
    return mean if len(values) == 1 else f"{mean} ± {_figure(statistics.stdev(values))}"


def _name(name: str) -> str:
    return name.replace("_", " ")
