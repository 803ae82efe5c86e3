"""Whether four captioners are a factorial design: two encoders by two decoders, and nothing else that differs.

Read from descriptions alone: no weights, no torch. Every entry of a description and every setting of a training
counts as something that has to be equal unless it is named here as belonging to the encoder or to the decoder, so
that an entry added later is compared from the start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CONFIG_NAME, CaptionerConfig, read_config
from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD, PLACES_ONLY, TrainSettings
from gazeapp.engine.resources import resource_path
from gazeapp.engine.types import Json

OF_ENCODER = frozenset({"encoder_family", "mean", "std", "cell_offset", "cell_stride", "encoder_start"})
"""Entries that come with an encoder's network: equal only where the encoder is."""
OF_DECODER = {
    "lstm": frozenset({"state", "attention", "doubly_stochastic"}),
    "transformer": frozenset({"layers", "heads", "head_width", "feed", "mixing_layers"}),
}
"""Entries that one kind of decoder has and the other does not."""
_ITS_OWN = frozenset(
    {"id", "name", "encoder", "decoder", "default_method", "revision", "training", "figures", "out"}
)
_OF_TRAINING = frozenset({"dropout"})
"""Entries of a description that tell of its training alone; where it was trained elsewhere they are not known."""
CONFIG_FIELDS = tuple(
    entry.name for entry in fields(CaptionerConfig) if entry.name not in _ITS_OWN | _OF_TRAINING
)
SETTING_FIELDS = tuple(
    entry.name
    for entry in fields(TrainSettings)
    if entry.name not in _ITS_OWN | PLACES_ONLY and entry.name not in CONFIG_FIELDS
)
"""Settings of a training that its description does not repeat under the same name."""
_ABOUT_THE_TRAINING = ("fingerprint", "encoder_weights", "encoder_start", "start_from")
_TOLD = ("gone_on_from", "steps_done", "best_step", "seconds", "hardware", "versions")
_MANY = 6
_UNUSED = ("0", "0.0", "[0, 0]")
"""What entries that only one kind of decoder has are where it does not use them either."""
_SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")
_WITHOUT_WEIGHTS = ("cnn", "vit")
"""Encoders for which there are no weights to start from."""
FINISHED, STOPPED = "finished", "stopped"
"""What ``status.json`` says of a training that came to its end, and of one that was asked to stop before."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the captioners that are compared: its folder, its description, and what is known of its training."""

    folder: Path
    config: CaptionerConfig
    training: Json
    label: str


@dataclass(frozen=True, slots=True)
class FactorialCheck:
    """What a comparison of captioners found.

    Parameters
    ----------
    same
        What is equal in all of them, as text by entry.
    differs
        What may differ and does: for each entry the value of every captioner that has one, by its label.
    problems
        What must not differ and does, or what the design lacks: one sentence each, with the captioners' labels.
    unchecked
        What could not be compared because descriptions do not say it.
    notes
        What differs because the decoders do and yet bears on what captioners are compared for.
    """

    same: dict[str, str] = field(default_factory=dict)
    differs: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether only encoder and decoder differ, as far as descriptions go, and they leave nothing open."""
        return not self.problems and not self.unchecked

    def require(self) -> None:
        """Raise `GazeError`, naming what differs and where, unless nothing but encoder and decoder differs."""
        if self.problems:
            raise GazeError(
                f"These captioners are no factorial design: {' '.join(self.problems)}",
                todo="Train the four with one gazeapp factorial, so that they share everything else.",
            )
        if self.unchecked:
            raise GazeError(
                f"Whether these captioners are a factorial design cannot be told: {' '.join(self.unchecked)}",
                todo="Say so where you report them, or train the four with gazeapp factorial.",
            )


def check_factorial(folders: Sequence[Path]) -> FactorialCheck:
    """Compare the captioners in ``folders``.

    Raises
    ------
    GazeError
        When a description cannot be read.
    """
    return compare(read_members(folders))


def read_members(folders: Sequence[Path]) -> list[Member]:
    """Read the captioners in ``folders``, each with a label of its own."""
    configs = [read_config(folder) for folder in folders]
    ids = [config.id for config in configs]
    return [
        Member(
            folder, config, _training(folder, config), config.id if ids.count(config.id) == 1 else str(folder)
        )
        for folder, config in zip(folders, configs, strict=True)
    ]


def compare(members: Sequence[Member]) -> FactorialCheck:
    """Compare captioners: all that is equal, all that differs, and what must not."""
    found = _Comparison(members)
    found.design()
    for name in CONFIG_FIELDS:
        found.compare(name, _entry(name))
    for name in (*SETTING_FIELDS, *_ABOUT_THE_TRAINING):
        found.compare(name, _told(name))
    found.unfinished()
    for name in _TOLD:
        found.tell(name, {m.label: m.training[name] for m in members if name in m.training})
    said = {name: value for name, value in found.same.items() if not _says_nothing(name, value, members)}
    return FactorialCheck(said, found.differs, tuple(found.problems), found.unchecked(), _notes(members))


def _says_nothing(name: str, value: str, members: Sequence[Member]) -> bool:
    """Return whether an entry is one that these captioners have no use for."""
    if name == "n_scenes":
        return all(member.training.get("data") != DEMO_WORLD for member in members)
    return (name, value) in (("embed", "0"), ("domain", "none"))


def _notes(members: Sequence[Member]) -> tuple[str, ...]:
    """Return what the decoders' own training means for comparing maps."""
    weights = [
        member.training.get("doubly_stochastic") for member in members if member.config.decoder == "lstm"
    ]
    asked = sorted({float(weight) for weight in weights if weight})
    if not asked:
        return ()
    told = " and ".join(_shown(weight) for weight in asked)
    return (
        "The training objectives differ: the LSTMs also learn to spread attention over a caption (doubly stochastic "
        f"term, weight {told}), the Transformers do not. To compare how concentrated maps are, train the four with "
        "--set doubly_stochastic=0.",
    )


