# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#   "transformers==4.53.3",
#   "torch>=2.6,<2.9",
#   "torchvision",
#   "accelerate",
#   "einops",
#   "numpy",
#   "pillow",
#   "tensorflow-cpu>=2.16,<2.20; platform_machine == 'x86_64'",
#   "tensorflow>=2.16,<2.20; platform_machine != 'x86_64'",
# ]
#
# [tool.gazeapp]
# name = "Molmo 7B-D by its authors' code (never run with its weights)"
# description = "Runs the code in the checkpoint, to compare gazeapp's own Molmo with. Copy it and fill in REVISION."
# licence = "MIT for this script; the checkpoint's own for its code and weights"
# download = "3 GB of libraries (7 GB with CUDA) and 32 GB of weights"
# actions = ["describe"]
# methods = ["mean", "overview", "detail"]
# checkpoint = "allenai/Molmo-7B-D-0924"
# ///
"""Molmo 7B-D through the Python code in its checkpoint, which needs an older transformers.

gazeapp has its own implementation of this model (`molmo-7b-d`); use that one. This script is for comparing the two.

**Not verified:** neither the checkpoint nor its code was at hand when this was written. What was tested is its own
arithmetic: the attention read out beside a stand-in of the authors' attention method, the places of the tokens, the
maps. It stops with a sentence when the code that it meets is not as expected.

The code in the checkpoint runs on your computer. Read it, copy this script to your own folder, and write the commit
that you have read into `REVISION`: only that one is run, and gazeapp asks for your consent to the changed script.

Maps: ``overview`` is attention to the 12 x 12 tokens of the whole image, ``detail`` to those of the crops, ``mean`` the
sum of both by mass; each the mean over all layers and heads.
"""

import inspect

import numpy as np
from gazeapp_runner import RunnerError, serve

CHECKPOINT = "allenai/Molmo-7B-D-0924"
REVISION = ""
"""Commit of the checkpoint whose code you have read, 40 hexadecimal digits."""

TOKEN = 28
"""Side of a token, px of the canvas that the model sees: 2 x 2 patches of 14 px."""
OVERVIEW = 12
"""Tokens along each side of the overview."""

loaded = None


def load(progress):
    """Load model and processor once; the libraries' own messages go to the log."""
    global loaded
    if loaded is not None:
        return loaded
    if not REVISION:
        raise RunnerError(
            "No revision of the checkpoint is named in the script.",
            "Copy the script to your own folder and write the commit whose code you have read into REVISION.",
        )
    import torch
    from transformers import AutoModelForCausalLM, AutoProcessor

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    known = {"revision": REVISION, "trust_remote_code": True}
    progress(0, 0, "Loading the processor")
    processor = AutoProcessor.from_pretrained(CHECKPOINT, **known)
    progress(0, 0, "Loading 32 GB of weights")
    model = AutoModelForCausalLM.from_pretrained(
        CHECKPOINT, torch_dtype=dtype, device_map=device, use_safetensors=True, **known
    )
    listener = Listener(model.eval().model.transformer.blocks)
    loaded = (model, processor, listener)
    return loaded


def describe(request, progress):
    """Describe one image; see the guide to runners for what goes in and out."""
    import torch
    from PIL import Image
    from transformers import GenerationConfig

    model, processor, listener = load(progress)
    image = Image.open(request.image).convert("RGB")
    inputs = processor.process(images=[image], text=request.values["prompt"] or "Describe this image.")
    ids = np.asarray(inputs["input_ids"]).reshape(-1)
    names = processor.special_token_ids
    overview, detail = token_grids(ids, names["<im_patch>"], names["<im_col>"])
    batch = {name: _placed(value, model) for name, value in inputs.items()}
    decoding = request.values["decoding"]
    drawn = decoding["temperature"] > 0
    config = GenerationConfig(
        max_new_tokens=decoding["max_tokens"],
        do_sample=drawn,
        **({"temperature": decoding["temperature"], "top_p": decoding["top_p"], "top_k": 0} if drawn else {}),
        eos_token_id=processor.tokenizer.eos_token_id,
        pad_token_id=processor.tokenizer.eos_token_id,
        use_cache=True,
        return_dict_in_generate=True,
        output_logits=True,
    )
    torch.manual_seed(decoding["seed"])
    listener.start(np.concatenate([overview.ravel(), detail.ravel()]))
    watch = _Watch(progress, decoding["max_tokens"])
    out = model.generate_from_batch(batch, config, tokenizer=processor.tokenizer, stopping_criteria=[watch])
    tokens = out.sequences[0, len(ids) :].tolist()
    attention = listener.rows(len(tokens))
    logs = [
        float(torch.log_softmax(step[0].float(), dim=-1)[token])
        for step, token in zip(out.logits, tokens, strict=True)
    ]
    n = tokens.index(config.eos_token_id) if config.eos_token_id in tokens else len(tokens)
    if not n:
        raise RunnerError("The model said nothing.", "Try another prompt.")
    maps = image_maps(attention[:n], overview.shape, detail.shape, image.size, request.values["method"])
    return {
        "tokens": texts(tokens[:n], processor.tokenizer.decode),
        "log_probabilities": np.array(logs[:n]),
        "attention": maps.astype(np.float32),
        "image_mass": np.minimum(attention[:n].sum(axis=1), 1.0),
        "rect": np.array([0.0, 0.0, *image.size]),
        "facts": {"revision": REVISION, "device": str(model.device), "dtype": str(model.dtype)},
    }


