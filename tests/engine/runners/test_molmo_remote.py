"""The script around Molmo's own code: its arithmetic, beside a stand-in of the authors' attention method.

The authors' code and weights are not here; what the script does with them is not tested.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gazeapp.engine.models.vlm.molmo_7b_d.geometry import TOKEN, Canvas, Geometry
from gazeapp.engine.resources import resource_path
from gazeapp.engine.runners.script import find_scripts, read_script

PATCH, ROW_END, OTHER = 7, 8, 0
SIZES = [(300, 300), (640, 300), (600, 450), (200, 900)]
"""Width and height, px."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(resource_path("runners")))
    try:
        path = resource_path("runners", "templates", "molmo_remote.py")
        spec = importlib.util.spec_from_file_location("molmo_remote", path)
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    finally:
        sys.path.pop(0)
    return module


def test_its_head_can_be_read_and_it_is_not_listed_before_it_is_filled_in(tmp_path: Path) -> None:
    template = read_script(resource_path("runners", "templates", "molmo_remote.py"))
    assert "transformers==4.53.3" in template.dependencies
    assert template.methods == ("mean", "overview", "detail")
    assert "molmo_remote" not in {script.id for script in find_scripts(tmp_path)[0]}


def prompt_of(geometry: Geometry) -> np.ndarray:
    ids = np.full(geometry.text_start + 5, OTHER)
    for positions in (geometry.overview_positions, geometry.detail_positions):
        ids[positions] = PATCH
        ids[positions[:, -1] + 1] = ROW_END
    return ids


@pytest.mark.parametrize("size", SIZES)
def test_tokens_are_found_where_the_apps_own_molmo_puts_them(
    script: ModuleType, size: tuple[int, int]
) -> None:
    geometry = Geometry.of_image(*size)
    overview, detail = script.token_grids(prompt_of(geometry), PATCH, ROW_END)
    np.testing.assert_array_equal(overview, geometry.overview_positions)
    np.testing.assert_array_equal(detail, geometry.detail_positions)


def test_a_prompt_of_another_layout_is_refused(script: ModuleType) -> None:
    ids = prompt_of(Geometry.of_image(300, 300))
    ids[np.flatnonzero(ids == PATCH)[-1]] = OTHER
    with pytest.raises(script.RunnerError, match="laid out"):
        script.token_grids(ids, PATCH, ROW_END)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["overview", "detail"])
