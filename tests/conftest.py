"""Tests need no screen, and one thread each: set before Qt and numpy are first imported."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Two workers with two threads each wait for each other; small arrays are done sooner by one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
