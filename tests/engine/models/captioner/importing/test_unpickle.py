"""A pickle with a payload is refused by name, and nothing of it runs."""

from __future__ import annotations

import contextlib
import copyreg
import functools
import io
import operator
import os
import pickle
import subprocess
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.allowed import Kept, Named
from gazeapp.engine.models.captioner.importing.torch_file import read_torch_file
from gazeapp.engine.models.captioner.importing.unpickle import read_pickle
from tests.engine.models.captioner.importing.archives import archive, old_file


class Calling:
    """Pickles as a call of any function."""

    def __init__(self, function: Callable[..., Any], *values: Any) -> None:
        self.call = (function, values)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def read(data: bytes) -> Any:
    return read_pickle(io.BytesIO(data), "checkpoint.pth")


def text(value: str) -> bytes:
    """The instruction that puts a text on the stack."""
    encoded = value.encode()
    return b"X" + len(encoded).to_bytes(4, "little") + encoded


def raw(canary: Path) -> dict[str, bytes]:
    """Ways to call os.mkdir, by the instruction that calls."""
    path, start = text(str(canary)), b"\x80\x04"
    by_name, call = b"cos\nmkdir\n", b"\x85R."
    return {
        "REDUCE": start + by_name + path + call,
        "STACK_GLOBAL": start + text("os") + text("mkdir") + b"\x93" + path + call,
        "INST": b"(" + path + b"ios\nmkdir\n.",
        "OBJ": start + b"(" + by_name + path + b"o.",
        "NEWOBJ": start + b"cpathlib\nPath\n" + path + b"\x85\x81" + b".",
        "NEWOBJ_EX": start + b"cpathlib\nPath\n" + path + b"\x85}\x92.",
        "EXT1": start + b"\x82\xf0" + path + call,
        "PERSID": b"Pos.mkdir\n.",
        "in a list": start + b"]" + by_name + path + b"\x85R" + b"a.",
        "as a key": start + b"}" + by_name + path + b"\x85R" + b"K\x01s.",
        "after a harmless one": start + b"K\x01" + b"0" + by_name + path + call,
    }


RAW = sorted(raw(Path("x")))


@pytest.fixture
def extension() -> Iterator[None]:
    copyreg.add_extension("os", "mkdir", 0xF0)
    yield
    copyreg.remove_extension("os", "mkdir", 0xF0)


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("way", RAW)
@pytest.mark.parametrize("container", [archive, old_file])
def test_no_instruction_calls(way: str, container: Callable[[Path, bytes], Path], tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(GazeError, match=r"not opened|no file that torch"):
        read_torch_file(container(tmp_path / "file.pth", raw(canary)[way]))
    assert not canary.exists()


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("way", ["REDUCE", "STACK_GLOBAL", "INST", "OBJ", "EXT1", "in a list"])
def test_python_itself_would_have_called(way: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with contextlib.suppress(pickle.UnpicklingError):
        pickle.loads(raw(canary)[way])
    assert canary.exists()


DANGEROUS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (os.system, ("true",)),
    (eval, ("1",)),
    (exec, ("1",)),
    (__import__, ("os",)),
    (getattr, ("a", "upper")),
    (open, ("canary", "w")),
    (subprocess.Popen, (["true"],)),
    (functools.partial, (print,)),
    (operator.attrgetter, ("a",)),
    (operator.methodcaller, ("upper",)),
    (torch.load, ("other.pth",)),
    (torch.hub.load, ("somebody/network", "network")),
    (torch.storage._load_from_bytes, (b"",)),
    (torch.serialization.load, ("other.pth",)),
    (torch.nn.modules.module.register_module_forward_hook, (print,)),
    (torch._utils._rebuild_parameter_with_state, (1, True, {}, {})),
    (torch._utils._rebuild_wrapper_subclass, (1, 2, 3)),
    (np.load, ("other.npy",)),
    (bytearray, (10**9,)),
    (type, ("Made", (), {})),
    (copyreg._reconstructor, (Path, object, None)),  # type: ignore[attr-defined]
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("call", DANGEROUS, ids=lambda call: f"{call[0].__module__}.{call[0].__name__}")
@pytest.mark.parametrize("protocol", [2, 4])
def test_no_other_function_is_named(call: tuple[Callable[..., Any], tuple[Any, ...]], protocol: int) -> None:
    function, values = call
    payload = pickle.dumps({"epoch": 3, "decoder": OrderedDict(a=[Calling(function, *values)])}, protocol)
    with pytest.raises(GazeError, match="not opened: it asks for ") as refused:
        read(payload)
    assert function.__name__ in refused.value.what


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(GazeError, match=r"multiarray\._reconstruct"):
        read(pickle.dumps(np.array([{"a": 1}], dtype=object), 2))


def test_tensors_with_hooks_are_refused() -> None:
    hooks = OrderedDict({0: "anything"})
    rebuilt = Calling(torch._utils._rebuild_tensor_v2, Persistent(), 0, (1,), (1,), False, hooks)
    with pytest.raises(GazeError, match="functions attached"):
        read(with_storage(rebuilt))
    fine = Calling(torch._utils._rebuild_tensor_v2, Persistent(), 0, (1,), (1,), False, OrderedDict())
    assert read(with_storage(fine)).size == (1,)


class Persistent:
    """Stands for numbers outside the pickle."""


def with_storage(value: Any, count: int = 1) -> bytes:
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, 2)
    pickler.persistent_id = (  # type: ignore[method-assign]
        lambda v: ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(v, Persistent) else None
    )
    pickler.dump(value)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (0, (10**9, 10**9), (0, 0)),
        (0, (2, 2), (1, 4)),
        (-1, (1,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (2,)),
        (0, ("2",), (1,)),
    ],
)
def test_tensors_larger_than_their_numbers_are_refused(offset: int, size: Any, stride: Any) -> None:
    tensor = Calling(
        torch._utils._rebuild_tensor_v2, Persistent(), offset, size, stride, False, OrderedDict()
    )
    with pytest.raises(GazeError, match=r"larger than what is stored|do not belong"):
        read(with_storage(tensor, count=4))


