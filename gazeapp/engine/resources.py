"""Where data files are: those that ship beside the code, and those that other packages bring."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import gazeapp


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder that ships with gazeapp.

    An installed package has its resources inside itself; a checkout has them beside the package.

    Parameters
    ----------
    parts
        Path below the resources folder, such as ``"report", "report.html.jinja"``.
    """
    package = Path(gazeapp.__file__).resolve().parent
    inside = package / "resources"
    root = inside if inside.is_dir() else package.parent / "resources"
    return root.joinpath(*parts)


def package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without running any of it; None where it is not installed.

    A frozen gazeapp has only the data files of some packages, in a folder of their name.
    """
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) if places else None
