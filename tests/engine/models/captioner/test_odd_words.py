"""Words of a vocabulary from elsewhere that would govern a terminal or a line are shown with a mark instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.io import save_captioner
from gazeapp.engine.models.captioner.network import Captioner

CONFIG = CaptionerConfig(
    "mine", "Mine", "vit", "transformer", ("<pad>", "<start>", "<end>", "dog"), ("dog",), (),
    input_size=32, grid=(2, 2), width=16, layers=1, heads=2, max_words=3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("\x1b[2Jdog", "\ufffd[2Jdog"),
        ("do\r\ng", "do\ufffd\ufffdg"),
        ("\x9b31mdog", "\ufffd31mdog"),
        ("\u202egod", "\ufffdgod"),
        (
            "\u0645\u06cc\u200c\u0631\u0648\u062f",
            "\u0645\u06cc\u200c\u0631\u0648\u062f",
        ),  # joins letters in Persian
    ],
)
def test_words_are_shown_harmless(word: str, shown: str, tmp_path: Path) -> None:
    config = replace(CONFIG, vocabulary=(*CONFIG.vocabulary[:3], word), content_words=(word,))
    torch.manual_seed(0)
    network = Captioner(config)
    with torch.no_grad():
        network.decoder.out.bias.copy_(torch.tensor([-99.0, -99.0, -99.0, 99.0]))
    save_captioner(tmp_path, network, config)
    caption = CaptionerModel.load(tmp_path).describe(np.full((40, 50, 3), 90, np.uint8), "general")
    assert [(each.text, each.is_content) for each in caption.words] == [(shown, True)] * 3