class Listener:
    """Reads attention out beside the authors' attention method, which keeps none.

    For each step, the mean over layers and heads of the row that predicts the next token is kept.

    Parameters
    ----------
    blocks
        The model's layers; each has the method ``_scaled_dot_product_attention(q, k, v, attn_mask, ...)``.
    """

    def __init__(self, blocks):
        self._columns = np.zeros(0, int)
        self._heard = []
        self._n_layers = len(blocks)
        for block in blocks:
            original = getattr(block, "_scaled_dot_product_attention", None)
            if original is None or not {"q", "k", "attn_mask"} <= set(inspect.signature(original).parameters):
                raise RunnerError(
                    "The checkpoint's code computes attention in another way than this script knows."
                )
            block._scaled_dot_product_attention = self._beside(original)

    def start(self, columns):
        """Begin a caption; ``columns`` are the places of the image's tokens in the prompt."""
        self._columns = columns
        self._heard = []

    def rows(self, n_steps):
        """Return attention to the image's tokens, shape (n_steps, n_columns), mean over layers and heads."""
        if len(self._heard) != n_steps * self._n_layers:
            raise RunnerError(
                "Attention was not heard in every layer at every step, so that there are no maps."
            )
        return np.stack(self._heard).reshape(n_steps, self._n_layers, -1).mean(axis=1)

    def _beside(self, original):
        signature = inspect.signature(original)

        def attend(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            self._hear(bound.arguments["q"], bound.arguments["k"], bound.arguments["attn_mask"])
            return original(*args, **kwargs)

        return attend

    def _hear(self, q, k, mask):
        # The last row sees every key, so that a causal mask takes nothing from it.
        keys = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1).float()
        scores = q[:, :, -1:].float() @ keys.transpose(2, 3) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores + mask[:, :, -1:, : k.shape[2]].float()
        weights = scores.softmax(dim=-1)[0, :, 0].mean(dim=0)
        self._heard.append(weights.detach().cpu().numpy()[self._columns].astype(np.float64))


class _Watch:
    """Tells how many tokens there are; asked by transformers after each one."""

    def __init__(self, progress, most):
        self._progress = progress
        self._most = most
        self._n = 0

    def __call__(self, input_ids, _scores, **_kwargs):
        import torch

        self._n += 1
        self._progress(self._n, self._most, "tokens")
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def _placed(value, model):
    value = value.to(model.device).unsqueeze(0)
    return value.to(model.dtype) if value.is_floating_point() else value


def token_grids(ids, patch, row_end):
    """Return the places of the tokens of the overview and of the detail, each shape (rows, columns).

    Both are written row by row, each row closed by a token of its own; the overview comes first.
    """
    rows, row = [], []
    for place, token in enumerate(ids):
        if token == patch:
            row.append(place)
        elif token == row_end:
            rows.append(row)
            row = []
    overview, detail = rows[:OVERVIEW], rows[OVERVIEW:]
    lengths = [{len(row) for row in part} for part in (overview, detail)]
    if lengths[0] != {OVERVIEW} or len(lengths[1]) != 1 or row:
        raise RunnerError("The image's tokens are not laid out as this script knows it.")
    return np.array(overview), np.array(detail)


def image_maps(attention, overview, detail, size, method):
    """Lay attention to tokens over the image.

    Parameters
    ----------
    attention
        Shape (n_tokens, overview tokens + detail tokens).
    overview, detail
        Shapes of the two grids of tokens.
    size
        Width and height of the image, px.
    method
        ``mean`` for both grids, ``overview`` or ``detail``.

    Returns
    -------
    numpy.ndarray
        Shape (n_tokens, rows, columns) over the whole image, with the rows and columns of the detail. A token that
        lies partly on the black border gives its mass to its part on the image; one that lies on it entirely, none.
    """
    split = overview[0] * overview[1]
    parts = {"overview": (attention[:, :split], overview), "detail": (attention[:, split:], detail)}
    total = 0.0
    for name, (values, grid) in parts.items():
        if method in (name, "mean"):
            down, across = (shares(grid, size, axis, detail[axis]) for axis in (0, 1))
            total = total + down @ values.reshape(-1, *grid) @ across.T
    return total


def shares(grid, size, axis, n_cells):
    """Return the share of each token, along one axis, that lies in each of ``n_cells`` equal parts of the image.

    Returns
    -------
    numpy.ndarray
        Shape (n_cells, tokens); a column sums to 1, or to 0 where the token lies on the border of the canvas.
    """
    sides = np.array([size[1], size[0]], np.float32)
    canvas = np.array(grid, np.float32) * np.float32(TOKEN)
    scaled = (sides * (canvas / sides).min()).astype(int)
    border = (int(canvas[axis]) - scaled[axis]) // 2
    edges = np.clip((np.arange(grid[axis] + 1) * TOKEN - border) / scaled[axis], 0.0, 1.0)
    cells = np.arange(n_cells + 1) / n_cells
    inside = np.minimum(edges[None, 1:], cells[1:, None]) - np.maximum(edges[None, :-1], cells[:-1, None])
    inside = np.clip(inside, 0.0, None)
    length = inside.sum(axis=0)
    return np.divide(inside, length, out=np.zeros_like(inside), where=length > 0)


def texts(tokens, decode):
    """Return the text that each token adds; one that only begins a character adds nothing yet."""
    told, found = "", []
    for n in range(1, len(tokens) + 1):
        so_far = decode(tokens[:n])
        whole = not so_far.endswith("\ufffd") or n == len(tokens)
        found.append(so_far[len(told) :] if whole else "")
        told = so_far if whole else told
    return found


if __name__ == "__main__":
    serve(describe=describe)
