"""Have a model predict brain responses to the images, in a runner of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.prediction import Clip, ImageFile, Predicted, predict
from gazeapp.engine.neural.records import FSAVERAGE5, Responses
from gazeapp.engine.neural.responses.naming import check_name
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.script import RUN, ConsentNeededError, RunnerScript, find_script
from gazeapp.engine.types import FloatArray, Json
from gazeapp.engine.workflows.annotations import chosen_images
from gazeapp.engine.workflows.base import Progress, Summary, Tally

VERB = "predict responses"
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class PredictResponsesSettings:
    """Which responses to predict, and how.

    Parameters
    ----------
    runner
        Id or file of the runner script; it answers ``run`` as docs/tribe.md says.
    images
        Names of images; empty means all. Not part of what identifies a result.
    name
        What the responses are called in the project; those of the same name and settings get what they lack.
    clip_seconds, fps, window, whole_picture
        As in `gazeapp.engine.neural.prediction.Clip`.
    device
        ``auto``, ``cpu`` or ``cuda``; not part of what identifies a result.
    at_once
        Images that the script is given at a time. Not part of what identifies a result.
    folder
        Where the script keeps what it has made; a folder in the user's cache when empty.
    """

    runner: str = "tribe"
    images: tuple[str, ...] = ()
    name: str = "TRIBE"
    clip_seconds: float = 10.0
    fps: int = 10
    window: tuple[float, float | None] = (4.0, None)
    whole_picture: bool = False
    device: str = "auto"
    at_once: int = 16
    folder: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.device not in DEVICES:
            raise GazeError(f"There is no device '{self.device}'.", todo=f"Use {', '.join(DEVICES)}.")
        if self.at_once < 1:
            raise GazeError("A script is given at least one image at a time.")

    @property
    def clip(self) -> Clip:
        """How images are shown.

        Raises
        ------
        GazeError
            If the numbers do not go together.
        """
        return Clip(self.clip_seconds, self.fps, self.window, self.whole_picture)


@dataclass(frozen=True)
class PredictionCount:
    """How many images were asked for, and how many of them have their prediction."""

    asked: int
    there: int


def count_predictions(project: Project, settings: PredictResponsesSettings) -> PredictionCount:
    """Return how much there is to do; nothing is run or stored.

    Raises
    ------
    GazeError
        As `predict_responses`, save for what only running tells.
    """
    work = _prepared(project, settings)
    return PredictionCount(len(work.images), len(work.images) - len(work.missing))


def predict_responses(
    project: Project,
    settings: PredictResponsesSettings,
    progress: Progress,
    consents: ConsentStore | None = None,
) -> Summary:
    """Let a script predict the responses to each image that lacks them, and store them as simulated.

    One unit is an image. Cancelled, it stores what is done; the script keeps more than that in its own folder, and
    goes on from there.

    Parameters
    ----------
    consents
        Where the user's consent to the script is looked up; the user's own when None.

    Returns
    -------
    Summary
        ``details`` has ``responses`` (their name), ``runner`` (the script's id) and ``facts`` (what the script says of
        how they were made; empty where nothing was stored).

    Raises
    ------
    ConsentNeededError
        If something has to be run and the user has not agreed to the script as it is.
    GazeError
        If the script is none or does not do this, the settings do not go together, or the project has other
        responses of that name.
    """
    store = ConsentStore() if consents is None else consents
    work = _prepared(project, settings)
    if work.missing and not work.script.agreed(store):
        raise ConsentNeededError(work.script)
    progress = _Forward(progress)
    tally = Tally(project, VERB, progress, len(work.images))
    for image in work.images:
        if image not in work.missing:
            tally.skip(image.name)
    prediction = _Prediction(project, work, settings, tally, progress)
    try:
        with RunnerProcess(work.script, store) as process:
            prediction.run(process)
    finally:
        # Also where an error of the program ends it: what was predicted may have taken hours.
        prediction.store()
    return tally.summary(responses=settings.name, runner=work.script.id, facts=prediction.facts)


@dataclass(frozen=True)
class _Work:
    """What is to be done: all images that were asked for, those that lack a prediction, and what there is already."""

    script: RunnerScript
    clip: Clip
    images: list[ImageRow]
    missing: list[ImageRow]
    there: ResponsesRow | None


class _Forward:
    """Progress that does not go back: a script tells of images before they are checked and counted."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0

    @property
    def cancelled(self) -> bool:
        """Whether the user wants the verb to stop."""
        return self._progress.cancelled

    def report(self, done: int, total: int, message: str) -> None:
        """Say how far it is."""
        self._done = max(self._done, done)
        self._progress.report(self._done, total, message)