def _entry(name: str) -> Callable[[Member], Any]:
    return lambda member: getattr(member.config, name)


def _told(name: str) -> Callable[[Member], Any]:
    return lambda member: member.training.get(name)


def verdict(check: FactorialCheck) -> str:
    """Return what a comparison found in a sentence."""
    if check.problems:
        return "These captioners are no factorial design: more than encoder and decoder differs, or one is missing."
    if check.unchecked:
        return (
            "Nothing but encoder and decoder is known to differ, but not everything that decides about a training "
            "could be compared."
        )
    return "Two encoders by two decoders; nothing else differs but what belongs to the one or the other."


def as_json(check: FactorialCheck) -> Json:
    """Return what a comparison found as JSON data."""
    return {
        "passed": check.passed,
        "same": check.same,
        "differs": check.differs,
        "problems": list(check.problems),
        "unchecked": list(check.unchecked),
        "notes": list(check.notes),
    }


def captioners_in(folders: Sequence[Path]) -> list[Path]:
    """Return the folders of captioners among ``folders``, and those that lie in one of them."""
    found: list[Path] = []
    for folder in folders:
        own = (folder / CONFIG_NAME).is_file()
        inside = [] if own else sorted(path.parent for path in folder.glob(f"*/{CONFIG_NAME}"))
        found += inside or [folder]
    return found


def shipped_four() -> list[Path]:
    """Return the folders of the four captioners that ship."""
    return [resource_path("models") / name for name in _SHIPPED]


