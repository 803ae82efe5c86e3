# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2", "pillow>=11"]
#
# [tool.gazeapp]
# name = "Brightness (an example, no science)"
# description = "Says which part of an image is brightest. A template to copy for a model of one's own."
# licence = "MIT"
# download = "25 MB"
# actions = ["describe"]
# methods = ["brightness"]
# ///
"""An example of a runner: copy it, put your own model in `describe`, and change what it says about itself above.

The comment above is read before anything is run. It says what is installed (``dependencies``, ``requires-python``),
what the user is told (``name``, ``description``, ``licence``, ``download``: how much is downloaded, weights included)
and what can be asked (``actions``, ``methods``: the map methods, the first one is the default).
"""

import numpy as np
from gazeapp_runner import RunnerError, serve
from PIL import Image

GRID = 12
"""Cells along each side of the grid."""

PLACES = [
    ["top left", "top", "top right"],
    ["left", "middle", "right"],
    ["bottom left", "bottom", "bottom right"],
]


def describe(request, progress):
    """Describe the image at ``request.image``.

    A real model would load its weights at the first call and keep them, read ``request.values["prompt"]`` and
    ``request.values["decoding"]``, and call ``progress`` after each token.

    Returns
    -------
    dict
        ``tokens``: texts that make the caption when they are joined, spaces included;
        ``log_probabilities``, shape (n_tokens,): natural logarithms;
        ``attention``, shape (n_tokens, rows, columns): 0 or more, in any unit, row 0 at the top;
        ``image_mass``, shape (n_tokens,): share of the token's attention that fell on the image, 0 to 1;
        ``rect``: x, y, width and height of what the grid covers, px of the image, from its top left corner;
        ``facts``: anything worth storing beside the result.
    """
    grey = Image.open(request.image).convert("F")
    width, height = grey.size
    if min(height, width) < GRID:
        raise RunnerError(f"The image is smaller than {GRID} px.", "Use a larger one.")
    # Areas averaged: each cell is the same share of the image, whatever its size in pixels.
    light = np.asarray(grey.resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float64)
    top, left = np.unravel_index(light.argmax(), light.shape)
    tokens = ["The", " brightest", " part", " is", f" {PLACES[top * 3 // GRID][left * 3 // GRID]}"]
    tokens = tokens[: request.values["decoding"]["max_tokens"]]
    attention = []
    for index, token in enumerate(tokens):
        # The last words look at the brightest cells only, so that maps differ from word to word.
        sharpness = 1.0 if index < 4 else 8.0
        attention.append((light / max(light.max(), 1e-9)) ** sharpness + 1e-6)
        progress(index + 1, len(tokens), token.strip())
    return {
        "tokens": tokens,
        "log_probabilities": np.zeros(len(tokens)),
        "attention": np.array(attention, dtype=np.float32),
        "image_mass": np.ones(len(tokens)),
        "rect": np.array([0.0, 0.0, width, height]),
        "facts": {"mean_brightness": float(light.mean())},
    }


serve(describe=describe)
