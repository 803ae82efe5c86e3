"""The steps of a training: parts, frozen encoders, rates, evaluations and their best weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training import machine
from gazeapp.engine.models.captioner.training.fitting import Keeping, Trained, fit, make_optimiser, schedule
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from tests.engine.models.captioner.training.tiny import Pictures, Quiet, history, tiny, tiny_config


def trained(settings: TrainSettings, **more: Any) -> Trained:
    return fit(tiny_config(settings), Pictures(), settings, Quiet(), **more)


def gradients(settings: TrainSettings) -> dict[str, Tensor]:
    """Return what a single step's gradient was."""
    model = trained(replace(settings, steps=1)).model
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_a_step_in_parts_has_the_gradient_of_the_whole_step(decoder: str) -> None:
    # Frozen, because batch norms of a network in training see the pictures of a part only.
    settings = tiny(decoder=decoder, batch=8, frozen=True, dropout=0.0, doubly_stochastic=0.5)
    whole, parts = gradients(settings), gradients(replace(settings, accumulate=4))
    assert whole.keys() == parts.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-5, atol=1e-6)
    assert max(float(gradient.abs().max()) for gradient in whole.values()) > 1e-2


def test_the_doubly_stochastic_term_evens_an_lstms_attention_and_is_no_matter_to_a_transformer() -> None:
    plain, even = tiny(), tiny(doubly_stochastic=1.0)
    assert trained(plain).losses != trained(even).losses
    of_transformer = [trained(replace(s, decoder="transformer")).losses for s in (plain, even)]
    assert of_transformer[0] == of_transformer[1]


@pytest.mark.parametrize("encoder", ["cnn", "vit"])
def test_a_frozen_network_stays_as_it_is_and_the_rest_learns(encoder: str) -> None:
    settings = tiny(encoder=encoder, frozen=True, steps=3, input_size=64)
    torch.manual_seed(settings.seed)
    before = Captioner(tiny_config(settings)).state_dict()
    after = fit(tiny_config(settings), LargePictures(), settings, Quiet()).model.state_dict()
    changed = {name for name, weights in after.items() if not torch.equal(weights, before[name])}
    assert changed
    assert not [name for name in changed if name.startswith("encoder.net.")]
    assert {"encoder.project.weight", "decoder.embed.weight"} <= changed


class LargePictures(Pictures):
    def __init__(self) -> None:
        super().__init__()
        self.pictures = self.pictures.repeat(2, axis=1).repeat(2, axis=2)


def test_encoder_and_decoder_have_rates_of_their_own_and_matrices_alone_decay() -> None:
    model = Captioner(tiny_config())
    optimiser = make_optimiser(model, tiny(rate=1e-3, encoder_rate=1e-5, weight_decay=0.1))
    found = {id(p): group for group in optimiser.param_groups for p in group["params"]}
    for name, weights in model.named_parameters():
        group = found[id(weights)]
        assert group["highest"] == (1e-5 if name.startswith("encoder.net.") else 1e-3)
        assert group["weight_decay"] == (0.1 if weights.ndim > 1 else 0.0)


def test_a_network_with_a_rate_next_to_nothing_hardly_moves() -> None:
    settings = tiny(encoder_rate=1e-9, weight_decay=0.0)
    torch.manual_seed(settings.seed)
    before = Captioner(tiny_config()).state_dict()
    after = trained(settings).model
    for name, weights in after.named_parameters():
        moved = float((weights.detach() - before[name]).abs().max())
        assert moved < 1e-7 if name.startswith("encoder.net.") else moved > 1e-5, name


def test_the_rate_rises_and_falls_as_a_cosine() -> None:
    settings = tiny(steps=100, warmup=10)
    assert schedule(0, settings) == pytest.approx(0.1)
    assert schedule(50, settings) == pytest.approx(0.02 + 0.98 * 0.5)
    assert schedule(99, settings) == pytest.approx(0.02, abs=1e-3)


class Judge:
    """Gives figures that were made up before."""

    def __init__(self, *values: float) -> None:
        self.values, self.weights = list(values), []  # type: ignore[var-annotated]

    def __call__(self, model: Captioner) -> dict[str, Any]:
        assert not model.training
        self.weights.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        value = self.values[len(self.weights) - 1]
        return {"cider": value, "bleu4": 1 - value, "validation_loss": 1.0}


def test_the_weights_of_the_best_evaluation_are_kept_and_patience_ends_it(tmp_path: Path) -> None:
    judge = Judge(0.1, 0.4, 0.3, 0.4, 0.9)
    settings = tiny(steps=20, evaluate_every=2, patience=2)
    done = trained(settings, judge=judge, keeping=Keeping(tmp_path))
    assert len(done.losses) == 8  # evaluations after 2, 4, 6 and 8; none better since the second
    assert [line["best"] for line in done.evaluations] == [True, True, False, False]
    best = judge.weights[1]
    assert all(torch.equal(tensor, best[name]) for name, tensor in done.model.state_dict().items())
    assert sum('"cider"' in line for line in history(tmp_path)) == 4


def test_bleu_can_be_the_measure_and_the_last_step_is_evaluated() -> None:
    judge = Judge(0.1, 0.4, 0.3)
    done = trained(tiny(steps=5, evaluate_every=2, measure="bleu"), judge=judge)
    assert [(line["step"], line["best"]) for line in done.evaluations] == [(2, True), (4, False), (5, False)]
    assert torch.equal(
        done.model.state_dict()["decoder.embed.weight"], judge.weights[0]["decoder.embed.weight"]
    )


