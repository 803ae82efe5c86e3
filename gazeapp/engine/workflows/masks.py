"""Which mask a text means: of the library, one that needs no drawing, or one that follows from data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.built_in import (
    BUILT_IN,
    built_in,
    mirrored_name,
    plain_name,
    plain_percent,
)
from gazeapp.engine.lesions.masks.from_data import above, of_boxes
from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.masks import checked_name
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.annotations import some

Kind = Literal["library", "built_in", "people", "model", "object"]

SHARE = 20
"""Percent of an image's area that menus offer for masks from maps."""

_PERCENT = r"(?P<percent>\d+(?:\.\d+)?)\s*%"
_PEOPLE = re.compile(rf"people\s+{_PERCENT}", re.IGNORECASE)
_MODEL = re.compile(rf"model(?:\s+(?P<name>\S.*?))?\s+{_PERCENT}", re.IGNORECASE)
_OBJECT = re.compile(r"object\s+(?P<name>\S.*)", re.IGNORECASE)
_LONG_SIDE = 10_000
"""Pixels along which a percentage is tried out before there is an image."""


class NotOnImageError(GazeError):
    """An image has no such mask of the library, or no such object; others may have it."""


@dataclass(frozen=True, slots=True)
class MaskSpec:
    """What a text says of a mask.

    Parameters
    ----------
    text
        What the mask is called wherever it is stored or shown: of all texts that mean it, always the same one.
    kind
        ``library``: a mask of that name; ``built_in``: a side of the image; ``people``: where people looked most;
        ``model``: where a model attended most; ``object``: the boxes of objects of one label.
    name
        The model (empty: the one that is asked with the mask), or the objects' label.
    share
        Share of the image's area that a mask from a map takes, 0 to 1.
    """

    text: str
    kind: Kind
    name: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A text that means a mask here, and what it takes, as a sentence."""

    spec: str
    kind: Kind
    says: str


def mask_for(
    project: Project, spec: str, image: ImageRow, task: str = "", model: str = "", method: str = ""
) -> MaskArray:
    """Return the mask that a text means on an image.

    Parameters
    ----------
    spec
        Name of a mask of the library; else a mask that needs no drawing
        (:mod:`gazeapp.engine.lesions.masks.built_in`); else ``people 20%``, ``model ID 20%`` or ``model 20%``: the
        part of the image, 20 % of its area, where the human map or the model's mean map is highest; or ``object
        LABEL``: the boxes of all objects of that label together.
    task
        Task whose maps count; empty: the only one with a map of this image.
    model
        The model that ``model 20%`` means.
    method
        Which of a model's maps; empty: that of its newest run.

    Returns
    -------
    numpy.ndarray
        Shape (height, width) of the image, uint8, 0 to 255.

    Raises
    ------
    NotOnImageError
        When this image has no such mask of the library, or no such object.
    GazeError
        When the text means no mask, or this image lacks what it is made from.
    """
    parsed = parse_spec(project, spec)
    try:
        if parsed.kind == "library":
            return _of_library(project, parsed.text, image)
        if parsed.kind == "built_in":
            return _of_text(parsed.text, image)
        if parsed.kind == "object":
            return _of_objects(project, parsed.name, image)
        if parsed.kind == "people":
            return _of_people(project, parsed.share, image, task)
        return _of_model(project, parsed, image, task, model, method)
    except NotOnImageError:
        raise
    except GazeError as error:
        raise GazeError(error.what, where=error.where or image.name, todo=error.todo) from error


def parse_spec(project: Project, spec: str) -> MaskSpec:
    """Return what a text says, without asking whether an image has it.

    Raises
    ------
    GazeError
        When it means no mask; it names those that are near, or what there is.
    """
    text = spec.strip()
    if any(one.name == text for one in project.masks.library()):
        return MaskSpec(text, "library")
    parsed = _parse(text)
    if parsed is None:
        raise _unknown(project, text)
    if parsed.kind == "built_in":
        _check_built_in(text)
    if parsed.kind == "object":
        label = _label(project, parsed.name)
        return replace(parsed, text=f"object {label}", name=label)
    if parsed.kind == "model" and parsed.name:
        model = _model_id(project, parsed.name)
        return replace(parsed, text=f"model {model} {parsed.text.split()[-1]}", name=model)
    return parsed


def distinct_masks(project: Project, specs: Iterable[str]) -> tuple[str, ...]:
    """Return what the masks that texts mean are called, each once: ``LEFT`` and ``left 50%`` are both ``left``.

    Raises
    ------
    GazeError
        When one of them means no mask.
    """
    return tuple(dict.fromkeys(parse_spec(project, spec).text for spec in specs))


def known_specs(project: Project) -> tuple[KnownSpec, ...]:
    """Return what can be written for a mask in this project: its library, sides, and what its data allow.

    Percentages are examples; others work as well.
    """
    found = []
    for one in project.masks.library():
        images = "1 image" if one.n_images == 1 else f"{one.n_images} images"
        says = f"On {images}, {100 * one.mean_area:.1f} % of each on average."
        found.append(KnownSpec(one.name, "library", says))
    found += [KnownSpec(text, "built_in", says) for text, says in BUILT_IN.items()]
    if project.gaze.recordings():
        says = f"The {SHARE} % of the image where people looked most under the task."
        found.append(KnownSpec(f"people {SHARE}%", "people", says))
    found += [
        KnownSpec(
            f"model {one.id} {SHARE}%",
            "model",
            f"The {SHARE} % of the image where {one.name} attends most under the task.",
        )
        for one in project.runs.models()
    ]
    found += [
        KnownSpec(f"object {label}", "object", f"The boxes of every {label} on the image.")
        for label in project.objects.labels()
    ]
    return tuple(found)


def mirrored_spec(spec: str) -> str | None:
    """Return the text of a side with left and right exchanged, ``right 30%`` for ``left 30%``; None for other masks."""
    return mirrored_name(spec)


def free_name(name: str) -> str:
    """Return a name for a mask of the library without the space around it.

    Raises
    ------
    GazeError
        When it cannot be read, or already means a mask that is made from it.
    """
    clean = checked_name(name)
    if _parse(clean) is not None:
        raise GazeError(
            f"'{clean}' means a mask that needs no drawing, so no other can be called that.",
            todo="Choose another name.",
        )
    return clean


def _parse(text: str) -> MaskSpec | None:
    """Return what a text says apart from the library; None where it says nothing."""
    if (plain := plain_name(text)) is not None:
        return MaskSpec(plain, "built_in")
    if found := _PEOPLE.fullmatch(text):
        return MaskSpec(f"people {plain_percent(found['percent'])}", "people", share=_share(found))
    if found := _MODEL.fullmatch(text):
        percent = plain_percent(found["percent"])
        return MaskSpec(f"model {percent}", "model", found["name"] or "", _share(found))
    if found := _OBJECT.fullmatch(text):
        return MaskSpec(f"object {found['name']}", "object", found["name"])
    return None


def _share(found: re.Match[str]) -> float:
    percent = float(found["percent"])
    if not 0 < percent <= 100:
        raise GazeError(
            f"'{found.string}' asks for {found['percent']} %.",
            todo="A mask takes more than 0 % and at most 100 %.",
        )
    return percent / 100


def _check_built_in(text: str) -> None:
    try:
        built_in(text, 1, _LONG_SIDE)
    except GazeError:
        # A side of the height takes nothing of an image that is one pixel high.
        built_in(text, _LONG_SIDE, 1)


def _of_library(project: Project, name: str, image: ImageRow) -> MaskArray:
    stored = project.masks.get(name, image.id)
    if stored is not None:
        return stored.values
    ids = project.masks.images(name)
    if not ids:
        raise GazeError(
            f"The mask '{name}' is on no image yet.",
            where=image.name,
            todo="Draw it, or import it from files.",
        )
    names = [project.images.get(one).name for one in ids[:4]]
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    raise NotOnImageError(
        f"The image has no mask '{name}'.",
        where=image.name,
        todo=f"Copy it to this image, or leave the image out. It is on {some(names[:3])}{more}.",
    )


def _of_text(text: str, image: ImageRow) -> MaskArray:
    mask = built_in(text, image.height, image.width)
    assert mask is not None
    return mask


def _of_objects(project: Project, label: str, image: ImageRow) -> MaskArray:
    here = project.objects.of_image(image.id)
    rects = [one.rect for one in here if one.label.casefold() == label.casefold()]
    if not rects:
        labels = sorted({one.label for one in here})
        raise NotOnImageError(
            f"No object called '{label}' is known on this image.",
            where=image.name,
            todo=f"There are: {', '.join(labels)}."
            if labels
            else "Import its boxes, or leave the image out.",
        )
    return of_boxes(rects, image.height, image.width)


def _of_people(project: Project, share: float, image: ImageRow, task: str) -> MaskArray:
    maps = {
        one: human
        for one in ([task] if task else project.tasks.all())
        if (human := project.maps.human(image.id, one)) is not None
    }
    under = _only(
        maps, task, "There is no human map of this image", "Import fixations on it, or leave it out."
    )
    density = maps[under]
    return above(density.values, density.rect, image.height, image.width, share)


def _of_model(
    project: Project, spec: MaskSpec, image: ImageRow, task: str, model: str, method: str
) -> MaskArray:
    wanted = spec.name or model
    if not wanted:
        raise GazeError(
            f"'{spec.text}' does not say of which model.",
            todo=f"Write model ID {spec.share:.6g} with the model's id.",
        )
    runs = [
        run
        for run in project.runs.all(image_id=image.id, model=wanted, task=task or None)
        if (run.method == method if method else not is_given(run.method))
    ]
    newest = {run.task: run.id for run in sorted(runs, key=lambda run: run.id)}
    under = _only(
        newest,
        task,
        f"There is no map of {wanted}{f' by the method {method}' if method else ''} on this image",
        "Let the model describe it first, or leave it out.",
    )
    mean = project.maps.mean_of_run(newest[under])
    return above(mean.values, mean.rect, image.height, image.width, spec.share)


def _only(maps: Iterable[str], task: str, missing: str, todo: str) -> str:
    """Return the one task that has a map."""
    tasks = list(maps)
    if not tasks:
        raise GazeError(f"{missing}{f' under the task {task}' if task else ''}.", todo=todo)
    if len(tasks) > 1:
        raise GazeError(
            "There are maps of this image under several tasks.", todo=f"Say under which: {', '.join(tasks)}."
        )
    return tasks[0]


def _label(project: Project, label: str) -> str:
    """Return a label as it is written in the project; of several that differ in case alone, always the same."""
    labels = project.objects.labels()
    found = next((one for one in labels if one.casefold() == label.casefold()), None)
    if found is None:
        raise GazeError(
            f"No object of the project is called '{label}'.",
            todo=_instead(label, labels) or "Import boxes of objects first.",
        )
    return found


def _model_id(project: Project, name: str) -> str:
    models = project.runs.models()
    found = _named(name, [one.id for one in models])
    if found is None:
        found = next((one.id for one in models if one.name.casefold() == name.casefold()), None)
    if found is None:
        raise GazeError(
            f"The project has no model '{name}'.",
            todo=_instead(name, [one.id for one in models]) or "Let a model describe its images first.",
        )
    return found


def _named(name: str, names: Sequence[str]) -> str | None:
    if name in names:
        return name
    return next((one for one in names if one.casefold() == name.casefold()), None)


def _unknown(project: Project, text: str) -> GazeError:
    known = known_specs(project)
    of_library = [one.spec for one in known if one.kind == "library"]
    near = _near(text, [one.spec for one in known])
    guess = f"Did you mean {near}? " if near else ""
    library = f"The library has {some(of_library)}." if of_library else "The library is empty."
    return GazeError(
        f"There is no mask '{text}'.",
        todo=f"{guess}{library} left, right, top and bottom need no drawing; people 20%, model ID 20% and object LABEL "
        "follow from data.",
    )


def _instead(name: str, names: Sequence[str]) -> str:
    """Return what could be meant, as a sentence; empty where there is nothing."""
    near = _near(name, names)
    if near:
        return f"Did you mean {near}?"
    return f"There are: {', '.join(names)}." if names else ""


def _near(name: str, names: Sequence[str]) -> str:
    """Return up to two names that are like one, whatever their case, as part of a sentence."""
    known = {one.casefold(): one for one in names}
    near = difflib.get_close_matches(name.casefold(), known, n=2)
    return " or ".join(repr(known[one]) for one in near)
