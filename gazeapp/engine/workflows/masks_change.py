"""Changing the library of masks: made of a text, copied to other images, mirrored, renamed, removed."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import mirror
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.annotations import Placing, check_placing, chosen_images
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.masks import free_name, mask_for, parse_spec
from gazeapp.engine.workflows.masks_writer import MaskWriter, placed

MAKE_VERB, COPY_VERB, MIRROR_VERB = "make mask", "copy mask", "mirror mask"
RENAME_VERB, REMOVE_VERB = "rename mask", "remove mask"


@dataclass(frozen=True)
class MakeMaskSettings:
    """Which mask to put into the library.

    Parameters
    ----------
    spec
        What it is made from (:func:`~gazeapp.engine.workflows.masks.mask_for`).
    name
        Its name in the library.
    images
        Names of the images that get it; empty means all.
    task
        Task whose maps count.
    replace
        Whether other masks that these images have under the name may go.
    """

    spec: str
    name: str
    images: tuple[str, ...] = ()
    task: str = ""
    replace: bool = False


@dataclass(frozen=True)
class CopyMaskSettings:
    """Which mask to copy where.

    Parameters
    ----------
    name
        The mask.
    source
        Name of the image that has it.
    images
        Names of the images that get it; empty means all others.
    placing
        ``fraction`` stretches it to an image of another size, ``pixel`` keeps its pixels, ``refuse`` leaves such
        images out.
    replace
        Whether other masks that these images have under the name may go.
    """

    name: str
    source: str
    images: tuple[str, ...] = ()
    placing: Placing = "fraction"
    replace: bool = False


@dataclass(frozen=True)
class MirrorMaskSettings:
    """Which mask to mirror.

    Parameters
    ----------
    name
        The mask.
    new_name
        Name of the mirrored mask.
    images
        Names of the images whose masks are mirrored; empty means all that have it.
    replace
        Whether other masks that these images have under the new name may go.
    """

    name: str
    new_name: str
    images: tuple[str, ...] = ()
    replace: bool = False


@dataclass(frozen=True)
class RenameMaskSettings:
    """Which mask is to be called what.

    Parameters
    ----------
    name, new_name
        Its name, and the one that it gets on all images.
    """

    name: str
    new_name: str


@dataclass(frozen=True)
class RemoveMaskSettings:
    """Which mask to remove.

    Parameters
    ----------
    name
        The mask.
    images
        Names of the images that lose it; empty means all, and the name leaves the library.
    """

    name: str
    images: tuple[str, ...] = ()


def make_mask(project: Project, settings: MakeMaskSettings, progress: Progress) -> Summary:
    """Put what a text means into the library, so that it stays as it is when the data behind it change.

    One unit is an image. An image that lacks what the mask is made from is a problem, and the rest goes on.

    Raises
    ------
    GazeError
        If the text means no mask, the name means one already, or an image is not in the project.
    """
    name = free_name(settings.name)
    spec = parse_spec(project, settings.spec)
    origin = f"made from '{spec.text}'{f', task {settings.task}' if settings.task else ''}"
    images = chosen_images(project, settings.images)
    tally = Tally(project, MAKE_VERB, progress, len(images))
    writer = MaskWriter(project, tally, settings.replace)
    for image in images:
        if tally.should_stop():
            break
        writer.put(name, image, lambda one: mask_for(project, spec.text, one, settings.task), origin)
    return tally.summary(mask=name)


def copy_mask(project: Project, settings: CopyMaskSettings, progress: Progress) -> Summary:
    """Copy a mask of one image to others.

    One unit is an image; one that has the same mask already is skipped.

    Raises
    ------
    GazeError
        If the image has no such mask, or an image is not in the project.
    """
    check_placing(settings.placing)
    source = chosen_images(project, [settings.source])[0]
    name = settings.name.strip()
    stored = project.masks.get(name, source.id)
    if stored is None:
        there = project.masks.of_image(source.id)
        raise GazeError(
            f"The image has no mask '{name}'.",
            where=source.name,
            todo=f"It has: {', '.join(there)}." if there else "It has no masks.",
        )
    images = [image for image in chosen_images(project, settings.images) if image.id != source.id]
    tally = Tally(project, COPY_VERB, progress, len(images))
    writer = MaskWriter(project, tally, settings.replace)
    for image in images:
        if tally.should_stop():
            break
        how = "" if stored.values.shape == (image.height, image.width) else f" by {settings.placing}"
        writer.put(
            name,
            image,
            lambda one: placed(stored.values, one, settings.placing),
            f"copied from {source.name}{how}",
        )
    return tally.summary(mask=name)


def mirror_mask(project: Project, settings: MirrorMaskSettings, progress: Progress) -> Summary:
    """Store a mask with left and right exchanged under another name, on the images that have it.

    Raises
    ------
    GazeError
        If no image has such a mask, one of ``images`` has not, or both names are the same.
    """
    name, new_name = settings.name.strip(), free_name(settings.new_name)
    if name == new_name:
        raise GazeError(
            "The mirrored mask needs a name of its own.", todo="Give it one, such as: right hand."
        )
    having = set(project.masks.images(name))
    if not having:
        known = ", ".join(one.name for one in project.masks.library()) or "none yet"
        raise GazeError(f"No image has a mask '{name}'.", todo=f"The masks of the library are: {known}.")
    chosen = chosen_images(project, settings.images)
    images = [image for image in chosen if image.id in having or settings.images]
    tally = Tally(project, MIRROR_VERB, progress, len(images))
    writer = MaskWriter(project, tally, settings.replace)
    for image in images:
        if tally.should_stop():
            break
        writer.put(
            new_name, image, lambda one: mirror(mask_for(project, name, one)), f"mirrored from '{name}'"
        )
    return tally.summary(mask=new_name)


def rename_mask(project: Project, settings: RenameMaskSettings, progress: Progress) -> Summary:
    """Give a mask another name on all images; what was measured with it keeps the old one.

    Raises
    ------
    GazeError
        If there is no such mask, or the new name means another one.
    """
    new_name = free_name(settings.new_name)
    tally = Tally(project, RENAME_VERB, progress, 1)
    project.masks.rename(settings.name.strip(), new_name)
    tally.done = 1
    return tally.summary(mask=new_name)


def remove_mask(project: Project, settings: RemoveMaskSettings, progress: Progress) -> Summary:
    """Remove a mask from images, in one transaction; what was measured with it stays. One unit is an image.

    Raises
    ------
    GazeError
        If there is no such mask, or it is on none of the images.
    """
    name = settings.name.strip()
    known = [one.name for one in project.masks.library()]
    if name not in known:
        raise GazeError(
            f"The library has no mask '{name}'.",
            todo=f"Its masks are: {', '.join(known)}." if known else "It is empty.",
        )
    having = project.masks.images(name)
    chosen = (
        {image.id for image in chosen_images(project, settings.images)} if settings.images else set(having)
    )
    losing = sorted(chosen.intersection(having))
    if settings.images and not losing:
        raise GazeError(f"None of these images has the mask '{name}'.", todo="Check their names.")
    tally = Tally(project, REMOVE_VERB, progress, len(losing))
    with project.transaction():
        for image_id in losing if settings.images else ():
            project.masks.remove(name, image_id)
        if not settings.images:
            project.masks.remove(name)
    tally.done = len(losing)
    return tally.summary(mask=name)
