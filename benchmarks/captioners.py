"""Captioners on many photographs: gazeapp's extraction beside a plain loop and beside itself one by one, in one run.

    python benchmarks/captioners.py [--quick] [--json] [--threads N] [--images N] [--repeats N]

From JPEG files of 1024 x 768 px to stored maps of every word, two tasks for each image, the same weights and the same
words on all sides, by the most probable word each time:

- **gazeapp**: the extraction verb into a project file: pictures read ahead, each encoded once for both tasks, all
  captions of a batch decoded together, every unit checked, and stored in a transaction of its own;
- **plain**: the loop that published code for such models has, written here in a few lines: one image after the other,
  encoded for each task, a Python loop over words that puts keys (LSTM) or all words so far (Transformer) through the
  decoder at each step, the maps saved as they are;
- **enlarged**: the same, and every word's map enlarged smoothly to 24 times the grid, as that code does before it
  shows them;
- **single**: gazeapp's extraction with a description at a time, as it runs models that know no batches.

The two captioners that ship (128 px, 8 x 8 cells) and two with the layers and sizes of full ones (ResNet-101 and LSTM,
ViT-B/16 and Transformer, 224 px, 14 x 14 cells) and random weights, whose captions are all 20 words long. All
sides have the same number of threads for computing, and take turns; of the repeats the shortest counts, on the clock
and of the processor. gazeapp's readers are threads of their own, which the clock shows where a second core is idle.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

# Read by the libraries when they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image
from scipy import ndimage

TASKS = ("general", "social")
WIDTH, HEIGHT = 1024, 768
N_WORDS, N_VOCABULARY = 20, 9490
SIDES = ("gazeapp", "single", "plain", "enlarged")
Seconds = tuple[float, float]
"""On the clock, and of the processor: other programs weigh less on the latter."""
Told = dict[tuple[str, str], tuple[str, Any]]
"""(picture, task) -> what was said, and the words' maps."""


@dataclass(frozen=True)
class Case:
    """A captioner; one of a full size if it has a network of timm's."""

    id: str
    title: str
    encoder: str = ""
    decoder: str = ""


CASES = (
    Case("cnn-lstm", "CNN-LSTM that ships"),
    Case("vit-transformer", "ViT-Transformer that ships"),
    Case("resnet101-lstm", "ResNet-101 and LSTM", "resnet101", "lstm"),
    Case("vit-base-transformer", "ViT-B/16 and Transformer", "vit_base_patch16_224", "transformer"),
)


def pictures(folder: Path, count: int) -> list[Path]:
    """Draw photographs of the demo world with the grain of a camera."""
    from gazeapp.engine.demo.drawing import render
    from gazeapp.engine.demo.world import demo_scenes

    rng = np.random.default_rng(0)
    folder.mkdir()
    paths = []
    for i, scene in enumerate(demo_scenes(count, seed=5)):
        drawn = Image.fromarray(render(scene, 512)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        grain = np.asarray(drawn) + rng.normal(0, 6, (HEIGHT, WIDTH, 3))
        paths.append(folder / f"{i:03d}.jpg")
        Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=92)
    return paths


def network_of(case: Case) -> tuple[Any, Any]:
    """Return the network of a case and the facts about it."""
    from gazeapp.engine.models.captioner.config import CaptionerConfig
    from gazeapp.engine.models.captioner.listing import captioner_info
    from gazeapp.engine.models.captioner.network import Captioner
    from gazeapp.engine.models.registry import load_model

    if not case.encoder:
        shipped: Any = load_model(case.id)
        return shipped.network, shipped.info
    import torch

    torch.manual_seed(0)
    words = tuple(f"word{i}" for i in range(N_VOCABULARY))
    config = CaptionerConfig(
        case.id,
        case.title,
        case.encoder,
        case.decoder,
        ("<pad>", "<end>", "<unk>", "<general>", "<social>", *words),
        words,
        TASKS,
        input_size=224,
        grid=(14, 14),
        width=512,
        state=512,
        attention=512,
        layers=6,
        heads=8,
        max_words=N_WORDS,
    )
    return Captioner(config).eval(), captioner_info(Path(case.id), config)


