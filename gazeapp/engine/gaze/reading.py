"""Telling formats apart by what is in a file, and reading it with the reader that fits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ALL, FORMATS, Format, Guess, ReadOptions, matlab
from gazeapp.engine.gaze.formats import table as general_table
from gazeapp.engine.gaze.records import Recording
from gazeapp.engine.gaze.source import Source, Watch

AUTO = "auto"
SURE = 0.5
"""Confidence from which a file counts as one of a format."""


def guess_formats(source: Source, until_certain: bool = False) -> list[tuple[Format, Guess]]:
    """Return the formats that a file could be in, surest first.

    Parameters
    ----------
    source
        The file, or the folder of a data set.
    until_certain
        Whether to stop at the first format that is certain, when only the surest one is wanted.

    Raises
    ------
    GazeError
        When the file is empty or cannot be read.
    """
    if not source.is_folder and not source.head.strip():
        raise source.problem("The file is empty.", "Export the recording again.")
    found = []
    for entry in ALL:
        guess = entry.recognise(source)
        if guess is not None and guess.confidence > 0:
            found.append((entry, guess))
            if until_certain and guess.confidence >= 1:
                break
    # Of two that are equally sure, the more particular one counts; sorting keeps their order.
    return sorted(found, key=lambda pair: -pair[1].confidence)


def expand(paths: Iterable[Path | str]) -> list[Path]:
    """Return the files that paths mean: a folder stands for the recordings in it, unless it is a data set.

    Of a folder, files are taken whose names end as those of a known format; hidden ones are left out.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir() or _is_data_set(path):
            found.append(path)
            continue
        files = (file for file in path.rglob("*") if file.is_file() and is_recording_name(file.name))
        found += sorted(file for file in files if not _is_hidden(file.relative_to(path)))
    return list(dict.fromkeys(found))


def is_recording_name(name: str) -> bool:
    """Return whether a file's name ends as those of a known format; its content may be another's."""
    plain = name.lower().removesuffix(".gz")
    return any(plain.endswith(suffix) for entry in ALL for suffix in entry.suffixes)


def _is_data_set(folder: Path) -> bool:
    return any(guess.confidence >= SURE for _, guess in guess_formats(Source(folder)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_recording(
    path: Path | str,
    format: str = AUTO,
    options: ReadOptions | None = None,
    watch: Watch | None = None,
) -> Recording:
    """Read one eye-tracking file, or the folder of a data set.

    Parameters
    ----------
    path
        The file; gzip is unpacked.
    format
        A key of ``formats.FORMATS``, or ``auto`` to tell by the content.
    options
        What the user says about how to read it.
    watch
        Told how many bytes of how many were read; may raise to stop.

    Returns
    -------
    Recording
        With the confidence of the format and what told it.

    Raises
    ------
    GazeError
        When the file cannot be read, in words for the user.
    """
    source, chosen = Source(path, watch), options or ReadOptions()
    before = source.state()
    entry, guess = _format_of(source, format, chosen)
    contents = entry.read(source, chosen)
    digest = source.sha256()
    if source.state() != before:
        raise source.problem(
            "The file changed while it was read.",
            "Import it again when the program that writes it has finished.",
        )
    return Recording(source.path, digest, entry.id, guess.confidence, guess.reason, contents)


def _format_of(source: Source, format: str, options: ReadOptions) -> tuple[Format, Guess]:
    if format != AUTO:
        if format not in FORMATS:
            known = ", ".join([AUTO, *FORMATS])
            raise GazeError(f"There is no format '{format}'.", todo=f"Choose one of: {known}.")
        if not source.is_folder and not source.head.strip():
            raise source.problem("The file is empty.", "Export the recording again.")
        return FORMATS[format], Guess(1.0, "chosen by the user")
    if options.profile is not None:
        return general_table.FORMAT, Guess(1.0, f"column mapping '{options.profile.name}'")
    found = guess_formats(source, until_certain=True)
    if found and found[0][1].confidence >= SURE:
        return found[0]
    raise _unknown(source)


def _unknown(source: Source) -> GazeError:
    if source.head.startswith(b"SR_RESEARCH"):
        return source.problem(
            "This is EyeLink's own binary .edf file.",
            "Convert it to .asc with edf2asc, which comes with the tracker, and import that.",
        )
    if matlab.is_newest(source.head):
        return matlab.newest_refused(source)
    if not source.is_folder and not source.is_text:
        return source.problem(
            "The file is binary, in no format that gazeapp can read.",
            "Export the fixations as text: CSV in UTF-8, or .asc for EyeLink.",
        )
    if not source.is_folder:
        problem = general_table.what_is_missing(source)
        if problem is not None:
            return problem
    return source.problem(
        "The file is in no format that gazeapp can read.",
        "Name its columns in the import window, or with --column on the command line. "
        f"It reads: {'; '.join(entry.name for entry in ALL)}.",
    )
