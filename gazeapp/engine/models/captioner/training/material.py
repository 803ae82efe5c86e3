"""What a training learns from: the demo world, or captions of pictures, as one thing with one shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol, TypeAlias

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import TASKS, Split, captions, make_scene, scene_seeds
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig, task_token
from gazeapp.engine.models.captioner.data.caption_set import CaptionSet, Picture
from gazeapp.engine.models.captioner.data.demo_world import (
    DEMO_CONTENT,
    DEMO_VOCABULARY,
    LONGEST_CAPTION,
    DemoWorld,
    encode,
)
from gazeapp.engine.models.captioner.data.pictures import CaptionPictures
from gazeapp.engine.models.captioner.data.reading import read_captions
from gazeapp.engine.models.captioner.data.source import CaptionSource
from gazeapp.engine.models.captioner.data.split import Splits, fingerprint, split_pictures
from gazeapp.engine.models.captioner.data.words import Vocabulary, count_cut, make_vocabulary, tokenise
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD, TrainSettings
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.types import ImageArray, Json

DEMO_DOMAIN, CAPTION_DOMAIN = "demo-world", "captions"
_DEMO_SIZE = 512
_USES = ("training", "validation", "test")
Unreadable: TypeAlias = dict[str, list[str]]
"""Names of pictures that could not be read, by what they are for."""


class HeldOut(Protocol):
    """Pictures that nothing is learnt from, with people's captions of them."""

    def __len__(self) -> int:
        """Return the number of pictures."""

    def picture(self, number: int) -> ImageArray | None:
        """Return a picture at the size of the captioner, or None where it cannot be read."""

    def references(self, number: int, task: str) -> Sequence[tuple[str, ...]]:
        """Return the words of its captions under a task."""

    def tokens(self, number: int, task: str) -> list[int]:
        """Return the token numbers of its first caption under a task; empty without one."""


class HeldOutScenes:
    """Scenes of a split of the demo world, drawn as users' pictures are."""

    def __init__(self, split: Split, count: int, size: int) -> None:
        self._seeds, self._size = scene_seeds(split, count), size

    def __len__(self) -> int:
        return len(self._seeds)

    def picture(self, number: int) -> ImageArray | None:
        """Draw a scene."""
        return fit_picture(render(make_scene(self._seeds[number]), _DEMO_SIZE), self._size)

    def references(self, number: int, task: str) -> Sequence[tuple[str, ...]]:
        """Return the true caption."""
        return (captions(make_scene(self._seeds[number]))[task].words,)

    def tokens(self, number: int, task: str) -> list[int]:
        """Return the tokens of the true caption."""
        return encode(task, captions(make_scene(self._seeds[number]))[task].words)


@dataclass(frozen=True, slots=True)
class HeldOutPictures:
    """Captioned pictures of a split; those that turn out to be damaged are named in ``problems``."""

    pictures: tuple[Picture, ...]
    vocabulary: Vocabulary
    size: int
    resample: str
    max_words: int
    problems: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pictures)

    def picture(self, number: int) -> ImageArray | None:
        """Read a picture."""
        path = self.pictures[number].path
        try:
            return fit_picture(read_picture(path)[0], self.size, self.resample)
        except GazeError as error:
            self.problems[str(path)] = error.what
            return None

    def references(self, number: int, task: str) -> Sequence[tuple[str, ...]]:
        """Return the words of its captions that have any."""
        told = (tokenise(text) for text in self.pictures[number].told(task))
        return tuple(words for words in told if words)

    def tokens(self, number: int, task: str) -> list[int]:
        """Return the tokens of its first caption."""
        texts = self.pictures[number].told(task)
        return self.vocabulary.encode(task, texts[0], self.max_words) if texts else []


@dataclass(frozen=True, slots=True)
class Material:
    """What a training learns from and is measured on.

    Parameters
    ----------
    config
        The captioner to be, with the vocabulary and tasks of the data.
    train, validation, test
        Pictures with captions; the held-out ones are None where there are none.
    fingerprint
        SHA-256 of vocabulary, split and captions; empty for the demo world, which its settings say all about.
    facts
        Names, numbers and notes, for the model card.
    """

    config: CaptionerConfig
    train: CaptionSource
    validation: HeldOut | None
    test: HeldOut | None
    fingerprint: str = ""
    facts: Json = field(default_factory=dict)

    def unreadable(self) -> Unreadable:
        """Return the names of the pictures that turned out to be damaged in this run, by what they are for."""
        sources = {"training": self.train, "validation": self.validation, "test": self.test}
        return {
            use: sorted({PurePath(path).name for path in source.problems})
            for use, source in sources.items()
            if isinstance(source, CaptionPictures | HeldOutPictures) and source.problems
        }

    def facts_now(self, before: Unreadable | None = None) -> Json:
        """Return the facts, with notes on pictures that turned out to be damaged, also ``before`` in other runs."""
        found = joined(before or {}, self.unreadable())
        if not found:
            return self.facts
        return {**self.facts, "notes": [*self.facts["notes"], *map(_damaged, found, found.values())]}


