"""What capturing attention costs: gazeapp beside plain generation and beside eager attentions, in one run.

    python benchmarks/capture.py [--quick] [--json] [--real-size] [--device auto|cpu|cuda] [--tokens N]...

A model of the Qwen3-VL class (every layer carries attention: the dearest case) with random weights describes pictures
of growing size, so that more and more image tokens are in front of it. Three ways are taken, each through the same
processor and the same `generate`:

- **plain**: transformers with SDPA, nothing captured;
- **gazeapp**: the same, and for every word the attention of all layers and heads over all image tokens;
- **eager**: what a user would do without gazeapp: `output_attentions=True`.

Time is that of the whole description, plain and gazeapp in turn (median of the ratios of neighbours), on the CPU in
processor time, which other programs disturb less. Memory is the peak of a process of its own less the peak of plain
generation.

`--real-size` builds Qwen3.5 9B from its published shape with random bfloat16 weights (19 GB) and needs a graphics card.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZES = (256, 576, 1024, 2500)
QUICK_SIZES = (64,)
WORDS, REPEATS = 24, 5
GOAL_TIME, GOAL_MEMORY = 1.05, 20.0
TOKEN_PX = 32
SPECIAL = ("<|vision_start|>", "<|image_pad|>", "<|video_pad|>", "<|vision_end|>")
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %}"
)
PROMPT = "Describe this scene in one sentence."


def tokenizer(size: int) -> Any:
    """Return a tokenizer of ``size`` words, made here: a token for each byte, and made-up words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<s>", "</s>", "<unk>", *SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words += [f"\u0120word{i}" for i in range(size - len(words))]
    made = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=[], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=list(SPECIAL),
    )


def build(real_size: bool, quick: bool, device: str) -> Any:
    """Return the model on its device."""
    from gazeapp.engine.models.environment import ensure_torchvision

    ensure_torchvision()
    import torch
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3_5Config,
        Qwen3_5ForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    from gazeapp.engine.models.base import ModelInfo
    from gazeapp.engine.models.vlm.families.qwen import FAMILY
    from gazeapp.engine.models.vlm.model import VisionLanguageModel

    vocabulary = Qwen3_5Config().text_config.vocab_size if real_size else 32_000
    words = tokenizer(vocabulary)
    names = ("vision_start_token_id", "image_token_id", "video_token_id", "vision_end_token_id")
    ids = dict(zip(names, words.convert_tokens_to_ids(list(SPECIAL)), strict=True))
    torch.manual_seed(0)
    if real_size:
        # The class's own defaults are the shape of the 9B model.
        with torch.device(device):
            torch.set_default_dtype(torch.bfloat16)
            network = Qwen3_5ForConditionalGeneration(Qwen3_5Config(**ids))
            torch.set_default_dtype(torch.float32)
    else:
        text = {
            "vocab_size": vocabulary,
            "hidden_size": 128 if quick else 768,
            "intermediate_size": 256 if quick else 2048,
            "num_hidden_layers": 4 if quick else 12,
            "num_attention_heads": 4 if quick else 12,
            "num_key_value_heads": 2 if quick else 4,
            "head_dim": 32 if quick else 64,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [8, 4, 4] if quick else [16, 8, 8],
                "mrope_interleaved": True,
            },
        }
        vision = {
            "depth": 1,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": text["hidden_size"],
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        }
        network = Qwen3VLForConditionalGeneration(
            Qwen3VLConfig(text_config=text, vision_config=vision, **ids)
        )
    network.generation_config.eos_token_id = None
    network.generation_config.pad_token_id = 0
    images = Qwen2VLImageProcessor(
        patch_size=16, merge_size=2, temporal_patch_size=2, min_pixels=TOKEN_PX**2, max_pixels=1 << 26
    )
    processor = Qwen3VLProcessor(images, words, Qwen3VLVideoProcessor(patch_size=16, merge_size=2))
    processor.chat_template = TEMPLATE
    return VisionLanguageModel(
        network.to(device).eval(), processor, FAMILY, ModelInfo("bench", "Bench", "vlm")
    )


