"""What this machine has for a model to run on."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics processor.

    Parameters
    ----------
    device
        As torch names it: ``cuda:0``, ``mps``.
    name
        Its maker's name for it.
    total, free
        Its memory, bytes.
    bfloat16
        Whether it computes in bfloat16.
    """

    device: str
    name: str
    total: int
    free: int
    bfloat16: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """The memory and the processors of a machine.

    Parameters
    ----------
    memory, free_memory
        Main memory, bytes; ``free_memory`` is what programs can still have.
    cards
        Graphics processors that torch can use, the first one first.
    four_bit
        Whether bitsandbytes is installed.
    """

    memory: int
    free_memory: int
    cards: tuple[Card, ...] = ()
    four_bit: bool = False


def this_machine() -> Machine:
    """Ask torch what this machine has, as it is now."""
    import torch

    memory, free = _main_memory()
    cards = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free_here, total = torch.cuda.mem_get_info(index)
            # The tensor cores compute in bfloat16 from compute capability 8 on; older cards only imitate it.
            bfloat16 = torch.cuda.get_device_capability(index)[0] >= 8
            cards.append(Card(f"cuda:{index}", torch.cuda.get_device_name(index), total, free_here, bfloat16))
    elif torch.backends.mps.is_available():
        cards.append(Card("mps", "Apple graphics processor", memory, free, False))
    return Machine(memory, free, tuple(cards), importlib.util.find_spec("bitsandbytes") is not None)


def glance_at_machine() -> Machine:
    """Return nearly the same without importing torch, for lists: the driver's tool is asked about graphics cards."""
    memory, free = _main_memory()
    cards: tuple[Card, ...] = ()
    if platform.system() == "Darwin":
        if platform.machine() == "arm64":
            cards = (Card("mps", "Apple graphics processor", memory, free, False),)
    elif "+cpu" not in importlib.metadata.version("torch"):
        cards = nvidia_cards()
    return Machine(memory, free, cards, importlib.util.find_spec("bitsandbytes") is not None)


def _main_memory() -> tuple[int, int]:
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def nvidia_cards() -> tuple[Card, ...]:
    """Return the graphics cards that the driver's tool knows, whether or not torch here can use them."""
    query = [
        "nvidia-smi",
        "--query-gpu=name,memory.total,memory.free,compute_cap",
        "--format=csv,noheader,nounits",
    ]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True)
        return read_nvidia_cards(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def read_nvidia_cards(text: str) -> tuple[Card, ...]:
    """Read the driver's table: one line for each card, name, total and free memory in MiB, compute capability.

    Raises
    ------
    ValueError
        When a line is not of that form.
    """
    cards = []
    for index, line in enumerate(line for line in text.splitlines() if line.strip()):
        name, total, free, capability = (cell.strip() for cell in line.rsplit(",", 3))
        cards.append(Card(f"cuda:{index}", name, int(total) << 20, int(free) << 20, float(capability) >= 8.0))
    return tuple(cards)
