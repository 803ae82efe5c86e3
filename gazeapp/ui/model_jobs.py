"""Running, trying and downloading models, as work for the worker thread."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazeapp.ui.job_control import JobProgress

if TYPE_CHECKING:
    from gazeapp.engine.project import ProblemRow
    from gazeapp.ui.worker import Work


@dataclass(frozen=True)
class Tried:
    """What a trial found: ``models`` as the verb's details have them, and what could not be tried."""

    models: tuple[Mapping[str, Any], ...]
    problems: tuple[ProblemRow, ...]
    on_card: bool
    cancelled: bool


def extract_work(choice: Mapping[str, Any], texts: Mapping[str, str]) -> Work:
    """Return the work that runs models.

    Parameters
    ----------
    choice
        Arguments of ``ExtractSettings``.
    texts
        The text of each task, made the one in force before; so a job that is run again asks what it asked.
    """

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.extract import extract
        from gazeapp.engine.workflows.extract_plan import ExtractSettings
        from gazeapp.ui.dialogs.prompts import put_prompts

        put_prompts(project, texts)
        return extract(project, ExtractSettings(**choice), progress)

    return work


def trial_work(choices: Sequence[Mapping[str, Any]]) -> Work:
    """Return the work that tries models on one image."""

    def work(project: Any, progress: JobProgress) -> Tried:
        from gazeapp.engine.workflows.extract_plan import ExtractSettings
        from gazeapp.engine.workflows.trial import trial

        models: list[Mapping[str, Any]] = []
        problems: list[ProblemRow] = []
        cancelled = False
        for choice in choices:
            summary = trial(project, ExtractSettings(**choice), progress)
            models.extend(summary.details["models"])
            problems.extend(summary.problems)
            cancelled = cancelled or summary.cancelled
        torch = sys.modules.get("torch")
        on_card = torch is not None and bool(torch.cuda.is_available())
        return Tried(tuple(models), tuple(problems), on_card, cancelled)

    return work


def download_work(name: str) -> Work:
    """Return the work that downloads a model."""

    def work(_project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.download import DownloadSettings, download

        return download(None, DownloadSettings(name), progress)

    return work


def in_a_few_words(names: Sequence[str]) -> str:
    """Return names for a title: ``A``, ``A and B``, ``A, B and 3 more``."""
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and {len(names) - 2} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