def test_a_loud_token_is_loud_on_its_part_of_the_image(
    script: ModuleType, size: tuple[int, int], view: str
) -> None:
    geometry = Geometry.of_image(*size)
    grids = {"overview": (12, 12), "detail": geometry.detail_grid}
    canvas: Canvas = getattr(geometry, view)
    rows, columns = grids[view]
    first = 0 if view == "overview" else 144
    width, height = size
    for row, column in ((rows // 2, columns // 2), (rows // 3, columns // 2 - 1)):
        attention = np.zeros((1, 144 + geometry.detail_grid[0] * geometry.detail_grid[1]))
        attention[0, first + row * columns + column] = 0.3
        for method in ("mean", view):
            heat = script.image_maps(attention, (12, 12), geometry.detail_grid, size, method)[0]
            assert heat.shape == geometry.detail_grid
            assert heat.sum() == pytest.approx(0.3)
            # Where the token's own pixels lie, by the geometry of the app's own Molmo.
            x = ((column + 0.5) * TOKEN - canvas.left) * width / canvas.scaled_width
            y = ((row + 0.5) * TOKEN - canvas.top) * height / canvas.scaled_height
            cells_y, cells_x = np.indices(heat.shape)
            found_x = (heat * (cells_x + 0.5)).sum() / heat.sum() * width / heat.shape[1]
            found_y = (heat * (cells_y + 0.5)).sum() / heat.sum() * height / heat.shape[0]
            # The middle of what is spread over whole cells is known to half a cell.
            assert abs(found_x - x) <= 0.5 * width / heat.shape[1]
            assert abs(found_y - y) <= 0.5 * height / heat.shape[0]


def test_even_attention_stays_even_and_the_border_gets_none(script: ModuleType) -> None:
    # On a canvas of 12 x 12 tokens, 336 px, the image of 300 x 150 px is 336 x 168 px: 3 rows of border on each side.
    down, across = (script.shares((12, 12), (300, 150), axis, 6) for axis in (0, 1))
    np.testing.assert_allclose(across, np.kron(np.eye(6), [[1, 1]]))
    np.testing.assert_array_equal(down.sum(axis=0), [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(down[:, 3:9], np.eye(6))


class Block:
    """A stand-in with the shapes that the authors' method has: grouped keys, additive mask or causal."""

    def __init__(self) -> None:
        self.full: list[Any] = []

    def _scaled_dot_product_attention(
        self, q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False
    ) -> Any:
        import torch

        groups = q.shape[1] // k.shape[1]
        keys, values = (part.repeat_interleave(groups, dim=1) for part in (k, v))
        n, m = q.shape[2], k.shape[2]
        bias = torch.zeros(n, m) if attn_mask is None else attn_mask
        if is_causal:
            bias = bias.masked_fill(torch.ones(n, m).tril(m - n) == 0, float("-inf"))
        # Each row and head apart, as the formula says it.
        rows = [
            [
                torch.softmax(
                    (keys[0, h] @ q[0, h, i]) / q.shape[-1] ** 0.5
                    + torch.broadcast_to(bias, (1, 1, n, m))[0, 0, i],
                    0,
                )
                for i in range(n)
            ]
            for h in range(q.shape[1])
        ]
        weights = torch.stack([torch.stack(head) for head in rows])
        self.full.append(weights)
        return weights[None] @ values


def test_attention_is_read_out_as_it_was_used_and_nothing_is_changed(script: ModuleType) -> None:
    import torch

    torch.manual_seed(2)
    plain, blocks = [Block(), Block()], [Block(), Block()]
    listener = script.Listener(blocks)
    columns = np.array([1, 2, 4])
    listener.start(columns)
    steps = [(5, 5, True, False), (1, 6, False, False), (1, 7, False, True)]
    expected = []
    for n, m, causal, masked in steps:
        mask = torch.randn(1, 1, n, m) if masked else None
        for block, other in zip(blocks, plain, strict=True):
            q, k, v = torch.randn(1, 6, n, 8), torch.randn(1, 2, m, 8), torch.randn(1, 2, m, 8)
            got = block._scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
            want = other._scaled_dot_product_attention(q, k, v, mask, 0.0, causal)
            assert torch.equal(got, want)
        expected.append(np.mean([other.full[-1][:, -1].mean(0).numpy()[columns] for other in plain], axis=0))
    rows = listener.rows(3)
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    with pytest.raises(script.RunnerError, match="not heard"):
        listener.rows(4)
    listener.start(columns)
    with pytest.raises(script.RunnerError, match="not heard"):
        listener.rows(3)


def test_code_that_attends_in_another_way_is_refused(script: ModuleType) -> None:
    with pytest.raises(script.RunnerError, match="another way"):
        script.Listener([object()])


def test_texts_wait_for_characters_of_several_tokens(script: ModuleType) -> None:
    parts = [b"A", b" caf", b"\xc3", b"\xa9", b"."]
    decode = lambda tokens: b"".join(parts[t] for t in tokens).decode("utf-8", "replace")  # noqa: E731
    assert script.texts([0, 1, 2, 3, 4], decode) == ["A", " caf", "", "é", "."]
    assert script.texts([0, 2], decode) == ["A", "\ufffd"]


def test_it_does_not_run_code_of_no_named_revision(script: ModuleType) -> None:
    assert script.REVISION == ""
    with pytest.raises(script.RunnerError, match="No revision"):
        script.load(lambda *_: None)
