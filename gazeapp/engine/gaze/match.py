"""Which image of the project each trial shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.gaze.records import Trial

ASSIGNED, BY_ORDER, BY_LABEL = "assigned", "by order", "by the trial's label"
_CLOSEST_SOUGHT = 50


class KnownImage(Protocol):
    """An image of the project, as far as an import needs it; sizes in px."""

    @property
    def id(self) -> int:
        """Its number in the project."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def width(self) -> int:
        """Width, px."""

    @property
    def height(self) -> int:
        """Height, px."""


@dataclass(frozen=True)
class MatchRules:
    """How trials find their images where names alone do not do.

    Parameters
    ----------
    names
        Image of the project by the name in the recording, as the user assigned them; an empty image
        means none.
    order
        Images in the order in which each subject saw them: the k-th trial shows the k-th image. Empty:
        trials are matched by their own names.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An image name of a recording and the image that it means.

    ``image`` is the project's image, empty when none has the name; ``how`` says how it was found, or that
    the user said it means none; ``closest`` is the most similar name where none was found.
    """

    name: str
    image: str = ""
    how: str = ""
    closest: str = ""
    trials: int = 0
    fixations: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The image of a trial, how it was found, and its name as recorded or listed."""

    image: KnownImage | None
    how: str
    name: str


def find_image(finder: ImageNames, image: str, label: str) -> tuple[int | None, str]:
    """Return the place of a trial's image in the list and how it was found: by name, else by its label."""
    if image:
        return finder.find_how(image)
    # A number is a count of trials and no name.
    place, how = (None, "") if label.isdigit() else finder.find_how(label)
    return place, how and BY_LABEL


def images_of(
    trials: Sequence[Trial], finder: ImageNames, images: Sequence[KnownImage], rules: MatchRules
) -> list[Found]:
    """Return the image of each trial.

    Parameters
    ----------
    trials
        Of a recording.
    finder
        Finds the place of a name in ``images``.
    images
        The project's images.
    rules
        What the user said about names and order.

    Raises
    ------
    GazeError
        When the rules name an image that the project does not hold.
    """
    _check(rules, finder)
    seen: dict[str, int] = {}
    known: dict[tuple[str, str], tuple[int | None, str]] = {}
    found = []
    for trial in trials:
        name, label = trial.image, trial.label
        key = (name, "" if name else label)
        if rules.order:
            k = seen[trial.subject] = seen.get(trial.subject, -1) + bool(trial.is_real)
            listed = rules.order[k] if trial.is_real and k < len(rules.order) else ""
            place, how = finder.find(listed), BY_ORDER
            name = name or listed
        elif name in rules.names and name:
            place, how = finder.find(rules.names[name]), ASSIGNED
        else:
            if key not in known:
                known[key] = find_image(finder, name, label)
            place, how = known[key]
        if place is None:
            found.append(Found(None, ASSIGNED if name and rules.names.get(name) == "" else "", name))
        else:
            found.append(Found(images[place], how, name))
    return found


def _check(rules: MatchRules, finder: ImageNames) -> None:
    said = dict.fromkeys(rules.order, "which stands in the list of images")
    said |= {image: f"which '{name}' is said to mean" for name, image in rules.names.items() if image}
    for name, where in said.items():
        if finder.find(name) is None:
            closest = finder.closest(name)
            raise GazeError(
                f"The project holds no image '{name}', {where}.",
                todo=f"Did you mean '{closest}'?"
                if closest
                else "Add that image first, or name another one.",
            )


def rule_cautions(trials: Sequence[Trial], rules: MatchRules) -> list[GazeError]:
    """Return what the user should know about rules that do not fit a recording."""
    found = []
    names = {trial.image for trial in trials}
    strange = [name for name in rules.names if name not in names]
    if strange and not rules.order:
        found.append(
            GazeError(
                f"No trial names the image {', '.join(map(repr, strange[:3]))}, so that what it was said to mean "
                "changes nothing.",
                todo="Write the name as the recording does.",
            )
        )
    real = Counter(trial.subject for trial in trials if trial.is_real)
    uneven = {subject: n for subject, n in real.items() if n != len(rules.order)}
    if rules.order and uneven:
        subject, n = next(iter(uneven.items()))
        more = f" and {len(uneven) - 1} more subjects likewise" if len(uneven) > 1 else ""
        found.append(
            GazeError(
                f"The list names {len(rules.order)} images, but {subject} has {n} trials{more}: the first ones "
                "were matched one by one.",
                todo="Check that the list is the order in which the trials of this recording were shown.",
            )
        )
    return found


def matches_of(
    trials: Sequence[Trial], found: Sequence[Found], finder: ImageNames, recorded: Sequence[int]
) -> tuple[Match, ...]:
    """Return each image name of a recording with the image that it means.

    Parameters
    ----------
    trials, found
        Trials and their images.
    finder
        Finds the closest name.
    recorded
        Number of fixations of each trial.
    """
    counts: dict[tuple[str, str, str], list[int]] = {}
    for trial, match, n in zip(trials, found, recorded, strict=True):
        if not n and match.image is None and not match.name:
            continue
        name = match.name or (trial.label if match.image is not None else "")
        key = (name, "" if match.image is None else match.image.name, match.how)
        entry = counts.setdefault(key, [0, 0])
        entry[0] += 1
        entry[1] += n
    sought = 0
    matches = []
    for (name, image, how), (n_trials, n_fixations) in counts.items():
        closest = ""
        if not image and not how and name and sought < _CLOSEST_SOUGHT:
            sought += 1
            closest = finder.closest(name)
        matches.append(Match(name, image, how, closest, n_trials, n_fixations))
    return tuple(matches)