class _Comparison:
    """Collects what a comparison finds, entry by entry."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self.same: dict[str, str] = {}
        self.differs: dict[str, dict[str, str]] = {}
        self.problems: list[str] = []
        self._unsaid: dict[tuple[str, ...], list[str]] = {}

    def design(self) -> None:
        """Find out whether there is each pair of two encoders and the two decoders, once."""
        members = self._members
        if not members:
            self.problems.append("There are no captioners.")
            return
        encoders = list(dict.fromkeys(member.config.encoder for member in members))
        pairs = [(member.config.encoder, member.config.decoder) for member in members]
        self.tell("encoder", {member.label: member.config.encoder for member in members})
        self.tell("decoder", {member.label: member.config.decoder for member in members})
        if len(encoders) != 2:
            self.problems.append(f"There are {len(encoders)} encoders ({', '.join(encoders)}), not 2.")
        wanted = [(encoder, decoder) for encoder in encoders for decoder in OF_DECODER]
        missing = [
            f"{encoder} with {decoder}" for encoder, decoder in wanted if (encoder, decoder) not in pairs
        ]
        twice = [
            f"{encoder} with {decoder}" for encoder, decoder in wanted if pairs.count((encoder, decoder)) > 1
        ]
        if missing:
            self.problems.append(f"There is no {_and(missing, 'and no ')}.")
        if twice:
            self.problems.append(f"There is more than one {_and(twice, 'and ')}.")

    def compare(self, name: str, value_of: Callable[[Member], Any]) -> None:
        """Compare an entry within the groups in which it has to be equal."""
        groups = _groups(name, self._members)
        before = len(self.problems)
        for group in groups:
            values = {member.label: value_of(member) for member in group}
            known = {label: value for label, value in values.items() if value is not None}
            if len(known) < len(values):
                missing = tuple(label for label in values if label not in known)
                self._unsaid.setdefault(missing if known else (), []).append(_words(name))
            if len({_key(value) for value in known.values()}) > 1:
                self.problems.append(f"{_words(name).capitalize()}: {who_has_what(known)}.")
        told = {m.label: v for g in groups for m in g if (v := value_of(m)) is not None}
        used = len(told) == len(self._members) or any(_key(v) not in _UNUSED for v in told.values())
        if len(self.problems) == before and used:
            self.tell(name, told)

    def unchecked(self) -> tuple[str, ...]:
        """Return what descriptions do not say, a sentence for all that the same of them leave open."""
        return tuple(
            f"{_and(missing)} {'does' if len(missing) == 1 else 'do'} not say: {', '.join(names)}."
            if missing
            else f"No description says: {', '.join(names)}."
            for missing, names in self._unsaid.items()
        )

    def unfinished(self) -> None:
        """Find trainings that did not come to their end."""
        for member in self._members:
            state = member.training.get("standing", FINISHED)
            if state != FINISHED:
                self.problems.append(f"The training of {member.label} is {state}, not finished.")

    def tell(self, name: str, values: dict[str, Any]) -> None:
        """Note an entry as equal in all captioners, or as one that may differ and does."""
        if not values:
            return
        shown = {label: _shown(value) for label, value in values.items()}
        if len({_key(value) for value in values.values()}) == 1 and len(values) == len(self._members):
            self.same[name] = next(iter(shown.values()))
        else:
            self.differs[name] = shown


def _groups(name: str, members: Sequence[Member]) -> list[list[Member]]:
    """Return the captioners among which an entry has to be equal; no group is empty."""
    for decoder, names in OF_DECODER.items():
        if name in names:
            having = [member for member in members if member.config.decoder == decoder]
            return [having] if having else []
    if name in OF_ENCODER:
        encoders = dict.fromkeys(member.config.encoder for member in members)
        return [[member for member in members if member.config.encoder == encoder] for encoder in encoders]
    return [list(members)] if members else []


def beginning(weights: str | None, before: str | None, origin: Json) -> Json:
    """Return what a training began with, as far as it is known.

    Parameters
    ----------
    weights, before
        The settings ``encoder_weights`` and ``start_from``; None where nobody says.
    origin
        Source and SHA-256 of the weights that were read.
    """
    found: Json = {"encoder_weights": weights, "start_from": before}
    source = f"{origin.get('source')} (SHA-256 {str(origin.get('sha256'))[:12]})" if origin else None
    if weights is not None and weights not in ("none", "timm"):
        # Each encoder has a file of its own; whether the networks start from learnt weights must not differ.
        found["encoder_weights"] = "a file"
    if before is not None:
        found["start_from"] = "a captioner" if before else "anew"
    if before:
        found |= {"gone_on_from": source, "encoder_start": "the captioner's"}
    elif before is not None and weights == "none":
        found["encoder_start"] = "chance"
    else:
        found["encoder_start"] = source
    return {name: value for name, value in found.items() if value is not None}


def standing_of(folder: Path) -> str:
    """Return how the training in a captioner's folder stands, such as ``finished``; empty where nobody says."""
    return str(_read(folder / "training" / "status.json").get("state", ""))


def _training(folder: Path, config: CaptionerConfig) -> Json:
    """Return what is known of a captioner's training, from its description and from the folder of its training."""
    own = _read(folder / "training" / "settings.json")
    known: Json = {**config.training}
    weights = own.get("encoder_weights", known.get("encoder_weights"))
    if weights is None and config.encoder in _WITHOUT_WEIGHTS:
        weights = "none"
    before = own.get("start_from", known.get("start_from", "" if "steps" in known else None))
    known |= beginning(weights, before, known.pop("origin", {}))
    if known.get("data") == DEMO_WORLD:
        known.setdefault("fingerprint", "drawn, not read")
    best = [line["step"] for line in known.get("evaluations", ()) if line.get("best")]
    if best:
        known["best_step"] = best[-1]
    standing = standing_of(folder)
    if standing:
        known["standing"] = standing
    return known


def _read(path: Path) -> Json:
    """Return the JSON object in a file; nothing where there is none."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    """Return a value as text; long lists by their length and the beginning of their SHA-256."""
    if isinstance(value, list | tuple):
        if len(value) > _MANY:
            return f"{len(value):,} entries (SHA-256 {hashlib.sha256(_key(value).encode()).hexdigest()[:12]})"
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value == "" else f"{value}"


def who_has_what(values: dict[str, Any]) -> str:
    """Return who has which value, as ``a and b have 1, c has 2``."""
    holders: dict[str, list[str]] = {}
    for label, value in values.items():
        holders.setdefault(_key(value), []).append(label)
    return ", ".join(
        f"{_and(labels)} {'has' if len(labels) == 1 else 'have'} {_shown(values[labels[0]])}"
        for labels in holders.values()
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _and(parts: Sequence[str], last: str = "and ") -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last}{parts[-1]}"
