"""Training on captions of pictures, from files to card: all of it on a small set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.data.words import tokenise
from gazeapp.engine.models.captioner.encoders import timm_network
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.network import Captioner, Said
from gazeapp.engine.models.captioner.training import loop
from gazeapp.engine.models.captioner.training.evaluating import caption_figures, spoken
from gazeapp.engine.models.captioner.training.fitting import Trained
from gazeapp.engine.models.captioner.training.loop import curve, finish, make_material, train
from gazeapp.engine.models.captioner.training.starting import take_over
from tests.engine.models.captioner.training.tiny import VOCABULARY, Pictures, Quiet, tiny, tiny_config
from tests.small_captions import SmallSet, small_set


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    return small_set(tmp_path_factory.mktemp("small"), n=20)


@pytest.fixture(scope="module")
def general(small: SmallSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CaptionerConfig]:
    """A captioner of general captions, with a name that Markdown would take for something else."""
    folder = tmp_path_factory.mktemp("general")
    settings = tiny(data=str(small.karpathy), images=str(small.images), evaluate_every=3, out=str(folder))
    return folder, train(replace(settings, name="A *bold* one|two"), Quiet())


def test_a_captioner_of_captions_has_their_words_and_says_where_they_came_from(
    small: SmallSet, general: tuple[Path, CaptionerConfig]
) -> None:
    folder, written = general
    assert written.tasks == ("general",)
    assert written.vocabulary[:4] == ("<pad>", "<end>", "<unk>", "<general>")
    of_training = {
        word
        for name, split in small.splits.items()
        if split == "train"
        for text in small.texts[name]["general"]
        for word in tokenise(text)
    }
    assert set(written.vocabulary[4:]) == of_training
    assert len(written.training["fingerprint"]) == 64
    assert (written.training["n_train"], written.training["n_captions"]) == (
        sum(split == "train" for split in small.splits.values()),
        2 * sum(split == "train" for split in small.splits.values()),
    )
    assert [line["step"] for line in written.training["evaluations"]] == [3, 6]
    described = CaptionerModel.load(folder).describe(np.zeros((20, 30, 3), np.uint8), "general")
    assert all(word.text in written.vocabulary for word in described.words)


def test_the_card_of_captions_escapes_names_and_knows_no_place_of_the_machine(
    small: SmallSet, general: tuple[Path, CaptionerConfig]
) -> None:
    folder, written = general
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    assert card.startswith("# A \\*bold\\* one\\|two\n")
    assert written.training["fingerprint"] in card
    assert "Penn Treebank" in card
    assert "licence" in card
    figures = written.figures["captions"]["general"]
    assert f"| {figures['n']} | {figures['cider']:.3f} | {figures['bleu4']:.4f} |" in card
    for place in (str(small.images), str(folder), str(Path.home()), str(Path(small.karpathy).parent)):
        assert place not in card
        assert place not in (folder / "captioner.json").read_text("utf-8")


def test_a_finished_training_is_left_alone_and_a_missing_card_is_written_again(
    small: SmallSet, general: tuple[Path, CaptionerConfig]
) -> None:
    folder, written = general
    settings = tiny(
        data=str(small.karpathy),
        images=str(small.images),
        evaluate_every=3,
        out=str(folder),
        name=written.name,
    )
    when = (folder / "weights.safetensors").stat().st_mtime_ns
    watch = Quiet()
    assert train(settings, watch) == written
    assert watch.done == settings.steps
    assert (folder / "weights.safetensors").stat().st_mtime_ns == when
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    (folder / "MODEL_CARD.md").unlink()
    again = train(settings, Quiet())
    assert again.revision == written.revision
    assert (folder / "MODEL_CARD.md").read_text("utf-8") == card


def test_figures_that_cannot_be_written_leave_a_word_of_it(
    small: SmallSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise GazeError("The disk is full, so the file was not written.")

    monkeypatch.setattr(loop, "write_card", full)
    settings = tiny(data=str(small.table), images=str(small.images), steps=1, out=str(tmp_path))
    with pytest.raises(GazeError, match="disk is full"):
        train(settings, Quiet())
    assert json.loads((tmp_path / "training" / "status.json").read_text("utf-8"))["state"] == "failed"


def test_a_captioner_is_fine_tuned_to_another_task_with_its_own_words(
    small: SmallSet, general: tuple[Path, CaptionerConfig], tmp_path: Path
) -> None:
    folder, known = general
    settings = tiny(
        data=str(small.table), images=str(small.images), tasks=("social",), start_from=str(folder), steps=2,
        out=str(tmp_path / "social"), width=32, grid=(2, 2),
    )  # fmt: skip
    written = train(settings, Quiet())
    assert written.vocabulary == (*known.vocabulary, "<social>")
    assert (written.tasks, written.width, written.grid) == (("social",), 16, (4, 4))
    unknown = sum(
        word not in known.vocabulary
        for name, split in small.splits.items()
        if split == "train"
        for text in small.texts[name]["social"]
        for word in tokenise(text)
    )
    assert written.training["n_unknown_words"] == unknown > 0
    assert any("not in the vocabulary" in note for note in written.training["notes"])
    assert written.training["origin"] == {"source": folder.name, "sha256": known.revision}
    assert f"{folder} " not in (tmp_path / "social" / "MODEL_CARD.md").read_text("utf-8")


def test_fine_tuning_keeps_encoder_and_decoder(general: tuple[Path, CaptionerConfig], tmp_path: Path) -> None:
    settings = tiny(decoder="transformer", start_from=str(general[0]), out=str(tmp_path))
    with pytest.raises(GazeError, match="has vit and lstm, not vit and transformer"):
        train(settings, Quiet())


def test_the_token_of_a_new_task_begins_as_the_first_known_one() -> None:
    known = Captioner(tiny_config())
    config = replace(tiny_config(), vocabulary=(*VOCABULARY, "<memory>"), tasks=("memory",))
    model = Captioner(config)
    take_over(model, known)
    for name, weights in model.state_dict().items():
        old = known.state_dict()[name]
        if weights.shape != old.shape:
            assert torch.equal(weights[-1], old[VOCABULARY.index("<general>")])
            weights = weights[:-1]
        assert torch.equal(weights, old), name
    assert model.state_dict()["decoder.embed.weight"].shape[0] == len(VOCABULARY) + 1


def test_tasks_that_the_captions_lack_are_told(small: SmallSet, tmp_path: Path) -> None:
    settings = tiny(data=str(small.table), images=str(small.images), tasks=("memory",), out=str(tmp_path))
    with pytest.raises(GazeError, match="nothing under the task memory") as caught:
        train(settings, Quiet())
    assert "general, social" in caught.value.todo


class Parrot(Captioner):
    """Says what it was told to, picture by picture."""

    def __init__(self, config: CaptionerConfig, told: dict[str, list[list[int]]]) -> None:
        super().__init__(config)
        self.told, self.asked = told, dict.fromkeys(config.tasks, 0)

    def say(self, features, first, *_):  # type: ignore[no-untyped-def, override]
        task = next(t for t in self.config.tasks if self.config.first(t) == int(first[0]))
        start = self.asked[task]
        self.asked[task] += len(first)
        return Said(self.told[task][start : start + len(first)], [], [])


class HeldOutNoise:
    """Held-out pictures of noise, of which one cannot be read, and one has no social caption."""

    def __init__(self) -> None:
        self.source = Pictures(7)

    def __len__(self) -> int:
        return 7

    def picture(self, number: int):  # type: ignore[no-untyped-def]
        return None if number == 2 else self.source.pictures[number]

    def tokens(self, number: int, task: str) -> list[int]:
        row = self.source.tokens[number, ("general", "social").index(task)]
        return [int(token) for token in row if token]

    def references(self, number: int, task: str) -> list[tuple[str, ...]]:
        words = tuple(VOCABULARY[token] for token in self.tokens(number, task)[1:-1])
        return [words] if words else []


def test_captions_are_compared_picture_by_picture_and_task_by_task() -> None:
    held_out, config = HeldOutNoise(), tiny_config()
    right = {
        task: [held_out.tokens(i, task)[1:-1] for i in range(7) if i != 2 and held_out.references(i, task)]
        for task in config.tasks
    }
    torch.manual_seed(0)
    model = Parrot(config, {"general": right["general"], "social": [[5]] * 5}).eval()
    figures = caption_figures(model, held_out, workers=2)
    assert {task: of["n"] for task, of in figures["tasks"].items()} == {"general": 6, "social": 5}
    best = caption_figures(Parrot(config, right).eval(), held_out)
    assert figures["tasks"]["general"]["cider"] == best["tasks"]["general"]["cider"]
    assert figures["tasks"]["social"]["cider"] < best["tasks"]["social"]["cider"]
    assert figures["cider"] == np.mean([of["cider"] for of in figures["tasks"].values()])
    # The loss along the true captions, a word at a time.
    terms = []
    for i in (0, 1, 3, 4, 5, 6):
        tokens = torch.tensor([held_out.tokens(i, "general")])
        pixels = model.normalise(held_out.source.pictures[i : i + 1])
        chances = model(pixels, tokens[:, :-1]).logits.log_softmax(dim=-1)
        terms += [-float(chances[0, t, tokens[0, t + 1]].detach()) for t in range(tokens.shape[1] - 1)]
    assert figures["tasks"]["general"]["validation_loss"] == pytest.approx(np.mean(terms), rel=1e-5)


def test_unknown_words_are_words_and_other_tokens_are_none() -> None:
    assert spoken(tiny_config(), [5, 2, 3, 6]) == ("a", "<unk>", "dog")


def test_evaluating_needs_pictures_to_evaluate_on(small: SmallSet, tmp_path: Path) -> None:
    settings = tiny(
        data=str(small.coco_train), images=str(small.images), n_validation=0, n_test=0, evaluate_every=2,
        out=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(GazeError, match="no validation pictures"):
        train(settings, Quiet())
    written = train(replace(settings, evaluate_every=0), Quiet())
    assert written.figures == {"n_test": 0}
    assert "There were no test pictures." in (tmp_path / "MODEL_CARD.md").read_text("utf-8")


def test_ciderd_of_a_single_picture_is_always_0_and_chooses_nothing(small: SmallSet, tmp_path: Path) -> None:
    settings = tiny(
        data=str(small.coco_train), images=str(small.images), n_validation=1, n_test=1, evaluate_every=3, steps=3,
        out=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(GazeError, match="CIDEr-D of a single validation picture is always 0"):
        train(settings, Quiet())
    written = train(replace(settings, measure="bleu"), Quiet())
    assert [line["cider"] for line in written.training["evaluations"]] == [0]
    assert "CIDEr-D of a single picture is always 0" in (tmp_path / "MODEL_CARD.md").read_text("utf-8")


def test_the_curve_is_the_mean_loss_of_equal_stretches() -> None:
    assert curve([4.0, 2.0, 1.0]) == [[1, 4.0], [2, 2.0], [3, 1.0]]
    assert curve([float(i) for i in range(24)])[:2] == [[2, 0.5], [4, 2.5]]
    assert len(curve([1.0] * 1000)) == 12


def test_a_captioner_whose_steps_are_done_is_measured_and_described_again(tmp_path: Path) -> None:
    settings = tiny(out=str(tmp_path))
    config = make_material(settings).config
    torch.manual_seed(0)
    model = Captioner(config).eval()
    written = finish(Trained(model, (3.0, 2.0), 61.4), config, settings)
    assert written == read_config(tmp_path)
    assert (written.training["seconds"], written.training["last_loss"]) == (61, 2.5)
    assert "61 s on one shared processor core" in (tmp_path / "MODEL_CARD.md").read_text("utf-8")
    spoilt = Captioner(config).eval()
    next(spoilt.parameters()).data.fill_(1e5)  # infinite as float16
    with pytest.raises(GazeError, match="no longer numbers that can be used after step 2"):
        finish(Trained(spoilt, (3.0, 2.0), 61.4), config, settings)
    stored = load_captioner(tmp_path).state_dict()
    torch.testing.assert_close(stored, dict(model.state_dict()), rtol=1e-3, atol=1e-4)


def test_where_the_encoders_weights_came_from_is_kept(small: SmallSet, tmp_path: Path) -> None:
    """Name and SHA-256 of the file, in the description and on the card, but not where it lies."""
    torch.manual_seed(3)
    file = tmp_path / "somewhere" / "theirs.safetensors"
    file.parent.mkdir()
    save_file(dict(timm_network("resnet10t", 32).state_dict()), file)
    settings = tiny(
        data=str(small.table), images=str(small.images), steps=1, out=str(tmp_path / "out"), grid=(2, 2),
        encoder="resnet10t", encoder_weights=str(file),
    )  # fmt: skip
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    origin = train(settings, Quiet()).training["origin"]
    assert (origin["source"], origin["sha256"]) == (file.name, sha256)
    assert read_config(tmp_path / "out").training["origin"] == origin
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")
    assert f"The encoder started from the weights {file.name} (SHA-256 `{sha256}`)." in card
    for name in ("MODEL_CARD.md", "captioner.json"):
        assert str(file.parent) not in (tmp_path / "out" / name).read_text("utf-8")
