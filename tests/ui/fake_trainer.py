"""Stands in for a training: writes the files that one writes, a step every few milliseconds, and loads nothing."""

import json
import os
import sys
import time
from pathlib import Path


def main(words):
    if "--settings" in words:
        folder = Path(words[words.index("--settings") + 1]).parent.parent
    else:
        folder = Path(words[words.index("--output") + 1])
    file = folder / "training" / "settings.json"
    if file.exists():
        settings = json.loads(file.read_text())
    else:
        settings = {"encoder": "cnn", "decoder": "lstm", "steps": int(words[words.index("--steps") + 1])}
    notes, steps = folder / "training", settings["steps"]
    notes.mkdir(parents=True, exist_ok=True)
    (notes / "settings.json").write_text(json.dumps(settings))
    status = notes / "status.json"
    first = json.loads(status.read_text())["step"] if status.exists() else 0

    def say(state, step, message=""):
        told = {"state": state, "step": step, "steps": steps, "message": message}
        partial = status.with_suffix(".partial")
        partial.write_text(json.dumps({**told, "pid": os.getpid(), "updated": time.time()}))
        partial.replace(status)

    for step in range(first + 1, steps + 1):
        with (notes / "history.jsonl").open("a") as file:
            file.write(
                json.dumps({"step": step, "loss": 5 / step, "rate": 1e-3, "seconds": step / 50}) + "\n"
            )
        say("running", step)
        if (notes / "stop").exists():
            (notes / "stop").unlink()
            say("stopped", step)
            return 0
        if settings.get("breaks_at") == step:
            sys.stderr.write("The disk is full.\n")
            return 1
        time.sleep(0.02)
    (folder / "weights.safetensors").write_bytes(b"")
    say("finished", steps)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
