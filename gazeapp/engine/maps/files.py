"""Reading maps that were made elsewhere: NPY, NPZ, HDF5 and grey pictures."""

from __future__ import annotations

import hashlib
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.pictures import MAX_MEGAPIXELS, read_picture
from gazeapp.engine.types import DoubleArray, FloatArray

Values = Literal["saliency", "log_density"]
"""What the numbers of a map are: at least 0, or logarithms of a density."""

HDF5_SUFFIXES = frozenset({".hdf5", ".h5", ".hdf"})
ARRAY_SUFFIXES = frozenset({".npy", ".npz"}) | HDF5_SUFFIXES
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
MAP_SUFFIXES = ARRAY_SUFFIXES | PICTURE_SUFFIXES

_DAMAGE = (
    *(OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
"""What reading a damaged array file raises; numpy parses headers as Python and unpacks with zlib."""


@dataclass(frozen=True, slots=True)
class MapPlace:
    """Where a map lies.

    Parameters
    ----------
    path
        The file.
    name
        What the map is called: the file's path below the folder, or the array's name in its file; parts
        are separated by ``/``.
    key
        Name of the array inside the file; empty where the file is one map.
    """

    path: Path
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.key}" if self.key else str(self.path)


class MapFiles:
    """The maps of a folder or of one file, read one at a time; use it in a ``with`` statement.

    In a folder and its subfolders, hidden ones aside, each NPY, NPZ or picture is one map (of an NPZ file the
    first array) and each HDF5 file holds maps, one dataset each, in groups or not: pysaliency's layout. One HDF5 or
    NPZ file may be given instead of a folder; of it each dataset or array is a map. Attributes are ignored; links
    are not followed and pickles not opened.

    Parameters
    ----------
    path
        Folder or file.

    Raises
    ------
    GazeError
        On entering, if there is no such folder or file, or the file is of another kind or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._file: tuple[Path, Any] | None = None
        self.places: tuple[MapPlace, ...] = ()
        self.damaged: tuple[GazeError, ...] = ()

    def __enter__(self) -> MapFiles:
        if self._path.is_dir():
            self.places, self.damaged = self._in_folder()
        elif not self._path.is_file():
            raise GazeError("There is no such folder or file.", where=str(self._path), todo="Check the path.")
        elif self._path.suffix.lower() in HDF5_SUFFIXES | {".npz"}:
            self.places = tuple(self._inside(self._path))
        else:
            raise GazeError(
                "Maps are read from a folder, or from one HDF5 or NPZ file that holds one for each image.",
                where=str(self._path),
                todo="Give the folder that the file is in.",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def digest(self, place: MapPlace) -> str:
        """Return the SHA-256 of a map's file, or of its array alone where the file holds several.

        Raises
        ------
        GazeError
            If it cannot be read.
        """
        if not place.key:
            return sha256_of(place.path)
        values = np.ascontiguousarray(self._array(place))
        digest = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
        digest.update(values.tobytes() if values.dtype.hasobject else values.data)
        return digest.hexdigest()

    def read(self, place: MapPlace, values: Values = "saliency") -> FloatArray:
        """Read one map.

        Parameters
        ----------
        place
            One of ``places``.
        values
            ``saliency``: numbers of at least 0. ``log_density``: natural logarithms of a density, as
            pysaliency's models export them; the density is exp(values - largest), brought to the sum 1.

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns), float32, non-negative, sums to 1.

        Raises
        ------
        GazeError
            If it cannot be read, is not 2-D, or holds other numbers than these or only zeros.
        """
        return _normalised(self._array(place), values, str(place))

    def _array(self, place: MapPlace) -> NDArray[Any]:
        suffix = place.path.suffix.lower()
        if suffix in PICTURE_SUFFIXES:
            return _grey(place.path)
        try:
            if suffix == ".npy":
                return np.asarray(np.load(place.path, allow_pickle=False))
            file = self._opened(place.path)
            if suffix == ".npz":
                names = [place.key] if place.key else file.files
                if not names:
                    raise GazeError("The archive is empty.", where=str(place), todo="Save one array in it.")
                return np.asarray(file[names[0]])
            return _dataset(file[place.key], place)
        except _DAMAGE as error:
            raise GazeError(
                f"The map cannot be read ({error}).", where=str(place), todo="Save it again as numbers."
            ) from error

    def _opened(self, path: Path) -> Any:
        """Return a file of several arrays; it stays open until another one is needed."""
        if self._file is None or self._file[0] != path:
            self._open.close()
            self._file = None
            if path.suffix.lower() == ".npz":
                opened = np.load(path, allow_pickle=False)
            else:
                import h5py

                opened = h5py.File(path, "r")
            self._file = path, self._open.enter_context(opened)
        return self._file[1]

    def _inside(self, path: Path) -> list[MapPlace]:
        """Return the maps that one HDF5 or NPZ file holds, by name."""
        try:
            file = self._opened(path)
            names = list(file.files) if path.suffix.lower() == ".npz" else list(_datasets(file))
        except _DAMAGE as error:
            raise GazeError(
                f"The file cannot be opened; it is damaged or of another kind ({error}).",
                where=str(path),
                todo="Copy it again, or write it again.",
            ) from error
        return [MapPlace(path, name.strip("/"), name) for name in sorted(names)]

    def _in_folder(self) -> tuple[tuple[MapPlace, ...], tuple[GazeError, ...]]:
        places: list[MapPlace] = []
        damaged: list[GazeError] = []
        for path in sorted(self._path.rglob("*")):
            suffix, below = path.suffix.lower(), path.relative_to(self._path)
            # What systems and editors keep beside the files: copies and thumbnails under the same names.
            hidden = any(part.startswith(".") for part in below.parts)
            if hidden or suffix not in MAP_SUFFIXES or not path.is_file():
                continue
            if suffix not in HDF5_SUFFIXES:
                places.append(MapPlace(path, below.as_posix()))
                continue
            try:
                places += self._inside(path)
            except GazeError as error:
                damaged.append(error)
        return tuple(places), tuple(damaged)


def _datasets(group: Any, before: str = "") -> Iterator[str]:
    """Yield the names of the datasets in a group of an HDF5 file and in its groups."""
    import h5py

    for name in group:
        # A link may point nowhere, or back to a group that it is in: only what lies here is followed.
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        member = group[name]
        if isinstance(member, h5py.Group):
            yield from _datasets(member, f"{before}{name}/")
        elif isinstance(member, h5py.Dataset):
            yield f"{before}{name}"


def _dataset(dataset: Any, place: MapPlace) -> NDArray[Any]:
    # Told before reading: a dataset says its size, and a volume may not fit into memory.
    _check_shape(dataset.shape or (), str(place))
    return np.asarray(dataset[()])


def _check_shape(shape: tuple[int, ...], where: str) -> None:
    if len(shape) != 2 or not all(shape):
        raise GazeError(
            f"The map has the shape {shape}; rows x columns are needed.", where=where, todo="Save it as 2-D."
        )
    if shape[0] * shape[1] > MAX_MEGAPIXELS * 1e6:
        raise GazeError(
            f"The map has {shape[1]} x {shape[0]} cells; up to {MAX_MEGAPIXELS} million are read.",
            where=where,
            todo="Save it smaller: it is stretched to its image.",
        )


def _normalised(array: NDArray[Any], values: Values, where: str) -> FloatArray:
    """Return the map as shares that sum to 1."""
    _check_shape(array.shape, where)
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise GazeError("The map does not hold real numbers.", where=where, todo="Save it as float32.")
    numbers = array.astype(np.float64)
    shares = _exponential(numbers, where) if values == "log_density" else _not_negative(numbers, where)
    total = shares.sum()
    if total <= 0:
        raise GazeError("The map is zero everywhere.", where=where, todo="Check how it was made.")
    normal: FloatArray = (shares / total).astype(np.float32)
    return normal


def _not_negative(numbers: DoubleArray, where: str) -> DoubleArray:
    if not np.isnan(numbers).any() and numbers.min() < 0 and numbers.max() <= 0:
        raise GazeError(
            "All numbers of the map are 0 or below, as in a log density.",
            where=where,
            todo="Import the maps as log densities (--log-density).",
        )
    if not np.isfinite(numbers).all() or numbers.min() < 0:
        raise GazeError(
            "The map holds numbers that are negative or not finite.",
            where=where,
            todo="Save densities or saliencies: finite numbers of 0 and above.",
        )
    return numbers


def _exponential(numbers: DoubleArray, where: str) -> DoubleArray:
    """Return exp of log densities but for a factor; minus infinity is a density of 0."""
    largest = numbers.max()
    if not np.isfinite(largest):  # NaN goes through max
        raise GazeError(
            "The map holds numbers that no density has the logarithm of (NaN, or infinite).",
            where=where,
            todo="Check how it was made.",
        )
    if numbers.min() >= 0 and largest > 0:
        raise GazeError(
            "No number of the map is below 0, as a log density of many pixels would be.",
            where=where,
            todo="Import the maps without --log-density.",
        )
    density: DoubleArray = np.exp(numbers - largest)
    return density


def _grey(path: Path) -> NDArray[Any]:
    """Return a picture in grey; pictures of more than 8 bits keep their numbers."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode == "F" or image.mode.startswith("I"):
                _check_shape(image.size[::-1], str(path))
                return np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError):
        pass  # reading it as any picture says what is wrong
    pixels, _ = read_picture(path)
    grey: NDArray[Any] = pixels.mean(axis=2)
    return grey
