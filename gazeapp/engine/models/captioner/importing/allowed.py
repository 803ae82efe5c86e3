"""What a pickled checkpoint may name, and what comes of it. Nothing named is ever looked up or called.

A pickle says which function to call with which values. Each function that the checkpoints of captioners need is
answered here by plain data: a tensor by a note of where its numbers lie, an object by a dictionary of its
attributes. Every other name is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

_MOST_DIMENSIONS = 8
_LARGEST_KEY = 2**60
_LONGEST_TOLD = 100

_CLASS_ROOMS = (
    "torch.nn.modules.",
    "torch.nn.parallel.",
    "torchvision.models.",
    "torchvision.ops.misc",
    "torch.optim.",
)
"""Rooms of classes whose objects are kept as their attributes."""

_OWN_ROOMS = frozenset({"models", "model", "transformer", "__main__"})
"""Where the scripts that wrote such checkpoints have their own classes."""

_STORAGES = {
    "torch.FloatStorage": ("float32", 4),
    "torch.DoubleStorage": ("float64", 8),
    "torch.HalfStorage": ("float16", 2),
    "torch.BFloat16Storage": ("bfloat16", 2),
    "torch.LongStorage": ("int64", 8),
    "torch.IntStorage": ("int32", 4),
    "torch.ShortStorage": ("int16", 2),
    "torch.CharStorage": ("int8", 1),
    "torch.ByteStorage": ("uint8", 1),
    "torch.BoolStorage": ("bool", 1),
}


class NotAllowedError(Exception):
    """A pickle asks for something that reading a checkpoint does not need."""


@dataclass(frozen=True, slots=True)
class Named:
    """A class or function by its name alone, ``module.name``."""

    name: str


@dataclass(slots=True, eq=False)
class Kept:
    """An object of a class that is not known here: its class's name and its attributes."""

    name: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A run of numbers in the file.

    Parameters
    ----------
    key
        Its name in the file.
    dtype
        torch's name of the kind of number.
    item
        Bytes of a number.
    count
        How many numbers.
    """

    key: str
    dtype: str
    item: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A tensor: where its numbers lie in a storage. Like torch's, none equals another."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def named(module: object, name: object) -> Named:
    """Return the note of a class or function that a pickle names.

    Raises
    ------
    NotAllowedError
        When such a checkpoint does not need it.
    """
    if not isinstance(module, str) or not isinstance(name, str):
        raise NotAllowedError("it names a class by something that is no text")
    module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
    full = f"{module}.{name}"
    if full in _STORAGES or full in _CALLS or full in _MENTIONED or _is_class(module, name):
        return Named(full)
    raise NotAllowedError(f"it asks for {_told(full)}")


def made(what: object, values: object) -> Kept:
    """Return the object that ``cls.__new__`` would make.

    Raises
    ------
    NotAllowedError
        When it is none of the classes whose attributes are kept.
    """
    if not isinstance(what, Named) or not _is_class(*what.name.rpartition(".")[::2]) or values != ():
        raise NotAllowedError(f"it makes an object of {_shown(what)}")
    return Kept(what.name)


def called(what: object, values: object) -> Any:
    """Return what a call of a named function with these values stands for.

    Raises
    ------
    NotAllowedError
        When it is no function that is answered, or its values are not those that such checkpoints have.
    """
    answer = _CALLS.get(what.name) if isinstance(what, Named) else None
    if answer is None or not isinstance(values, tuple):
        raise NotAllowedError(f"it calls {_shown(what)}")
    try:
        return answer(*values)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotAllowedError(f"it calls {_shown(what)} with values that do not belong there") from error


def persistent(value: object) -> Named | Storage:
    """Return what a reference to something outside the pickle means: numbers of the file, or a class.

    Raises
    ------
    NotAllowedError
        When it is neither.
    """
    if isinstance(value, tuple) and value and value[0] == "module" and isinstance(value[1], Named):
        return value[1]
    if isinstance(value, tuple) and len(value) in (5, 6) and value[0] == "storage":
        _, kind, key, _, count, *view = value
        known = isinstance(kind, Named) and kind.name in _STORAGES and not any(view)
        if known and isinstance(key, str) and _is_count(count):
            return Storage(key, *_STORAGES[kind.name], count)
    raise NotAllowedError("it refers to something outside itself that is no storage of numbers")


def _is_class(module: str, name: str) -> bool:
    inside = f"{module}.".startswith(_CLASS_ROOMS) or module.partition(".")[0] in _OWN_ROOMS
    return inside and all(part.isidentifier() for part in name.split(".")) and name[:1].isupper()


def check_key(key: object) -> None:
    """Refuse what no dictionary of a checkpoint is keyed by.

    To find its place among the keys of a dictionary, Python goes through a nested tuple to its last member, which may
    take for ever. Whole numbers that are too long can be chosen so that all of them compete for one place.

    Raises
    ------
    NotAllowedError
        When it is neither a text, a whole number of usual size, nor a tensor, as in the memory of optimisers.
    """
    if not isinstance(key, str | Stored) and not (isinstance(key, int) and abs(key) < _LARGEST_KEY):
        raise NotAllowedError("it has a dictionary with keys that are neither texts, numbers nor tensors")


def _shown(what: object) -> str:
    return _told(what.name) if isinstance(what, Named) else "something that is no function"


def _told(name: str) -> str:
    """Return a name from a file as it may be shown, in one line and not too long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_TOLD])
    return plain if len(name) <= _LONGEST_TOLD else f"{plain}..."


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48


