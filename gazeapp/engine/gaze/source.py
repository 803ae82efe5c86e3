"""Opening an eye tracker's file: gz or plain, any encoding, watched, with errors that say what to do."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Watch: TypeAlias = Callable[[int, int], None]
"""Told how many bytes of how many were read; may raise to stop the reading."""

HEAD = 65536
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 18
_HASHED = (".mat", ".json", ".tsv", ".csv", ".txt", ".tsv.gz", ".csv.gz", ".hdf5", ".h5")
"""Ends of the names of a data set's files that can hold gaze or say something about it."""

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


class Source:
    """A file, or the folder of a data set, that is to be read.

    Parameters
    ----------
    path
        Where it is.
    watch
        Told about the progress of every pass over the file.
    """

    def __init__(self, path: Path | str, watch: Watch | None = None) -> None:
        self.path = Path(path)
        self._watch = watch

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def stem(self) -> str:
        """File name without ``.gz`` and its extension; names a subject when nothing else does."""
        return self.path.name.removesuffix(".gz").rsplit(".", 1)[0]

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, unpacked when it is gzip; empty for a folder."""
        if self.is_folder:
            return b""
        with self.open_bytes() as stream:
            return stream.read(HEAD)

    @cached_property
    def is_text(self) -> bool:
        """Whether the head is text: no zero bytes, unless a mark says UTF-16."""
        return bool(self.head) and (self.head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" not in self.head)

    @cached_property
    def head_lines(self) -> list[str]:
        """The lines of the head, without line ends; the last one may be cut short."""
        text = _decoded(self.head, _marked(self.head) or "utf-8", "cp1252")
        # Only these end a line when the file is read; str.splitlines() knows more ends and would count others.
        lines = io.StringIO(text, newline=None).read().split("\n")
        return lines if lines[-1] else lines[:-1]

    @cached_property
    def encoding(self) -> str:
        """The encoding of the whole text: by its mark, else UTF-8 when all of it is, else Windows-1252."""
        marked = _marked(self.head)
        if marked:
            return marked
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self.open_bytes() as stream:
            try:
                while block := stream.read(_BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return "cp1252"
        return "utf-8"

    @property
    def encoding_notes(self) -> tuple[str, ...]:
        """What the user should know about the encoding."""
        if self.encoding != "cp1252":
            return ()
        return ("The file is not UTF-8 and was read as Windows-1252: check names with accents.",)

    @contextmanager
    def open_bytes(self) -> Iterator[IO[bytes]]:
        """Open the file for reading bytes, unpacked when its content is gzip.

        Raises
        ------
        GazeError
            When the file cannot be opened or read, or its gzip data are damaged.
        """
        self._check_is_file()
        try:
            with self.path.open("rb", buffering=0) as raw:
                packed = raw.read(2) == _GZIP_MAGIC
                raw.seek(0)
                watched = io.BufferedReader(_Watched(raw, self.path.stat().st_size, self._watch), _BLOCK)
                if packed:
                    with gzip.GzipFile(fileobj=watched) as unpacked:
                        yield cast(IO[bytes], unpacked)
                else:
                    yield watched
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise GazeError(
                "The compressed file is damaged or was cut short.",
                where=str(self.path),
                todo="Copy it again from where it came from, or unpack it by hand.",
            ) from error
        except OSError as error:
            raise _unreadable(self.path, error) from error

    @contextmanager
    def open_text(self) -> Iterator[io.TextIOWrapper]:
        """Open the file for reading text in its :attr:`encoding`; bytes that fit nowhere become U+FFFD."""
        encoding = self.encoding
        with self.open_bytes() as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
            yield text
            text.detach()

    def sha256(self) -> str:
        """Return the SHA-256 of the file's bytes; of a folder, that of the names and hashes of its tables.

        Data sets lie beside pictures and brain scans of many gigabytes, which say nothing about gaze.
        """
        if not self.is_folder:
            self._check_is_file()
            return sha256_of(self.path)
        digest = hashlib.sha256()
        names = (path for path in self.path.rglob("*") if path.name.lower().endswith(_HASHED))
        for file in sorted(path for path in names if path.is_file()):
            digest.update(f"{file.relative_to(self.path).as_posix()}\0{sha256_of(file)}\n".encode())
        return digest.hexdigest()

    def _check_is_file(self) -> None:
        """Refuse pipes and devices, which may have no end or wait forever."""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return  # opening it says what is wrong
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise self.problem(
                "This is no file but a pipe or a device.", "Save its data in a file, and import that."
            )

    def state(self) -> tuple[int, int]:
        """Return what differs when the file was written to: size, bytes, and time of change; (0, 0) of a folder.

        Raises
        ------
        GazeError
            When the file is not there any more or may not be looked at.
        """
        if self.is_folder:
            return 0, 0
        try:
            found = self.path.stat()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return found.st_size, found.st_mtime_ns

    def progress(self, done: int, total: int) -> None:
        """Tell how many files of how many of a folder were read; may raise to stop the reading."""
        if self._watch is not None:
            self._watch(done, total)

    def problem(self, what: str, todo: str = "", line: int | None = None) -> GazeError:
        """Return an error about this file, with the line where there is one."""
        place = str(self.path) if line is None else f"{self.path}, line {line}"
        return GazeError(what, where=place, todo=todo)


class _Watched(io.RawIOBase):
    """A file that tells how far it was read."""

    def __init__(self, raw: io.FileIO, size: int, watch: Watch | None) -> None:
        super().__init__()
        self._raw, self._size, self._watch = raw, size, watch

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        read = self._raw.readinto(buffer)
        if self._watch is not None:
            self._watch(self._raw.tell(), self._size)
        return read or 0


def _unreadable(path: Path, error: OSError) -> GazeError:
    return GazeError(
        f"The file cannot be read: {error.strerror or error}.",
        where=str(path),
        todo="Check that it is there, is a file and may be read.",
    )


def _marked(head: bytes) -> str:
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def _decoded(head: bytes, encoding: str, otherwise: str) -> str:
    """Return the text of a head whose last character may be cut short."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return head.decode(otherwise, errors="replace")
