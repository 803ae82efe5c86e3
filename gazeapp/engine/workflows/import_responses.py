"""Bring brain responses to the project's images in, and take them out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.records import Responses
from gazeapp.engine.neural.responses.gathering import Gathered, gather
from gazeapp.engine.neural.responses.hemispheres import hemisphere_of, stem_of
from gazeapp.engine.neural.responses.matching import match_rows
from gazeapp.engine.neural.responses.naming import check_name
from gazeapp.engine.neural.responses.opening import open_responses
from gazeapp.engine.neural.responses.options import ResponseOptions, Window
from gazeapp.engine.neural.responses.preview import no_match
from gazeapp.engine.neural.responses.raw import count
from gazeapp.engine.neural.responses.surfaces import is_surface_file
from gazeapp.engine.project import Project
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally

VERB = "import responses"
REMOVE = "remove responses"
_CONTENT = "content_sha256"


@dataclass(frozen=True)
class ImportResponsesSettings:
    """Which responses to bring in, and what their file does not say itself.

    Parameters
    ----------
    path
        File or folder (:func:`~gazeapp.engine.neural.responses.opening.open_responses`).
    name
        What the project calls them; empty takes the name of the file.
    simulated
        Whether a model made them; None where the file says so itself.
    images_list, window, tr, subject, hemisphere, middle
        As in :class:`~gazeapp.engine.neural.responses.options.ResponseOptions`.
    """

    path: str
    name: str = ""
    simulated: bool | None = None
    images_list: str = ""
    window: Window | None = None
    tr: float | None = None
    subject: str = ""
    hemisphere: str = ""
    middle: str = ""

    @property
    def options(self) -> ResponseOptions:
        """What the readers are told."""
        return ResponseOptions(
            self.simulated,
            self.images_list,
            self.window,
            self.tr,
            self.subject,
            self.hemisphere,
            self.middle,
        )


def import_responses(project: Project, settings: ImportResponsesSettings, progress: Progress) -> Summary:
    """Store the responses to the project's images, all of them or, when cancelled, none.

    One unit is an image. Responses that are there under the same name with the same content are skipped.

    Returns
    -------
    Summary
        ``details`` has ``responses`` (their name), ``simulated``, ``space``, ``targets`` (a number), ``subjects``,
        ``repeats`` (the most of an image), ``ceilings`` (where they come from), ``images_without_response``,
        ``responses_without_image``, and ``notes``: what is to be known of the values, as sentences.

    Raises
    ------
    GazeError
        If they cannot be read, none is of an image of the project, nobody says whether they are simulated, or other
        responses have the name or nothing may be called so.
    """
    path, options = Path(settings.path), settings.options
    name = name_of(path, settings.name)
    check_name(name)
    raw = open_responses(path, options)
    matched = match_rows(raw, options, [image.name for image in project.images.all()])
    if not matched.image_of:
        raise no_match(matched, settings.path)
    tally = Tally(project, VERB, progress, len(matched.image_of))

    def told(done: int, total: int) -> None:
        progress.report(done * tally.total // max(total, 1), tally.total, "reading")

    try:
        found = gather(raw, options, matched.image_of, told, tally.should_stop)
    except StoppedError:
        return tally.summary(responses=name)
    project.problems.clear(VERB, settings.path)
    _store(project, settings, name, found, tally)
    cautions = (*found.cautions, *matched.cautions(settings.path))
    # What nobody can do anything about, such as a medial wall without values, is no problem.
    for caution in (one for one in cautions if one.todo):
        tally.problem(caution.where, caution.what, caution.todo, unit=settings.path)
    _say_failures(settings.path, found, tally)
    responses = found.responses
    return tally.summary(
        responses=name,
        simulated=responses.simulated,
        space=responses.space,
        targets=responses.n_targets,
        subjects=list(responses.subjects),
        repeats=int(responses.n_repeats.max()),
        ceilings=responses.ceiling_origin,
        images_without_response=len(matched.without),
        responses_without_image=len(matched.left_out),
        notes=[one.what for one in cautions if not one.todo],
    )


def name_of(path: Path, name: str = "") -> str:
    """Return what the project calls the responses of a file or folder: as the user says, else as it is called."""
    if name.strip() or path.is_dir():
        return name.strip() or path.name
    # A pair of surface files goes by what both hemispheres' names have in common.
    stem = stem_of(path.name)
    return (hemisphere_of(stem)[1] if is_surface_file(path) else "") or stem or path.name


def content_of(responses: Responses) -> str:
    """Return a SHA-256 of what responses hold."""
    digest = hashlib.sha256(
        repr(
            (
                *(
                    responses.images,
                    responses.subjects,
                    responses.space,
                    responses.simulated,
                    responses.targets,
                ),
                *(responses.values.shape, responses.source, responses.ceiling_origin),
            )
        ).encode()
    )
    for array in (responses.values, responses.n_repeats, responses.ceilings):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _store(
    project: Project, settings: ImportResponsesSettings, name: str, found: Gathered, tally: Tally
) -> None:
    """Store responses unless they are there."""
    responses, content = found.responses, content_of(found.responses)
    before = next((row for row in project.responses.all() if row.name == name), None)
    if before is not None:
        if project.settings.get(before.settings_id).values.get(_CONTENT) != content:
            raise GazeError(
                f"The project holds other responses called “{name}”.",
                todo="Give these another name (--name), or take the others out first (gazeapp remove-responses).",
            )
        tally.skipped = len(responses.images)
        return
    with project.transaction():
        settings_id = project.settings.put(VERB, _values(settings, name, content))
        project.responses.put(name, responses, settings_id)
    tally.done = len(responses.images)


def _values(settings: ImportResponsesSettings, name: str, content: str) -> Json:
    """Return the settings as they are stored: of files, their names alone, because paths differ between machines."""
    window = settings.window
    return {
        "name": name,
        "file": Path(settings.path).name,
        "simulated": settings.simulated,
        "images_list": Path(settings.images_list).name,
        "window": None if window is None else [window.first, window.last, "rows" if window.in_rows else "s"],
        "tr_s": settings.tr,
        "subject": settings.subject,
        "hemisphere": settings.hemisphere,
        "middle": settings.middle,
        _CONTENT: content,
    }


def _say_failures(path: str, found: Gathered, tally: Tally) -> None:
    """Count the files that could not be read, those of one reason as one problem."""
    reasons: dict[tuple[str, str], list[GazeError]] = {}
    for error in found.failures.values():
        reasons.setdefault((error.what, error.todo), []).append(error)
    for (what, todo), errors in reasons.items():
        if len(errors) == 1:
            tally.problem(errors[0].where or path, what, todo, unit=path)
        else:
            names = ", ".join(Path(error.where).name for error in errors[:3])
            tally.problem(path, f"{len(errors)} files cannot be used ({names} ...): {what}", todo, unit=path)
    tally.failed += len(found.failures)


@dataclass(frozen=True)
class RemoveResponsesSettings:
    """Which responses to take out.

    Parameters
    ----------
    name
        What the project calls them.
    """

    name: str


def remove_responses(project: Project, settings: RemoveResponsesSettings, progress: Progress) -> Summary:
    """Take responses out of the project, with all that encoding models found of them.

    Their file stays where it is. One unit is an image.

    Returns
    -------
    Summary
        ``details`` has ``name``, and what was done in words, ``said``.

    Raises
    ------
    GazeError
        If there are none of that name.
    """
    row = project.responses.get(settings.name)
    tally = Tally(project, REMOVE, progress, row.n_images)
    project.responses.remove(row.name)
    tally.done = row.n_images
    images = count(row.n_images, "image is", "images are")
    return tally.summary(
        name=row.name,
        said=f"The responses “{row.name}” to {images} removed, with what encoding models found of them.",
    )
