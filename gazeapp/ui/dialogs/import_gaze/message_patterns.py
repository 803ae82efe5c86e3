"""From a message that a user points at to a pattern that finds messages like it."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+")
_FILE = re.compile(r"\S+\.[A-Za-z]{2,4}\b")
_LAST_WORD = re.compile(r"\S+(?=\s*$)")


def pattern_like(message: str, role: str) -> str:
    """Return a regular expression for messages like one.

    Numbers may be any numbers. For the start of a trial the first number is its label; for an image the
    file name is the image's, else the last word.

    Parameters
    ----------
    message
        The text of a message.
    role
        What such messages do: ``start`` or ``end`` a trial, or name an ``image``.
    """
    if role == "image":
        name = _FILE.search(message) or _LAST_WORD.search(message)
        if name is None:
            return ""
        before, after = message[: name.start()], message[name.end() :]
        found = r"(\S+)" if after.strip() else "(.+)"
        return f"^{_any_numbers(before)}{found}{_any_numbers(after.rstrip())}"
    number = _NUMBER.search(message) if role == "start" else None
    if number is None:
        return f"^{_any_numbers(message)}"
    before, after = message[: number.start()], message[number.end() :]
    return rf"^{_escaped(before)}(\d+){_any_numbers(after)}"


def _any_numbers(text: str) -> str:
    return r"\d+".join(_escaped(part) for part in _NUMBER.split(text))


def _escaped(text: str) -> str:
    # re.escape also escapes blanks and the like, which makes patterns hard to read.
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)
