"""Bring in maps that were made elsewhere, one for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.files import MapFiles, MapPlace, Values
from gazeapp.engine.maps.names import Matches, match_names
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.neural.controls import CONTROLS
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.gaze import new_task_cautions

VERB = "import maps"
METHOD = "imported"
TRUTH = "truth"
TRUE_DENSITY = "true_density"
"""Id under which a known density is kept and scored, whatever name it is shown with."""
_NAMES_IN_A_SENTENCE = 3
_SLIP = (
    "If that is a slip, take the maps out with `gazeapp remove-maps` and import them under the right name."
)


@dataclass(frozen=True)
class ImportMapsSettings:
    """Which maps to bring in, and as whose.

    Parameters
    ----------
    folder
        Folder with one map file for each image, or one HDF5 or NPZ file with an array for each; named like the
        images (:func:`~gazeapp.engine.maps.names.match_names`).
    model
        Name of the model that made them.
    tasks
        Tasks that they belong to, at least one: a model that takes no task has one map for all. A name that
        differs from a task of the project in case or outer space only is that task.
    kind
        ``imported``, or ``truth`` for the density that simulated observers were drawn from.
    values
        ``saliency``, numbers of at least 0, or ``log_density``, natural logarithms of a density.
    mirrored
        Whether the model saw each image left-right mirrored; the maps are as it made them, not turned back.
    encoder, decoder
        What the model is built of, both or none: models that cross two encoders with two decoders enter the
        comparison of architectures. Empty keeps what is known of the model.
    """

    folder: str
    model: str
    tasks: tuple[str, ...]
    kind: str = "imported"
    values: Values = "saliency"
    mirrored: bool = False
    encoder: str = ""
    decoder: str = ""


def import_maps(project: Project, settings: ImportMapsSettings, progress: Progress) -> Summary:
    """Store the map of each image, once for each task; the maps cover the whole image.

    One unit is an image. An image that has the same map under all of the tasks is skipped; one that has it
    under some gets the others. Model and tasks come into the project with the first map that is stored. Maps
    that fail for the same reason are one problem.

    Returns
    -------
    Summary
        ``details`` has ``model`` (its id), ``images_without_map``, ``maps_without_image`` and ``unclear_maps``
        (numbers; unclear is what fits several images, or shares its image with another map), and ``new_tasks``.

    Raises
    ------
    GazeError
        If the folder or file does not exist or cannot be opened, no map is named like an image, no task is
        given, or of encoder and decoder only one.
    """
    if not settings.tasks:
        raise GazeError("The maps need a task.", todo="Say under which task they are to be scored.")
    before = project.tasks.all()
    tasks = tuple(dict.fromkeys(project.tasks.resolve(task) for task in settings.tasks))
    images = project.images.all()
    with MapFiles(Path(settings.folder)) as maps:
        matches = match_names([image.name for image in images], [place.name for place in maps.places])
        if not (matches.map_of or matches.unclear or matches.rivals or maps.damaged):
            raise GazeError(
                "No map is named like an image of the project.",
                where=settings.folder,
                todo="Name each map like its image, for example scene-001.npy for scene-001.png.",
            )
        info, change = _model(project, settings)
        tally = Tally(project, VERB, progress, len(matches.map_of) + len(maps.damaged))
        for unit in (settings.folder, *map(task_unit, tasks)):
            project.problems.clear(VERB, unit)
        for caution in _cautions(matches, images, maps.places):
            tally.problem(settings.folder, caution.what, caution.todo)
        importer = _Import(project, settings, info, tasks, maps, tally)
        for error in maps.damaged:
            importer.failed(error, error.where)
        for place, image in enumerate(images):
            if place not in matches.map_of:
                continue
            if tally.should_stop():
                break
            importer.add(image, maps.places[matches.map_of[place]])
        importer.say_failures()
    if change is not None and importer.is_known:
        project.runs.put_model(info)
        tally.problem(settings.folder, change.what, change.todo)
    new_tasks = [task for task in project.tasks.all() if task in tasks and task not in before]
    for task, caution in zip(new_tasks, new_task_cautions(new_tasks, before), strict=False):
        tally.problem(settings.folder, caution.what, _SLIP, unit=task_unit(task))
    return tally.summary(
        model=info.id,
        images_without_map=len(images) - len(matches.map_of),
        maps_without_image=len(matches.strays),
        unclear_maps=len(matches.unclear) + sum(len(several) for several in matches.rivals.values()),
        new_tasks=new_tasks,
    )


def task_unit(task: str) -> str:
    """Return what the caution about a new task is stored under."""
    return f"task {task}"


class _Import:
    """Stores maps of one model, one image at a time, and gathers why some cannot be."""

    def __init__(
        self,
        project: Project,
        settings: ImportMapsSettings,
        model: ModelInfo,
        tasks: Sequence[str],
        maps: MapFiles,
        tally: Tally,
    ) -> None:
        self._project = project
        self._settings = settings
        self._model = model
        self._tasks = tasks
        self._maps = maps
        self._tally = tally
        self._lesion = MIRRORED if settings.mirrored else ""
        self._failures: dict[tuple[str, str], list[tuple[str, str]]] = {}

    @property
    def is_known(self) -> bool:
        """Whether the project holds the model."""
        return any(model.id == self._model.id for model in self._project.runs.models())

    def add(self, image: ImageRow, place: MapPlace) -> None:
        """Store one image's map under the tasks that do not have it."""
        try:
            missing = self._missing(image, place)
            if not missing:
                self._tally.skip(image.name)
                return
            grid = self._maps.read(place, self._settings.values)
        except GazeError as error:
            self.failed(error, image.name)
            return
        except MemoryError:
            todo = "Close other programs, or save the map smaller: it is stretched to its image."
            self.failed(GazeError("There was not enough memory.", where=str(place), todo=todo), image.name)
            return
        with self._tally.unit(image.name), self._project.transaction():
            # With the maps, so that an import of which nothing is stored leaves no model and no task behind.
            self._project.runs.put_model(self._model)
            for task, values in missing.items():
                self._project.tasks.add(task)
                settings_id = self._project.settings.put(VERB, values)
                self._project.runs.put_map(
                    image.id, self._model.id, task, METHOD, grid, image.rect, settings_id, self._lesion
                )

    def failed(self, error: GazeError, unit: str) -> None:
        """Count a map that cannot be used."""
        self._project.problems.clear(VERB, unit)
        self._failures.setdefault((error.what, error.todo), []).append((error.where or unit, unit))
        self._tally.count_failure(unit)

    def say_failures(self) -> None:
        """Store each reason once, with the names of the maps that it holds for."""
        for (what, todo), places in self._failures.items():
            if len(places) == 1:
                where, unit = places[0]
                self._tally.problem(where, what, todo, unit=unit)
                continue
            names = [unit for _, unit in places]
            self._tally.problem(
                self._settings.folder,
                f"{len(names)} maps cannot be used ({_some(names)}), for one reason: {what}",
                todo,
            )

    def _missing(self, image: ImageRow, place: MapPlace) -> dict[str, Json]:
        """Return the settings of the maps that are not there yet, by task."""
        digest = self._maps.digest(place)
        missing: dict[str, Json] = {}
        for task in self._tasks:
            values: Json = {"model": self._model.id, "task": task, "kind": self._settings.kind}
            values["values_sha256" if place.key else "file_sha256"] = digest
            # Only what differs from the plain case is said, so that plain maps keep the hash that they had.
            if self._settings.values != "saliency":
                values["values"] = self._settings.values
            if self._lesion:
                values["lesion"] = self._lesion
            if not self._project.runs.exists(
                image.id, self._model.id, task, self._lesion, METHOD, settings_hash(VERB, values)
            ):
                missing[task] = values
        return missing