def test_a_strangers_class_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ``__new__``, ``__init__``, ``__setstate__`` nor ``__setattr__`` of a class in the pickle is run."""
    canary = tmp_path / "canary"
    room = types.ModuleType("models")

    class Encoder:
        armed = False

        def __new__(cls) -> Encoder:
            if cls.armed:
                canary.mkdir()
            return super().__new__(cls)

        def __setstate__(self, state: object) -> None:
            canary.mkdir()

    Encoder.__module__, Encoder.__qualname__ = "models", "Encoder"
    room.Encoder = Encoder  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models", room)
    whole = Encoder()
    whole.size = 14  # type: ignore[attr-defined]
    payload = pickle.dumps(whole, 2)
    Encoder.armed = True
    kept = read(payload)
    assert isinstance(kept, Kept)
    assert (kept.name, kept.attributes) == ("models.Encoder", {"size": 14})
    assert not canary.exists()
    with pytest.raises(FileExistsError):
        pickle.loads(payload)  # Python itself runs both
    assert canary.exists()


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (b"\x80\x02cmodels\nrun\n.", "asks for models.run"),
        (b"\x80\x02cmodels\nEncoder\nK\x01\x85R.", "calls models.Encoder"),
        (b"\x80\x02cmodels\nEncoder\nK\x01\x85\x81.", "makes an object of models.Encoder"),
        (b"\x80\x02ctorch\nfloat32\n)R.", "calls torch.float32"),
        (b"\x80\x02ctorch\nfloat32\nN}X\x01\x00\x00\x00aK\x01s\x86b.", "sets attributes"),
        (b"\x80\x02ctorch\nfloat32\n}X\x01\x00\x00\x00aK\x01sb.", "sets attributes"),
        (b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.", "sets attributes"),
        (b"\x80\x02ctorch\nfloat32\nK\x01a.", "no container"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "do not belong"),
        (b"\x80\x02ctorch.hub\nModels\n.", "asks for torch.hub.Models"),
        (b"\x80\x02K\x01Q.", "outside itself"),
    ],
)
def test_what_is_known_does_nothing_else(what: bytes, told: str) -> None:
    with pytest.raises(GazeError, match=told):
        read(what)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02K",
        b"\x80\x02R.",
        b"\x80\x02(.",
        b"\x80\x02h\x05.",
        b"\xff.",
        b"\x80\x02]]K\x01s.",
    ],
)
def test_a_damaged_pickle_is_told(broken: bytes) -> None:
    with pytest.raises(GazeError, match=r"damaged|no container"):
        read(broken)


def test_plain_data_come_through() -> None:
    plain = {
        "epoch": 3,
        "bleu-4": 0.25,
        "words": ["a", "b"],
        "none": None,
        "deep": {"t": (1, (2, 3, 4, 5))},
        "yes": True,
    }
    assert read(pickle.dumps(plain, 2)) == read(pickle.dumps(plain, 4)) == plain
    assert read(pickle.dumps(2**70, 2)) == 2**70
    assert read(pickle.dumps({1, 2}, 2)) == [1, 2]
    assert read(pickle.dumps(torch.float32, 2)) == Named("torch.float32")
    assert isinstance(read(pickle.dumps(np.float64(0.5), 2)), Kept)


def test_what_older_releases_wrote_comes_through() -> None:
    """torch 0.4 notes its backend in every module; numpy 1 has its numbers in another room; a set is a call."""
    backend = read(b"\x80\x02ctorch.nn.backends.thnn\n_get_thnn_function_backend\n)R.")
    assert isinstance(backend, Kept)
    score = pickle.dumps(np.float64(0.5), 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert isinstance(read(score), Kept)
    assert read(b"\x80\x02c__builtin__\nset\n](K\x01K\x02e\x85R.") == [1, 2]
    assert read(b"\x80\x02ccollections\ndefaultdict\nc__builtin__\ndict\n\x85R}K\x01K\x02s0.") == {}
    assert read(b"\x80\x02ctorch\ndevice\nX\x04\x00\x00\x00cudaK\x00\x86R.").name == "torch.device"
    parameter = Calling(torch.nn.parameter.Parameter, Calling(*tensor_call()), True)
    assert read(with_storage(parameter)).size == (1,)


def tensor_call() -> tuple[Any, ...]:
    return torch._utils._rebuild_tensor_v2, Persistent(), 0, (1,), (1,), False, OrderedDict()
