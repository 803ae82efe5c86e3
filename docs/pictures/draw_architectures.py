"""Draws the four diagrams of docs/architectures.md: ``python docs/pictures/draw_architectures.py``.

Colours are Okabe and Ito's, and no difference is shown by colour alone; in a dark page paper and ink change places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT = 1010, 430
STYLE = """
svg { --ink: #1b1f24; --paper: #ffffff; --line: #57606a; --soft: #f3f5f7; --cnn: #0072b2; --vit: #009e73;
  --lstm: #b35900; --transformer: #a3477f; --map: #d55e00; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --paper: #0d1117; --line: #9198a1; --soft: #1c2128;
  --cnn: #56b4e9; --vit: #2fc79a; --lstm: #e69f00; --transformer: #dd8fbf; --map: #f0803c; } }
text { fill: var(--ink); font: 14px system-ui, sans-serif; }
.title { font-weight: 600; font-size: 15px; }
.small { font-size: 12.5px; }
.paper { fill: var(--paper); }
.box { fill: var(--soft); stroke-width: 2; }
.cnn { stroke: var(--cnn); } .vit { stroke: var(--vit); }
.lstm { stroke: var(--lstm); } .transformer { stroke: var(--transformer); }
.plain { stroke: var(--line); }
.line { fill: none; stroke: var(--line); stroke-width: 1.6; }
.tip { fill: var(--line); }
.cell { fill: var(--paper); stroke: var(--line); stroke-width: 0.7; }
.heat { fill: var(--map); }
.thing { fill: var(--line); }
"""
ENCODERS = {
    "cnn": (
        "Convolutional network",
        ("convolutions of the picture,", "halved until a cell is 16 px;", "a cell sees its surroundings"),
    ),
    "vit": (
        "Vision Transformer",
        ("one patch of 16 px a cell,", "then every cell attends", "to every other, in all layers"),
    ),
}
STEPS = {
    "lstm": (
        "word said before, and what was read",
        "LSTM cell: state h",
        "score each cell by h, softmax: alpha",
        "read: mean of cells by alpha, times gate",
        "next word, from h, the read and the word",
    ),
    "transformer": (
        "all words said so far, with their places",
        "self-attention among the words",
        "cross-attention: each head to all cells",
        "feed-forward",
        "next word, from the last layer",
    ),
}
NAMES = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}


def diagram(encoder: str, decoder: str) -> str:
    """Return the diagram of an encoder with a decoder as SVG."""
    name = f"{NAMES[encoder]}-{NAMES[decoder]}"
    maps = "one map, alpha" if decoder == "lstm" else "a map of every head of every layer"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="title about" width="{WIDTH}" height="{HEIGHT}">',
        f'<title id="title">{name}</title>',
        f'<desc id="about">An image, its encoder ({ENCODERS[encoder][0]}), features of the cells of the grid, and '
        f"the decoder ({NAMES[decoder]}), which says one word after another; {maps} for each word.</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(20, 30, name, "title"),
        *_image(),
        arrow((146, 235), (178, 235)),
        *_encoder(encoder),
        arrow((404, 235), (436, 235)),
        *_features(),
        *_decoder(decoder),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return words at a place."""
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{shown} text-anchor="{anchor}">{words}</text>'


def rect(x: float, y: float, width: float, height: float, kind: str, opacity: float = 1.0) -> str:
    """Return a rectangle."""
    faint = "" if opacity == 1 else f' opacity="{opacity:.3f}"'
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{faint}/>'


def arrow(*points: tuple[float, float]) -> str:
    """Return a line through points with a tip at the last."""
    (x0, y0), (x1, y1) = points[-2:]
    angle = math.atan2(y1 - y0, x1 - x0)
    wings = [(x1 - 9 * math.cos(angle + turn), y1 - 9 * math.sin(angle + turn)) for turn in (0.45, -0.45)]
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    tip = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((x1, y1), *wings))
    return f'<polyline class="line" points="{line}"/><polygon class="tip" points="{tip}"/>'


def cells(
    x: float, y: float, side: float, count: int, centres: Sequence[tuple[float, float, float]]
) -> list[str]:
    """Return a grid of cells, coloured around centres given as (row, column, spread) in cells."""
    each = side / count
    parts = []
    for row in range(count):
        for column in range(count):
            place = (x + column * each, y + row * each, each, each)
            parts.append(rect(*place, "cell"))
            heat = max(
                (math.exp(-((row - r) ** 2 + (column - c) ** 2) / (2 * s * s)) for r, c, s in centres),
                default=0,
            )
            if heat > 0.05:
                parts.append(rect(*place, "heat", heat * 0.85))
    return parts


