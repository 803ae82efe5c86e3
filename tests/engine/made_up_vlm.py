"""A vision-language model that was never there: its runs are put into a study, for tests without torch."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.models.base import AttentionDetail, Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.types import Json

LAYERS = (3, 7)
N_HEADS = 4
GRID = (3, 4)
WORDS = (("A", False), ("red", True), ("ball.", True))
TOKEN_WORDS = [[0], [1, 2], [3, 4]]
REACH = "What flows past the masked keys stays."
PROMPT = "Describe this scene in one sentence."
GREEDY = {"max_tokens": 40, "temperature": 0.0}


def add_vlm(
    project: Project,
    model: str = "lab/eye-7b",
    *,
    checkpoint: str = "lab/eye-7b",
    kind: str = "vlm",
    task: str = "general",
    prompt: str = PROMPT,
    decoding: Json = GREEDY,
    caption: str = "A red ball.",
    keep: str = "",
    lesion: str = "",
    images: tuple[int, ...] | None = None,
    method: str = "attention",
    facts: Json | None = None,
    **values: object,
) -> None:
    """Put a model and a run of it on each image (or on those of some ids) into a project.

    Word k of image i has ``mass_of(i)[k]`` of attention on the image; what of that each layer and head has is random.
    The caption of image 2 was cut off, and image 3 was described at half its size.
    """
    project.runs.put_model(
        ModelInfo(
            model,
            "Eye 7B",
            kind,
            checkpoint,
            "c0ffee" * 6 + "c0de",
            methods=("attention",),
            facts={
                **({"model_type": "llava"} if kind == "vlm" else {}),
                "family": "LLaVA 1.5",
                "reach": REACH,
                "parameters": 7_000_000_000,
                "place": "cache",
                "layers": list(LAYERS),
                "heads": N_HEADS,
                "loaded": {
                    "network": "EyeForConditionalGeneration",
                    "parameters_loaded": 7_063_427_072,
                    "stored_dtype": "bfloat16",
                    "dtype": "float16",
                    "four_bit": False,
                    "devices": ["cuda:0"],
                    "versions": {"torch": "2.13.0", "transformers": "5.23.0"},
                },
            },
        )
    )
    settings = {
        **{"model": model, "revision": "c0ffee" * 6 + "c0de", "task": task, "model_task": task},
        **{"method": method, "words": "content", "prompt": prompt, "decoding": decoding, "dtype": "auto"},
        **({"keep": keep} if keep else {}),
        **values,
    }
    settings_id = project.settings.put("extract", settings)
    for image in project.images.all():
        if images is None or image.id in images:
            made = _caption(image.id, image.rect, task, prompt, caption, keep, method, facts or {})
            project.runs.put(image.id, model, task, made, made.mean_map(), settings_id, 1.5, lesion)


def mass_of(image_id: int) -> np.ndarray:
    """Return the share of each word's attention on an image."""
    return np.array([0.1, 0.3, 0.5], np.float32) + np.float32(0.1 * image_id)


def detail_of(image_id: int, keep: str) -> AttentionDetail:
    """Return the attention by layer and head on an image."""
    rng = np.random.default_rng(image_id)
    heads = N_HEADS if keep == "heads" else 1
    shape = (len(WORDS), len(LAYERS), N_HEADS)
    mass = rng.uniform(0.1, 0.9, shape).astype(np.float32)
    own = mass if keep == "heads" else mass.mean(axis=2, keepdims=True)
    maps = rng.dirichlet(np.ones(GRID[0] * GRID[1]), (*shape[:2], heads)).reshape(*shape[:2], heads, *GRID)
    return AttentionDetail(LAYERS, mass, (maps * own[..., None, None]).astype(np.float16) if keep else None)


def _caption(
    image_id: int, rect: object, task: str, prompt: str, caption: str, keep: str, method: str, facts: Json
) -> Caption:
    rng = np.random.default_rng(100 + image_id)
    maps = rng.dirichlet(np.ones(GRID[0] * GRID[1]), len(WORDS)).reshape(-1, *GRID).astype(np.float32)
    return Caption(
        tuple(Word(text, -0.5, content) for text, content in WORDS),
        maps,
        mass_of(image_id),
        rect,  # type: ignore[arg-type]
        task,
        method,
        said=caption,
        prompt=prompt,
        detail=detail_of(image_id, keep),
        facts={
            "tokens": list(range(5)),
            "token_words": TOKEN_WORDS,
            "ended": image_id != 2,
            "n_prompt_tokens": 620,
            "n_image_tokens": 576,
            "image_scale": 0.5 if image_id == 3 else 1.0,
            "dtype": "float16",
            "device": "cuda:0",
            **facts,
        },
    )