def joined(before: Unreadable, now: Unreadable) -> Unreadable:
    """Return the names of both, each once."""
    return {
        use: sorted({*before.get(use, ()), *now.get(use, ())}) for use in _USES if use in before or use in now
    }


def _damaged(use: str, names: list[str]) -> str:
    one = len(names) == 1
    instead = "another stood in for it" if one else "others stood in for them"
    without = f"{'is' if one else 'are'} not in the figures"
    return (
        f"{len(names):,} {use} picture{'' if one else 's'} could not be read, and "
        f"{instead if use == 'training' else without}: {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}."
    )


@dataclass(frozen=True, slots=True)
class CaptionData:
    """Captions as read, split and turned into a vocabulary."""

    captions: CaptionSet
    splits: Splits
    vocabulary: Vocabulary
    tasks: tuple[str, ...]


def read_caption_data(settings: TrainSettings, known: CaptionerConfig | None = None) -> CaptionData:
    """Read captions, split their pictures and make the vocabulary, or take that of a captioner to go on from.

    Raises
    ------
    GazeError
        When the captions cannot be read, or have nothing of the tasks that were asked for.
    """
    told = read_captions(settings.data, settings.images)
    tasks = settings.tasks or told.tasks
    missing = [task for task in tasks if task not in told.tasks]
    if missing:
        raise GazeError(
            f"The captions have nothing under the task {missing[0]}.",
            where=settings.data,
            todo=f"They have: {', '.join(told.tasks)}.",
        )
    splits = split_pictures(told, settings.seed, settings.n_validation, settings.n_test)
    if known is None:
        vocabulary = make_vocabulary(splits.train, tasks, settings.min_count)
    else:
        added = tuple(task_token(task) for task in tasks if task_token(task) not in known.vocabulary)
        vocabulary = Vocabulary((*known.vocabulary, *added), known.content_words, {})
    return CaptionData(told, splits, vocabulary, tasks)


def caption_material(config: CaptionerConfig, data: CaptionData) -> Material:
    """Return captions of pictures as material for a captioner.

    Parameters
    ----------
    config
        The captioner to be; its size and way of resampling are those of the pictures.
    data
        The captions.
    """
    vocabulary, splits = data.vocabulary, data.splits
    fitted = (config.input_size, config.resample)
    train = CaptionPictures(splits.train, vocabulary, data.tasks, *fitted, config.max_words)

    def held_out(pictures: tuple[Picture, ...]) -> HeldOut | None:
        told = tuple(p for p in pictures if any(p.told(task) for task in data.tasks))
        return HeldOutPictures(told, vocabulary, *fitted, config.max_words) if told else None

    validation, test = held_out(splits.validation), held_out(splits.test)
    return Material(
        config, train, validation, test, fingerprint(vocabulary, splits, data.captions), _facts(data, config)
    )


def demo_material(settings: TrainSettings, config: CaptionerConfig) -> Material:
    """Return the demo world as material for a captioner.

    Raises
    ------
    GazeError
        When there would be nothing to measure the captioner on, or its captions do not fit.
    """
    size = config.input_size
    if not (settings.n_validation and settings.n_test):
        raise GazeError(
            "A captioner of the demo world is measured on scenes of its validation and test splits.",
            todo="Set n_validation and n_test to 1 or more.",
        )
    if config.decoder == "transformer" and config.max_words < LONGEST_CAPTION:
        raise GazeError(
            f"Captions of the demo world do not fit into {config.max_words} words.",
            todo=f"Set max_words to {LONGEST_CAPTION} or more.",
        )
    return Material(
        config,
        DemoWorld("train", settings.n_scenes, size),
        HeldOutScenes("validation", settings.n_validation, size),
        HeldOutScenes("test", settings.n_test, size),
    )


def demo_words(settings: TrainSettings) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return vocabulary, content words and tasks of the demo world.

    Raises
    ------
    GazeError
        When other tasks are asked for.
    """
    if settings.tasks and settings.tasks != TASKS:
        raise GazeError(
            "The demo world is learnt with both its tasks.", todo="Leave the tasks out, or train on captions."
        )
    return DEMO_VOCABULARY, DEMO_CONTENT, TASKS


def is_demo(settings: TrainSettings) -> bool:
    """Return whether a training is one of the demo world."""
    return settings.data == DEMO_WORLD


def _facts(data: CaptionData, config: CaptionerConfig) -> Json:
    train = data.splits.train
    tokens = frozenset(data.vocabulary.entries)
    words = Counter(w for p in train for task in data.tasks for text in p.told(task) for w in tokenise(text))
    unknown = sum(count for word, count in words.items() if word not in tokens)
    cut = count_cut(train, data.tasks, config.max_words)
    notes = [*data.captions.notes, *data.splits.notes]
    if unknown:
        notes.append(f"{unknown:,} of {words.total():,} running words of training are not in the vocabulary.")
    if cut:
        notes.append(f"{cut:,} captions of training are longer than {config.max_words} words and were cut.")
    return {
        "form": data.captions.form,
        "n_train": len(train),
        "n_validation": len(data.splits.validation),
        "n_test": len(data.splits.test),
        "n_captions": sum(len(p.told(task)) for p in train for task in data.tasks),
        "n_unknown_words": unknown,
        "notes": notes,
    }
