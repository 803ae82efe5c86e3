"""What a captioner is made of, as written beside its weights in ``captioner.json``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.schema import FORMAT as FORMAT
from gazeapp.engine.models.captioner.schema import FORMS as FORMS
from gazeapp.engine.models.captioner.schema import RESAMPLES as RESAMPLES
from gazeapp.engine.models.captioner.schema import mistakes
from gazeapp.engine.types import Json

CONFIG_NAME = "captioner.json"
_MOST_TOLD = 5
PAD, START, END, UNKNOWN = "<pad>", "<start>", "<end>", "<unk>"


def task_token(task: str) -> str:
    """Return the vocabulary entry that tells a captioner its task."""
    return f"<{task}>"


@dataclass(frozen=True, slots=True)
class CaptionerConfig:
    """The whole description of a captioner, without its weights.

    Parameters
    ----------
    id, name
        Identifier and shown name, such as ``cnn-lstm`` and ``CNN-LSTM``.
    encoder
        ``cnn`` or ``vit`` (the small ones), or the name of any timm backbone.
    decoder
        ``lstm`` or ``transformer``.
    vocabulary
        Every token, in the order of its number; ``<pad>`` is 0, and ``<end>`` is one of them.
    content_words
        Words that name or describe something; their maps make the caption's map.
    tasks
        Trained tasks. A task that has a token of its own, such as ``<general>``, is begun with it, any other with
        ``<start>``. Empty for a model that knows no tasks.
    form
        Whose arrangement of layers it has: ``gazeapp``, or that of a checkpoint from elsewhere, one of `FORMS`.
    encoder_family
        ``cnn`` or ``vit``; empty where that cannot be told.
    input_size
        Side of the square picture that the encoder gets, px; images are stretched to it.
    resample
        How images are brought to that size, one of `RESAMPLES`: ``box`` averages areas.
    grid
        Rows and columns of the grid that is attended to.
    cell_offset, cell_stride
        How far the middle of the encoder's own cells lies from the middle of the picture, and how far apart they are,
        (down, across), px of the input; a stride of 0 divides the picture evenly. See `encoder_geometry`, and
        `cell_parts` for captioners from elsewhere.
    width
        Features per grid cell.
    embed
        Features per word; 0 for as many as a grid cell has.
    state
        Width of the LSTM's state.
    attention
        Width of the LSTM's additive attention.
    layers, heads
        Decoder layers and attention heads of a Transformer decoder.
    mixing_layers
        Layers of self-attention over the cells, before the decoder reads them; form ``royalskye`` only.
    head_width
        Features of an attention head; 0 for the width divided by the heads.
    feed
        Features within the feed-forward parts of the mixing layers and of the decoder's layers; 0 for what the form
        has by itself.
    dropout
        Share of a decoder's features that training leaves out at random.
    max_words
        Longest caption.
    mean, std
        Normalisation of pixel values 0 to 255, of red, green and blue.
    default_method
        Map method used when none is asked for.
    domain
        What it was trained on.
    revision
        SHA-256 of the weights file; empty before there is one.
    training, figures
        Training settings and held-out figures, for the model card.
    """

    id: str
    name: str
    encoder: str
    decoder: str
    vocabulary: tuple[str, ...]
    content_words: tuple[str, ...]
    tasks: tuple[str, ...]
    form: str = "gazeapp"
    encoder_family: str = ""
    input_size: int = 128
    resample: str = "box"
    grid: tuple[int, int] = (8, 8)
    cell_offset: tuple[float, float] = (0.0, 0.0)
    cell_stride: tuple[float, float] = (0.0, 0.0)
    width: int = 128
    embed: int = 0
    state: int = 192
    attention: int = 64
    layers: int = 2
    heads: int = 4
    mixing_layers: int = 0
    head_width: int = 0
    feed: tuple[int, int] = (0, 0)
    dropout: float = 0.05
    max_words: int = 32
    mean: tuple[float, ...] = (128.0, 128.0, 128.0)
    std: tuple[float, ...] = (64.0, 64.0, 64.0)
    default_method: str = ""
    domain: str = ""
    revision: str = ""
    training: Json = field(default_factory=dict)
    figures: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.decoder not in ("lstm", "transformer"):
            raise ValueError(f"a decoder is 'lstm' or 'transformer', not {self.decoder!r}")
        if self.form not in FORMS or self.resample not in RESAMPLES:
            raise ValueError(f"no form {self.form!r}, or no way {self.resample!r} to bring images to size")
        if self.vocabulary[:1] != (PAD,) or END not in self.vocabulary:
            raise ValueError(f"a vocabulary starts with {PAD} and has {END}")
        missing = [task for task in self.tasks if task_token(task) not in self.vocabulary]
        if START not in self.vocabulary and (missing or not self.tasks):
            raise ValueError(f"the vocabulary has neither {START} nor a token for the tasks {missing}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std are three numbers each, and no std is 0")
        if len(self.cell_offset) != 2 or len(self.cell_stride) != 2:
            raise ValueError("cells have an offset and a stride, both down and across")
        if not all(stride == 0 or 1 <= stride < math.inf for stride in self.cell_stride):
            raise ValueError("a stride of cells is 0 or at least a pixel")
        if not all(math.isfinite(offset) for offset in self.cell_offset):
            raise ValueError("an offset of cells is a finite number")
        if self.form == "gazeapp" and (self.width % 4 or self.width % self.heads):
            raise ValueError("the width must be a multiple of 4 and of the number of heads")

    def _has_sizes(self) -> bool:
        """Return whether the sizes are there that forms from elsewhere do not have by themselves."""
        if self.form == "gazeapp":
            return True
        if self.decoder == "lstm":
            return self.embed > 0
        mixing = self.feed[0] > 0 or not self.mixing_layers
        return self.embed > 0 and self.head_width > 0 and self.feed[1] > 0 and mixing

    @property
    def cells(self) -> int:
        """Number of grid cells."""
        return self.grid[0] * self.grid[1]

    @property
    def end(self) -> int:
        """Number of ``<end>``."""
        return self.vocabulary.index(END)

    def first(self, task: str) -> int:
        """Return the number of the token that begins a caption of ``task``."""
        token = task_token(task)
        return self.vocabulary.index(token if token in self.vocabulary else START)

    def to_json(self) -> Json:
        """Return the description as JSON data."""
        values = asdict(self)
        return {"format": FORMAT} | {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }

    @classmethod
    def from_json(cls, data: object, where: str = "") -> CaptionerConfig:
        """Build the description from JSON data.

        Raises
        ------
        GazeError
            When the data is of a newer format, lacks something, or says what cannot be.
        """
        version = data.get("format") if isinstance(data, dict) else None
        if type(version) is int and version > FORMAT:
            raise GazeError(
                "The captioner was made by a newer gazeapp.", where=where, todo="Update gazeapp to use it."
            )
        wrong = mistakes(data)
        if wrong or not isinstance(data, dict):
            more = f" And {len(wrong) - _MOST_TOLD} more." if len(wrong) > _MOST_TOLD else ""
            raise GazeError(
                f"The captioner's description is not as it should be: {' '.join(wrong[:_MOST_TOLD])}{more}",
                where=where,
                todo="Train it again, or copy its folder again.",
            )
        known = {entry.name for entry in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known
        }
        for key in ("mean", "std"):  # one number for all colours, in format 1
            if isinstance(values.get(key), int | float):
                values[key] = (float(values[key]),) * 3
        try:
            made = cls(**values)
            if not made._has_sizes():
                raise ValueError(f"the form {made.form} needs the sizes 'embed', 'head_width' and 'feed'")
            return made
        except (TypeError, ValueError) as error:
            raise GazeError(
                f"The captioner's description is not complete: {error}.",
                where=where,
                todo="Train it again, or copy its folder again.",
            ) from error


def read_config(folder: Path) -> CaptionerConfig:
    """Read ``captioner.json`` from a captioner's folder.

    Raises
    ------
    GazeError
        When there is none, or it cannot be read.
    """
    return CaptionerConfig.from_json(read_description(folder), where=str(folder / CONFIG_NAME))


def read_description(folder: Path) -> object:
    """Return the JSON data of ``captioner.json``, whatever they are.

    Raises
    ------
    GazeError
        When there is none, or it is no JSON.
    """
    path = folder / CONFIG_NAME
    if not folder.exists():
        raise GazeError(
            "The captioner's folder is not there any more, or not yet.",
            where=str(folder),
            todo="Put it back, or choose the folder where the captioner is now.",
        )
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise GazeError(
            f"The captioner's description could not be read: {error}.",
            where=str(path),
            todo="Choose a folder that holds captioner.json and weights.safetensors.",
        ) from error
