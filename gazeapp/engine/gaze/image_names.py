"""Finding the image that a recording means by a name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class ImageNames:
    """The images of a project, to be found by the names that recordings use.

    A name is tried as it is, then without regard to case, then without its folder, then without
    its extension. A looser step counts only when it leaves exactly one image.

    Parameters
    ----------
    names
        Image names; the index of a name is what :meth:`find` returns.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._steps: list[dict[str, list[int]]] = []
        for form in _FORMS.values():
            table: dict[str, list[int]] = {}
            for position, name in enumerate(self._names):
                table.setdefault(form(name), []).append(position)
            self._steps.append(table)
        self._stems = {_stem(name): name for name in reversed(self._names)}
        self._closest: dict[str, str] = {}

    def find(self, name: str) -> int | None:
        """Return the index of the one image that ``name`` means, or None."""
        return self.find_how(name)[0]

    def find_how(self, name: str) -> tuple[int | None, str]:
        """Return the index of the image that ``name`` means, and by which step it was found."""
        if not name.strip():
            return None, ""
        for (how, form), table in zip(_FORMS.items(), self._steps, strict=True):
            found = table.get(form(name), [])
            if len(found) == 1:
                return found[0], how
        return None, ""

    def closest(self, name: str) -> str:
        """Return the image name most like ``name``, or an empty string when none is like it."""
        wanted = _stem(name)
        # The recordings of a study name the same images, and a search among thousands takes a while.
        if wanted not in self._closest:
            near = difflib.get_close_matches(wanted, self._stems, n=1, cutoff=0.5) if wanted else []
            self._closest[wanted] = self._stems[near[0]] if near else ""
        return self._closest[wanted]


def _exact(name: str) -> str:
    return name.strip().replace("\\", "/")


def _any_case(name: str) -> str:
    return _exact(name).casefold()


def _no_folder(name: str) -> str:
    return _any_case(name).rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    return re.sub(r"\.[a-z][a-z0-9]{1,4}$", "", _no_folder(name))


_FORMS = {
    "same name": _exact,
    "other case": _any_case,
    "other folder": _no_folder,
    "other extension": _stem,
}
