"""Reading recordings beside what a user would pick instead, on the same files in one run.

    python benchmarks/gaze.py [--quick] [--json] [--asc FOLDER] [--pymovements PYTHON]

EyeLink .asc files are read to fixations by gazeapp and by pymovements: files that this bench makes up, and
those of a folder. A table of a million fixations is imported into a project (trials matched to images,
fixations marked, human maps made) beside pandas, which reads the same table, groups it into trials and writes
it to SQLite. pymovements is no part of gazeapp; it may be installed beside it, or in an environment
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

GOAL_RATIO, GOAL_MEMORY, GOAL_TABLE_MB = 15.0, 3.0, 500
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

_IMPORT = """
import json, resource, sys, time
from pathlib import Path
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
table, folder, n = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with Project.create(folder / "study.gaze") as project:
    with project.transaction():
        for k in range(n):
            name = f"img{k:05d}.jpg"
            project.images.add(folder / name, name, name, 800, 600, "photograph")
    start = time.process_time()
    summary = import_gaze(project, ImportGazeSettings((table,), task="free"), SILENT)
    seconds = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"fixations": summary.details["fixations"], "seconds": seconds, "peak_mb": peak}))
"""
_PANDAS = """
import json, resource, sqlite3, sys, time
import pandas
start = time.process_time()
table = pandas.read_csv(sys.argv[1])
trials = table.groupby(["subject", "image"], sort=False).ngroup()
table.drop(columns=["subject", "image"]).assign(trial=trials).to_sql(
    "fixations", sqlite3.connect(sys.argv[2] + "/pandas.sqlite"), index=False)
seconds = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"fixations": len(table), "seconds": seconds, "peak_mb": peak}))
"""


def write_table(path: Path, n_images: int, n_subjects: int = 10, n_fixations: int = 10) -> None:
    """Write a table of fixations: ``n_fixations`` of each subject on each image of 800 x 600 px."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="ascii") as out:
        out.write("image,subject,fixation_index,x,y,start_ms,duration_ms\n")
        for image in range(n_images):
            x = rng.uniform(0, 800, (n_subjects, n_fixations))
            y = rng.uniform(0, 600, (n_subjects, n_fixations))
            for subject in range(n_subjects):
                out.writelines(
                    f"img{image:05d}.jpg,s{subject:02d},{k + 1},{x[subject, k]:.1f},{y[subject, k]:.1f},{300 * k},250\n"
                    for k in range(n_fixations)
                )


def table_import(quick: bool, interpreter: str) -> dict[str, Any]:
    """Import a table of a million fixations on 10,000 images, and let pandas store the same table."""
    n_images = 500 if quick else 10_000
    with tempfile.TemporaryDirectory() as made:
        table = Path(made) / "fixations.csv"
        write_table(table, n_images)
        ours = json.loads(_run(sys.executable, _IMPORT, [str(table), made, str(n_images)]))
        theirs = json.loads(_run(interpreter, _PANDAS, [str(table), made]))
        size = table.stat().st_size
    return {
        "what": "a table of fixations into a project",
        "fixations": ours["fixations"],
        "mb": round(size / 1e6, 1),
        "gazeapp_s": round(ours["seconds"], 2),
        "pandas_s": round(theirs["seconds"], 2),
        "ratio": round(theirs["seconds"] / ours["seconds"], 2),
        "gazeapp_peak_mb": round(ours["peak_mb"]),
        "pandas_peak_mb": round(theirs["peak_mb"]),
        "memory_goal_mb": GOAL_TABLE_MB,
    }


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
    table = table_import(arguments.quick, arguments.pymovements)
    figures = {
        "benchmark": "gaze",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "asc": reading,
        "table": table,
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
    print(f"{table['fixations']:,} fixations of a table of {table['mb']} MB into a project: ", end="")
    print(
        f"{table['gazeapp_s']} s, at most {table['gazeapp_peak_mb']} MB (goal {GOAL_TABLE_MB} MB); ", end=""
    )
    print(f"pandas to SQLite {table['pandas_s']} s, {table['pandas_peak_mb']} MB; {table['ratio']} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
