"""What a model said of an image, word by word, and its attention by layer and head; read off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.models.base import Word
from gazeapp.engine.models.given import free_last
from gazeapp.engine.models.vlm.methods import method_id
from gazeapp.engine.reports.numbers import count, number
from gazeapp.engine.types import FloatArray, Json, Rect
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.heat import LEAST_TOP, TOP_SHARE

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.rows import ModelRow, RunRow

Fact = tuple[str, str]
"""What it is, and its value."""

_WORTH = {"": 0, "layers": 1, "heads": 2}

MEAN_OF_HEADS = 0
"""Column of the mean over a layer's heads; head ``h`` stands in column ``h + 1``."""


@dataclass(frozen=True, eq=False)
class RunWords:
    """The words of a run and how much of the attention behind each fell on the image.

    Parameters
    ----------
    id
        The run.
    image_id, task
        What was described.
    model, name
        Identifier and name of the model.
    words
        The caption's words; none for maps that were made elsewhere.
    mass
        Share of each word's attention on the image under the run's map method, shape (n_words,), float32.
    layers
        The model's own numbers of the layers that carry attention; empty where there is no such thing.
    head_mass
        The same share by layer and head, shape (n_words, n_layers, n_heads), float32; None where ``layers`` is empty.
    kept
        Which maps are stored beside those of the words: empty, ``layers`` or ``heads``.
    kept_by
        The run that stored them: this one, or one of another map method that said the same by the same attention.
    rect
        Part of the image that maps by layer and head cover, image px.
    facts
        What made the run.
    """

    id: int
    image_id: int
    task: str
    model: str
    name: str
    words: tuple[Word, ...]
    mass: FloatArray
    layers: tuple[int, ...]
    head_mass: FloatArray | None
    kept: str
    kept_by: int
    rect: Rect
    facts: tuple[Fact, ...]

    def cell_mass(self, word: int) -> FloatArray | None:
        """Return the share on the image as the gallery shows it, shape (n_layers, 1 + n_heads), float32.

        The first column is the mean over a layer's heads. ``MEAN_MAP`` is the mean over the words of the mean map.
        """
        if self.head_mass is None or not len(self.head_mass):
            return None
        mass = self.head_mass[list(meant(self.words, word))].mean(axis=0)
        return np.concatenate([mass.mean(axis=1, keepdims=True), mass], axis=1)


@dataclass(frozen=True, eq=False)
class CellMaps:
    """The maps of a word by layer and head, ready to draw.

    Parameters
    ----------
    density
        Relative to an even spread over the image, shape (n_layers, 1 + n_heads, rows, columns), float32; the first of
        each layer is the mean over its heads, and the only one where heads were not kept.
    own, shared
        The same on a logarithmic scale from 1 (0) to the top (255) of each map, or of all, uint8.
    tops
        Top of each map, shape (n_layers, 1 + n_heads), float32.
    """

    density: FloatArray
    own: NDArray[np.uint8]
    shared: NDArray[np.uint8]
    tops: FloatArray

    @property
    def top(self) -> float:
        """Top of the scale that all maps share."""
        return float(self.tops.max())

    @property
    def nbytes(self) -> int:
        """Memory that is taken."""
        return self.density.nbytes + self.own.nbytes + self.shared.nbytes


@dataclass(frozen=True)
class NoRun:
    """There is no run; ``only_older`` where there are runs of other settings than those that count."""

    only_older: bool


@dataclass(frozen=True)
class AskRun:
    """Asks for the newest run of a model on an image under a task: :class:`RunWords`, :class:`NoRun` for none."""

    image_id: int
    model: str
    task: str

    def read(self, project: Project) -> RunWords | NoRun:
        """Return the run."""
        runs = free_last(project.runs.all(image_id=self.image_id, model=self.model, task=self.task))
        if not runs:
            return NoRun(self.model in project.runs.described(self.image_id, self.task))
        run = runs[-1]
        row = next(row for row in project.runs.models() if row.id == run.model)
        kept_by = _best_kept(project, runs)
        return RunWords(
            id=run.id,
            image_id=run.image_id,
            task=run.task,
            model=run.model,
            name=row.name,
            words=project.runs.words(run.id),
            mass=project.runs.image_mass(run.id),
            layers=project.attention.layers(run.id),
            head_mass=project.attention.image_mass(run.id),
            kept=project.attention.kept(kept_by),
            kept_by=kept_by,
            rect=project.maps.of_run(kept_by).rect,
            facts=run_facts(row, run, project.runs.facts(run.id)),
        )


@dataclass(frozen=True)
class AskMaps:
    """Asks for the maps of a word by layer and head: :class:`CellMaps`, None where they were not kept."""

    run_id: int
    word: int

    def read(self, project: Project) -> CellMaps | None:
        """Return the maps; those of ``MEAN_MAP`` are means over the words of the caption's mean map."""
        image = project.images.get(project.runs.get(self.run_id).image_id)
        rect = project.maps.of_run(self.run_id).rect
        spread = image.width * image.height / (rect.width * rect.height)
        words = meant(project.runs.words(self.run_id), self.word)
        total: FloatArray | None = None
        for word in words:
            maps = project.attention.maps_of_word(self.run_id, word)
            if maps is None:
                return None
            density = relative(maps, spread)
            total = density if total is None else total + density
        return None if total is None else ready_to_draw(total / np.float32(len(words)))