def say_plainly(network: Any, features: Any, first: int) -> tuple[list[int], Any]:
    """Decode one caption word by word; return its tokens, and the attention of each, (layers, heads, words, cells)."""
    import torch

    config, decoder = network.config, network.decoder
    tokens, attention = [first], []
    if config.decoder == "lstm":
        read = features.mean(dim=1)
        hidden, memory = decoder.start(read).tanh().chunk(2, dim=1)
    while len(tokens) <= config.max_words:
        if config.decoder == "lstm":
            word = decoder.embed(torch.tensor(tokens[-1:]))
            hidden, memory = decoder.cell(torch.cat([word, read], dim=1), (hidden, memory))
            energy = decoder.energy(torch.tanh(decoder.key(features) + decoder.query(hidden).unsqueeze(1)))
            alpha = energy.squeeze(2).softmax(dim=1)
            read = (features * alpha.unsqueeze(2)).sum(dim=1) * torch.sigmoid(decoder.gate(hidden))
            logits, where = decoder.out(torch.cat([hidden, read, word], dim=1)), alpha[:, None, None]
        else:
            told = decoder(features, torch.tensor([tokens]))
            logits, where = told.logits[:, -1], told.attention[:, :, :, -1]
        token = int(logits.argmax(dim=-1))
        if token == config.end:
            break
        tokens.append(token)
        attention.append(where[0])
    return tokens[1:], torch.stack(attention, dim=2).numpy()


def plain_loop(network: Any, method: str, paths: list[Path], folder: Path, enlarged: bool) -> Told:
    """Describe one image after the other, and save the maps of every word."""
    import torch

    from gazeapp.engine.models.captioner.methods import pick_attention
    from gazeapp.engine.models.captioner.picture import fit_picture

    config = network.config
    told: Told = {}
    for path in paths:
        for task in TASKS:
            picture = fit_picture(np.asarray(Image.open(path).convert("RGB")), config.input_size)
            with torch.no_grad():
                features = network.encoder(network.normalise(picture[None]))
                tokens, attention = say_plainly(network, features, config.first(task))
            maps = pick_attention(attention, method).reshape(len(tokens), *config.grid)
            shown = np.stack([enlarge(one) for one in maps]) if enlarged else maps
            np.savez(folder / f"{path.stem} {task}.npz", maps=shown, mean=shown.mean(axis=0))
            told[path.name, task] = " ".join(config.vocabulary[token] for token in tokens), maps
    return told


def enlarge(values: Any) -> Any:
    """Return a map at 24 times its size, smoothed over 8 of the new cells."""
    return ndimage.gaussian_filter(ndimage.zoom(values, 24, order=1, grid_mode=True, mode="nearest"), 8)


class OneByOne:
    """A captioner that says it knows no batches."""

    def __init__(self, model: Any) -> None:
        self.info = model.info
        self.describe = model.describe


@contextmanager
def project_of(paths: list[Path], folder: Path) -> Iterator[Any]:
    """Make a new project of the pictures."""
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.base import SILENT
    from gazeapp.engine.workflows.images import AddImagesSettings, add_images

    with Project.create(folder / "study.gaze") as project:
        for task in TASKS:
            project.tasks.add(task)
        add_images(project, AddImagesSettings(tuple(map(str, paths))), SILENT)
        yield project


def extraction(network: Any, info: Any, project: Any, single: bool) -> None:
    """Extract with a model that has seen none of the pictures yet."""
    from gazeapp.engine.models.captioner.captioner import CaptionerModel
    from gazeapp.engine.workflows import extract_plan
    from gazeapp.engine.workflows.base import SILENT
    from gazeapp.engine.workflows.extract import extract

    model = CaptionerModel(network, info)
    told, opened = lambda: [info], lambda *_: OneByOne(model) if single else model
    with mock.patch.multiple(extract_plan, available_models=told, open_model=opened):
        summary = extract(project, extract_plan.ExtractSettings((info.id,), device="cpu"), SILENT)
    if summary.failed:
        raise RuntimeError(summary.problems[0].what)


def stored(project: Any) -> Told:
    """Return what an extraction stored."""
    names = {image.id: image.name for image in project.images.all()}
    return {
        (names[run.image_id], run.task): (run.caption, project.maps.of_run(run.id).words)
        for run in project.runs.all()
    }