class _Prediction:
    """One call of the verb: asks the script for a few images at a time, and stores what it has predicted."""

    def __init__(
        self,
        project: Project,
        work: _Work,
        settings: PredictResponsesSettings,
        tally: Tally,
        progress: Progress,
    ) -> None:
        self.facts: Json = {}
        self._project, self._work, self._settings = project, work, settings
        self._tally, self._progress = tally, progress
        self._rows: dict[str, FloatArray] = {}

    def run(self, process: RunnerProcess) -> None:
        """Predict what is missing; what goes wrong in the same way twice running ends it."""
        self._project.problems.clear(VERB, self._work.script.name)
        failures: list[str] = []
        for some in _portions(self._files(), self._settings.at_once):
            if self._tally.should_stop():
                return
            if len(failures) > 1 and failures[-1] == failures[-2]:
                self._count_failures(some)
                continue
            try:
                predicted = self._predict(process, some)
            except StoppedError:
                self._tally.should_stop()
                return
            except GazeError as error:
                self._tell(error, failures)
                self._count_failures(some)
            except MemoryError as error:
                what = f"“{self._work.script.name}” ran out of memory ({error})."
                todo = "Close other programs, or give it fewer images at once."
                self._tell(GazeError(what, todo=todo), failures)
                self._count_failures(some)
            else:
                failures.clear()
                self._take(predicted)

    def store(self) -> None:
        """Store what was predicted with what is there, in the order of the project's images."""
        if not self._rows:
            return
        project, work, name = self._project, self._work, self._settings.name
        identity, rows = _identity(work.script, work.clip), dict(self._rows)
        source = self.facts.get("source") or work.script.name
        with project.transaction():
            # Looked up again: another program may have stored some meanwhile.
            if _there(project, name, identity) is not None:
                stored = project.responses.read(name)
                rows |= dict(zip(stored.images, stored.values[0], strict=True))
            images = tuple(image.name for image in project.images.all() if image.name in rows)
            responses = Responses(
                values=np.stack([rows[image] for image in images])[None],
                images=images,
                subjects=("",),
                n_repeats=np.ones((1, len(images)), np.int64),
                space=FSAVERAGE5,
                simulated=True,
                source=f"prediction of a model, {source}; no noise ceiling",
                facts={"settings": identity, "model": self.facts, "script": work.script.sha256},
            )
            settings_id = project.settings.put(VERB, {**identity, "script": work.script.sha256})
            project.responses.put(name, responses, settings_id)

    def _predict(self, process: RunnerProcess, some: Sequence[ImageFile]) -> Predicted:
        predicted = predict(
            process,
            some,
            self._work.clip,
            Path(self._settings.folder) if self._settings.folder else default_folder(self._work.script),
            device=self._settings.device,
            progress=self._report,
            should_stop=lambda: self._progress.cancelled,
        )
        there = self._work.there
        known = self.facts or (there.facts.get("model") if there is not None else None)
        if known and predicted.images and predicted.facts != known:
            raise GazeError(
                "These predictions come from another version of the model than those that are there.",
                where=self._work.script.name,
                todo="Give another name, or remove the others first.",
            )
        return predicted

    def _take(self, predicted: Predicted) -> None:
        if predicted.images:
            self.facts = predicted.facts
        for name, values in zip(predicted.images, predicted.values, strict=True):
            with self._tally.unit(name):
                self._rows[name] = values
        for name, what in predicted.problems:
            self._tally.fail(name, what)

    def _report(self, done: int, _total: int, message: str) -> None:
        """Say how far the script is with the images in hand."""
        total = self._tally.total
        self._progress.report(min(self._tally.n_told + done, total), total, message)

    def _files(self) -> Iterator[ImageFile]:
        """Yield the images that are missing with their files; one whose file is lost fails alone."""
        for image in self._work.missing:
            try:
                yield ImageFile(image.name, self._project.images.file(image), image.sha256)
            except GazeError as error:
                self._tally.fail(error.where or image.name, error.what, error.todo, unit=image.name)

    def _tell(self, error: GazeError, failures: list[str]) -> None:
        """Store why the script could not do some images, once for each reason in a row."""
        name = self._work.script.name
        if error.what not in failures:
            self._tally.problem(error.where or name, error.what, error.todo, unit=name)
        failures.append(error.what)

    def _count_failures(self, some: Sequence[ImageFile]) -> None:
        for file in some:
            self._tally.count_failure(file.name)


def _prepared(project: Project, settings: PredictResponsesSettings) -> _Work:
    """Return what is to be done.

    Raises
    ------
    GazeError
        As `predict_responses`, save for consent.
    """
    script = find_script(settings.runner)
    if RUN not in script.actions:
        raise GazeError(
            f"“{script.name}” cannot be asked to predict responses.",
            where=str(script.path),
            todo="Choose a script with the action 'run'; docs/tribe.md says what it has to answer.",
        )
    clip = settings.clip
    images = chosen_images(project, settings.images)
    there = _there(project, settings.name, _identity(script, clip))
    done = set(project.responses.read(settings.name).images) if there is not None else set()
    return _Work(script, clip, images, [image for image in images if image.name not in done], there)


def _identity(script: RunnerScript, clip: Clip) -> Json:
    """Return what identifies responses, apart from what the script says of itself."""
    return {"runner": script.id, **clip.as_json()}


def _there(project: Project, name: str, identity: Json) -> ResponsesRow | None:
    """Return the responses of a name; None where there are none.

    Raises
    ------
    GazeError
        If they are of another origin.
    """
    there = next((row for row in project.responses.all() if row.name == name), None)
    if there is not None and there.facts.get("settings") != identity:
        raise GazeError(
            f"The project has other responses called “{name}”, or such that were predicted in another way "
            f"({_in_words(there)}).",
            todo="Give another name, or remove them first.",
        )
    return there


def _in_words(row: ResponsesRow) -> str:
    made = row.facts.get("settings")
    if not isinstance(made, dict) or "clip_seconds" not in made:
        return row.source or "of another origin"
    first, last = made["window"]
    end = "the end" if last is None else f"{last:g} s"
    whole = ", whole pictures" if made["whole_picture"] else ""
    return (
        f"{made['runner']}, clips of {made['clip_seconds']:g} s with {made['fps']} frames per second, "
        f"{first:g} s to {end}{whole}"
    )


def _portions(files: Iterable[ImageFile], size: int) -> Iterator[list[ImageFile]]:
    some: list[ImageFile] = []
    for file in files:
        some.append(file)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def default_folder(script: RunnerScript) -> Path:
    """Return the folder in which a script keeps what it has made, in the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("gazeapp", appauthor=False) / "responses" / script.id
