from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.molmo_7b_d.preprocess import MolmoProcessor

PROMPT = "Describe this image."


def test_input_is_that_of_the_authors(case, processor: MolmoProcessor) -> None:
    made = processor(case.image, PROMPT)
    assert {name: tuple(tensor.shape[:1]) for name, tensor in made.items()} == dict.fromkeys(made, (1,))
    assert np.array_equal(made["input_ids"][0], case.given["input_ids"])
    assert np.array_equal(made["image_input_idx"][0], case.given["image_input_idx"])
    assert np.array_equal(made["image_masks"][0], case.given["image_masks"])
    assert bool((made["attention_mask"] == 1).all())
    crops = made["images"][0].numpy()
    assert crops.shape == (len(case.given["image_masks"]), 576, 588)
    assert np.abs(crops[:, ::13] - case.given["crops_every_13th_patch"]).max() < 1e-5


def test_masks_stand_one_crop_ahead(processor: MolmoProcessor) -> None:
    # A wide image has borders above and below in the overview, none in its detail crops' middle.
    masks = processor(np.zeros((300, 640, 3), np.uint8), PROMPT)["image_masks"][0]
    assert bool((masks[-1] == -1).all())
    # The detail canvas has borders at its left and right end, so its first and last crop have some.
    assert [bool((mask < 1).any()) for mask in masks[:-1]] == [True, False, True]


def test_text_follows_the_image_as_the_authors_write_it(processor: MolmoProcessor) -> None:
    ids = processor(np.zeros((40, 40, 3), np.uint8), "Wo ist die Ähre?")["input_ids"][0]
    last = int(torch.nonzero(ids >= 512)[-1])
    assert bytes(ids[last + 1 :].tolist()).decode() == " User: Wo ist die Ähre? Assistant:"
    assert int(ids[0]) == 256


@pytest.mark.parametrize("word", ["<im_patch>", "<|image|>"])
def test_a_prompt_with_a_token_of_the_image_is_refused(processor: MolmoProcessor, word: str) -> None:
    with pytest.raises(GazeError, match="keeps for images") as error:
        processor(np.zeros((40, 40, 3), np.uint8), f"what is {word}?")
    assert word in error.value.what


def test_a_tokenizer_without_the_image_is_refused() -> None:
    class Letters:
        bos_token_id = None
        eos_token_id = 1

        def encode(self, text: str, **_: Any) -> list[int]:
            return [ord(letter) for letter in text]

    with pytest.raises(GazeError, match="<im_start>, <im_end>, <im_patch>, <im_col>"):
        MolmoProcessor(Letters())
