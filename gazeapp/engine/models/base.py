"""What a model is to the rest of gazeapp: a thing that describes an image and says where it looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from gazeapp.engine.errors import GazeError, NothingSaidError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.types import FloatArray, HalfArray, ImageArray, Json, Rect

KEEP = {
    "": "the map of each word",
    "layers": "also the map of each layer, the mean over its heads",
    "heads": "also the map of each layer and head",
}
"""How much of the attention a run stores."""


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
class Decoding:
    """How words are chosen from the model's probabilities.

    Parameters
    ----------
    max_tokens
        Longest caption, tokens.
    temperature
        0 takes the most probable token each time; above, tokens are drawn.
    top_p
        Tokens are drawn from the most probable ones that make up this share.
    seed
        Seed of the draws.
    beams
        Beginnings of a caption that captioners follow side by side; 1 takes the most probable word each time.
    length_normalised
        Whether beam search ranks captions by the mean log-probability of their tokens instead of the sum, under which
        shorter captions are at an advantage.
    """

    max_tokens: int = 100
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    beams: int = 1
    length_normalised: bool = False

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise GazeError("A caption needs room for at least one token.")
        if not (self.temperature >= 0.0 and 0.0 < self.top_p <= 1.0):
            raise GazeError("The temperature is at least 0, and top-p lies above 0 and at most at 1.")
        if self.beams < 1:
            raise GazeError("At least one beam has to be followed.")


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class DescribeOptions:
    """What a description can be asked for beyond image, task and map method.

    Parameters
    ----------
    prompt
        The task in words, for models that read a prompt.
    decoding
        How words are chosen; captioners take the most probable ones, or search with beams.
    keep
        How much of the attention comes back beside the words' maps, one of `KEEP`.
    lesion
        A part of the image to do without; None for none.
    image_scale
        Share of its width and height to which the picture is shrunk first, where memory is short.
    should_stop
        Asked between words; when it answers True the description is given up with ``StoppedError``.
    forced
        Token ids that the model is made to say instead of choosing its own (teacher forcing); empty lets it choose.
        The caption has these words with the log-probabilities and maps that they have under the lesion.
    given
        A caption in words, such as a person's, that the model is made to say instead of choosing its own. Words that
        it has no token for are in the caption's ``facts["unknown_words"]``.
    """

    prompt: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    keep: str = ""
    lesion: Lesion | None = None
    image_scale: float = 1.0
    should_stop: Callable[[], bool] = _never
    forced: tuple[int, ...] = ()
    given: str = ""


PLAIN = DescribeOptions()
"""Nothing beyond image, task and map method."""


@dataclass(frozen=True, slots=True, eq=False)
class AttentionDetail:
    """Attention of each word by layer and head.

    Parameters
    ----------
    layers
        The model's own numbers of the layers, from 0.
    image_mass
        Share of a word's attention that fell on the image, shape (n_words, n_layers, n_heads), float32.
    maps
        The image's part of the attention, shape (n_words, n_layers, n_heads or 1, rows, columns), float16; each map
        sums to the mass that fell on it. None where it was not asked for.
    """

    layers: tuple[int, ...]
    image_mass: FloatArray
    maps: HalfArray | None = None


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
    said
        The caption as the model wrote it; empty where the words joined by spaces are the caption.
    prompt
        The text that the model was asked; empty for models that read none.
    detail
        Attention by layer and head; None for models that have no such thing.
    facts
        What was observed while it was made (tokens, device, memory, ...), JSON-able.
    weights
        How much the map of each word counts in the caption's map, shape (n_words,), at least 0; None where all count
        alike.
    """

    words: tuple[Word, ...]
    maps: FloatArray
    image_mass: FloatArray
    rect: Rect
    task: str
    method: str
    said: str = ""
    prompt: str = ""
    detail: AttentionDetail | None = None
    facts: Json = field(default_factory=dict)
    weights: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.maps.ndim != 3 or self.maps.shape[0] != len(self.words):
            raise ValueError(f"maps of shape {self.maps.shape} do not fit {len(self.words)} words")

    @property
    def text(self) -> str:
        """The caption as one string."""
        return self.said or " ".join(word.text for word in self.words)

    @property
    def log_probability(self) -> float:
        """Natural logarithm of the probability of the whole caption."""
        return float(sum(word.log_probability for word in self.words))

    def mean_map(self, words: str = "content") -> FloatArray:
        """Return the caption's map: the mean of its words' maps, weighted where words have `weights`.

        Parameters
        ----------
        words
            ``content`` averages all words but grammar words (all words when there are no others);
            ``all`` averages every word.

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns), float32, sums to 1.
        """
        if words not in ("content", "all"):
            raise ValueError(f"words must be 'content' or 'all', not {words!r}")
        if not self.words:
            raise NothingSaidError
        chosen = [i for i, word in enumerate(self.words) if word.is_content] if words == "content" else []
        own: list[int] | slice = chosen or slice(None)
        maps = self.maps[own]
        if self.weights is not None and self.weights[own].any():
            weighted: FloatArray = np.average(
                maps.astype(np.float64), axis=0, weights=self.weights[own].astype(np.float64)
            ).astype(np.float32)
            return weighted
        mean: FloatArray = maps.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean


class Model(Protocol):
    """A loaded model."""

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        """Describe ``image`` under ``task``; an empty ``method`` means the model's default."""
