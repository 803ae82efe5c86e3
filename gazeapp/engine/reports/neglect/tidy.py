"""Rows of the exported tables about lesions, read from a project in a stable order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import LesionRow, Project
from gazeapp.engine.reports.neglect.archive import LesionMap, lesion_maps
from gazeapp.engine.reports.neglect.words import lesion_name
from gazeapp.engine.reports.scores import primary_metric
from gazeapp.engine.reports.tables import Value
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.scoring.sources import MODEL

Row = tuple[Value, ...]
_NO_SCORE = (None, None, None)


class LesionTables:
    """The lesion runs of a project, read once for all tables that have them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names = {image.id: image.name for image in project.images.all()}

    @cached_property
    def rows(self) -> list[LesionRow]:
        """The lesion runs, by image name."""
        return sorted(self._project.lesions.all(), key=lambda row: (self._names[row.image_id], row.id))

    @cached_property
    def maps(self) -> dict[int, LesionMap]:
        """Number of a lesion run -> where its map is."""
        return lesion_maps(self._project, self.rows)

    def lesions(self) -> Iterator[Row]:
        """Yield what each lesion did, by image name."""
        runs = {run.id: run for run in self._project.runs.all()}
        scores = [self._project.lesions.scores(preset) for preset in sorted(PRESETS)]
        for row in self.rows:
            run, key, place = runs[row.run_id], row.key, self.maps[row.id]
            yield (
                *(self._names[row.image_id], row.model, row.task, row.method),
                *(key.mask, key.control, key.draw, key.scope, key.strength, row.area),
                *(row.caption, run.caption),
                *(row.outcomes.get(outcome) for outcome in OUTCOMES),
                *(_log_probability(row), run.log_probability),
                *(value for of_preset in scores for value in _score(of_preset.get(row.id, {}))),
                *(lesion_name(key), row.id, row.run_id),
                *(place.key, place.index, place.rect.x, place.rect.y, place.rect.width, place.rect.height),
                *(row.seconds, row.settings_id),
            )

    def words(self) -> Iterator[Row]:
        """Yield the words of captions under lesions."""
        for row in self.rows:
            for position, word in enumerate(row.words):
                yield row.id, position, word.text, word.is_content, word.log_probability

    def runs(self, asked: Callable[[int], Sequence[Value]]) -> Iterator[Row]:
        """Yield lesion runs as rows of runs.csv.

        Parameters
        ----------
        asked
            Number of an intact run -> what the model was asked then, as runs.csv has it: the same as under lesions.
        """
        runs = {run.id: run for run in self._project.runs.all()}
        again = cache(asked)
        for row in self.rows:
            prompt, _, _, *how, _, n_prompt_tokens, decoding = again(row.run_id)
            yield (
                *(self._names[row.image_id], row.model, row.task, lesion_name(row.key), row.caption),
                *(row.method, runs[row.run_id].model_task, _log_probability(row), row.seconds, None),
                *(row.settings_id, prompt, None, None, *how, None, n_prompt_tokens, decoding, row.id),
            )

    def scores(self, preset: str) -> Iterator[Row]:
        """Yield the scores of maps under lesions as rows of scores.csv."""
        found = self._project.lesions.scores(preset)
        if not found:
            return
        primary = primary_metric(self._project, self._project.scores.summary(preset))
        for row in self.rows:
            for metric, (value, _) in found.get(row.id, {}).items():
                yield (
                    *(self._names[row.image_id], row.model, row.task, row.method, lesion_name(row.key)),
                    *(metric, preset, value, MODEL, row.settings_id, "none", metric == primary),
                )


def objects(project: Project) -> Iterator[Row]:
    """Yield the objects on the images, by image name."""
    for image in project.images.all():
        for one in project.objects.of_image(image.id):
            yield image.name, one.label, one.rect.x, one.rect.y, one.rect.width, one.rect.height, one.origin


def _log_probability(row: LesionRow) -> float:
    return sum(word.log_probability for word in row.words)


def _score(of_run: dict[str, tuple[float, float]]) -> Row:
    """Return metric, score and intact score of a lesion run; lesions are scored by one metric of a preset."""
    metric = next(iter(of_run), None)
    return _NO_SCORE if metric is None else (metric, *of_run[metric])
