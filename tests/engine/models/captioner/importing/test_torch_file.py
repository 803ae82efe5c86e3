"""Files of ``torch.save``: tensors of both forms come back bit for bit, and nothing larger than the file."""

from __future__ import annotations

import pickle
import random
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.torch_file import read_torch_file
from gazeapp.engine.models.captioner.importing.weights import read_foreign, read_plain
from tests.engine.models.captioner.importing.archives import archive, old_file

KINDS = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
]  # fmt: skip


@pytest.mark.parametrize("today", [True, False])
def test_tensors_come_back(today: bool, tmp_path: Path) -> None:
    shared = torch.arange(12.0).reshape(3, 4)
    tensors = {str(kind): torch.tensor([[0, 1, 1], [1, 0, 3]]).to(kind) for kind in KINDS}
    tensors |= {
        "turned": shared.T,
        "part": shared[1:, 2],
        "empty": torch.empty(0, 3),
        "one": torch.tensor(2.5),
    }
    path = tmp_path / "weights.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=today)
    found = read_torch_file(path)
    for name, tensor in tensors.items():
        back = found.tensor(found.content[name])
        assert back.dtype == tensor.dtype, name
        assert torch.equal(back, tensor), name


@pytest.mark.parametrize("today", [True, False])
def test_a_whole_module_gives_its_state_dictionary(today: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ModuleDict({"cell": nn.LSTMCell(4, 2)}))
    network[1].register_buffer("unsaved", torch.ones(2), persistent=False)
    path = tmp_path / "network.pth"
    torch.save(nn.DataParallel(network), path, _use_new_zipfile_serialization=today)
    found = read_plain(path)
    assert list(found) == list(network.state_dict())
    assert all(torch.equal(found[name], tensor) for name, tensor in network.state_dict().items())


def test_packed_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", pickle.dumps({}, 2))
        file.writestr("archive/data/0", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(GazeError, match="packed in a way that torch does not write"):
        read_torch_file(path)


def test_numbers_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.ones(100)}, path)
    with zipfile.ZipFile(path) as file:
        content = next(file.read(name) for name in file.namelist() if name.endswith("data.pkl"))
    found = read_torch_file(archive(path, content, {"0": bytes(396)}))
    with pytest.raises(GazeError, match="lacks numbers"):
        found.tensor(found.content["a"])


def test_an_old_file_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(GazeError, match="damaged"):
        read_torch_file(path)
    torch.save({"a": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(GazeError, match="damaged"):
        read_torch_file(path)


@pytest.mark.parametrize(
    "content", [b"", b"no checkpoint at all", b"PK\x03\x04 and no more", b"\x80\x02K\x01."]
)
def test_other_files_are_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(GazeError, match=r"no file that torch|damaged"):
        read_torch_file(path)
    with pytest.raises(GazeError, match="cannot be read"):
        read_torch_file(tmp_path / "none.pth")
    with pytest.raises(GazeError, match="cannot be read"):
        read_torch_file(tmp_path)


def test_another_order_of_bytes_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "file.pth", pickle.dumps({}, 2))
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, part in parts.items():
            file.writestr(name, b"big" if name.endswith("byteorder") else part)
    with pytest.raises(GazeError, match="order of bytes"):
        read_torch_file(path)
    old = old_file(path, pickle.dumps({}, 2))
    assert read_torch_file(old).content == {}
    old.write_bytes(old.read_bytes().replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"))
    with pytest.raises(GazeError, match="order of bytes"):
        read_torch_file(old)


@pytest.mark.parametrize("today", [True, False])
def test_no_damage_is_more_than_a_sentence(today: bool, tmp_path: Path) -> None:
    """Bytes changed, cut out or put in anywhere: the file is read, or told to be damaged or refused."""
    path = tmp_path / "weights.pth"
    torch.save({"decoder": nn.Linear(3, 4), "epoch": 3}, path, _use_new_zipfile_serialization=today)
    whole, chance, told = path.read_bytes(), random.Random(1), 0
    for _ in range(200):
        data, place = bytearray(whole), chance.randrange(len(whole))
        kind = chance.random()
        if kind < 0.6:
            data[place] = chance.randrange(256)
        elif kind < 0.8:
            del data[place : place + chance.randrange(1, 40)]
        else:
            data[place:place] = chance.randbytes(5)
        path.write_bytes(data)
        try:
            read_foreign(path)
        except GazeError:
            told += 1
    assert told > 50