def once(side: str, network: Any, info: Any, paths: list[Path]) -> tuple[Seconds, Told]:
    """Do the whole work in one side's way, and time it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if side in ("plain", "enlarged"):
            return timed(lambda: plain_loop(network, info.default_method, paths, folder, side == "enlarged"))
        with project_of(paths, folder) as project:
            seconds, _ = timed(lambda: extraction(network, info, project, side == "single"))
            return seconds, stored(project)


def timed(call: Callable[[], Any]) -> tuple[Seconds, Any]:
    """Return how long a call takes, and what it returns."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return (time.perf_counter() - wall, time.process_time() - processor), result


def measure(case: Case, paths: list[Path], repeats: int) -> dict[str, Any]:
    """Time all sides in turn with one captioner."""
    network, info = network_of(case)
    best = dict.fromkeys(SIDES, (float("inf"), float("inf")))
    told: dict[str, Told] = {}
    for side in SIDES:  # what is imported and set up once
        once(side, network, info, paths[:1])
    for _ in range(repeats):
        for side in SIDES:
            took, told[side] = once(side, network, info, paths)
            best[side] = min(best[side][0], took[0]), min(best[side][1], took[1])
    ours, plain = told["gazeapp"], told["plain"]
    same = [unit for unit in plain if ours[unit][0] == plain[unit][0]]
    return {
        "title": case.title,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "images": len(paths),
        "words_per_caption": round(float(np.mean([len(text.split()) for text, _ in ours.values()])), 1),
        "same_captions": len(same) / len(plain),
        "same_captions_single": float(np.mean([told["single"][unit][0] == ours[unit][0] for unit in ours])),
        "largest_difference": max((float(np.abs(ours[u][1] - plain[u][1]).max()) for u in same), default=0.0),
        "images_per_second": {side: round(len(paths) / best[side][0], 3) for side in SIDES},
        "images_per_processor_second": {side: round(len(paths) / best[side][1], 3) for side in SIDES},
        "comparisons": {side: _row(best["gazeapp"], side, best[side]) for side in SIDES[1:]},
    }


def _row(ours: Seconds, side: str, theirs: Seconds) -> dict[str, float]:
    return {
        "gazeapp_s": round(ours[0], 4),
        f"{side}_s": round(theirs[0], 4),
        "ratio": round(theirs[0] / ours[0], 2),
        "gazeapp_processor_s": round(ours[1], 4),
        f"{side}_processor_s": round(theirs[1], 4),
        "ratio_processor": round(theirs[1] / ours[1], 2),
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(f"{figures['machine']}, load {figures['programs_running_before']}, threads {figures['threads']}")
    for case in figures["cases"].values():
        print(
            f"{case['title']} ({case['parameters'] / 1e6:.1f} million parameters), {case['images']} images, "
            f"{case['words_per_caption']} words a caption; the same caption for {case['same_captions']:.0%}"
        )
        for side in SIDES:
            clock, processor = (
                case[key][side] for key in ("images_per_second", "images_per_processor_second")
            )
            row = case["comparisons"].get(side)
            beside = f"   gazeapp {row['ratio']:.1f} x, {row['ratio_processor']:.1f} x" if row else ""
            print(f"  {side:9s}{clock:8.2f} images/s, {processor:8.2f} a second of the processor{beside}")


def main() -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few images, and none of the full sizes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--threads", type=int, default=1, help="threads that torch computes with, on all sides"
    )
    parser.add_argument("--images", type=int, help="images; a quarter of them for the full sizes")
    parser.add_argument("--repeats", type=int, help="how often all sides take their turn")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    n_images = arguments.images or (4 if arguments.quick else 48)
    repeats = arguments.repeats or (1 if arguments.quick else 3)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many = pictures(folder / "many", n_images)
        few = pictures(folder / "few", max(2, n_images // 4))
        for case in CASES:
            if not (arguments.quick and case.encoder):
                print(case.title, file=sys.stderr)
                found[case.id] = measure(case, few if case.encoder else many, repeats)
    figures = {
        "benchmark": "captioners",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "programs_running_before": load,
        "threads": arguments.threads,
        "cases": found,
    }
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
