"""Checkpoints as the training scripts of sgrvinod and RoyalSkye write them: the same names, random weights.

Modules here have no forward pass. What the networks compute is written out in the tests.
"""

from __future__ import annotations

import json
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gazeapp.engine.models.environment import ensure_torchvision
from tests.engine.models.captioner.nearest import laid

WORDS = (
    *(
        "a",
        "man",
        "is",
        "riding",
        "the",
        "red",
        "horse",
        "on",
        "grass",
        "two",
        "dogs",
        ",",
        "behind",
        "tree",
        "sees",
    ),
    *("happy", "young", "people"),
)
START, END, UNKNOWN = len(WORDS) + 2, len(WORDS) + 3, len(WORDS) + 1
N = len(WORDS) + 4
CELLS, FEATURES = 196, 512
CENTRES = functional.adaptive_avg_pool1d(32 * torch.arange(8.0)[None] + 0.5, 14)[0].double().numpy()
"""Of rows and columns of cells, px of 256: a ResNet's cell i is centred on pixel 32 i."""


def laid_out(attention: np.ndarray) -> np.ndarray:
    """Lay attention to cells, shape (words, cells), over what is nearest to them: (words, rows, columns)."""
    return laid(attention.reshape(-1, 14, 14), CENTRES, CENTRES, 256)


def word_map(path: Path) -> Path:
    numbers = {word: place + 1 for place, word in enumerate(WORDS)}
    numbers |= {"<unk>": UNKNOWN, "<start>": START, "<end>": END, "<pad>": 0}
    path.write_text(json.dumps(numbers), "utf-8")
    return path


@cache
def _class(room: str, name: str) -> type[nn.Module]:
    return type(name, (nn.Module,), {"__module__": room, "__qualname__": name})


def module(room: str, name: str, children: dict[str, nn.Module], **attributes: Any) -> nn.Module:
    """Return a module of a class of that name, as pickled by a script with a file of that name."""
    made: nn.Module = _class(room, name)()
    for child, part in children.items():
        setattr(made, child, part)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def save(path: Path, content: dict[str, Any], today: bool = True) -> Path:
    """Save whole modules; their classes are there only for as long as that takes."""
    with pytest.MonkeyPatch.context() as patch, pytest.warns() if not today else _nothing():
        for part in content.values():
            for each in part.modules() if isinstance(part, nn.Module) else ():
                kind = type(each)
                if "." not in kind.__module__:
                    room = sys.modules.get(kind.__module__) or types.ModuleType(kind.__module__)
                    patch.setitem(sys.modules, kind.__module__, room)
                    patch.setattr(room, kind.__name__, kind, raising=False)
        torch.save(content, path, _use_new_zipfile_serialization=today)
    return path


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def resnet() -> Any:
    """Return torchvision's ResNet-18 with running statistics that differ from channel to channel."""
    ensure_torchvision()
    from torchvision.models import resnet18

    torch.manual_seed(1)
    network = resnet18()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)  # type: ignore[union-attr]
            part.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    return network.eval()


def encoder(network: Any, **more: nn.Module) -> nn.Module:
    parts = nn.Sequential(*list(network.children())[:-2])
    pool = nn.AdaptiveAvgPool2d((14, 14))
    return module("models", "Encoder", {"resnet": parts, "adaptive_pool": pool, **more}, enc_image_size=14)


def lstm_decoder(
    cell: str = "decode_step", state: int = 16, attention: int = 10, embed: int = 12
) -> nn.Module:
    torch.manual_seed(2)
    additive = {
        "encoder_att": nn.Linear(FEATURES, attention),
        "decoder_att": nn.Linear(state, attention),
        "full_att": nn.Linear(attention, 1),
        "relu": nn.ReLU(),
        "softmax": nn.Softmax(dim=1),
    }
    parts: dict[str, nn.Module] = {
        "attention": module("models", "Attention", additive),
        "embedding": nn.Embedding(N, embed),
        "dropout": nn.Dropout(0.5),
        cell: nn.LSTMCell(embed + FEATURES, state),
        "init_h": nn.Linear(FEATURES, state),
        "init_c": nn.Linear(FEATURES, state),
        "f_beta": nn.Linear(state, FEATURES),
        "sigmoid": nn.Sigmoid(),
        "fc": nn.Linear(state, N),
    }
    decoder = module("models", "DecoderWithAttention", parts, vocab_size=N, decoder_dim=state)
    with torch.no_grad():  # sharper than random layers are: maps that differ from word to word
        decoder.attention.full_att.weight.mul_(4)  # type: ignore[union-attr, operator]
        decoder.attention.decoder_att.weight.mul_(2)  # type: ignore[union-attr, operator]
        decoder.fc.weight.mul_(4)  # type: ignore[union-attr, operator]
    return decoder


def transformer(
    heads: int = 2,
    head_width: int = 5,
    embed: int = 12,
    mixing: int = 2,
    layers: int = 3,
    by_channel: bool = False,
) -> nn.Module:
    torch.manual_seed(3)
    inner = heads * head_width

    def attention(asking: int, asked: int) -> nn.Module:
        sizes = {"W_Q": (asking, inner), "W_K": (asked, inner), "W_V": (asked, inner), "W_O": (inner, asking)}
        parts: dict[str, nn.Module] = {name: nn.Linear(*size) for name, size in sizes.items()}
        made = module("transformer", "Multi_Head_Attention", parts, n_heads=heads, QKVdim=head_width)
        with torch.no_grad():
            made.W_Q.weight.mul_(3)  # type: ignore[union-attr, operator]
        return made

    def feed(width: int, wide: int) -> nn.Module:
        parts: dict[str, nn.Module] = {"conv1": nn.Conv1d(width, wide, 1), "conv2": nn.Conv1d(wide, width, 1)}
        return module("transformer", "PoswiseFeedForwardNet", parts)

    seen = CELLS if by_channel else FEATURES
    before = [
        module(
            "transformer", "EncoderLayer", {"enc_self_attn": attention(seen, seen), "pos_ffn": feed(seen, 20)}
        )
        for _ in range(mixing)
    ]
    after = [
        module(
            "transformer",
            "DecoderLayer",
            {
                "dec_self_attn": attention(embed, embed),
                "dec_enc_attn": attention(embed, seen),
                "pos_ffn": feed(embed, 24),
            },
        )
        for _ in range(layers)
    ]
    places = {} if by_channel else {"pos_emb": nn.Embedding(CELLS, FEATURES)}
    first = module("transformer", "Encoder", {**places, "layers": nn.ModuleList(before)})
    words: dict[str, nn.Module] = {
        "tgt_emb": nn.Embedding(N, embed),
        "pos_emb": nn.Embedding(52, embed),
        "dropout": nn.Dropout(0.1),
        "layers": nn.ModuleList(after),
        "projection": nn.Linear(embed, N, bias=False),
    }
    second = module("transformer", "Decoder", words)
    return module(
        "transformer", "Transformer", {"encoder": first, "decoder": second, "embedding": second.tgt_emb}
    )  # type: ignore[dict-item]
