"""The script's side of a gazeapp runner; gazeapp lays this file beside each script that it runs.

A script defines one function for each thing that it can be asked, and ends with ``serve(describe=...)``,
``serve(run=...)`` or both. Each function is called as ``function(request, progress)``:

- ``request`` is a `Request`: the values that were asked, and the folder to write files into;
- ``progress(done, total, message)`` tells the user how far the work is; call it often, because a script that shows no
  sign of life for a quarter of an hour is ended.

What it returns is a dictionary. Numpy arrays in it travel in a file, everything else as JSON. To fail with a sentence
for the user, raise `RunnerError`; any other error is told, too, and the script stays ready for the next request.
Everything that is printed goes to the log that the user sees when the script fails.

Needs nothing but Python 3.8; numpy only where arrays are returned.
"""

import json
import os
import queue
import sys
import threading
import traceback
from pathlib import Path

PROTOCOL = 1


class RunnerError(Exception):
    """Something went wrong that the user can understand.

    Parameters
    ----------
    what
        What is wrong, as a sentence.
    todo
        What the user can do about it.
    """

    def __init__(self, what, todo=""):
        super().__init__(what)
        self.todo = todo


class Request:
    """What is asked.

    Parameters
    ----------
    values
        The values of the request. To describe: ``prompt``, ``method``, and ``decoding`` with ``max_tokens``,
        ``temperature`` (0: the most probable token each time), ``top_p`` and ``seed``. To run: whatever was asked.
    folder
        Folder of the request; files that are given back lie directly in it.
    """

    def __init__(self, values, folder):
        self.values = values
        self.folder = folder

    @property
    def image(self):
        """Path of the image to describe, a PNG in RGB."""
        return self.folder / self.values["image"]


def serve(**actions):
    """Answer requests until gazeapp closes the input; the last line of a script."""
    folder = Path(sys.argv[1])
    say, lines = _take_channels()
    say({"gazeapp": "ready", "protocol": PROTOCOL})
    while True:
        line = lines.get()
        if line is None:
            return
        asked = json.loads(line)
        request = _Asked(asked, folder, say)
        lines.is_busy = True
        request.answer(actions)
        lines.is_busy = False


class _Lines(queue.Queue):
    """Lines from gazeapp; when gazeapp is gone, work in hand is given up, because nobody waits for it."""

    def __init__(self, source):
        super().__init__()
        self.is_busy = False
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def _read(self, source):
        for line in source:
            self.put(line)
        if self.is_busy:
            os._exit(1)
        self.put(None)


class _Asked:
    def __init__(self, asked, folder, say):
        self._number = asked["request"]
        self._action = asked["action"]
        self._folder = folder / asked["folder"]
        self._say = say

    def answer(self, actions):
        try:
            values = json.loads((self._folder / "request.json").read_text("utf-8"))
            result = actions[self._action](Request(values, self._folder), self._progress)
            self._tell("answer", **self._without_arrays(result))
        except RunnerError as error:
            self._tell("error", what=str(error), todo=error.todo)
        except Exception as error:  # noqa: BLE001 - told to the user, who may want to go on with the next image
            traceback.print_exc()
            reason = "memory" if _is_about_memory(error) else ""
            self._tell("error", what=f"{type(error).__name__}: {error}", reason=reason)

    def _progress(self, done, total, message=""):
        self._tell("progress", done=int(done), total=int(total), message=str(message))

    def _tell(self, kind, **values):
        self._say({"gazeapp": kind, "request": self._number, **values})

    def _without_arrays(self, result):
        arrays = {name: value for name, value in result.items() if hasattr(value, "__array__")}
        if arrays:
            import numpy

            numpy.savez(self._folder / "arrays.npz", **arrays)
        return {name: value for name, value in result.items() if name not in arrays}


def _is_about_memory(error):
    """Return whether memory ran out; gazeapp then tries again with a smaller image."""
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _take_channels():
    """Keep the way to gazeapp to ourselves: whatever is printed or read elsewhere does not get in between."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def say(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    return say, _Lines(lines)
