"""What importing responses would do, before anything is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_VERTICES
from gazeapp.engine.neural.responses.gathering import Wanted, none_usable, wanted_rows
from gazeapp.engine.neural.responses.matching import Matched, match_rows
from gazeapp.engine.neural.responses.opening import open_responses
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.origin import said_by, simulated, source_of
from gazeapp.engine.neural.responses.raw import RawResponses, some
from gazeapp.engine.neural.responses.values import ValueCheck, told_of_values
from gazeapp.engine.neural.responses.window import TIME_ROWS
from gazeapp.engine.types import DoubleArray, Json

ROWS_LOOKED_AT = 200
"""Rows whose values are read for a preview."""


@dataclass(frozen=True)
class ResponsesPreview:
    """What was found in a file of responses.

    Parameters
    ----------
    path
        The file or folder.
    error
        Why it cannot be imported as it is; None when it can.
    form
        What the file is, in words.
    space
        ``fsaverage5`` or ``regions``.
    n_targets
        Vertices or regions; 0 where they are not known.
    targets
        Names of the regions.
    subjects
        Their names; one empty name where the file names none.
    n_rows, n_images
        Rows of the file, and names of images among them.
    most_repeats
        Rows of the image that a subject saw most often.
    time_rows
        Rows of a time course, of which a window is averaged; 0 where there are none.
    simulated
        What the file says of its origin, or the user; None while nobody has.
    simulated_by_file
        What the file alone says of it.
    source
        What the file says made or measured them.
    has_ceilings
        Whether the file brings ceilings.
    n_looked_at, n_never_known, n_missing
        Rows whose values were looked at; targets without a value in any of them; single values missing besides.
    is_usable
        Whether a row can be used, as far as rows were read.
    matched
        Each name with its image.
    facts
        What was decided while reading.
    cautions
        What the user should know.
    """

    path: str
    error: GazeError | None = None
    form: str = ""
    space: str = ""
    n_targets: int = 0
    targets: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    n_rows: int = 0
    n_images: int = 0
    most_repeats: int = 0
    time_rows: int = 0
    simulated: bool | None = None
    simulated_by_file: bool | None = None
    source: str = ""
    has_ceilings: bool = False
    n_looked_at: int = 0
    n_never_known: int = 0
    n_missing: int = 0
    is_usable: bool = True
    matched: Matched = field(default_factory=lambda: Matched((), ()))
    facts: Json = field(default_factory=dict)
    cautions: tuple[GazeError, ...] = ()


def preview_responses(path: Path, options: ResponseOptions, image_names: Sequence[str]) -> ResponsesPreview:
    """Find out what importing responses would do.

    The values of the first rows alone are read, so that thousands of images take no longer than hundreds; of the others
    as many as it takes to find one that can be used.

    Parameters
    ----------
    path
        File or folder.
    options
        What the user said so far.
    image_names
        Names of the project's images.

    Returns
    -------
    ResponsesPreview
        With the error in it when the file cannot be imported as it is.
    """
    try:
        raw = open_responses(path, options)
    except GazeError as error:
        return ResponsesPreview(str(path), error)
    matched = match_rows(raw, options, image_names)
    by_file = said_by(raw.meta)
    found = ResponsesPreview(
        str(path),
        form=raw.form,
        n_targets=len(raw.targets),
        targets=raw.targets,
        subjects=raw.subjects,
        n_rows=len(raw.entries),
        n_images=len(raw.images),
        most_repeats=max(Counter(raw.entries).values()),
        time_rows=raw.facts.get(TIME_ROWS, 0),
        simulated=options.simulated if by_file is None else by_file,
        simulated_by_file=by_file,
        source=source_of(raw.meta),
        has_ceilings=bool(raw.ceilings),
        matched=matched,
        facts=raw.facts,
        cautions=(*raw.cautions, *matched.cautions(str(path))),
    )
    try:
        if not matched.image_of:
            raise no_match(matched, str(path))
        wanted = wanted_rows(raw, options, matched.image_of)
        found = _looked_at(raw, wanted, found)
        if not found.is_usable:
            raise none_usable(str(path))
        simulated(raw.meta, options.simulated, str(path))
    except GazeError as error:
        return replace(found, error=error)
    return found


def no_match(matched: Matched, where: str) -> GazeError:
    """Return what is said when no response is of any image of the project."""
    near = next((one for one in matched.names if one.closest), None)
    hint = f"Did you mean “{near.closest}” by “{near.name}”? " if near else ""
    names = some([one.name for one in matched.names])
    return GazeError(
        f"No response is named like an image of the project; they are called {names}.",
        where=where,
        todo=f"{hint}Name responses like their images, for example scene-001 for scene-001.png.",
    )


def _looked_at(raw: RawResponses, wanted: Wanted, found: ResponsesPreview) -> ResponsesPreview:
    """Return the preview with what the values of the first rows tell."""
    n_targets = len(raw.targets) or N_VERTICES
    check = ValueCheck(n_targets)
    first = set(sorted(wanted.rows)[:ROWS_LOOKED_AT])
    cautions = list(found.cautions)
    for number, row in raw.rows(first):
        if isinstance(row, GazeError):
            cautions.append(row)
        else:
            check.add(raw.entries[number].image, _placed(wanted, row))
    if wanted.place is not None and wanted.place.note:
        cautions.append(GazeError(wanted.place.note, where=raw.where))
    cautions += told_of_values(check, wanted.space, raw.where)
    return replace(
        found,
        space=wanted.space,
        n_targets=n_targets,
        n_looked_at=len(first),
        n_never_known=check.never_known,
        n_missing=check.sometimes_missing,
        is_usable=bool(check.n_rows) or _any_usable(raw, wanted, wanted.rows.keys() - first),
        cautions=tuple(cautions),
    )


def _any_usable(raw: RawResponses, wanted: Wanted, numbers: Set[int]) -> bool:
    """Return whether one of these rows can be used; none after it is read."""
    return any(
        not isinstance(row, GazeError)
        and ValueCheck(len(raw.targets) or N_VERTICES).add(raw.entries[number].image, _placed(wanted, row))
        for number, row in raw.rows(numbers)
    )


def _placed(wanted: Wanted, row: DoubleArray) -> DoubleArray:
    return row if wanted.place is None else wanted.place.place(row)