def meant(words: tuple[Word, ...], word: int) -> tuple[int, ...]:
    """Return the words that a choice stands for: one, or with ``MEAN_MAP`` those of the caption's mean map."""
    if word != MEAN_MAP:
        return (word,)
    content = tuple(place for place, one in enumerate(words) if one.is_content)
    return content or tuple(range(len(words)))


def relative(maps: FloatArray, spread: float) -> FloatArray:
    """Return maps by layer and head relative to an even spread over the image, the mean over heads first.

    Parameters
    ----------
    maps
        Shape (n_layers, n_heads or 1, rows, columns), each summing to the share on the image.
    spread
        Area of the image over the area that the maps cover.

    Returns
    -------
    numpy.ndarray
        Shape (n_layers, 1 + n_heads, rows, columns), float32; (n_layers, 1, rows, columns) without heads. A map
        without any attention stays 0.
    """
    if maps.shape[1] > 1:
        # Heads count by what they attend, as in a run whose method names this layer.
        maps = np.concatenate([maps.mean(axis=1, keepdims=True), maps], axis=1)
    sums = maps.sum(axis=(2, 3), keepdims=True, dtype=np.float64)
    even = maps.shape[2] * maps.shape[3] * spread
    scale = np.divide(even, sums, out=np.zeros_like(sums), where=sums > 0)
    density: FloatArray = maps * scale.astype(np.float32)
    return density


def ready_to_draw(density: FloatArray) -> CellMaps:
    """Place maps on their own scales and on one that they share."""
    tops = np.maximum(np.percentile(density, TOP_SHARE, axis=(2, 3)), LEAST_TOP).astype(np.float32)
    logs = np.log(np.maximum(density, np.float32(1e-6)))
    made = CellMaps(
        density,
        _places(logs, np.log(tops)[:, :, None, None]),
        _places(logs, np.log(tops.max())),
        tops,
    )
    for array in (made.density, made.own, made.shared, made.tops):
        array.flags.writeable = False
    return made


def cell_name(layer: int, column: int) -> str:
    """Return the name of a cell of the gallery, such as ``layer 14, head 3``."""
    return f"layer {layer}, " + ("mean over its heads" if column == MEAN_OF_HEADS else f"head {column - 1}")


def cell_method(layer: int, column: int) -> str:
    """Return the map method that makes runs with the maps of a cell, such as ``attention-L14-H3``."""
    return method_id(layer, layer, () if column == MEAN_OF_HEADS else (column - 1,))


def run_facts(model: ModelRow, run: RunRow, facts: Json) -> tuple[Fact, ...]:
    """Return what made a run, as far as it is known."""
    views = facts.get("views") or []
    drawn = ", ".join(f"{view['name']} {view['rows']} × {view['columns']}" for view in views)
    tokens = facts.get("tokens")
    image_tokens = facts.get("n_image_tokens")
    scale = float(facts.get("image_scale") or 1.0)
    found = (
        ("model", model.name),
        ("method", run.method),
        ("prompt", f"“{facts['prompt']}”" if facts.get("prompt") else ""),
        ("said", count(len(tokens), "token") if tokens else ""),
        ("image", f"{image_tokens:,} image tokens ({drawn})" if image_tokens and views else ""),
        ("size", f"image shrunk to {100 * scale:.0f} %" if scale < 1.0 else ""),
        ("dtype", str(facts.get("dtype") or "")),
        ("device", str(facts.get("device") or "")),
        ("took", f"{number(run.seconds, 1)} s" if run.seconds else ""),
        ("end", "the caption was cut at the longest length" if facts.get("ended") is False else ""),
    )
    return tuple(fact for fact in found if fact[1])


def _best_kept(project: Project, runs: list[RunRow]) -> int:
    """Return which run has the maps by layer and head of the last of ``runs``: that one, or an equal one.

    A run whose map method names one head usually keeps no others, while an earlier run of the same model, prompt and
    decoding may: its words and the shares of all its heads are the same.
    """
    newest = runs[-1].id
    found, kept = newest, project.attention.kept(newest)
    words, mass = project.runs.words(newest), project.attention.image_mass(newest)
    for run in reversed(runs[:-1]):
        equal = project.attention.kept(run.id)
        if mass is None or _WORTH[equal] <= _WORTH[kept] or project.runs.words(run.id) != words:
            continue
        other = project.attention.image_mass(run.id)
        if other is not None and other.shape == mass.shape and np.allclose(other, mass, rtol=0, atol=1e-4):
            found, kept = run.id, equal
    return found


def _places(logs: FloatArray, top: FloatArray | np.float32) -> NDArray[np.uint8]:
    places = logs * (np.float32(255.0) / top)
    np.clip(places, 0.0, 255.0, out=places)
    return np.rint(places, out=places).astype(np.uint8)
