"""Captions that people wrote, for every model to be made to say: read from a file, or taken from runs along them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.models.captioner.data.caption_set import GENERAL
from gazeapp.engine.models.captioner.data.reading import read_rows
from gazeapp.engine.project import ImageRow, Project


@dataclass(frozen=True)
class GivenCaptions:
    """Captions by image and task.

    Parameters
    ----------
    texts
        From a task to the caption of each image, by the name that the file has for it. A file that tells no tasks
        has one entry, whose name is empty: its captions are given under every task.
    known_digests
        Digests of tasks whose captions are known to be those of earlier runs; the others are computed.
    n_more
        Captions that are not used, because only the first of an image and task is.
    """

    texts: Mapping[str, Mapping[str, str]]
    known_digests: Mapping[str, str] = field(default_factory=dict)
    n_more: int = 0

    def of(self, task: str) -> Mapping[str, str]:
        """Return the caption of each image under a task, by the file's names."""
        by_case = {name.casefold(): texts for name, texts in self.texts.items()}
        return by_case.get(task.casefold(), by_case.get("", {}))

    def digest(self, task: str) -> str:
        """Return what tells these captions under a task from others: the SHA-256 of names and texts."""
        known = self.known_digests.get(task)
        if known is not None:
            return known
        content = json.dumps(sorted(self.of(task).items()), ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def by_image(self, images: Sequence[ImageRow], task: str) -> dict[int, str]:
        """Return the caption of each image under a task, by the image's id; images without one are left out.

        Names of the file are matched with those of the images without regard to case, folders and extensions where
        that leaves one image.
        """
        names = ImageNames(image.name for image in images)
        found: dict[int, str] = {}
        for name, text in self.of(task).items():
            place = names.find(name)
            if place is not None:
                found.setdefault(images[place].id, text)
        return found


@dataclass(frozen=True)
class GivenTexts:
    """The captions that are given under a task, by the images' ids, and what tells them from others."""

    by_image: Mapping[int, str]
    digest: str


def given_texts(
    project: Project, given: GivenCaptions | None, images: Sequence[ImageRow], tasks: Sequence[str]
) -> dict[str, GivenTexts]:
    """Return the captions that are given under each task; nothing where none are given at all.

    Raises
    ------
    GazeError
        If none of ``images`` has one.
    """
    if given is None:
        return {}
    every = project.images.all()
    texts = {task: GivenTexts(given.by_image(every, task), given.digest(task)) for task in tasks}
    if not any(image.id in own.by_image for own in texts.values() for image in images):
        told = [name for name in given.texts if name]
        named = next(name for own in given.texts.values() for name in own)
        raise GazeError(
            f"None of the images has a caption in the file, which names for example {named}"
            + (f" and the tasks {', '.join(told)}." if told else "."),
            todo=f"Name the images as the project does, for example {images[0].name}, and the tasks likewise.",
        )
    return texts


def read_given(path: Path | str) -> GivenCaptions:
    """Read captions from a file in any of the forms of ``docs/captions.md``; pictures need not lie beside it.

    Raises
    ------
    GazeError
        If the file cannot be read, or holds no captions.
    """
    rows = [row for row in read_rows(path) if any(map(str.isalnum, row.text))]
    if not rows:
        raise GazeError("The file holds no captions.", where=str(path), todo="Give a file with captions.")
    tells_tasks = {row.task for row in rows} != {GENERAL}
    texts: dict[str, dict[str, str]] = {}
    for row in rows:
        texts.setdefault(row.task if tells_tasks else "", {}).setdefault(row.name, row.text.strip())
    return GivenCaptions(texts, n_more=len(rows) - sum(len(own) for own in texts.values()))


def given_as_in_run(project: Project, run_id: int, digest: str) -> GivenCaptions:
    """Return the captions that a run was made along, and with it all of its settings: they are the runs' captions."""
    run = project.runs.get(run_id)
    rows = project.db.execute(
        "SELECT i.name, r.caption FROM runs r JOIN images i ON i.id = r.image_id WHERE r.settings_id = ?",
        (run.settings_id,),
    )
    return GivenCaptions({run.task: dict(rows)}, {run.task: digest})


def unknown_words(project: Project, hashes: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Count the words of given captions that models had no token for.

    Parameters
    ----------
    project
        The project.
    hashes
        From the hashes of the settings of runs along given captions to the models' ids.

    Returns
    -------
    dict
        From model to word to the number of times that it was to be said.
    """
    found: dict[str, Counter[str]] = {}
    for digest, model in hashes.items():
        rows = project.db.execute(
            "SELECT w.value FROM runs r, json_each(r.facts, '$.unknown_words') w WHERE r.settings_hash = ?",
            (digest,),
        )
        found.setdefault(model, Counter()).update(row[0] for row in rows)
    return {model: dict(words.most_common()) for model, words in found.items() if words}
