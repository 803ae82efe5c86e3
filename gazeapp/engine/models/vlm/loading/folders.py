"""The folders of models that the user added to the list, kept in one small file of their settings."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.checkpoint import FOLDER, Checkpoint, read_checkpoint
from gazeapp.engine.user_file import read_entries, write_values

_FORMAT = "gazeapp model folders"


class ModelFolders:
    """The user's own model folders, in one JSON file.

    Parameters
    ----------
    path
        The file; ``model-folders.json`` in the user's settings folder when None. It need not be there yet.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else _default_file()

    def all(self) -> tuple[Path, ...]:
        """Return the folders in the order in which they were added; none when the file is missing or damaged."""
        return tuple(Path(str(folder)) for folder in read_entries(self.path, _FORMAT, "folders"))

    def add(self, folder: Path) -> Checkpoint:
        """Add a folder, once its model could be described.

        Raises
        ------
        GazeError
            When there is no model that can be used, or the list cannot be written.
        """
        folder = folder.expanduser().resolve()
        if not folder.is_dir():
            raise GazeError(
                "There is no such folder.", where=str(folder), todo="Check the path of the model."
            )
        checkpoint = read_checkpoint(folder, str(folder), FOLDER)
        self.keep(folder)
        return checkpoint

    def keep(self, folder: Path) -> None:
        """Put a folder that is known to hold a model on the list, by its whole path.

        Raises
        ------
        GazeError
            When the list cannot be written.
        """
        if folder not in self.all():
            self._write((*self.all(), folder))

    def remove(self, folder: Path) -> None:
        """Take a folder off the list; its files stay.

        Raises
        ------
        GazeError
            When the list cannot be written.
        """
        gone = folder.expanduser().resolve()
        kept = tuple(path for path in self.all() if path not in (folder, gone))
        if len(kept) < len(self.all()):
            self._write(kept)

    def _write(self, folders: tuple[Path, ...]) -> None:
        values = {"format": _FORMAT, "version": 1, "folders": [str(folder) for folder in folders]}
        write_values(self.path, values, "The list of model folders cannot be written")


def _default_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("gazeapp", appauthor=False) / "model-folders.json"
