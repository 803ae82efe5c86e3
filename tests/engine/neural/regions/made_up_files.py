"""Files of regions, written with nibabel or by hand, with what they hold."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.freesurfer import write_annot
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable
from nibabel.nifti1 import intent_codes

from gazeapp.engine.neural.surface.mesh import load_mesh

SIDES = {"lh": "left", "rh": "right"}


def numbers(letter: str, n: int = 10_242, n_regions: int = 5) -> np.ndarray:
    """Return a number from 0 to ``n_regions`` for each vertex; 0, on the medial wall, is no region."""
    rng = np.random.default_rng(n + (letter == "rh"))
    values = rng.integers(1, n_regions + 1, n)
    values[:10_242][~load_mesh("flat", SIDES[letter]).used] = 0
    return values


def annot(path: Path, values: np.ndarray, names: list[str]) -> Path:
    """Write an annotation in which value k is called ``names[k]``."""
    rng = np.random.default_rng(len(names))
    colours = np.c_[rng.permutation(len(names)) + 1, rng.integers(0, 255, (len(names), 3))]
    table = np.c_[colours[:, [0, 1, 2]], np.zeros(len(names), int), np.zeros(len(names), int)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_annot(path, values, table, names, fill_ctab=True)
    return path


def volume(path: Path, values: np.ndarray) -> Path:
    """Write a volume with a value for each vertex."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.MGHImage(values.reshape(-1, 1, 1), np.eye(4)), path)
    return path


def gifti(path: Path, values: np.ndarray, names: dict[int, str], structure: str = "", maps: int = 1) -> Path:
    """Write a label file."""
    table = GiftiLabelTable()
    for key, name in names.items():
        label = GiftiLabel(key, 0.5, 0.5, 0.5, 1.0)
        label.label = name
        table.labels.append(label)
    arrays = [
        GiftiDataArray(values.astype(np.int32), intent_codes["NIFTI_INTENT_LABEL"], "NIFTI_TYPE_INT32")
        for _ in range(maps)
    ]
    image = GiftiImage(labeltable=table, darrays=arrays)
    if structure:
        image.meta["AnatomicalStructurePrimary"] = structure
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def label(path: Path, vertices: list[int], places: np.ndarray | None = None) -> Path:
    """Write a FreeSurfer label; without places all of them are 0."""
    where = np.zeros((len(vertices), 3)) if places is None else places
    rows = [f"{v}  {x:.3f}  {y:.3f}  {z:.3f} 0.0" for v, (x, y, z) in zip(vertices, where, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!ascii label  , from subject fsaverage", str(len(vertices)), *rows]) + "\n")
    return path
