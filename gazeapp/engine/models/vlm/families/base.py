"""What a family of vision-language models has to say about itself, with what holds for most of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture.capture import Capture, Tap, listening
from gazeapp.engine.models.vlm.capture.interface import ATTENTION, register_attention
from gazeapp.engine.models.vlm.layout import Layout
from gazeapp.engine.models.vlm.writing import token_ids
from gazeapp.engine.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image and a prompt as a model reads them.

    Parameters
    ----------
    inputs
        Arguments of ``generate``, on the CPU.
    layout
        Where each image token lies on the image.
    n_rows
        Length of the sequence that the language model is first called with; its last row predicts the first word.
    first_text_row
        Position of the first token behind the image.
    prompt
        The text that was asked, as the user wrote it.
    """

    inputs: dict[str, Any]
    layout: Layout
    n_rows: int
    first_text_row: int
    prompt: str


class Family(ABC):
    """A family of models that lay out images in the same way.

    What is here holds for models whose language model reads image tokens in its own sequence and computes attention
    through transformers' attention interface; others say what differs.
    """

    name = ""
    """Name to show."""
    cross_attention = False
    """Whether words attend to the image through layers of their own, instead of in one sequence with it."""
    default_prompt = "Describe the image."
    """What is asked where no prompt is given; empty for captioners, whose captions then begin freely."""

    def load_network(self, source: str, **kwargs: Any) -> Any:
        """Load the network; ``kwargs`` go to transformers' ``from_pretrained``."""
        ensure_torchvision()
        from transformers import AutoModelForImageTextToText

        return AutoModelForImageTextToText.from_pretrained(source, **kwargs)

    def load_processor(self, source: str, **kwargs: Any) -> Any:
        """Load what turns images and text into the network's input."""
        ensure_torchvision()
        from transformers import AutoProcessor

        load: Any = AutoProcessor.from_pretrained
        return load(source, **kwargs)

    def tokenizer(self, processor: Any) -> Any:
        """Return what turns tokens into text."""
        return getattr(processor, "tokenizer", processor)

    def end_tokens(self, network: Any) -> frozenset[int]:
        """Return the tokens that end a caption."""
        return token_ids(network.generation_config.eos_token_id)

    def start_listening(self, network: Any) -> None:
        """Let the language model compute attention through gazeapp's implementation.

        Raises
        ------
        GazeError
            If the model does not take it up: it would generate, and no map would come out.
        """
        register_attention()
        self.choose_attention(network)
        taps = self.taps(network)
        hearing = [t for t in taps if getattr(t.module.config, "_attn_implementation", "") == ATTENTION]
        check_taps(network, hearing, self.n_attending(network.config))

    def choose_attention(self, network: Any) -> None:
        """Let the part of the network that reads image tokens use gazeapp's implementation."""
        network.set_attn_implementation({"text_config": ATTENTION})

    def n_attending(self, config: Any) -> int:
        """Return how many layers of the language model carry attention."""
        text = config.get_text_config()
        kinds = getattr(text, "layer_types", None)
        count = int(text.num_hidden_layers)
        return sum("attention" in kind and "linear" not in kind for kind in kinds) if kinds else count

    def n_heads(self, config: Any) -> int:
        """Return how many heads a layer has that carries attention."""
        return int(config.get_text_config().num_attention_heads)

    @contextmanager
    def capturing(self, _network: Any, capture: Capture) -> Iterator[None]:
        """Let a capture listen while the network generates."""
        with listening(capture):
            yield

    def language_model(self, network: Any) -> nn.Module:
        """Return the module that reads embedded tokens."""
        module: nn.Module = network.model.language_model
        return module

    def taps(self, network: Any) -> list[Tap]:
        """Return the attention modules that see the image tokens, in the order of their layers."""
        found = [
            Tap(module, cast(int, module.layer_idx))
            for module in self.language_model(network).modules()
            if type(module).__name__.endswith("Attention") and hasattr(module, "layer_idx")
        ]
        return sorted(found, key=lambda tap: tap.layer)

    @abstractmethod
    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and a prompt into the model's input, and say where the image tokens lie.

        Raises
        ------
        GazeError
            If the prompt holds a mark with a meaning of its own, such as the one where an image belongs.
        """

    def refuse_marks(self, processor: Any, prompt: str) -> None:
        """Refuse a prompt that the tokenizer would not read as words alone.

        Raises
        ------
        GazeError
            If it holds a mark with a meaning of its own, such as the one that ends a text.
        """
        marks = {*self.tokenizer(processor).all_special_tokens, getattr(processor, "image_token", None)}
        found = sorted(mark for mark in marks if mark and mark in prompt)
        if found:
            raise GazeError(
                f"The prompt holds '{found[0]}', which has a meaning of its own for this model.",
                todo="Write the prompt without it.",
            )

    @contextmanager
    def changed_embeddings(
        self, network: Any, prepared: Prepared, share: FloatArray, fill: str
    ) -> Iterator[None]:
        """Take image embeddings towards zero or their mean while the model reads them.

        Parameters
        ----------
        network
            The network.
        prepared
            Its input.
        share
            How much of each image token goes, in the order of the layout's columns, 0 to 1.
        fill
            ``zero`` or ``mean``.
        """
        columns = prepared.layout.columns
        in_sequence = np.argsort(columns)

        def change(_module: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            embeds = kwargs.get("inputs_embeds")
            if embeds is None or embeds.shape[1] != prepared.n_rows:
                return args, kwargs
            index = torch.as_tensor(columns, device=embeds.device)
            changed = embeds.clone()
            changed[0, index] = taken_away(embeds[0, index], share, fill)
            deep = kwargs.get("deepstack_visual_embeds")
            if deep is not None:
                kwargs = {
                    **kwargs,
                    "deepstack_visual_embeds": [taken_away(d, share[in_sequence], fill) for d in deep],
                }
            return args, {**kwargs, "inputs_embeds": changed}

        handle = self.language_model(network).register_forward_pre_hook(change, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()


def check_taps(network: Any, hearing: list[Tap], expected: int) -> None:
    """Refuse a network of which not every layer that carries attention can be listened to.

    Raises
    ------
    GazeError
        If it is another number of layers than its config says.
    """
    if len(hearing) != expected:
        raise GazeError(
            f"{type(network).__name__} does not let its attention be listened to: {len(hearing)} of {expected} "
            "layers answered.",
            todo="Report it with the version of transformers.",
        )


class ChatFamily(Family):
    """Families that are asked through a chat template, and whose processor puts image tokens into the text."""

    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and a prompt into the model's input, and say where the image tokens lie.

        Raises
        ------
        GazeError
            If the prompt holds a mark with a meaning of its own, such as the one where an image belongs.
        """
        self.refuse_marks(processor, prompt)
        inputs = self.make_inputs(processor, config, image, prompt)
        layout = self.layout(processor, config, inputs, image)
        n_rows = int(inputs["input_ids"].shape[1])
        return Prepared(inputs, layout, n_rows, int(layout.columns.max()) + 1, prompt)

    def make_inputs(self, processor: Any, config: Any, image: Image, prompt: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of ``generate`` for an image and a prompt.

        Raises
        ------
        GazeError
            If the checkpoint does not say how a question is put to it.
        """
        if not processor.chat_template:
            raise GazeError(
                "The model's files have no chat template, so there is no telling how a question is put to it.",
                todo="Use a checkpoint that was made to follow prompts.",
            )
        content = [{"type": "image", "image": image}, {"type": "text", "text": prompt}]
        # Models that can think aloud first would fill the caption with their thoughts.
        thinks = "enable_thinking" in str(processor.chat_template)
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **({"enable_thinking": False} if thinks else {}),
        )
        return dict(inputs)

    @abstractmethod
    def layout(self, processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return where each image token of ``inputs`` lies on the image."""


def taken_away(features: Tensor, share: FloatArray, fill: str) -> Tensor:
    """Return features (n_tokens, size) with a share of each taken towards zero or towards the mean of all."""
    keep = torch.as_tensor(1.0 - share, dtype=features.dtype, device=features.device)[:, None]
    towards = features.mean(dim=0, keepdim=True) if fill == "mean" else torch.zeros_like(features[:1])
    return features * keep + towards * (1.0 - keep)


def image_columns(input_ids: Tensor, image_token: int, expected: int, where: str) -> IntArray:
    """Return the positions of the image tokens in a sequence of one text.

    Raises
    ------
    GazeError
        If their number is not what the layout expects.
    """
    columns: IntArray = torch.nonzero(input_ids[0] == image_token)[:, 0].cpu().numpy().astype(np.int64)
    if columns.size != expected:
        raise GazeError(
            f"{where} put {columns.size} image tokens into the text where its layout has {expected}.",
            todo="The processor's settings do not fit the model; use the ones that came with it.",
        )
    return columns
