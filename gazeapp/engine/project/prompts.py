"""Prompts: each task in the words that models read, with all its earlier versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazeapp.engine.errors import GazeError

if TYPE_CHECKING:
    from gazeapp.engine.project.project import Project

DEFAULT_PROMPTS = {
    "general": "Describe this scene in one sentence.",
    "social": "Describe in one sentence what the people in this scene are doing.",
}
"""Texts of the tasks that every project may have; other tasks begin with `OTHER_PROMPT`."""

OTHER_PROMPT = "Describe this image in one sentence."
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Prompt:
    """A task in words.

    Parameters
    ----------
    task
        The task.
    text
        What models read.
    version
        Counts the task's texts from 1; 0 for the text that a task begins with.
    """

    task: str
    text: str
    version: int = 0


def prompt_of(project: Project, task: str) -> Prompt:
    """Return the prompt that a task has now."""
    stored = project.settings.current(_name(task))
    if stored is None:
        return Prompt(task, DEFAULT_PROMPTS.get(task, OTHER_PROMPT))
    text = str(stored.values["text"])
    return next(prompt for prompt in prompt_versions(project, task) if prompt.text == text)


def prompt_versions(project: Project, task: str) -> list[Prompt]:
    """Return every text that a task ever had in the project, oldest first, the one that it began with included."""
    given = DEFAULT_PROMPTS.get(task, OTHER_PROMPT)
    texts = [str(row.values["text"]) for row in project.settings.all() if row.verb == _name(task)]
    # Settings are stored anew under newer libraries; the text is what makes a version.
    return [Prompt(task, text, version) for version, text in enumerate(dict.fromkeys([given, *texts]))]


def set_prompt(project: Project, task: str, text: str) -> Prompt:
    """Give a task another text; earlier ones stay, and runs that were made with them keep them.

    Raises
    ------
    GazeError
        If the text is empty or very long, or the project has no such task.
    """
    clean = text.strip()
    if not clean:
        raise GazeError("A prompt needs words.", todo="Write what the model should do with the image.")
    if len(clean) > _LONGEST:
        raise GazeError(f"A prompt has at most {_LONGEST:,} characters; this one has {len(clean):,}.")
    project.tasks.id_of(task)
    project.settings.set_current(_name(task), {"task": task, "text": clean})
    return prompt_of(project, task)


def _name(task: str) -> str:
    return f"prompt {task}"
