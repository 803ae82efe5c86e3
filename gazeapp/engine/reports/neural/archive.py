"""What encoding models predict, and how well each vertex is predicted, as arrays and surface files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.records import N_HEMISPHERE
from gazeapp.engine.project import Project
from gazeapp.engine.reports.archive import member
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.reports.neural.tidy import NeuralTables, key_of
from gazeapp.engine.types import FloatArray


def write_predictions(project: Project, tables: NeuralTables, path: Path) -> Iterator[str]:
    """Write what encoding models predict out of fold, yielding the key of each when it is written.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    names = {image.id: image.name for image in project.images.all()}
    with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for _, row in tables.each():
            key = key_of(row)
            _write(archive, f"{key}_predictions", row.predictions.astype("<f4"))
            _write(archive, f"{key}_observed", row.observed.astype("<f4"))
            _write(archive, f"{key}_means", row.means)
            _write(archive, f"{key}_fold", row.fold.astype("<i4"))
            _write(archive, f"{key}_regions", np.array(row.regions, dtype=np.str_))
            _write(
                archive, f"{key}_images", np.array([names.get(one, "") for one in row.images], dtype=np.str_)
            )
            yield key


def write_vertex_scores(project: Project, tables: NeuralTables, folder: Path, name: str) -> Iterator[str]:
    """Write the correlation at each vertex as an archive and as GIFTI files, yielding the key of each.

    Raises
    ------
    GazeError
        If a file cannot be written; an older one stays as it was.
    """
    with replacing(folder / name) as partial, zipfile.ZipFile(partial, "w") as archive:
        for about, place in tables.vertices.items():
            values = project.encodings.vertex_map(*about)
            if values is None:
                continue
            _write(archive, place.key, values.astype("<f4"))
            for file, side, half in (
                (place.left_file, "CortexLeft", values[:N_HEMISPHERE]),
                (place.right_file, "CortexRight", values[N_HEMISPHERE:]),
            ):
                _write_gifti(folder / file, side, half)
            yield place.key


def _write(archive: zipfile.ZipFile, key: str, values: NDArray[np.generic]) -> None:
    with archive.open(member(key), "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)


def _write_gifti(path: Path, side: str, values: FloatArray) -> None:
    import nibabel

    gifti: Any = nibabel.gifti
    data = gifti.GiftiDataArray(
        np.ascontiguousarray(values, dtype=np.float32),
        intent="NIFTI_INTENT_CORREL",
        datatype="NIFTI_TYPE_FLOAT32",
    )
    image = gifti.GiftiImage(darrays=[data], meta=gifti.GiftiMetaData(AnatomicalStructurePrimary=side))
    with replacing(path) as partial:
        partial.write_bytes(image.to_bytes())