def _image() -> list[str]:
    return [
        rect(20, 175, 120, 120, "box plain"),
        '<circle class="thing" cx="62" cy="215" r="13"/>',
        rect(49, 228, 26, 44, "thing"),
        rect(98, 248, 26, 24, "thing", 0.7),
        text(80, 315, "image,", "small", "middle"),
        text(80, 331, "stretched to a square", "small", "middle"),
    ]


def _encoder(encoder: str) -> list[str]:
    title, lines = ENCODERS[encoder]
    parts = [rect(182, 130, 218, 210, f"box {encoder}"), text(291, 155, title, "title", "middle")]
    if encoder == "cnn":
        sizes = (72, 54, 38, 26)
        lefts = (200, 256, 308, 354)
        for size, left in zip(sizes, lefts, strict=True):
            for shift in (8, 4, 0):
                parts.append(
                    rect(left + shift * 0.6, 215 - size / 2 - shift * 0.6, size * 0.55, size, "cell")
                )
    else:
        for i in range(8):
            left = 202 + i * 23
            parts += [rect(left, 172, 18, 18, "cell"), rect(left, 238, 18, 18, "cell")]
            parts += [
                f'<line class="line" opacity="0.45" x1="{left + 9}" y1="190" x2="{211 + j * 23}" y2="238"/>'
                for j in range(8)
            ]
    parts += [text(291, 284 + i * 18, line, "small", "middle") for i, line in enumerate(lines)]
    return parts


def _features() -> list[str]:
    return [
        *cells(440, 175, 120, 8, ()),
        text(500, 165, "features of the grid", "title", "middle"),
        text(500, 315, "as many in every cell,", "small", "middle"),
        text(500, 331, "plus a fixed code", "small", "middle"),
        text(500, 347, "of the cell's place", "small", "middle"),
    ]


def _decoder(decoder: str) -> list[str]:
    left, top, wide, high, gap = 630, 72, 282, 46, 24
    lines = STEPS[decoder]
    tops = [top + i * (high + gap) for i in range(len(lines))]
    middle = left + wide / 2
    parts = [text(middle, 50, f"{NAMES[decoder]} decoder", "title", "middle")]
    for y, line in zip(tops, lines, strict=True):
        parts += [
            rect(left, y, wide, high, f"box {decoder}"),
            text(middle, y + 28, line, "small", "middle"),
        ]
    parts += [arrow((middle, y + high), (middle, y + high + gap - 2)) for y in tops[:-1]]
    look = tops[2] + high / 2
    parts.append(arrow((560, 235), (600, 235), (600, look), (left - 3, look)))
    if decoder == "lstm":
        read = tops[3] + high / 2
        parts.append(arrow((600, look), (600, read), (left - 3, read)))
        parts.append(
            arrow((left + wide, read), (990, read), (990, tops[0] + 23), (left + wide + 3, tops[0] + 23))
        )
        said = tops[4] + high / 2
        parts.append(f'<polyline class="line" points="{left + wide},{said} 990,{said} 990,{read}"/>')
        parts.append(arrow((left + wide, look), (left + wide + 10, look)))
        parts += cells(left + wide + 13, look - 24, 48, 8, ((4, 2, 1.3),))
        parts.append(text(left + wide + 37, look + 38, "its map", "small", "middle"))
    else:
        parts.append(
            f'<path class="line" stroke-dasharray="5 4" d="M {left - 14} {tops[1] - 10} H {left + wide + 84} '
            f'V {tops[3] + high + 10} H {left - 14} Z"/>'
        )
        parts.append(text(left + wide + 80, tops[3] + high - 2, "each layer", "small", "end"))
        parts.append(arrow((left + wide, look), (left + wide + 10, look)))
        for i, centre in enumerate(((4, 2, 0.8), (5, 6, 0.8), (2, 2, 0.6), (6, 1, 1.6))):
            x, y = left + wide + 13 + (i % 2) * 32, look - 32 + (i // 2) * 32
            parts += cells(x, y, 28, 8, (centre,))
        parts.append(text(left + wide + 43, look + 48, "its maps", "small", "middle"))
        turn = left + wide + 88
        parts.append(
            arrow(
                (left + wide, tops[4] + 23),
                (turn, tops[4] + 23),
                (turn, tops[0] + 23),
                (left + wide + 3, tops[0] + 23),
            )
        )
    return parts


def main() -> None:
    """Draw the four diagrams beside this file."""
    for encoder in ENCODERS:
        for decoder in STEPS:
            path = Path(__file__).with_name(f"architecture-{encoder}-{decoder}.svg")
            path.write_text(diagram(encoder, decoder), "utf-8")


if __name__ == "__main__":
    main()
