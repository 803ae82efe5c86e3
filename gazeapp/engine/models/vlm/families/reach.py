"""What lesions of vision-language models do not reach, type by type; read without torch."""

from __future__ import annotations

CROSS_ATTENDING = frozenset({"vision-encoder-decoder", "blip"})
"""Types whose words attend to the image through layers of their own: each row of them is that of a word."""

CAPTIONERS = frozenset({*CROSS_ATTENDING, "git"})
"""Types that describe the image whatever they are asked."""

PARTLY_ATTENDING = frozenset({"qwen3_5"})
"""Types of which most layers carry a state from token to token instead of attention."""

SHOWN_TWICE = frozenset({"idefics3", "smolvlm", "llava_onevision", "molmo", "molmo2"})
"""Types that may be shown each part of the image twice, in an overview and in detail."""

_BOTH_DIRECTIONS = frozenset({"paligemma", "gemma3", "molmo2"})
"""Types whose image tokens read each other in both directions, not only those before them."""

_MIXED = "The vision encoder has mixed patches before, so that what stays knows something of what goes."

_TILES = (
    "The vision encoder has mixed what lies within one tile, and all of the image within the overview, so that what "
    "stays knows something of what goes."
)

_LEADING = (
    "The image encoder has mixed patches before, and its leading tokens (CLS), which know of the whole image, stay in "
    "reach."
)

_ENCODERS = {
    "idefics3": _TILES,
    "smolvlm": _TILES,
    "molmo": "The vision encoder has mixed the whole of each crop before, and crops overlap: the neighbours of what "
    "goes know of what lies there.",
    "vision-encoder-decoder": _LEADING,
    "blip": _LEADING,
    "git": _LEADING,
}


def encoder_misses(model_type: str) -> str:
    """Return what no lesion behind the vision encoder reaches, because the encoder did it before."""
    return _ENCODERS.get(model_type, _MIXED)


def keys_miss(model_type: str) -> str:
    """Return what a lesion does not reach that masks attention keys in every row."""
    if model_type in PARTLY_ATTENDING:
        return (
            "Only every fourth layer carries attention; image information also flows on through the state of the "
            f"others, which masking keys does not reach: 'zero' and 'mean' do. {_MIXED}"
        )
    return encoder_misses(model_type)


def text_misses(model_type: str) -> str:
    """Return what a lesion does not reach that masks the keys for the prompt and the words only."""
    read = (
        "All parts of the image read each other, in both directions"
        if model_type in _BOTH_DIRECTIONS
        else "Each token of the image, marks at the ends of rows included, reads those before it"
    )
    return f"{read}: words learn of what goes through those that stay. {keys_miss(model_type)}"


def readout_misses(model_type: str) -> str:
    """Return what a lesion does not reach that masks the keys for the words only."""
    if model_type == "git":
        return f"CLS and the patches that stay have read those that go, and the words read them. {_LEADING}"
    far = (
        " Most layers see only the latest tokens, so that words far behind the image learn of it through the tokens "
        "between."
        if model_type == "gemma3"
        else ""
    )
    return f"The prompt has read what goes, and words learn of it there.{far} {text_misses(model_type)}"
