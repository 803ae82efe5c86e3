"""Two processes that share a training take the steps that one takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gazeapp.engine.models.captioner.training.loop import train
from gazeapp.engine.models.captioner.training.several import train_on_several
from tests.engine.models.captioner.training.tiny import Quiet, tiny
from tests.small_captions import small_set


@pytest.mark.simulation
@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_two_processes_take_the_steps_of_one(tmp_path: Path, decoder: str) -> None:
    small = small_set(tmp_path / "small", n=16)
    # Frozen, because batch norms of a network in training see the pictures of a process only.
    alone = tiny(
        data=str(small.table), images=str(small.images), decoder=decoder, frozen=True, dropout=0.0,
        doubly_stochastic=1.0, evaluate_every=3, checkpoint_every=3, device="cpu", out=str(tmp_path / "alone"),
    )  # fmt: skip
    together = replace(alone, gpus=2, out=str(tmp_path / "together"))
    train(alone, Quiet())
    assert train_on_several(together, Quiet()) == 0
    one, two = (load_file(Path(each.out) / "training" / "state-6.safetensors") for each in (alone, together))
    torch.testing.assert_close(two.pop("losses"), one.pop("losses"), rtol=1e-5, atol=1e-5)
    # The optimiser's mean gradients, and not the weights: Adam makes steps of full size out of the rounding errors
    # of gradients that are zero, as those of the keys' biases.
    gradients = [name for name in one if name.endswith(".exp_avg")]
    assert max(float(one[name].abs().max()) for name in gradients) > 1e-2
    for name in gradients:
        torch.testing.assert_close(two[name], one[name], rtol=1e-5, atol=1e-5)
