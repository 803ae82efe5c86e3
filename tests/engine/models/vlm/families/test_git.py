from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.vlm.capture.capture import Capture
from gazeapp.engine.models.vlm.families.git import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import keep_patches_apart, settle, sharpen, tokenizer


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    from transformers import CLIPImageProcessor, GitConfig, GitForCausalLM, GitProcessor

    words = tokenizer()
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    config = GitConfig(
        vision_config={**size, "num_hidden_layers": 1, "image_size": 64, "patch_size": 8},
        vocab_size=len(words),
        num_hidden_layers=2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        max_position_embeddings=256,
        **size,
    )
    pictures = CLIPImageProcessor(size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64})
    network = settle(GitForCausalLM(config))
    keep_patches_apart(network.git.image_encoder)
    made = checks.wrap(network, GitProcessor(pictures, words), FAMILY)
    sharpen([tap.module.query for tap in made.taps], 4.0)
    return made


def _projected(model: VisionLanguageModel, image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Return how much each projected patch changes from one picture to the other."""
    found = []
    for picture in (image, painted):
        prepared = checks.prepare(model, picture)
        with torch.no_grad():
            states = model.network.git.image_encoder(prepared.inputs["pixel_values"]).last_hidden_state
            seen = model.network.git.visual_projection(states)[0]
        found.append(seen[torch.as_tensor(prepared.layout.columns)].numpy())
    return np.linalg.norm(found[1] - found[0], axis=1).astype(np.float32)


def test_git(model: VisionLanguageModel) -> None:
    assert [tap.layer for tap in model.taps] == [0, 1]
    # Norms before and behind the encoder make a patch that is painted in part nearly as loud as a whole one, so that
    # a high power would follow chance; hardly anything of it is heard elsewhere.
    checks.check_all(model, ((128, 128), (160, 128)), power=2, loud=_projected)


def test_only_the_generated_rows_lose_the_keys_where_asked(model: VisionLanguageModel) -> None:
    """The prompt's rows are intact, so that the first word's row differs from that of a model masked in all rows."""
    prepared = checks.prepare(model, checks.noise(128, 128))
    n_image = 1 + prepared.layout.columns.size
    assert prepared.first_text_row == n_image
    assert prepared.n_rows == n_image + prepared.inputs["input_ids"].shape[1]
    for first in (0, n_image, prepared.n_rows - 1):
        checks.check_only_later_rows_lose_keys(model, prepared, first)


def test_marks_in_the_prompt_are_refused(model: VisionLanguageModel) -> None:
    checks.check_marks_are_refused(model, "</s>")


def test_without_a_prompt_the_caption_starts_freely(model: VisionLanguageModel) -> None:
    image = Image.fromarray(checks.noise(128, 128))
    bare = FAMILY.prepare(model.processor, model.network.config, image, "")
    assert bare.inputs["input_ids"].tolist() == [[1]]
    begun = FAMILY.prepare(model.processor, model.network.config, image, "a")
    assert begun.inputs["input_ids"].shape == (1, 2)
    free = model.describe(
        np.asarray(image), "general", options=DescribeOptions(decoding=checks.OPTIONS.decoding)
    )
    with torch.no_grad():
        # Greedy words from the whole sequence anew at each step, without a cache.
        ids, said = torch.tensor([[1]]), []
        for _ in range(checks.TOKENS):
            logits = model.network(ids, pixel_values=bare.inputs["pixel_values"], use_cache=False).logits
            said.append(int(logits[0, -1].argmax()))
            ids = torch.cat([ids, torch.tensor([[said[-1]]])], dim=1)
    assert free.facts["tokens"] == said
    assert free.prompt == ""


def test_a_capture_without_hooks_fails_loudly(model: VisionLanguageModel) -> None:
    checks.check_a_capture_without_hooks_fails(model)


def test_hooks_are_gone_after_an_error(model: VisionLanguageModel) -> None:
    module = model.taps[1].module
    hooks = (module._forward_hooks, module._forward_pre_hooks)
    before = [list(kind) for kind in hooks]
    with (
        pytest.raises(GazeError, match="broken"),
        FAMILY.capturing(model.network, Capture(model.taps, np.arange(4))),
    ):
        _break([list(kind) for kind in hooks] != before)
    assert [list(kind) for kind in hooks] == before


def _break(hooks_are_there: bool) -> None:
    raise GazeError("broken" if hooks_are_there else "nobody listened")


def test_a_model_for_videos_is_refused(model: VisionLanguageModel) -> None:
    from transformers import GitConfig

    image = Image.fromarray(checks.noise(64, 64))
    with pytest.raises(GazeError, match="videos of 6 frames"):
        FAMILY.prepare(model.processor, GitConfig(num_image_with_embedding=6), image, "")


def test_the_family_loads_what_such_checkpoints_hold(model: VisionLanguageModel, tmp_path: Any) -> None:
    checks.check_saved_and_loaded(model, "git", tmp_path)


def test_half_precision(model: VisionLanguageModel) -> None:
    checks.check_half_precision(model)


def test_git_at_its_real_size() -> None:
    from transformers import CLIPImageProcessor, GitConfig, GitProcessor

    processor = GitProcessor(CLIPImageProcessor(), tokenizer())
    image = Image.fromarray(checks.noise(640, 480))
    prepared = FAMILY.prepare(processor, GitConfig(), image, "")
    (view,) = prepared.layout.views
    assert tuple(prepared.inputs["pixel_values"].shape) == (1, 3, 224, 224)
    assert view.columns.tolist() == (1 + np.arange(196).reshape(14, 14)).tolist()
    # The picture becomes 298 x 224 px, of which 37 are cut off on the left and on the right.
    assert view.column_edges.tolist() == pytest.approx(((37 + 16 * np.arange(15)) * 640 / 298).tolist())
    assert view.row_edges.tolist() == pytest.approx((np.arange(15) * 480 / 14).tolist())
    assert (prepared.n_rows, prepared.first_text_row) == (198, 197)


def _one_pass(
    model: VisionLanguageModel, prepared: Any, tokens: tuple[int, ...], share: np.ndarray, first: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Read text and tokens at once, with each layer's softmax multiplied by what stays and normalised anew."""
    ids = torch.cat([prepared.inputs["input_ids"], torch.tensor([tokens])], dim=1)
    keep = torch.ones(prepared.n_rows + len(tokens), prepared.n_rows + len(tokens))
    keep[first:, prepared.layout.columns] = torch.as_tensor(1.0 - share, dtype=torch.float32)
    place = slice(prepared.n_rows - 1, prepared.n_rows - 1 + len(tokens))
    rows: list[torch.Tensor] = []

    def softmax(scores: torch.Tensor, dim: int, dtype: Any = None) -> torch.Tensor:
        if dtype is not None:  # the vision encoder's
            return torch.softmax(scores, dim, dtype)
        left = torch.softmax(scores, dim) * keep
        weights = left / left.sum(dim, keepdim=True)
        rows.append(weights[0, :, place, prepared.layout.columns])
        return weights

    from transformers.models.git import modeling_git

    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(modeling_git.nn.functional, "softmax", softmax)
        states = model.network(ids, pixel_values=prepared.inputs["pixel_values"], use_cache=False)
    return states.logits[0, -len(tokens) - 1 : -1], torch.stack(rows).permute(2, 0, 1, 3)


def test_given_words_have_the_numbers_of_one_pass_over_them(model: VisionLanguageModel) -> None:
    forced_checks.check_forced(model, checks.noise(160, 128), read=_one_pass)
