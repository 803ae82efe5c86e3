"""Damaged training pictures are told in what is written beside the captioner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.loop import make_material, train
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from tests.engine.models.captioner.training.tiny import Quiet, tiny
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


def test_damaged_pictures_of_every_split_and_of_earlier_runs_are_on_the_card(tmp_path: Path) -> None:
    small = small_set(tmp_path)
    of = {
        use: [name for name, split in small.splits.items() if split == use]
        for use in ("train", "validation", "test")
    }
    whole = {name: (small.images / name).read_bytes() for names in of.values() for name in names[:1]}
    for name in whole:
        (small.images / name).write_bytes(b"\x89PNG cut off")
    settings = tiny(
        data=str(small.karpathy),
        images=str(small.images),
        steps=12,
        evaluate_every=2,
        out=str(tmp_path / "mine"),
    )
    with pytest.raises(GazeError, match="cancelled after step 11"):
        train(settings, Quiet(stop_after=11))
    # They are back, but the weights so far and the best of them were made without them.
    for use in ("train", "validation"):
        (small.images / of[use][0]).write_bytes(whole[of[use][0]])
    notes = train(settings, Quiet()).training["notes"]
    assert [note for note in notes if "could not be read" in note] == [
        f"1 training picture could not be read, and another stood in for it: {of['train'][0]}.",
        f"1 validation picture could not be read, and is not in the figures: {of['validation'][0]}.",
        f"1 test picture could not be read, and is not in the figures: {of['test'][0]}.",
    ]
    card = (tmp_path / "mine" / "MODEL_CARD.md").read_text("utf-8")
    assert all(f"- {note.split(':')[0]}" in card for note in notes)
