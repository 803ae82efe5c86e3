"""Damaged training pictures are told in what is written beside the captioner."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.models.captioner.training.loop import make_material
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from tests.small_captions import small_set


def test_pictures_that_could_not_be_read_are_noted(tmp_path: Path) -> None:
    small = small_set(tmp_path)
    train = [name for name, split in small.splits.items() if split == "train"]
    settings = TrainSettings(data=str(small.table), min_count=1, n_validation=4, n_test=2)
    whole = make_material(settings)
    whole.train.batch(np.arange(len(train)), np.random.default_rng(0))
    assert whole.facts_now() == whole.facts
    for name in train[:4]:
        (small.images / name).write_bytes(b"\x89PNG cut off")
    material = make_material(settings)
    material.train.batch(np.arange(len(train)), np.random.default_rng(0))
    assert material.facts["notes"] == []
    assert material.facts_now()["notes"] == [
        "4 training pictures could not be read, and others stood in for them: 000.png, 001.png, 002.png and others."
    ]
