"""Take lesions out of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.project.removal import remove_lesions_of, remove_unused_settings
from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.workflows.annotations import chosen_images
from gazeapp.engine.workflows.base import Progress, Stage, Summary, Tally
from gazeapp.engine.workflows.lesion import VERB as LESION
from gazeapp.engine.workflows.lesion_findings import assess
from gazeapp.engine.workflows.masks import parse_spec

VERB = "remove lesions"


@dataclass(frozen=True)
class RemoveLesionsSettings:
    """Which lesions to take out: those that are of one of each; empty means all.

    Parameters
    ----------
    masks
        Names of masks, as lesions were made with them; the masks themselves may be gone.
    models
        Ids or names of models.
    tasks
        Tasks.
    images
        Names of images.
    """

    masks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


def remove_lesions(project: Project, settings: RemoveLesionsSettings, progress: Progress) -> Summary:
    """Remove lesions with their controls, captions, maps and scores in one transaction, and make the findings anew.

    Those that no longer count, because the intact run or a setting is another one now, go as well. The control that
    takes nothing away belongs to no mask, and goes with the last lesion of its intact run. Intact runs and masks stay.
    One unit is a lesion or a control.

    Returns
    -------
    Summary
        ``details`` has the numbers of lesions that were ``removed`` and are ``left``, the ``masks`` that they were of,
        and it in words, ``said``.

    Raises
    ------
    GazeError
        If there are no lesions, none of a mask, model or task, or none of all that is asked for together.
    """
    there = _Lesions.of(project)
    masks = there.found("mask", there.masks, settings.masks, lambda word: _mask(project, word))
    names = {model.name: model.id for model in project.runs.models()}
    models = there.found("model", there.models, settings.models, lambda word: names.get(word, word))
    tasks = there.found("task", there.tasks, settings.tasks, str.strip)
    images = [image.id for image in chosen_images(project, settings.images)] if settings.images else []
    tally = Tally(project, VERB, progress, 0)
    with project.transaction():
        of_masks = remove_lesions_of(project, masks, models, tasks, images)
        if not of_masks:
            raise GazeError(
                "There are no lesions of all that together.",
                todo="Leave one of the choices out.",
            )
        left = project.db.execute("SELECT count(*) FROM lesion_runs").fetchone()[0]
        if not left:
            project.problems.clear(LESION)
    assess(project, Stage(progress, "what lesions changed"))
    tally.should_stop()
    remove_unused_settings(project, LESION)
    tally.done = sum(of_masks.values())
    own = [mask for mask in of_masks if mask]
    lesions = "lesion" if tally.done == 1 else "lesions"
    rest = f"{left} {'is' if left == 1 else 'are'} left" if left else "none is left"
    return tally.summary(
        removed=tally.done,
        left=left,
        masks=own,
        said=f"{tally.done} {lesions} of {listed(own)} removed, controls among them; {rest}.",
    )


@dataclass(frozen=True)
class _Lesions:
    """What there are lesions of."""

    masks: tuple[str, ...]
    models: tuple[str, ...]
    tasks: tuple[str, ...]

    @classmethod
    def of(cls, project: Project) -> _Lesions:
        rows = project.db.execute(
            "SELECT l.mask, r.model, t.name FROM lesion_runs l JOIN runs r ON r.id = l.run_id "
            "JOIN tasks t ON t.id = r.task_id WHERE l.control <> 'none' GROUP BY 1, 2, 3 ORDER BY min(l.id)"
        ).fetchall()
        if not rows:
            raise GazeError("The project has no lesions.", where=project.path.name)
        return cls(*(tuple(dict.fromkeys(row[k] for row in rows)) for k in range(3)))

    def found(
        self, kind: str, known: tuple[str, ...], words: Iterable[str], meaning: Callable[[str], str]
    ) -> list[str]:
        """Return what words mean of what there are lesions of."""
        chosen = []
        for word in words:
            name = word if word in known else meaning(word)
            if name not in known:
                raise GazeError(
                    f"There are no lesions of the {kind} '{word}'.",
                    todo=f"There are of: {listed(list(known))}.",
                )
            chosen.append(name)
        return chosen


def _mask(project: Project, word: str) -> str:
    """Return what a mask is called; the text itself where it means none any more."""
    try:
        return parse_spec(project, word).text
    except GazeError:
        return word.strip()
