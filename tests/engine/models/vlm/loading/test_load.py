"""A loaded network computes what the saved one did; anything random, missing or foreign in it is refused by name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gazeapp.engine.consent import REMOTE_CODE, ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.families.qwen import QwenVL
from gazeapp.engine.models.vlm.loading import load as loading
from gazeapp.engine.models.vlm.loading.checkpoint import Checkpoint
from gazeapp.engine.models.vlm.loading.convert import convert
from gazeapp.engine.models.vlm.loading.download import fetch
from gazeapp.engine.models.vlm.loading.load import Loaded, consent_subject, load, needs_consent
from gazeapp.engine.models.vlm.loading.machine import Machine, this_machine
from gazeapp.engine.models.vlm.loading.plan import LoadPlan, Wishes, plan
from gazeapp.engine.models.vlm.loading.sources import resolve
from gazeapp.engine.models.vlm.loading.survey import survey
from tests.engine.models.vlm.loading.local_hub import LocalHub
from tests.engine.models.vlm.tiny import settle, tokenizer

ensure_torchvision()

from transformers import (  # noqa: E402
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

ROOMY = Machine(16 * 10**9, 12 * 10**9)
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny LLaVA with its processor."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llava"
    words = tokenizer(["<image>"], image_token="<image>")
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**SIZES, image_size=28, patch_size=14),
        text_config=LlamaConfig(**SIZES, num_key_value_heads=1, vocab_size=len(words)),
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    settle(LlavaForConditionalGeneration(config), 3).save_pretrained(folder)
    image_processor = CLIPImageProcessor(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}, do_resize=True
    )
    LlavaProcessor(
        image_processor,
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.fixture
def consents(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "consents.json")


def loaded(folder: Path, consents: ConsentStore, wishes: Wishes | None = None) -> Loaded:
    checkpoint = resolve(str(folder))
    return load(checkpoint, plan(checkpoint, wishes or Wishes(), ROOMY), consents, QwenVL())


def change(folder: Path, **tensors: torch.Tensor | None) -> None:
    """Replace or take away tensors of a saved model; dots in their names are written as two underscores."""
    file = folder / "model.safetensors"
    values = load_file(file)
    for name, tensor in tensors.items():
        values.pop(name.replace("__", "."))
        if tensor is not None:
            values[name.replace("__", ".")] = tensor
    save_file(values, file, metadata={"format": "pt"})


def test_the_network_and_the_processor_are_the_saved_ones(saved: Path, consents: ConsentStore) -> None:
    truth = LlavaForConditionalGeneration.from_pretrained(saved).eval()
    made = loaded(saved, consents)
    found = made.network.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in truth.state_dict().items())
    assert not made.network.training
    image = torch.randint(0, 255, (3, 40, 30), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    inputs = made.processor(images=image, text="<image> what", return_tensors="pt")
    with torch.no_grad():
        assert torch.equal(made.network(**inputs).logits, truth(**inputs).logits)


def test_the_facts_are_those_of_the_network(saved: Path, consents: ConsentStore) -> None:
    checkpoint = resolve(str(saved))
    made = loaded(saved, consents)
    count = sum(parameter.numel() for parameter in made.network.parameters())
    facts = json.loads(json.dumps(made.facts))
    assert facts["parameters_loaded"] == count == checkpoint.parameters
    assert facts["memory_bytes"] == 4 * count == checkpoint.weight_bytes
    assert (facts["network"], facts["dtype"]) == ("LlavaForConditionalGeneration", "float32")
    assert facts["parameters_by_device"] == {"cpu": len(list(made.network.parameters()))}
    assert facts["revision"] == checkpoint.revision
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["unused_weights"] == 0
    assert str(saved.parent) not in json.dumps(facts)


def test_the_planned_kind_of_number_is_computed_in(saved: Path, consents: ConsentStore) -> None:
    made = loaded(saved, consents, Wishes(dtype="bfloat16"))
    assert {parameter.dtype for parameter in made.network.parameters()} == {torch.bfloat16}
    assert made.facts["memory_bytes"] * 2 == resolve(str(saved)).weight_bytes


def test_weights_in_parts_load_alike(saved: Path, tmp_path: Path, consents: ConsentStore) -> None:
    folder = shutil.copytree(saved, tmp_path / "parts")
    (folder / "model.safetensors").unlink()
    LlavaForConditionalGeneration.from_pretrained(saved).save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("*.safetensors"))) > 2
    assert not (folder / "model.safetensors").exists()
    truth, found = loaded(saved, consents).network.state_dict(), loaded(folder, consents).network.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in truth.items())


def test_missing_weights_are_refused_by_name(copy: Path, consents: ConsentStore) -> None:
    name = "language_model.model.layers.1.self_attn.q_proj.weight"
    names = load_file(copy / "model.safetensors")
    stored = next(stored for stored in names if stored.endswith(name.partition("layers")[2]))
    change(copy, **{stored.replace(".", "__"): None})
    with pytest.raises(
        GazeError, match=r"1 of its weights are missing .*layers\.1\.self_attn\.q_proj\.weight"
    ):
        loaded(copy, consents)


def test_weights_of_another_shape_are_refused_by_name(copy: Path, consents: ConsentStore) -> None:
    stored = next(name for name in load_file(copy / "model.safetensors") if name.endswith("linear_2.bias"))
    change(copy, **{stored.replace(".", "__"): torch.zeros(5)})
    with pytest.raises(GazeError, match=r"wrong shape: .*linear_2\.bias \(5,\) instead of \(16,\)"):
        loaded(copy, consents)


def test_weights_that_nothing_uses_are_counted_and_nothing_is_printed(
    copy: Path, consents: ConsentStore, capfd: pytest.CaptureFixture[str]
) -> None:
    file = copy / "model.safetensors"
    save_file({**load_file(file), "model.extra.weight": torch.zeros(2)}, file, metadata={"format": "pt"})
    facts = loaded(copy, consents).facts
    assert capfd.readouterr() == ("", "")
    assert (facts["unused_weights"], facts["unused_weight_names"]) == (1, ["model.extra.weight"])


def test_an_unknown_type_is_refused_before_anything_is_loaded(copy: Path, consents: ConsentStore) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "type_of_nobody"}))
    checkpoint = resolve(str(copy))
    made = plan(checkpoint, Wishes(), ROOMY)
    with pytest.raises(GazeError, match="does not know how models of the type 'type_of_nobody'"):
        load(checkpoint, made, consents)
    with pytest.raises(GazeError, match=r"transformers .* cannot load it: .*type_of_nobody"):
        load(checkpoint, made, consents, QwenVL())


@pytest.mark.parametrize(
    ("name", "text"),
    [("tokenizer.json", "{"), ("config.json", '{"model_type": "llava", "text_config": 3}')],
)
def test_damaged_files_are_sentences(copy: Path, consents: ConsentStore, name: str, text: str) -> None:
    (copy / name).write_text(text)
    with pytest.raises(GazeError, match="cannot load it"):
        loaded(copy, consents)


def test_a_missing_processor_is_a_sentence(copy: Path, consents: ConsentStore) -> None:
    for name in (
        "processor_config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ):
        (copy / name).unlink(missing_ok=True)
    with pytest.raises(GazeError, match="cannot load it"):
        loaded(copy, consents)


def test_what_is_not_here_is_not_loaded(consents: ConsentStore) -> None:
    made = LoadPlan("cpu", {"cpu": 0}, "float32", False, 0, 0, ())
    with pytest.raises(GazeError, match="not on this machine"):
        load(Checkpoint("lab/model", "hub"), made, consents)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (ImportError("needs einops\nmore"), "library that is not installed: needs einops"),
        (KeyError("qwen9"), "cannot load it: 'qwen9'"),
    ],
)
def test_what_the_libraries_raise_becomes_a_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(GazeError, match=sentence), loading.loading_errors(Checkpoint("lab/model", "hub")):
        raise error


@pytest.fixture
def with_code(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a model that brings its own code, which leaves a mark when it runs."""
    import transformers.dynamic_module_utils as dynamic

    monkeypatch.setattr(dynamic, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    config = json.loads((copy / "config.json").read_text())
    auto_map = {"AutoConfig": "code_of_tiny.TinyConfig", "AutoModelForImageTextToText": "code_of_tiny.Tiny"}
    (copy / "config.json").write_text(
        json.dumps({**config, "model_type": "tiny_llava_of_ours", "auto_map": auto_map})
    )
    # The names in the file are those that transformers stores for the type llava only.
    tensors = load_file(copy / "model.safetensors")
    tensors["lm_head.weight"] = tensors.pop("language_model.lm_head.weight")
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    (copy / "code_of_tiny.py").write_text(
        "from pathlib import Path\n"
        "from transformers import LlavaConfig, LlavaForConditionalGeneration\n"
        f"Path({str(tmp_path / 'ran')!r}).touch()\n"
        "class TinyConfig(LlavaConfig):\n    model_type = 'tiny_llava_of_ours'\n"
        "class Tiny(LlavaForConditionalGeneration):\n    config_class = TinyConfig\n"
    )
    return copy


def test_code_that_comes_with_a_model_runs_only_after_consent(
    with_code: Path, tmp_path: Path, consents: ConsentStore
) -> None:
    ran = tmp_path / "ran"
    checkpoint = resolve(str(with_code))
    assert needs_consent(checkpoint, consents)
    with pytest.raises(GazeError, match=r"brings code .*\(code_of_tiny\.py\).* not agreed"):
        loaded(with_code, consents)
    assert not ran.exists()
    consents.give(REMOTE_CODE, consent_subject(checkpoint), checkpoint.code_digest)
    assert not needs_consent(checkpoint, consents)
    made = loaded(with_code, consents)
    assert ran.exists()
    assert type(made.network).__name__ == "Tiny"
    assert made.facts["code_digest"] == checkpoint.code_digest


def test_changed_code_asks_again(with_code: Path, tmp_path: Path, consents: ConsentStore) -> None:
    checkpoint = resolve(str(with_code))
    consents.give(REMOTE_CODE, consent_subject(checkpoint), checkpoint.code_digest)
    code = with_code / "code_of_tiny.py"
    code.write_text(code.read_text() + "# more\n")
    with pytest.raises(GazeError, match="has changed since"):
        load(checkpoint, plan(checkpoint, Wishes(), ROOMY), consents, QwenVL())
    with pytest.raises(GazeError, match="not agreed"):
        loaded(with_code, consents)
    assert not (tmp_path / "ran").exists()


def test_code_beside_a_model_that_transformers_knows_never_runs(
    copy: Path, tmp_path: Path, consents: ConsentStore
) -> None:
    config = json.loads((copy / "config.json").read_text())
    auto_map = {"AutoConfig": "code.Config", "AutoModelForImageTextToText": "code.Model"}
    (copy / "config.json").write_text(json.dumps({**config, "auto_map": auto_map}))
    (copy / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert type(loaded(copy, consents).network).__name__ == "LlavaForConditionalGeneration"
    assert not (tmp_path / "ran").exists()


def test_a_plan_becomes_the_libraries_arguments(saved: Path) -> None:
    made = plan(resolve(str(saved)), Wishes(), ROOMY)
    assert loading._how(made)["device_map"] == {"": "cpu"}
    shared = replace(made, device="cuda:0", devices={"cuda:0": 5, "cuda:1": 6, "cpu": 7})
    how = loading._how(shared)
    assert (how["device_map"], how["max_memory"]) == ("auto", {0: 5, 1: 6, "cpu": 7})
    packed = loading._how(replace(made, four_bit=True, dtype="bfloat16"))["quantization_config"]
    assert (packed.load_in_4bit, packed.bnb_4bit_compute_dtype) == (True, torch.bfloat16)


def test_this_machine_can_load_it(saved: Path, consents: ConsentStore) -> None:
    checkpoint = resolve(str(saved))
    made = plan(checkpoint, Wishes(), this_machine())
    assert load(checkpoint, made, consents, QwenVL()).facts["devices"] == [made.device]


def test_from_the_hub_to_a_loaded_model_pinned_and_then_without_network(
    saved: Path, hub: LocalHub, consents: ConsentStore
) -> None:
    repository = hub.add("lab/tiny", saved)
    assert resolve("lab/tiny").place == "hub"
    fetch(survey("lab/tiny"), lambda _done, _total, _name: None, lambda: False)
    hub.requests.clear()
    checkpoint = resolve("lab/tiny")
    made = load(checkpoint, plan(checkpoint, Wishes(), ROOMY), consents, QwenVL())
    assert (made.facts["checkpoint"], made.facts["revision"]) == ("lab/tiny", repository.commit)
    truth = loaded(saved, consents).network.state_dict()
    assert all(torch.equal(tensor, truth[name]) for name, tensor in made.network.state_dict().items())
    assert not hub.requests, "nothing is asked of the hub once the model is here"


@pytest.mark.parametrize("parts", [1, 2])
def test_pickled_weights_are_converted_to_the_same_numbers(copy: Path, tmp_path: Path, parts: int) -> None:
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names = list(tensors)
    if parts == 1:
        # Two names for one memory, as tied weights are pickled.
        torch.save({**tensors, "again": tensors[names[0]]}, copy / "pytorch_model.bin")
    else:
        files = {name: f"pytorch_model-{k % 2}.bin" for k, name in enumerate(names)}
        for file in set(files.values()):
            torch.save({name: tensors[name] for name in names if files[name] == file}, copy / file)
        (copy / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}))
    written = convert(copy, tmp_path / "new")
    found = load_file(written)
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert resolve(str(tmp_path / "new")).architecture == "LlavaForConditionalGeneration"
    assert not list((tmp_path / "new").glob("*.bin*"))


class Harmful:
    """What a pickle of a stranger can do."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._mark,)


def test_a_pickle_that_would_run_code_is_not_opened(copy: Path, tmp_path: Path) -> None:
    (copy / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1), "more": Harmful(tmp_path / "ran")}, copy / "pytorch_model.bin")
    with pytest.raises(GazeError, match="more than numbers"):
        convert(copy, tmp_path / "new")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "new").exists()
