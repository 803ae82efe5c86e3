"""One file from the hub to the disk, on a thread of its own so that a slow network never delays a stop."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.vlm.loading.hub import SILENCE, lock_path, open_file, partial_path
from gazeapp.engine.models.vlm.loading.survey import RemoteFile

_POLL = 0.1
"""Seconds between two looks at whether the user wants to stop."""
_TRIES = 5
"""Attempts without a single new byte before the network counts as down."""
_PAUSE = 1.0
"""Seconds between two attempts."""
_BLOCK = 1 << 20


class Transfer:
    """Brings one file; a part that is on the disk already is kept and the rest is asked for.

    Parameters
    ----------
    hub_id, commit
        The model it belongs to.
    file
        Its name, size and digest.
    blob
        Where its bytes belong; until they are all there and checked they are beside it.
    """

    def __init__(self, hub_id: str, commit: str, file: RemoteFile, blob: Path) -> None:
        self._hub_id = hub_id
        self._commit = commit
        self._file = file
        self._blob = blob
        self._part = partial_path(blob)
        self._stop = threading.Event()
        self._here = 0
        self._error: BaseException | None = None

    def run(self, report: Callable[[int], None], should_stop: Callable[[], bool]) -> None:
        """Bring the file; tell how many bytes of it are here.

        Raises
        ------
        StoppedError
            When the user stopped it.
        GazeError
            When what came is not the file that the hub listed, or another program is bringing it.
        OSError, httpx2.HTTPError
            When the disk or the network fails.
        """
        thread = threading.Thread(target=self._work, name="download", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_POLL)
            report(self._here)
            if should_stop():
                self._stop.set()
                raise StoppedError
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        from filelock import Timeout
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        lock = lock_path(self._blob)
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            # Held by this thread until it has let go of the part: after a stop it may wait for the network a while.
            with WeakFileLock(lock, timeout=SILENCE + 10):
                if self._blob.exists():
                    return
                self._part.touch()
                self._bring()
                self._check()
                self._part.replace(self._blob)
        except Timeout:
            self._error = GazeError(
                f"{self._file.name} is being downloaded by another program.",
                where=str(self._blob.parent),
                todo="Wait until that is done, then start again.",
            )
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
            self._error = error

    def _bring(self) -> None:
        """Ask for what is missing until it is here, again after a lost connection."""
        import httpx2

        tries = 0
        while not self._stop.is_set():
            before = self._size()
            if before >= self._file.size:
                return
            try:
                self._stream(before)
            except (httpx2.TransportError, httpx2.StreamError):
                tries = 0 if self._size() > before else tries + 1
                if tries >= _TRIES:
                    raise
                self._stop.wait(_PAUSE)
            else:
                if self._size() <= before:
                    tries += 1
                    if tries >= _TRIES:
                        return

    def _stream(self, start: int) -> None:
        """Write one answer of the hub behind what is here."""
        with open_file(self._hub_id, self._commit, self._file.name, start) as answer:
            # A server that knows no ranges begins again at the first byte.
            appended = start if answer.status_code == 206 else 0
            with self._part.open("ab" if appended else "wb") as part:
                self._here = appended
                for chunk in answer.iter_raw():
                    if self._stop.is_set():
                        return
                    part.write(chunk)
                    self._here += len(chunk)
                    if self._here > self._file.size:
                        return

    def _size(self) -> int:
        self._here = self._part.stat().st_size
        return self._here

    def _check(self) -> None:
        """Compare what came with the hub's digest; what differs is thrown away."""
        if self._stop.is_set():
            raise StoppedError
        size = self._part.stat().st_size
        if size < self._file.size:
            raise GazeError(
                f"{self._file.name} broke off after {size:,} of {self._file.size:,} bytes.",
                where=self._hub_id,
                todo="Start again; what has come is kept.",
            )
        if size > self._file.size or self._digest() != self._file.digest:
            self._part.unlink()
            raise GazeError(
                f"{self._file.name} arrived damaged: it is not the file that the hub lists.",
                where=self._hub_id,
                todo="Start again. If it happens again, something between here and the hub changes files.",
            )

    def _digest(self) -> str:
        """Return the digest that the hub uses for this file: SHA-256, or git's for files kept in git itself."""
        in_git = len(self._file.digest) == 40
        total = hashlib.sha1(usedforsecurity=False) if in_git else hashlib.sha256()
        if in_git:
            total.update(f"blob {self._file.size}\0".encode())
        with self._part.open("rb") as part:
            while block := part.read(_BLOCK):
                if self._stop.is_set():
                    raise StoppedError
                total.update(block)
        return total.hexdigest()
