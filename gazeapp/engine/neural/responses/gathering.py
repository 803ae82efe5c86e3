"""From the rows of files to responses: means over repeats, ceilings, and what is wrong with values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.records import FSAVERAGE5, N_VERTICES, REGION_TABLE, Responses
from gazeapp.engine.neural.responses.ceilings import Repeats
from gazeapp.engine.neural.responses.memory import check_memory
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.origin import is_tribe, simulated, source_of
from gazeapp.engine.neural.responses.raw import RawResponses
from gazeapp.engine.neural.responses.space import Placement, placement
from gazeapp.engine.neural.responses.values import ValueCheck, told_of_responses, told_of_values
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, Json

Told = Callable[[int, int], None]
"""Told how many rows of how many were read."""

_BYTES_FOR_A_VALUE = 6
"""Mean as float32 and count as uint16."""
_LONGEST_FACT = 300
NO_CEILING_OF_A_MODEL = (
    "TRIBE's predictions are determined by the image: there is no noise, and no ceiling of a biological kind."
)


@dataclass(frozen=True)
class Gathered:
    """Responses, and what the user should know of them.

    Parameters
    ----------
    responses
        With the names that they were to have.
    cautions
        What is odd, or was left out.
    failures
        Image or file -> why it could not be read.
    """

    responses: Responses
    cautions: tuple[GazeError, ...]
    failures: Mapping[str, GazeError] = field(default_factory=dict)


def silent(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def never() -> bool:
    """Return False: nobody stops it."""
    return False


@dataclass(frozen=True)
class Wanted:
    """The rows that are to be read, and what becomes of them.

    Parameters
    ----------
    rows
        Number of a row -> (number of its subject, number of its image).
    subjects, images
        Their names.
    place
        How a row comes to fsaverage5; None for regions.
    """

    rows: Mapping[int, tuple[int, int]]
    subjects: tuple[str, ...]
    images: tuple[str, ...]
    place: Placement | None

    @property
    def space(self) -> str:
        """Space of the responses."""
        return REGION_TABLE if self.place is None else FSAVERAGE5


def wanted_rows(
    raw: RawResponses, options: ResponseOptions, image_of: Mapping[str, str] | None = None
) -> Wanted:
    """Return which rows are to be read.

    Parameters
    ----------
    raw
        What was opened.
    options
        What the user said.
    image_of
        Name in the file -> name of the image; others are left out. None keeps all as they are.

    Raises
    ------
    GazeError
        If the file has no such subject, no image is left, or its surface cannot be brought to fsaverage5.
    """
    known = raw.subjects
    if options.subject and options.subject not in known:
        raise GazeError(
            f"The responses have no subject “{options.subject}”.",
            where=raw.where,
            todo=f"They have: {', '.join(known[:20])}.",
        )
    subjects: dict[str, int] = {}
    images: dict[str, int] = {}
    rows = {}
    for number, entry in enumerate(raw.entries):
        image = entry.image if image_of is None else image_of.get(entry.image, "")
        if not image or (options.subject and entry.subject != options.subject):
            continue
        rows[number] = (
            subjects.setdefault(entry.subject, len(subjects)),
            images.setdefault(image, len(images)),
        )
    if not rows:
        raise GazeError(
            "No response is left to be read.",
            where=raw.where,
            todo="Name responses like the project's images.",
        )
    place = None if raw.targets else placement(raw.width, raw.hemisphere, options.hemisphere, raw.where)
    return Wanted(rows, tuple(subjects), tuple(images), place)


def gather(
    raw: RawResponses,
    options: ResponseOptions,
    image_of: Mapping[str, str] | None = None,
    told: Told = silent,
    should_stop: Callable[[], bool] = never,
) -> Gathered:
    """Read responses, one row at a time, and average repeats.

    Rows with infinite values, or with no value at all, are left out and told.

    Parameters
    ----------
    raw, options, image_of
        As for :func:`wanted_rows`.
    told
        Told about the progress.
    should_stop
        Asked before each row.

    Raises
    ------
    GazeError
        If nobody says whether they are simulated, they do not fit into memory, or no row can be used.
    StoppedError
        If ``should_stop`` said so.
    """
    is_simulated = simulated(raw.meta, options.simulated, raw.where)
    wanted = wanted_rows(raw, options, image_of)
    shape = (len(wanted.subjects), len(wanted.images), len(raw.targets) or N_VERTICES)
    check_memory(_BYTES_FOR_A_VALUE * int(np.prod(shape)), raw.where)
    repeats, check = Repeats(*shape), ValueCheck(shape[2])
    failures: dict[str, GazeError] = {}
    for done, (number, row) in enumerate(raw.rows(wanted.rows.keys())):
        if should_stop():
            raise StoppedError
        told(done, len(wanted.rows))
        if isinstance(row, GazeError):
            failures.setdefault(raw.entries[number].image, row)
            continue
        values = row if wanted.place is None else wanted.place.place(row)
        if check.add(raw.entries[number].image, values):
            repeats.add(*wanted.rows[number], values)
    told(len(wanted.rows), len(wanted.rows))
    responses = _responses(raw, wanted, repeats, is_simulated)
    return Gathered(responses, tuple(_cautions(raw, wanted, responses, check)), failures)


def none_usable(where: str) -> GazeError:
    """Return what is said when no row can be used."""
    return GazeError(
        "None of the responses can be used: they are missing, infinite or cannot be read.",
        where=where,
        todo="Look at the file, and save it again.",
    )


def _responses(raw: RawResponses, wanted: Wanted, repeats: Repeats, is_simulated: bool) -> Responses:
    kept: BoolArray = repeats.n_rows.sum(axis=0) > 0
    if not kept.any():
        raise none_usable(raw.where)
    ceilings, origin, note = _ceilings(raw, wanted, repeats)
    facts: Json = {"format": raw.form, **raw.facts}
    if wanted.place is not None and wanted.place.note:
        facts["vertices"] = wanted.place.note
    if note:
        facts["ceiling"] = note
    if raw.meta:
        facts["said_by_file"] = {key: value for key, value in raw.meta.items() if _is_short(value)}
    repeated = int((repeats.n_rows > 1).sum())
    if repeated:
        facts["repeats"] = f"up to {repeats.n_rows.max()} of an image, averaged"
    means = repeats.means if kept.all() else repeats.means[:, kept]
    return Responses(
        means,
        tuple(image for image, is_kept in zip(wanted.images, kept, strict=True) if is_kept),
        wanted.subjects,
        repeats.n_rows[:, kept],
        wanted.space,
        is_simulated,
        raw.targets,
        ceilings,
        origin,
        source_of(raw.meta),
        facts,
    )


def _ceilings(raw: RawResponses, wanted: Wanted, repeats: Repeats) -> tuple[FloatArray | None, str, str]:
    """Return the ceilings, where they come from, and what is to be said of them."""
    if raw.ceilings:
        rows = [
            _own_ceiling(raw.ceilings, subject, len(raw.targets) or raw.width) for subject in wanted.subjects
        ]
        placed = [row if wanted.place is None else wanted.place.place(row) for row in rows]
        return np.stack(placed).astype(np.float32), "the file", ""
    if is_tribe(raw.meta):
        return None, "", NO_CEILING_OF_A_MODEL
    found = repeats.ceilings()
    if found is None and len(wanted.subjects) > 1:
        return (
            None,
            "",
            "No image was repeated: the agreement of subjects alone bounds what can be predicted.",
        )
    if found is None:
        return None, "", "No image was repeated, so that no ceiling is known."
    if np.isnan(found).all():
        return (
            None,
            "",
            "Repeats do not differ, or too few images were repeated, so that no ceiling is known.",
        )
    return found, "repeats", ""


def _is_short(value: object) -> bool:
    return isinstance(value, bool | int | float | str) and len(str(value)) <= _LONGEST_FACT


def _own_ceiling(ceilings: Mapping[str, DoubleArray], subject: str, width: int) -> DoubleArray:
    unknown = np.full(width, np.nan)
    return ceilings.get(subject, ceilings.get("", unknown))


def _cautions(raw: RawResponses, wanted: Wanted, responses: Responses, check: ValueCheck) -> list[GazeError]:
    found = list(raw.cautions)
    if wanted.place is not None and wanted.place.note:
        found.append(GazeError(wanted.place.note, where=raw.where))
    found += told_of_values(check, responses.space, raw.where)
    found += told_of_responses(responses, raw.where)
    return found