def picture(tokens: int) -> Any:
    """Return a picture that becomes ``tokens`` image tokens (a square number)."""
    side = round(tokens**0.5) * TOKEN_PX
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def ways(model: Any, image: Any) -> dict[str, Callable[[], object]]:
    """Return the three ways to describe an image."""
    import torch
    from PIL import Image

    from gazeapp.engine.models.base import Decoding, DescribeOptions

    options = DescribeOptions(PROMPT, Decoding(max_tokens=WORDS))

    def generate(**more: Any) -> Any:
        prepared = model.family.prepare(model.processor, model.network.config, Image.fromarray(image), PROMPT)
        inputs = {name: model._to_device(value) for name, value in prepared.inputs.items()}
        with torch.no_grad():
            out = model.network.generate(
                **inputs, max_new_tokens=WORDS, do_sample=False, return_dict_in_generate=True, **more
            )
        return out, prepared

    def plain() -> object:
        out, _ = generate()
        return model.processor.tokenizer.decode(out.sequences[0, -WORDS:])

    def gazeapp() -> object:
        return model.describe(image, "general", options=options)

    def eager() -> object:
        model.network.set_attn_implementation("eager")
        out, prepared = generate(output_attentions=True)
        columns = torch.as_tensor(prepared.layout.columns)
        return torch.stack(
            [torch.stack([a[0, :, -1].cpu()[:, columns] for a in step]) for step in out.attentions]
        )

    return {"plain": plain, "gazeapp": gazeapp, "eager": eager}


def peak_mb(device: str) -> float:
    """Return the peak of memory so far: of the card, or of this process."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def work(what: str, tokens: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure in this process: ``time`` of plain and gazeapp in turn, or the peak memory of one way."""
    import torch

    device = arguments.device
    if device == "cpu":
        torch.set_num_threads(arguments.threads)
    model = build(arguments.real_size, arguments.quick, device)
    clock = time.perf_counter if device.startswith("cuda") else time.process_time
    image = picture(tokens)
    described = ways(model, image)
    if what != "time":
        gc.collect()
        described[what]()
        return {"peak_mb": peak_mb(device)}

    def seconds(way: str) -> float:
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        started = clock()
        described[way]()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        return clock() - started

    for way in ("plain", "gazeapp"):
        seconds(way)
    pairs = []
    for i in range(1 if arguments.quick else REPEATS):
        order = ("plain", "gazeapp") if i % 2 == 0 else ("gazeapp", "plain")
        taken = {way: seconds(way) for way in order}
        pairs.append((taken["gazeapp"], taken["plain"]))
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    return {
        "gazeapp_s": float(np.median([ours for ours, _ in pairs])),
        "plain_s": float(np.median([theirs for _, theirs in pairs])),
        "ratio": float(np.median(ratios)),
        "image_tokens": tokens,
    }


def in_own_process(what: str, tokens: int) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", what, "--worker-tokens", str(tokens)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr[-4000:])
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def measure(tokens: int) -> dict[str, Any]:
    """Return time and memory at one number of image tokens."""
    found = in_own_process("time", tokens)
    peaks = {way: in_own_process(way, tokens)["peak_mb"] for way in ("plain", "gazeapp", "eager")}
    # Peaks of processes differ by some MB for no reason; below that, no ratio can be told.
    ours, theirs = max(peaks["gazeapp"] - peaks["plain"], 5.0), peaks["eager"] - peaks["plain"]
    return {
        "image_tokens": tokens,
        "time": {"gazeapp_s": found["gazeapp_s"], "plain_s": found["plain_s"], "ratio": found["ratio"]},
        "extra_memory": {"gazeapp_mb": ours, "eager_mb": theirs, "ratio": theirs / ours},
        "plain_peak_mb": peaks["plain"],
    }


def main() -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tiny model and few image tokens")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--real-size", action="store_true", help="Qwen3.5 9B with random weights; needs a card"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="threads on the CPU")
    parser.add_argument(
        "--tokens", type=int, action="append", help="image tokens, a square number, once for each"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--worker-tokens", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.device == "auto":
        import torch

        arguments.device = "cuda" if torch.cuda.is_available() else "cpu"
    if arguments.worker:
        print(json.dumps(work(arguments.worker, arguments.worker_tokens, arguments)))
        return 0
    sizes = arguments.tokens or (QUICK_SIZES if arguments.quick else SIZES)
    rows = []
    for tokens in sizes:
        rows.append(measure(tokens))
        if not arguments.json:
            print(_line(rows[-1]), flush=True)
    if arguments.json:
        machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
        goals = {"time_ratio": GOAL_TIME, "memory_ratio": GOAL_MEMORY}
        print(
            json.dumps(
                {"benchmark": "capture", "machine": machine, "words": WORDS, "goals": goals, "rows": rows}
            )
        )
    return 0


def _line(row: dict[str, Any]) -> str:
    clock, memory = row["time"], row["extra_memory"]
    return (
        f"{row['image_tokens']:>5} image tokens: {clock['gazeapp_s']:.2f} s beside {clock['plain_s']:.2f} s plain "
        f"(x {clock['ratio']:.3f}); extra memory {memory['gazeapp_mb']:.0f} MB beside {memory['eager_mb']:.0f} MB "
        f"eager (x {memory['ratio']:.0f} less)"
    )


if __name__ == "__main__":
    sys.exit(main())
