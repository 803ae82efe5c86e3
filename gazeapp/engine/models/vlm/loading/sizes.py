"""Sizes as people read them."""

from __future__ import annotations


def readable(size: float) -> str:
    """Return bytes as ``16.1 GB``, ``250 MB`` or ``3 kB``; 1 GB is 10^9 bytes."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    if size >= 1e6:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e3:.0f} kB"
