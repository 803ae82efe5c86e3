"""Small runner scripts, written by the tests; none needs anything but Python."""

from __future__ import annotations

from pathlib import Path

HEAD = """# /// script
# requires-python = ">=3.11"
# dependencies = [{dependencies}]
#
# [tool.gazeapp]
# name = "A test"
# description = "Does as the test says."
# licence = "MIT"
# download = "nothing"
# actions = {actions}
# methods = ["raw"]
# ///
"""

RUN_HEAD = HEAD.format(dependencies="", actions='["run"]')

SERVED = (
    RUN_HEAD
    + """
import os, subprocess, sys, time
from gazeapp_runner import RunnerError, serve

calls = 0


def run(request, progress):
    global calls
    calls += 1
    do = request.values["do"]
    if do == "echo":
        print("stray print")
        os.system("echo stray child")
        progress(1, 2, "half")
        (request.folder / "made.txt").write_text("made")
        seen = {"pid": os.getpid(), "calls": calls, "cwd": os.getcwd(), "path": sys.path[0], "file": __file__}
        seen["leaked"] = [name for name in ("PYTHONPATH", "PYTHONHOME") if name in os.environ]
        return {"values": {"said": request.values.get("said"), **seen}, "files": ["made.txt"]}
    if do == "fail":
        raise RunnerError("The picture is too dark.", "Use a brighter one.")
    if do == "trip":
        return {"values": 1 / 0}
    if do == "memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 97.12 GiB")
    if do == "die":
        print("about to die", file=sys.stderr)
        os._exit(7)
    if do == "sleep":
        child = subprocess.Popen(["sleep", "600"])
        progress(0, 1, f"{os.getpid()} {child.pid}")
        time.sleep(600)
    if do == "files":
        (request.folder / "link").symlink_to("/etc/passwd")
        return {"files": request.values["files"]}
    return {}


serve(run=run)
"""
)

RAW = (
    RUN_HEAD
    + """
import sys
print('{{"gazeapp": "ready", "protocol": {protocol}}}', flush=True)
for line in sys.stdin:
    print({said!r}, flush=True)
"""
)
"""Speaks the protocol by hand and answers every request with one line."""


def write(folder: Path, text: str, name: str = "test_runner.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path