def _no_hooks(hooks: object) -> None:
    if hooks is not None and hooks != {}:
        raise NotAllowedError("a tensor of it has functions attached that would be called")


def _tensor(storage: object, offset: object, size: object, stride: object) -> Stored:
    fits = (
        isinstance(storage, Storage)
        and _is_count(offset)
        and isinstance(size, tuple)
        and isinstance(stride, tuple)
    )
    if not fits or len(size) != len(stride) or len(size) > _MOST_DIMENSIONS:  # type: ignore[arg-type]
        raise ValueError
    if not all(_is_count(number) for number in (*size, *stride)):  # type: ignore[misc]
        raise ValueError
    tensor = Stored(storage, offset, size, stride)  # type: ignore[arg-type]
    last = sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    numbers = prod(tensor.size)
    # As many numbers as it has are stored: a size may not be blown up by strides of 0.
    if numbers > tensor.storage.count or (numbers and tensor.offset + last >= tensor.storage.count):
        raise NotAllowedError("a tensor of it is larger than what is stored for it")
    return tensor


def _tensor_of(
    storage: object,
    offset: object,
    size: object,
    stride: object,
    _grad: object,
    hooks: object,
    _extra: object = None,
) -> Stored:
    _no_hooks(hooks)
    return _tensor(storage, offset, size, stride)


def _parameter(data: object, _grad: object = True, hooks: object = None) -> Stored:
    _no_hooks(hooks)
    if not isinstance(data, Stored):
        raise ValueError
    return data


def _dictionary(pairs: object = ()) -> dict[Any, Any]:
    if not isinstance(pairs, list | tuple):
        raise ValueError
    made: dict[Any, Any] = {}
    for key, value in pairs:
        check_key(key)
        made[key] = value
    return made


def _with_default(kind: object = None) -> dict[Any, Any]:
    if kind not in (None, Named("builtins.dict"), Named("builtins.list")):
        raise ValueError
    return {}


def _collection(values: object = ()) -> list[Any]:
    """Return the members of a set or list; which of the two it was is of no use here."""
    if not isinstance(values, list | tuple):
        raise ValueError
    return list(values)


def _size(values: object) -> tuple[Any, ...]:
    if not isinstance(values, tuple | list):
        raise ValueError
    return tuple(values)


def _text_bytes(text: object, coding: object) -> bytes:
    if not isinstance(text, str) or coding != "latin1":
        raise ValueError
    return text.encode("latin1")


def _kept(name: str, most: int) -> Callable[..., Kept]:
    """Return the answer to a call whose outcome is of no use here."""

    def answer(*values: object) -> Kept:
        if len(values) > most:
            raise ValueError
        return Kept(name)

    return answer


_CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _with_default,
    "builtins.dict": _dictionary,
    "builtins.list": _collection,
    "builtins.set": _collection,
    "builtins.frozenset": _collection,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor_of,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.Size": _size,
    "torch.device": _kept("torch.device", 2),
    # What torch before 1.2 noted in every module.
    "torch.nn.backends.thnn._get_thnn_function_backend": _kept("torch.nn.backends.thnn", 0),
    # Scores that a script stored beside the weights: single numbers of numpy.
    "numpy.core.multiarray.scalar": _kept("numpy.scalar", 2),
    "numpy._core.multiarray.scalar": _kept("numpy.scalar", 2),
    "numpy.dtype": _kept("numpy.dtype", 3),
    "_codecs.encode": _text_bytes,
}

_MENTIONED = frozenset({f"torch.{name}" for name, _ in _STORAGES.values()})
"""Kinds of number, which are only mentioned."""
