"""Makes torch, torchvision and timm importable together."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gazeapp.engine.errors import GazeError

_kept_alive: list[Any] = []


def ensure_torchvision() -> None:
    """Import torchvision, mending the one known way in which its import fails.

    torchvision's wheel beside a CPU-only torch of the same version stops with ``operator
    torchvision::nms does not exist``, because its compiled operators cannot be loaded; timm and
    transformers then fail as well. gazeapp uses none of those operators, so declaring their
    schemas is enough. A missing torchvision is left to those who need it.
    """
    try:
        importlib.import_module("torchvision")
        return
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    import torch

    # The declarations last only as long as the library object does.
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept_alive.append(library)
    importlib.import_module("torchvision")


def best_device(device: str = "auto") -> str:
    """Resolve ``auto`` to cuda, mps or cpu, whichever is there first.

    Raises
    ------
    GazeError
        If the device that is asked for is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, is_there in there.items() if is_there)
    if not there.get(device.partition(":")[0], False):
        raise GazeError(
            f"This machine, or its torch, has no device '{device}'.",
            todo=f"Use {' or '.join(name for name, is_there in there.items() if is_there)}, or auto.",
        )
    return device


_SMALL = 5_000_000
"""Parameters up to which more time goes into the calls of a network than into what they compute."""


def is_small(n_parameters: int) -> bool:
    """Return whether a network is so small that more time goes into its calls than into what they compute."""
    return n_parameters < _SMALL


@contextmanager
def threads_for(n_parameters: int) -> Iterator[None]:
    """Compute small networks on one thread: waiting for a second one costs more than it brings.

    On a busy machine it costs much more: 0.6 s instead of 0.04 s for an image of a small captioner.
    """
    import torch

    before = torch.get_num_threads()
    if is_small(n_parameters):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def forget_peak_memory() -> None:
    """Let `peak_memory` count from now on, where that can be done (on graphics cards)."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)


def peak_memory() -> int:
    """Return the most memory that was in use, bytes: of the graphics cards where there are some, else of the program.

    0 where the system does not tell.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return sum(int(torch.cuda.max_memory_allocated(i)) for i in range(torch.cuda.device_count()))
    try:
        resource = importlib.import_module("resource")
    except ModuleNotFoundError:  # Windows
        return 0
    peak = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024