def test_of_equal_evaluations_the_one_with_the_lower_loss_is_better_also_after_a_stop(tmp_path: Path) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.0, 1.0, 0.5])

    def judge(model: Captioner) -> dict[str, Any]:
        value = 0.0 if len(weights) < 5 else -1.0
        weights.append(model.state_dict()["decoder.embed.weight"].clone())
        return {"cider": 9.0, "bleu4": value, "validation_loss": next(losses)}

    weights: list[Tensor] = []
    settings = tiny(evaluate_every=1, measure="bleu", patience=3)
    with pytest.raises(GazeError, match="cancelled after step 3"):
        fit(tiny_config(), Pictures(), settings, Quiet(stop_after=3), judge=judge, keeping=Keeping(tmp_path))
    done = trained(settings, judge=judge, keeping=Keeping(tmp_path))
    assert [line["best"] for line in done.evaluations] == [True, True, False, False, True, False]
    assert torch.equal(done.model.state_dict()["decoder.embed.weight"], weights[4])


def test_evaluations_change_nothing_of_the_steps() -> None:
    measured = trained(tiny(dropout=0.3, evaluate_every=1), judge=Judge(*np.linspace(0, 1, 6)))
    assert measured.losses == trained(tiny(dropout=0.3)).losses


def test_a_loss_that_is_no_number_ends_it_before_it_spoils_the_weights(tmp_path: Path) -> None:
    def broken(model: Captioner) -> dict[str, Any]:
        with torch.no_grad():
            model.decoder.embed.weight[5:] = torch.nan  # type: ignore[union-attr, index, operator]
        return {}

    with pytest.raises(GazeError, match="no longer a number at step 1"):
        trained(tiny(), start=broken, keeping=Keeping(tmp_path))
    assert '"failed"' in (tmp_path / "training" / "status.json").read_text("utf-8")


@pytest.mark.parametrize("changes", [{"rate": 1e30, "encoder_rate": 1e30}, {"rate": 1e6}])
def test_weights_that_grow_beyond_what_can_be_stored_are_not_the_end_of_a_training(
    tmp_path: Path, changes: dict[str, float]
) -> None:
    with pytest.raises(GazeError, match="no longer numbers that can be used after step 1") as caught:
        trained(tiny(steps=1, warmup=1, **changes), keeping=Keeping(tmp_path))
    assert "lower rate" in caught.value.todo
    assert not (tmp_path / "training" / "state.json").exists()
    assert '"failed"' in (tmp_path / "training" / "status.json").read_text("utf-8")


@pytest.mark.parametrize("when", ["after evaluating", "before evaluating"])
def test_weights_that_are_no_numbers_leave_the_checkpoint_before_and_the_best_weights(
    tmp_path: Path, when: str
) -> None:
    def judge(model: Captioner) -> dict[str, Any]:
        judged.append(model)
        if when == "after evaluating" and len(judged) == 2:
            spoil(model)
        return {"cider": float(len(judged)), "bleu4": 0.0, "validation_loss": 1.0}

    class Spoils(Quiet):
        def report(self, done: int, total: int, message: str) -> None:
            if when == "before evaluating" and done == 4:
                spoil(judged[0])

    judged: list[Captioner] = []
    settings = tiny(evaluate_every=2, checkpoint_every=1)
    with pytest.raises(GazeError, match="after step 4"):
        fit(tiny_config(settings), Pictures(), settings, Spoils(), judge=judge, keeping=Keeping(tmp_path))
    assert len(judged) == (2 if when == "after evaluating" else 1)
    facts = json.loads((tmp_path / "training" / "state.json").read_text("utf-8"))
    assert (facts["step"], facts["best_step"]) == (3, 2)


def spoil(model: Captioner) -> None:
    with torch.no_grad():
        next(model.parameters()).view(-1)[-1] = torch.nan


class Sixteen:
    """Accelerate's part in a training in fp16: which steps it left out."""

    scaler, device = object(), torch.device("cpu")

    def __init__(self, *skipped: bool) -> None:
        self.skipped, self.step = skipped, 0

    @property
    def optimizer_step_was_skipped(self) -> bool:
        self.step += 1
        return self.skipped[(self.step - 1) % len(self.skipped)]


def test_fp16_may_leave_out_some_steps_but_not_forty_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    now_and_then, always = Sixteen(*[True] * 39, False), Sixteen(True)
    found = iter([now_and_then, always])
    monkeypatch.setattr(machine, "_accelerator", lambda _: next(found))
    patient = machine.Machine(tiny(precision="fp16"))
    for step in range(200):
        patient.check_skipped(step)
    hopeless = machine.Machine(tiny(precision="fp16"))
    for step in range(100, 139):
        hopeless.check_skipped(step)
    with pytest.raises(GazeError, match="40 steps in a row up to step 140 gave no numbers in fp16"):
        hopeless.check_skipped(139)


def test_sixteen_bits_learn_about_the_same() -> None:
    settings = tiny(dropout=0.0)
    full, half = trained(settings).losses, trained(replace(settings, precision="bf16")).losses
    assert half != full
    np.testing.assert_allclose(half, full, rtol=0.02)


def test_a_step_that_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(GazeError, match="cannot be shared out evenly"):
        trained(tiny(batch=4, accumulate=3))


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "graphics card is too small"),
        (OSError(28, "full"), "full"),
    ],
)
def test_memory_and_disk_that_run_out_are_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise trouble

    if isinstance(trouble, OSError):
        monkeypatch.setattr(Path, "open", fail)
    else:
        monkeypatch.setattr(Captioner, "forward", fail)
    with pytest.raises(GazeError, match=told):
        trained(tiny(steps=20), keeping=Keeping(tmp_path))
