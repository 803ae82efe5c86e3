"""Text of users in pages of Markdown."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is, on one line, and that a table can hold."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|~" else sign for sign in " ".join(text.split()))
