"""Where the files that ship beside the code are: templates, icons, demo weights."""

from __future__ import annotations

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
