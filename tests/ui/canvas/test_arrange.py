"""The grid of panes."""

from __future__ import annotations

import pytest

from gazeapp.ui.canvas.arrange import best_columns


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [(5, 1000, 500, 3), (5, 400, 2000, 1), (5, 2400, 300, 5), (1, 800, 600, 1), (2, 1000, 400, 2)],
)
def test_columns_make_the_pictures_largest(count, width, height, columns) -> None:
    assert best_columns(count, width, height, 4 / 3, 70, (16, 16)) == columns
