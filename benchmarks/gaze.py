"""Reading recordings beside what a user would pick instead, on the same files in one run.

    python benchmarks/gaze.py [--quick] [--json] [--asc FOLDER] [--pymovements PYTHON]

EyeLink .asc files are read to fixations by gazeapp and by pymovements: files that this bench makes up, and
those of a folder. pymovements is no part of gazeapp; it may be installed beside it, or in an environment
of its own (`python -m venv ENV; ENV/bin/pip install pymovements`) whose interpreter --pymovements names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

GOAL_RATIO, GOAL_MEMORY = 15.0, 3.0
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}

_TIMED = """
import json, sys, time, tracemalloc
repeats = int(sys.argv[1])
{load}
def fixations(path):
    try:
        return {count}
    except Exception as error:  # what it cannot read counts for neither side
        return f"{{type(error).__name__}}: {{error}}"
figures = []
for path in sys.argv[2:]:
    count, times = fixations(path), []
    for _ in range(repeats):
        start = time.process_time()
        fixations(path)
        times.append(time.process_time() - start)
    figures.append({{"fixations": count, "seconds": min(times)}})
print(json.dumps(figures))
"""
_OURS = _TIMED.format(
    load="from gazeapp.engine.gaze.reading import read_recording",
    count="len(read_recording(path).fixations)",
)
_THEIRS = _TIMED.format(
    load="import warnings; warnings.simplefilter('ignore'); import pymovements",
    count="int((pymovements.gaze.from_asc(path, events=True).events.frame['name'] == 'fixation_eyelink').sum())",
)
_MEMORY = """
import sys, tracemalloc
from gazeapp.engine.gaze.reading import read_recording
read_recording(sys.argv[1])
tracemalloc.start()
read_recording(sys.argv[1])
print(tracemalloc.get_traced_memory()[1])
"""


def write_asc(path: Path, n_trials: int, rate: int, eyes: str, seed: int = 0) -> None:
    """Write a recording as edf2asc does: trials of 4 s with fixations, saccades, a blink and messages.

    Parameters
    ----------
    path
        Where to write it.
    n_trials
        Trials of 4 s.
    rate
        Samples in a second, Hz; at most 1000.
    eyes
        ``L``, ``R`` or ``LR``.
    """
    rng = np.random.default_rng(seed)
    names = "\t".join({"L": "LEFT", "R": "RIGHT"}[eye] for eye in eyes)
    step, flags = 1000 // rate, "....." if len(eyes) == 2 else "..."
    lines = [
        "** CONVERTED FROM made_up.edf using edfapi 4.2.1",
        "** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED",
        "**",
        "MSG\t900 DISPLAY_COORDS 0 0 1919 1079",
    ]
    clock = 1000
    for trial in range(n_trials):
        lines += [f"MSG\t{clock} TRIALID {trial}", f"MSG\t{clock + 5} !V IMGLOAD FILL images/{trial:04d}.jpg"]
        clock += 20
        lines += [
            f"START\t{clock} \t{names}\tSAMPLES\tEVENTS",
            f"EVENTS\tGAZE\t{names}\tRATE\t{rate:7.2f}\tTRACKING\tCR\tFILTER\t2",
            f"SAMPLES\tGAZE\t{names}\tRATE\t{rate:7.2f}\tTRACKING\tCR\tFILTER\t2",
        ]
        end = clock + 4000
        blink = int(rng.integers(500, 3000)) + clock
        while clock + 400 < end:
            x, y = rng.uniform(100, 1800), rng.uniform(100, 980)
            duration = int(rng.integers(150, 350)) // step * step
            lines += [f"SFIX {eye}   {clock}" for eye in eyes]
            for t in range(clock, clock + duration + 40, step):
                lost = blink <= t < blink + 100
                dx, dy = rng.normal(0, 2, 2)
                one = "   .\t   .\t    0.0" if lost else f"{x + dx:7.1f}\t{y + dy:7.1f}\t {900 + dx:6.1f}"
                lines.append("\t".join([f"{t}", *([one] * len(eyes)), flags]))
                if t == clock + duration - step:
                    mean = f"{clock}\t{t}\t{duration}\t{x:7.1f}\t{y:7.1f}\t    900"
                    lines += [f"EFIX {eye}   {mean}" for eye in eyes]
            clock += duration + 40
        lines += [
            f"END\t{clock} \tSAMPLES\tEVENTS\tRES\t  35.19\t  35.15",
            f"MSG\t{clock + 5} TRIAL_RESULT 0",
        ]
        clock += 500
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def asc_reading(quick: bool, folder: Path | None, interpreter: str) -> dict[str, Any]:
    """Time EyeLink .asc files to fixations on both sides, and measure the memory of the largest one.

    Seconds are processor time, the shortest of some readings with everything imported.
    """
    with tempfile.TemporaryDirectory() as made:
        large, small = Path(made) / "one_eye_1000_hz.asc", Path(made) / "two_eyes_500_hz.asc"
        write_asc(large, 40 if quick else 250, 1000, "L")
        write_asc(small, 20 if quick else 120, 500, "LR", seed=1)
        files = [large, small, *(sorted(folder.glob("*.asc")) if folder else [])]
        repeats = 2 if quick else 3
        ours = _timed(sys.executable, _OURS, repeats, files)
        theirs = _timed(interpreter, _THEIRS, repeats, files)
        rows = [
            {
                "file": file.name,
                "mb": round(file.stat().st_size / 1e6, 3),
                "gazeapp_s": round(mine["seconds"], 5),
                "pymovements_s": round(other["seconds"], 5) if isinstance(other["fixations"], int) else None,
                "gazeapp_fixations": mine["fixations"],
                "pymovements_fixations": other["fixations"],
            }
            for file, mine, other in zip(files, ours, theirs, strict=True)
        ]
        peak = int(_run(sys.executable, _MEMORY, [str(large)]))
        size = large.stat().st_size
    both = [row for row in rows if row["pymovements_s"] is not None]
    total_ours, total_theirs = (sum(row[key] for row in both) for key in ("gazeapp_s", "pymovements_s"))
    for row in both:
        row["ratio"] = round(row["pymovements_s"] / row["gazeapp_s"], 1)
    return {
        "what": "EyeLink .asc to fixations, files that both can read",
        "files": rows,
        "gazeapp_s": round(total_ours, 4),
        "pymovements_s": round(total_theirs, 4),
        "gazeapp_mb_per_s": round(sum(row["mb"] for row in both) / total_ours, 1),
        "ratio": round(total_theirs / total_ours, 1),
        "goal": GOAL_RATIO,
        "peak_memory_of_file_size": round(peak / size, 2),
        "memory_goal": GOAL_MEMORY,
    }


def _timed(interpreter: str, program: str, repeats: int, files: list[Path]) -> list[dict[str, Any]]:
    return json.loads(_run(interpreter, program, [str(repeats), *map(str, files)]))


def _run(interpreter: str, program: str, arguments: list[str]) -> str:
    done = subprocess.run(
        [interpreter, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **_ENVIRONMENT},
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def _has_pymovements(interpreter: str) -> bool:
    found = subprocess.run([interpreter, "-c", "import pymovements"], capture_output=True, check=False)
    return found.returncode == 0


def main() -> int:
    """Run the benchmark and print its figures; 2 when pymovements is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller files and fewer repeats")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--asc", type=Path, help="folder of .asc files to read as well")
    parser.add_argument(
        "--pymovements",
        default=os.environ.get("PYMOVEMENTS_PYTHON", sys.executable),
        help="interpreter of an environment with pymovements (or set PYMOVEMENTS_PYTHON)",
    )
    arguments = parser.parse_args()
    if not _has_pymovements(arguments.pymovements):
        print(
            "This benchmark compares with pymovements, which that interpreter does not have. Install it in an "
            "environment of its own and name that with --pymovements ENV/bin/python.",
            file=sys.stderr,
        )
        return 2
    reading = asc_reading(arguments.quick, arguments.asc, arguments.pymovements)
    figures = {
        "benchmark": "gaze",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "asc": reading,
        "ratio": reading["ratio"],
    }
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return 0
    print(f"EyeLink .asc to fixations, one thread ({figures['machine']})")
    for row in reading["files"]:
        theirs = f"{row['pymovements_s']:8.4f} s" if row["pymovements_s"] is not None else "cannot read"
        ratio = f"{row['ratio']:6.1f} x" if "ratio" in row else ""
        print(f"{row['file'][:44]:44s} {row['mb']:7.2f} MB   gazeapp {row['gazeapp_s']:8.4f} s   ", end="")
        print(f"pymovements {theirs}  {ratio}   {row['gazeapp_fixations']} fixations")
    print(f"all files that both can read: {reading['ratio']} x (goal {GOAL_RATIO:.0f} x), ", end="")
    print(f"{reading['gazeapp_mb_per_s']} MB/s")
    print(f"peak memory: {reading['peak_memory_of_file_size']} x the file (goal {GOAL_MEMORY:.0f} x)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