def _model(project: Project, settings: ImportMapsSettings) -> tuple[ModelInfo, GazeError | None]:
    """Return whose maps they are, and what is said where a known model gets another architecture."""
    encoder, decoder = settings.encoder.strip(), settings.decoder.strip()
    if bool(encoder) != bool(decoder):
        raise GazeError(
            "Encoder and decoder belong together; only one of them is given.",
            todo="Say both (--encoder and --decoder), or none.",
        )
    model_id = TRUE_DENSITY if settings.kind == TRUTH else _identifier(settings.model)
    known = {model.id: model for model in project.runs.models()}.get(model_id)
    if known is not None and known.kind != settings.kind:
        raise GazeError(
            f"The project holds another model called {known.name}.",
            todo="Give the imported maps another name.",
        )
    if known is not None and settings.kind != TRUTH and known.name.strip() != settings.model.strip():
        raise GazeError(
            f"The project holds a model called {known.name}; '{settings.model}' differs from it only in case or "
            "spaces.",
            todo=f"Write {known.name} if these are its maps; give the model another name if they are not.",
        )
    change = None
    if known is not None and not encoder:
        encoder, decoder = known.encoder, known.decoder
    elif known is not None and (encoder, decoder) != (known.encoder, known.decoder):
        was = f"was {known.encoder} and {known.decoder}" if known.encoder else "was not known"
        change = GazeError(
            f"{settings.model} now has the encoder {encoder} and the decoder {decoder}; before, its architecture "
            f"{was}.",
            todo="Score the study again, so that the comparison of architectures follows.",
        )
    return (
        ModelInfo(
            model_id,
            settings.model,
            settings.kind,
            encoder=encoder,
            decoder=decoder,
            methods=(METHOD,),
            checkpoint="",
        ),
        change,
    )


def _identifier(name: str) -> str:
    words = name.lower().split()
    if not words:
        raise GazeError("The model needs a name.", todo="Say whose maps they are, for example DeepGaze.")
    identifier = "_".join(words)
    if identifier in CONTROLS:
        raise GazeError(
            f"“{name.strip()}” is the name of something that models are held against.",
            todo=f"Give the maps another name, for example “{name.strip()} maps”.",
        )
    return identifier


def _cautions(
    matches: Matches, images: Sequence[ImageRow], places: Sequence[MapPlace]
) -> Iterator[GazeError]:
    """Yield what is said of maps that were left out."""
    if matches.strays:
        yield GazeError(
            f"{_count(len(matches.strays), 'map is', 'maps are')} named like no image of the project and left "
            f"out: {_some([places[k].name for k in matches.strays])}.",
            todo="Name each map like its image, or add these images, and import the maps again.",
        )
    if matches.unclear:
        yield GazeError(
            f"{_count(len(matches.unclear), 'map is', 'maps are')} named like several images and left out: "
            f"{_some([places[k].name for k in matches.unclear])}.",
            todo="Put the maps into folders that are called like those of the images.",
        )
    if matches.rivals:
        yield GazeError(
            f"{_count(len(matches.rivals), 'image has', 'images have')} more than one map and got none: "
            f"{_some([images[k].name for k in matches.rivals])}.",
            todo="Keep one map for each image, for example by importing a folder of one kind of file.",
        )


def _count(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"


def _some(names: Sequence[str]) -> str:
    """Return the first few names as part of a sentence."""
    more = len(names) - _NAMES_IN_A_SENTENCE
    quoted = ", ".join(f"'{name}'" for name in names[:_NAMES_IN_A_SENTENCE])
    return f"{quoted} and {more} more" if more > 0 else quoted
