"""Pickles that do nothing but would keep Python busy for ever, or break it, are refused at once."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.torch_file import read_torch_file
from gazeapp.engine.models.captioner.importing.unpickle import read_pickle
from gazeapp.engine.models.captioner.importing.weights import read_foreign
from tests.engine.models.captioner.importing.archives import archive

_START = b"\x80\x02"
_DICT = b"ccollections\nOrderedDict\n"


def text(value: str) -> bytes:
    """The instruction that puts a text on the stack."""
    encoded = value.encode()
    return b"X" + len(encoded).to_bytes(4, "little") + encoded


def doubled(times: int) -> bytes:
    """A pair of the same pair of the same pair ...: its hash takes 2 to the power of ``times`` steps."""
    return b")" + b"q\x00h\x00\x86" * times


KEYS = {
    "doubled tuple": doubled(60),
    "deep tuple": b")" + b"\x85" * 300_000,
    "tuple": b"K\x01\x85",
    "long number": b"\x8a\x09" + b"\x00" * 8 + b"\x01",
    "None": b"N",
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", ["SETITEM", "SETITEMS", "call", "call of dict"])
def test_keys_are_texts_and_numbers(key: str, way: str) -> None:
    made = {
        "SETITEM": b"}" + KEYS[key] + b"K\x01s.",
        "SETITEMS": b"}(" + KEYS[key] + b"K\x01u.",
        "call": _DICT + b"]" + KEYS[key] + b"K\x01\x86a\x85R.",
        "call of dict": b"c__builtin__\ndict\n]" + KEYS[key] + b"K\x01\x86a\x85R.",
    }
    with pytest.raises(GazeError, match="keys that are neither texts, numbers nor tensors"):
        read_pickle(io.BytesIO(_START + made[way]), "checkpoint.pth")


def test_members_of_sets_are_not_compared() -> None:
    nested = read_pickle(io.BytesIO(_START + b"c__builtin__\nset\n]" + doubled(60) + b"a\x85R."), "")
    assert isinstance(nested, list)


def test_a_container_that_is_copied_again_and_again() -> None:
    members = b"(" + b"K\x01" * 10_000 + b"e"
    copies = b"c__builtin__\nlist\nq\x01" + b"h\x01h\x00\x85R" * 1000
    with pytest.raises(GazeError, match="copies what it holds"):
        read_pickle(io.BytesIO(_START + b"]q\x00" + members + copies + b"."), "")
    state = b"}q\x00(" + b"".join(text(f"a{i}") + b"K\x01" for i in range(10_000)) + b"u"
    objects = b"cmodels\nEncoder\n)\x81h\x00b" * 1000
    with pytest.raises(GazeError, match="copies what it holds"):
        read_pickle(io.BytesIO(_START + state + objects + b"."), "")


def module(children: bytes) -> bytes:
    return b"cmodels\nDecoder\n)\x81q\x01}" + text("_modules") + b"}(" + children + b"usb"


def checkpoint(path: Path, decoder: bytes) -> Path:
    return archive(path / "c.pth.tar", _START + b"}" + text("decoder") + decoder + b"s.")


def test_a_module_inside_itself(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, module(text("a") + b"h\x01" + text("b") + b"h\x01"))
    with pytest.raises(GazeError, match="more layers or numbers than any captioner"):
        read_foreign(path)


def test_modules_that_are_shared_at_every_level(tmp_path: Path) -> None:
    decoder = b"cmodels\nLast\n)\x81"
    for _ in range(35):
        above = b"cmodels\nDecoder\n)\x81}" + text("_modules") + b"}("
        decoder += b"q\x000" + above + text("a") + b"h\x00" + text("b") + b"h\x00usb"
    with pytest.raises(GazeError, match="more layers or numbers than any captioner"):
        read_foreign(checkpoint(tmp_path, decoder))


def tensor(size: bytes, stride: bytes, count: int) -> bytes:
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")
    storage += b"J" + count.to_bytes(4, "little") + b"tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00"
        + size
        + stride
        + b"\x89"
        + _DICT
        + b")RtR"
    )


def test_one_tensor_under_many_names(tmp_path: Path) -> None:
    shared = tensor(b"M\x00\x10\x85", b"K\x01\x85", 4096) + b"q\x000"
    names = b"".join(text(f"a{i}") + b"h\x00" for i in range(1000))
    content = _START + shared + b"}" + text("decoder") + b"}(" + names + b"us."
    path = archive(tmp_path / "c.pth", content, {"0": bytes(16384)})
    with pytest.raises(GazeError, match="more layers or numbers than any captioner"):
        read_foreign(path)


def test_a_tensor_without_numbers_that_is_too_wide(tmp_path: Path) -> None:
    wide = b"\x8a\x06" + (2**46).to_bytes(6, "little")
    content = tensor(b"K\x00" + wide + wide + b"\x87", b"K\x01K\x01K\x01\x87", 0)
    path = archive(tmp_path / "c.pth", _START + content + b".", {"0": b""})
    file = read_torch_file(path)
    with pytest.raises(GazeError, match="damaged"):
        file.tensor(file.content)


def test_what_a_script_noted_can_be_written_down(tmp_path: Path) -> None:
    long = b"\x8b" + (4000).to_bytes(4, "little") + b"\x7f" * 4000
    notes = text("epoch") + b"K\x03" + text("steps") + long + text("bleu") + b"G\x7f\xf8" + b"\x00" * 6
    odd = b"X\x05\x00\x00\x00\xed\xa0\x80ab" + b"K\x01"
    weights = b"}" + text("fc.weight") + tensor(b"K\x01\x85", b"K\x01\x85", 1) + b"s"
    content = _START + b"}(" + notes + odd + text("decoder") + weights + b"u."
    foreign = read_foreign(archive(tmp_path / "c.pth", content, {"0": bytes(4)}))
    assert foreign.notes == {"epoch": 3, "?ab": 1}


def test_a_name_that_is_told_is_one_short_line() -> None:
    with pytest.raises(GazeError, match=r"asks for os\?\[2J\?fine") as told:
        read_pickle(io.BytesIO(b"\x80\x04" + text("os\x1b[2J\nfine") + text("run" * 100_000) + b"\x93."), "")
    assert len(told.value.what) < 300
