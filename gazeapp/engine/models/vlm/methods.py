"""Map methods of vision-language models: which layers, heads and views make a word's map.

``attention`` is the mean over all layers that carry attention and all their heads. ``attention-L14`` is the mean over
the heads of layer 14, ``attention-L8..15`` over those of layers 8 to 15, ``attention-L14-H3+5`` over heads 3 and 5 of
layer 14. ``@overview`` or ``@detail`` behind it shows one view of the image alone. Layers carry the model's own
numbers, layers and heads count from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError

DEFAULT_METHOD = "attention"
_PATTERN = re.compile(
    r"attention(?:-L(?P<first>\d+)(?:\.\.(?P<last>\d+))?(?:-H(?P<heads>\d+(?:\+\d+)*))?)?(?:@(?P<view>[a-z]+))?"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a map method asks for.

    Parameters
    ----------
    first, last
        First and last layer, by the model's own numbers; None for all layers.
    heads
        Heads; empty for all.
    view
        A view of the image; empty for all together.
    """

    first: int | None = None
    last: int | None = None
    heads: tuple[int, ...] = ()
    view: str = ""

    def pick(self, layers: tuple[int, ...], n_heads: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return positions among ``layers`` and the heads that are meant.

        Parameters
        ----------
        layers
            Numbers of the model's layers that carry attention to the image, growing.
        n_heads
            Heads in each.

        Raises
        ------
        GazeError
            If no such layer carries attention, the last one named lies behind all that do, or a head is not there
            or named twice.
        """
        first = layers[0] if self.first is None else self.first
        last = layers[-1] if self.last is None else self.last
        chosen = tuple(i for i, layer in enumerate(layers) if first <= layer <= last)
        if not chosen or last > layers[-1]:
            asked = f"layer {first}" if first == last else f"the layers {first} to {last}"
            raise GazeError(
                f"This model has no attention to the image in {asked}.",
                todo=f"Layers that carry it are: {', '.join(str(layer) for layer in layers)}.",
            )
        heads = self.heads or tuple(range(n_heads))
        if max(heads) >= n_heads or len(set(heads)) < len(heads):
            raise GazeError(
                "The map method names a head that this model lacks, or one head twice.",
                todo=f"Its heads are 0 to {n_heads - 1}.",
            )
        return chosen, heads


def parse_method(method: str) -> Selection:
    """Return what a map method asks for.

    Raises
    ------
    GazeError
        If it is no map method of vision-language models.
    """
    match = _PATTERN.fullmatch(method)
    if match is None or (match["last"] and int(match["last"]) < int(match["first"])):
        raise GazeError(
            f"'{method}' is no map method of vision-language models.",
            todo="Use for example attention, attention-L14, attention-L8..15 or attention-L14-H3+5.",
        )
    first = int(match["first"]) if match["first"] else None
    last = int(match["last"]) if match["last"] else first
    heads = tuple(int(head) for head in match["heads"].split("+")) if match["heads"] else ()
    return Selection(first, last, heads, match["view"] or "")


def method_id(
    first: int | None = None, last: int | None = None, heads: tuple[int, ...] = (), view: str = ""
) -> str:
    """Return the map method of some layers, heads and a view.

    Heads are named within layers: without any, ``heads`` has to be empty.
    """
    if heads and first is None:
        raise ValueError("heads need layers")
    layers = "" if first is None else f"-L{first}" if last in (None, first) else f"-L{first}..{last}"
    chosen = f"-H{'+'.join(str(head) for head in heads)}" if heads else ""
    return f"{DEFAULT_METHOD}{layers}{chosen}{f'@{view}' if view else ''}"
