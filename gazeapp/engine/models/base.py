"""What a model is to the rest of gazeapp: a thing that describes an image and says where it looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import FloatArray, ImageArray, Json, Rect


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about a model that are known without loading its weights.

    Parameters
    ----------
    id
        Stable identifier, such as ``cnn-lstm``.
    name
        Name to show, such as ``CNN-LSTM``.
    kind
        ``captioner``, ``vlm`` or ``imported``.
    checkpoint
        Where the weights are: a folder or a hub name.
    revision
        SHA-256 of the weights, or the hub revision.
    encoder, decoder
        Families, such as ``cnn`` and ``lstm``; empty where they do not apply.
    tasks
        Task names that the model was trained for.
    methods
        Map methods that it offers; the first is its default.
    domain
        What the model was trained on, in a few words; ``demo-world`` for the models that ship.
    facts
        Anything else worth recording, JSON-able.
    """

    id: str
    name: str
    kind: str
    checkpoint: str = ""
    revision: str = ""
    encoder: str = ""
    decoder: str = ""
    tasks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    domain: str = ""
    facts: Json = field(default_factory=dict)

    @property
    def default_method(self) -> str:
        """The map method that is used when none is asked for."""
        return self.methods[0] if self.methods else ""

    def task_for(self, task: str) -> str:
        """Return the trained task that stands in for ``task``: itself, else the first one."""
        return task if task in self.tasks or not self.tasks else self.tasks[0]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a caption.

    Parameters
    ----------
    text
        The word as shown.
    log_probability
        Natural logarithm of the probability that the model gave it.
    is_content
        Whether it names or describes something (noun, adjective, verb), not grammar.
    """

    text: str
    log_probability: float
    is_content: bool


@dataclass(frozen=True, slots=True)
class Caption:
    """What a model said about an image, and where it attended for each word.

    Parameters
    ----------
    words
        The caption's words, in order.
    maps
        Attention of each word, shape (n_words, rows, columns), float32, non-negative, each
        summing to 1; row 0 is the top.
    image_mass
        Share of each word's attention that fell on the image at all, shape (n_words,); 1 for
        models that can attend to nothing else.
    rect
        Rectangle of the image that the maps cover, image px.
    task
        Trained task that the model was given.
    method
        Map method that made the maps.
    """

    words: tuple[Word, ...]
    maps: FloatArray
    image_mass: FloatArray
    rect: Rect
    task: str
    method: str

    def __post_init__(self) -> None:
        if self.maps.ndim != 3 or self.maps.shape[0] != len(self.words):
            raise ValueError(f"maps of shape {self.maps.shape} do not fit {len(self.words)} words")

    @property
    def text(self) -> str:
        """The caption as one string."""
        return " ".join(word.text for word in self.words)

    @property
    def log_probability(self) -> float:
        """Natural logarithm of the probability of the whole caption."""
        return float(sum(word.log_probability for word in self.words))

    def mean_map(self, words: str = "content") -> FloatArray:
        """Return the caption's map: the mean of its words' maps.

        Parameters
        ----------
        words
            ``content`` averages nouns, adjectives and verbs (all words when there are none);
            ``all`` averages every word.

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns), float32, sums to 1.
        """
        if words not in ("content", "all"):
            raise ValueError(f"words must be 'content' or 'all', not {words!r}")
        if not self.words:
            raise GazeError("The model said nothing, so there is no map.")
        chosen = [i for i, word in enumerate(self.words) if word.is_content] if words == "content" else []
        maps = self.maps[chosen] if chosen else self.maps
        mean: FloatArray = maps.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean


class Model(Protocol):
    """A loaded model."""

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""

    def describe(self, image: ImageArray, task: str, method: str = "") -> Caption:
        """Describe ``image`` under ``task``; an empty ``method`` means the model's default."""
