"""What an extraction is asked for, and the units that this makes: models, images, tasks and how each is described."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import KEEP, Decoding, DescribeOptions, Model, ModelInfo
from gazeapp.engine.models.captioner.listing import ships
from gazeapp.engine.models.given import given_method, plain_method
from gazeapp.engine.models.named import check_method, find_model, open_model
from gazeapp.engine.models.registry import available_models
from gazeapp.engine.models.vlm.loading.plan import Wishes
from gazeapp.engine.models.vlm.opening import VLM
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.prompts import prompt_of
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.annotations import chosen_images
from gazeapp.engine.workflows.extract_given import GivenCaptions, GivenTexts, given_as_in_run, given_texts


@dataclass(frozen=True)
class ExtractSettings:
    """What to extract.

    Parameters
    ----------
    models
        Names of models, as `gazeapp.engine.models.named.find_model` knows them; empty means every captioner that ships.
    tasks
        Task names; empty means every task of the project.
    method
        Map method; empty means each model's default.
    words
        Words whose maps make the caption's map: ``content`` or ``all``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; not part of what identifies a result.
    mirrored
        Whether models also describe each image left-right mirrored: the control that tells a habit of looking at
        one side from what the pictures show there. Maps stay as they are on the mirrored image.
    decoding
        How models choose their words: captioners heed its beams, models that read a prompt the rest.
    keep
        How much attention vision-language models store beside the words' maps: ``""``, ``layers`` or ``heads``.
    dtype
        Kind of number that vision-language models compute in; ``auto`` keeps to what the model's earlier runs in the
        project used.
    four_bit
        Whether vision-language models are packed into 4 bits.
    images
        Names of images; empty means all. Not part of what identifies a result.
    given
        Captions that the models are made to say instead of choosing their own; images without one are left out. Runs
        along them are filed under map methods of their own, see `gazeapp.engine.models.given`.
    """

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    method: str = ""
    words: str = "content"
    device: str = "auto"
    mirrored: bool = False
    decoding: Decoding = field(default_factory=Decoding)
    keep: str = ""
    dtype: str = "auto"
    four_bit: bool = False
    images: tuple[str, ...] = ()
    given: GivenCaptions | None = None

    def __post_init__(self) -> None:
        if self.keep not in KEEP:
            raise GazeError(f"'{self.keep}' is nothing that can be kept.", todo="Use layers or heads.")


@dataclass(frozen=True)
class Plan:
    """One model under one task, on images as they are or mirrored: what its runs are filed under.

    ``method`` is the map method as the model knows it. ``richer`` are the hashes of the same settings that keep more:
    their runs have everything that is asked for. ``given`` are the captions that the model is made to say, by the
    images' ids; None where it chooses its own.
    """

    info: ModelInfo
    task: str
    method: str
    lesion: str
    prompt: str
    values: Json
    hash: str
    richer: tuple[str, ...] = ()
    given: Mapping[int, str] | None = None

    @property
    def filed_as(self) -> str:
        """The map method that its runs have."""
        return self.method if self.given is None else given_method(self.method)

    def is_for(self, image: ImageRow) -> bool:
        """Return whether there is anything to run on an image: without a given caption there is not."""
        return self.given is None or image.id in self.given

    def is_done(self, project: Project, image: ImageRow) -> bool:
        """Return whether its run on an image is in the project."""
        return any(
            project.runs.exists(image.id, self.info.id, self.task, self.lesion, self.filed_as, one)
            for one in (self.hash, *self.richer)
        )

    def name(self, image: ImageRow) -> str:
        """Return what its unit on an image is called in progress and problems."""
        parts = (self.info.name, self.task, image.name, "mirrored" if self.lesion == MIRRORED else "")
        return " · ".join(part for part in parts if part)


def options_for(
    plan: Plan, image: ImageRow, settings: ExtractSettings, should_stop: Callable[[], bool]
) -> DescribeOptions:
    """Return what a model is asked for on one image; it asks ``should_stop`` between words."""
    # Units stand alone: what is drawn for one does not depend on those before it.
    text = f"{settings.decoding.seed}|{image.sha256}|{plan.task}|{plan.lesion}"
    seed = int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
    return DescribeOptions(
        prompt=plan.prompt,
        decoding=replace(settings.decoding, seed=seed),
        keep=settings.keep if plan.info.kind == VLM else "",
        should_stop=should_stop,
        given="" if plan.given is None else plan.given[image.id],
    )


def load_for(project: Project, info: ModelInfo, settings: ExtractSettings) -> Model:
    """Load a model; left to it, in the kind of number that its runs in the project were computed in."""
    dtype = settings.dtype
    if dtype == "auto" and info.kind == VLM:
        dtype = _dtype_so_far(project, info) or "auto"
    return open_model(info, Wishes(settings.device, dtype, settings.four_bit))


def what_to_run(
    project: Project, settings: ExtractSettings
) -> tuple[list[ModelInfo], list[ImageRow], tuple[str, ...], list[Plan]]:
    """Return the models, the images, the tasks, and what is to be run on each image.

    Raises
    ------
    GazeError
        If a model or task is unknown, a model does not offer the map method, the project has no images or tasks, or
        none of the images has a given caption.
    """
    infos = chosen_models(settings.models)
    images = chosen_images(project, settings.images)
    tasks = chosen_tasks(project, settings.tasks)
    sides = ("", MIRRORED) if settings.mirrored else ("",)
    texts = given_texts(project, settings.given, images, tasks)
    plans = [
        _plan(project, info, task, side, settings, texts.get(task))
        for info in infos
        for task in tasks
        for side in sides
    ]
    return infos, images, tasks, plans


def _plan(
    project: Project,
    info: ModelInfo,
    task: str,
    lesion: str,
    settings: ExtractSettings,
    given: GivenTexts | None,
) -> Plan:
    method = settings.method or info.default_method
    check_method(info, method)
    values: Json = {
        "model": info.id,
        "revision": info.revision,
        "task": task,
        "model_task": info.task_for(task),
        "method": method if given is None else given_method(method),
        "words": settings.words,
    }
    # Only what differs from the plain case is said, so that plain runs keep the hash that they had.
    if lesion:
        values["lesion"] = lesion
    reads = info.kind != "captioner" and info.facts.get("reads_prompt", True)
    prompt = prompt_of(project, task).text if reads else ""
    if prompt:
        values["prompt"] = prompt
    if given is not None:
        values["given"] = given.digest
    elif decoding := _decoding_values(info, settings.decoding):
        values["decoding"] = decoding
    if info.kind == VLM:
        values["dtype"] = settings.dtype
        values.update({"four_bit": True} if settings.four_bit else {})
        values.update({"keep": settings.keep} if settings.keep else {})
    more = list(KEEP)[list(KEEP).index(settings.keep) + 1 :] if info.kind == VLM else []
    richer = tuple(settings_hash("extract", {**values, "keep": keep}) for keep in more)
    return Plan(
        *(info, task, method, lesion, prompt, values, settings_hash("extract", values), richer),
        given=None if given is None else given.by_image,
    )


def _decoding_values(info: ModelInfo, decoding: Decoding) -> Json:
    """Return what tells one way of decoding from another, of what a model heeds.

    Captioners draw nothing; a seed and a share count only where words are drawn.

    Raises
    ------
    GazeError
        If beams are asked of a model that knows none.
    """
    if info.kind == "captioner":
        if decoding.beams == 1:
            return {}
        return {
            "beams": decoding.beams,
            **({"length_normalised": True} if decoding.length_normalised else {}),
        }
    if decoding.beams > 1:
        raise GazeError(
            f"{info.name} does not search with beams: it takes the most probable token each time, or draws.",
            todo="Run it without beams, apart from the captioners.",
        )
    if decoding.temperature == 0:
        return {"max_tokens": decoding.max_tokens, "temperature": 0.0}
    return {
        "max_tokens": decoding.max_tokens,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "seed": decoding.seed,
    }


def like_run(project: Project, run_id: int) -> ExtractSettings:
    """Return the settings that describe an image as a run of the project did.

    Other settings would make another run, and of each model, task and method only runs of one way count.

    Raises
    ------
    GazeError
        If there is no such run, or it was not made here but came with the project.
    """
    run = project.runs.get(run_id)
    row = project.settings.get(run.settings_id)
    if row.verb != "extract":
        raise GazeError(f"How {run.model} was run is not known: its run came from elsewhere.")
    values = row.values
    return ExtractSettings(
        models=(run.model,),
        tasks=(run.task,),
        method=plain_method(run.method),
        words=str(values.get("words", "content")),
        mirrored=run.lesion == MIRRORED,
        decoding=Decoding(**values.get("decoding", {})),
        keep=str(values.get("keep", "")),
        dtype=str(values.get("dtype", "auto")),
        four_bit=bool(values.get("four_bit", False)),
        given=given_as_in_run(project, run_id, str(values["given"])) if "given" in values else None,
    )


def _dtype_so_far(project: Project, info: ModelInfo) -> str:
    """Return the kind of number that the newest run of this model and revision was computed in; empty for none."""
    row = project.db.execute(
        "SELECT json_extract(r.facts, '$.dtype') FROM runs r JOIN settings s ON s.id = r.settings_id "
        "WHERE r.model = ? AND json_extract(s.json, '$.revision') = ? ORDER BY r.id DESC LIMIT 1",
        (info.id, info.revision),
    ).fetchone()
    return str(row[0]) if row and row[0] else ""


def chosen_models(names: tuple[str, ...]) -> list[ModelInfo]:
    """Return the facts about the models that are named, each once; all captioners that ship when none is.

    Raises
    ------
    GazeError
        If a name means nothing, or two models would go by one id.
    """
    if not names:
        return [info for info in available_models() if ships(info)]
    captioners = available_models()
    infos = [find_model(name, captioners) for name in dict.fromkeys(names)]
    found: dict[str, ModelInfo] = {}
    for info in infos:
        other = found.setdefault(info.id, info)
        if (other.checkpoint, other.revision) != (info.checkpoint, info.revision):
            raise GazeError(
                f"Two of the models would both be called '{info.id}'.",
                todo="Run them one after the other, in projects of their own, or rename a folder.",
            )
    return list(found.values())


def chosen_tasks(project: Project, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tasks to run: those asked for, else all of the project.

    A project without tasks takes the names as they are; one with tasks knows no others, so that a
    slip of the hand is told and not run.
    """
    known = tuple(project.tasks.all())
    if not known and not asked:
        raise GazeError(
            "The project has no task yet.",
            where=str(project.path),
            todo="Name one, for example with `gazeapp extract --task general`.",
        )
    tasks = tuple(project.tasks.resolve(name) for name in asked) or known
    for task in tasks:
        if known:
            project.tasks.id_of(task)
        else:
            project.tasks.add(task)
    return tasks
