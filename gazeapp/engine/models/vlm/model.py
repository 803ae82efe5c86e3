"""A loaded vision-language model as gazeapp's other rooms know it: an image and a prompt in, words with maps out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gazeapp.engine.errors import GazeError, NothingSaidError, StoppedError
from gazeapp.engine.lesions.lesion import MASKING_SCOPES, PICTURE_SCOPES, Lesion
from gazeapp.engine.lesions.pixels import changed_pixels, nothing_left
from gazeapp.engine.models.base import (
    PLAIN,
    AttentionDetail,
    Caption,
    DescribeOptions,
    ModelInfo,
    Word,
)
from gazeapp.engine.models.environment import threads_for
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.models.memory import is_memory_error, memory_errors
from gazeapp.engine.models.vlm.capture.capture import Capture, Rows, Tap
from gazeapp.engine.models.vlm.capture.masking import KeyMask
from gazeapp.engine.models.vlm.families.base import Family, Prepared
from gazeapp.engine.models.vlm.given import along_caption
from gazeapp.engine.models.vlm.methods import DEFAULT_METHOD, Selection, parse_method
from gazeapp.engine.models.vlm.words import TokenWord, split_words
from gazeapp.engine.models.vlm.writing import Generated, plain_decoding, write
from gazeapp.engine.pictures import shrunk
from gazeapp.engine.types import FloatArray, HalfArray, ImageArray, Json


class VisionLanguageModel:
    """A loaded model; implements `gazeapp.engine.models.base.Model`.

    Parameters
    ----------
    network
        A transformers model that generates, in evaluation mode, on its device.
    processor
        What turns images and text into its input.
    family
        How it lays images out.
    info
        Facts about it.
    """

    def __init__(self, network: Any, processor: Any, family: Family, info: ModelInfo) -> None:
        self.network = network
        self.processor = processor
        self.family = family
        self._info = info
        family.start_listening(network)
        self._not_applied = plain_decoding(network)
        self._n_parameters = sum(weights.numel() for weights in network.parameters())
        self.taps: list[Tap] = family.taps(network)

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        """Describe an image, with a map for each word.

        Parameters
        ----------
        image
            RGB, shape (height, width, 3), uint8.
        task
            Name of the task; what the model reads is ``options.prompt``.
        method
            Map method, see `gazeapp.engine.models.vlm.methods`; empty for the mean over all layers and heads.
        options
            Prompt, decoding, what to keep, lesion, words to say.

        Returns
        -------
        Caption
            Words with log-probabilities; for each word the mean of its tokens' maps, normalised over the image, with
            the share of attention that fell on the image at all.

        Raises
        ------
        GazeError
            When the method names what the model lacks, the model does not offer the lesion's scope, the lesion takes
            the whole image away, the words to say hold none or what ends a caption, or the model says nothing.
        StoppedError
            When ``options.should_stop`` answered True between two words.
        MemoryError
            When the device or the computer ran out of memory; what was taken is given back.
        """
        selection = parse_method(method or DEFAULT_METHOD)
        if options.lesion is not None and not options.lesion.is_empty:
            check_scope(self._info, options.lesion.scope)
        height, width = image.shape[:2]
        told = _errors_told(
            "The model's own code stopped",
            "A shorter caption or another prompt may help; otherwise report it with the model's name.",
        )
        with memory_errors(), told, threads_for(self._n_parameters), torch.no_grad():
            prepared = self._prepare(image, options)
            if options.image_scale < 1.0 and not self._is_smaller(prepared, image, options):
                raise MemoryError  # the model makes as many tokens of every image, so a smaller one is no help
            if selection.view and selection.view not in prepared.layout.view_names:
                prepared.layout.to_maps(np.zeros(prepared.layout.columns.size, np.float32), selection.view)
            unknown: tuple[str, ...] = ()
            if options.given:
                tokens, unknown = self._along(prepared, options.given)
                options = replace(options, forced=tokens)
            generated, rows = self._generate(prepared, selection, options)
        layout = prepared.layout.scaled_to(width, height)
        said, token_words = split_words(generated.tokens, self._decode)
        if not token_words:
            raise NothingSaidError(todo="Try another prompt.")
        mass = _by_word(rows.mean, token_words)
        maps, rect = layout.to_maps(mass, selection.view)
        total = maps.sum(axis=(1, 2), keepdims=True)
        if not np.isfinite(maps).all():
            raise GazeError(
                "The model's attention is not made of numbers.",
                todo="Check its weights, or run it in float32 or bfloat16.",
            )
        if not (total > 0).all():
            raise GazeError("Some words gave the image no attention at all, so they have no map.")
        detail = AttentionDetail(
            tuple(tap.layer for tap in self.taps), _by_word(rows.image_mass, token_words)
        )
        if rows.kept is not None:
            # Word by word: all heads of a whole caption at once would be gigabytes.
            kept = [
                layout.to_maps(_mean(rows.kept, word), selection.view)[0].astype(np.float16)
                for word in token_words
            ]
            detail = AttentionDetail(detail.layers, detail.image_mass, np.stack(kept))
        return Caption(
            words=_words(token_words, generated),
            maps=maps / total,
            image_mass=np.minimum(mass[:, layout.on_image].sum(axis=1), 1.0).astype(np.float32),
            rect=rect,
            task=task,
            method=method or DEFAULT_METHOD,
            said=options.given or said,
            prompt=prepared.prompt,
            detail=detail,
            facts={
                **self._facts(prepared, generated, token_words, options),
                **({"given": True, "unknown_words": list(unknown)} if options.given else {}),
            },
        )

    def generate(self, prepared: Prepared, options: DescribeOptions = PLAIN) -> Generated:
        """Let the network write, without listening to its attention."""
        return self._write(prepared, options)

    def _prepare(self, image: ImageArray, options: DescribeOptions) -> Prepared:
        lesion = _scaled(options.lesion, options.image_scale)
        shown = shrunk(image, options.image_scale)
        if lesion is not None and lesion.mask.shape != shown.shape[:2]:
            raise GazeError(
                f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
                f"{shown.shape[1]} x {shown.shape[0]} px."
            )
        if lesion is not None and lesion.scope in PICTURE_SCOPES:
            shown = changed_pixels(shown, lesion)
        prompt = options.prompt or self.family.default_prompt
        # How transformers refuses, for example, images of extreme proportions; templates raise errors of their own.
        with _errors_told(
            "The model's processor cannot read this image and prompt",
            "Leave the image out, or ask in other words.",
        ):
            return self.family.prepare(self.processor, self.network.config, Image.fromarray(shown), prompt)

    def _along(self, prepared: Prepared, given: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the tokens of a given caption, and its words that the model has none for."""
        read = prepared.inputs.get("input_ids")
        last = None if read is None or read.shape[-1] == 0 else int(read[0, -1])
        return along_caption(self.family.tokenizer(self.processor), given, last)

    def _is_smaller(self, prepared: Prepared, image: ImageArray, options: DescribeOptions) -> bool:
        """Return whether the image makes fewer tokens than it would at its own size."""
        whole = self._prepare(image, replace(options, image_scale=1.0))
        return prepared.layout.columns.size < whole.layout.columns.size

    def _generate(
        self, prepared: Prepared, selection: Selection, options: DescribeOptions
    ) -> tuple[Generated, Rows]:
        layers, heads = selection.pick(tuple(tap.layer for tap in self.taps), self.n_heads)
        share = self._share(prepared, options)
        scope = options.lesion.scope if options.lesion is not None else ""
        mask = None
        around: Any = nullcontext()
        if share is not None and scope in MASKING_SCOPES:
            first = {"keys": 0, "text": prepared.first_text_row, "readout": prepared.n_rows - 1}[scope]
            mask = KeyMask(prepared.layout.columns, share, first)
        elif share is not None:
            around = self.family.changed_embeddings(self.network, prepared, share, scope)
        on_image = prepared.layout.on_image
        capture = Capture(self.taps, prepared.layout.columns, mask, layers, heads, options.keep, on_image)
        with around, self.family.capturing(self.network, capture):
            generated = self._write(prepared, options)
            if not generated.tokens:
                raise NothingSaidError(todo="Try another prompt.")
            rows = capture.rows(len(generated.tokens))
        return generated, rows

    def _share(self, prepared: Prepared, options: DescribeOptions) -> FloatArray | None:
        """Return how much of each image token a lesion takes; None where it takes nothing of the tokens."""
        lesion = _scaled(options.lesion, options.image_scale)
        if lesion is None or lesion.is_empty:
            return None
        share: FloatArray = (lesion.strength * prepared.layout.coverage(lesion.mask)).astype(np.float32)
        # Also of a changed picture: what lies beside the part that the model is shown keeps nothing of it.
        if share[prepared.layout.on_image].min() >= 1.0:
            raise nothing_left()
        # A mask beside all that the model sees takes nothing, so the run stays bit for bit the intact one.
        return share if share.any() and lesion.scope not in PICTURE_SCOPES else None

    @property
    def n_heads(self) -> int:
        """Heads of a layer that carries attention to the image."""
        return self.family.n_heads(self.network.config)

    def _write(self, prepared: Prepared, options: DescribeOptions) -> Generated:
        inputs = {name: self._to_device(value) for name, value in prepared.inputs.items()}
        ends = self.family.end_tokens(self.network)
        return write(self.network, inputs, ends, options.decoding, options.should_stop, options.forced)

    def _to_device(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if value.is_floating_point():
            return value.to(self.network.device, self.network.dtype)
        return value.to(self.network.device)

    def _decode(self, tokens: Any) -> str:
        text: str = self.family.tokenizer(self.processor).decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _facts(
        self, prepared: Prepared, generated: Generated, words: tuple[TokenWord, ...], options: DescribeOptions
    ) -> Json:
        views = [
            {"name": v.name, "rows": v.columns.shape[0], "columns": v.columns.shape[1]}
            for v in prepared.layout.views
        ]
        return {
            "tokens": list(generated.tokens),
            "token_log_probabilities": [round(p, 6) for p in generated.log_probabilities],
            "token_words": [list(word.tokens) for word in words],
            "ended": generated.ended,
            **({"forced": True} if options.forced else {}),
            "n_prompt_tokens": prepared.n_rows,
            "n_image_tokens": int(prepared.layout.columns.size),
            "views": views,
            "image_scale": options.image_scale,
            "dtype": str(self.network.dtype).removeprefix("torch."),
            "device": str(self.network.device),
            **({"decoding_not_applied": self._not_applied} if self._not_applied else {}),
        }


def _by_word(values: FloatArray, words: tuple[TokenWord, ...]) -> FloatArray:
    """Return the mean over each word's tokens, first axis tokens -> words."""
    return np.stack([_mean(values, word) for word in words])


def _mean(values: FloatArray | HalfArray, word: TokenWord) -> FloatArray:
    """Return the mean over a word's tokens, which are the first axis."""
    mean: FloatArray = values[list(word.read)].mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _words(words: tuple[TokenWord, ...], generated: Generated) -> tuple[Word, ...]:
    return tuple(
        Word(word.text, sum(generated.log_probabilities[i] for i in word.tokens), word.is_content)
        for word in words
    )


def _scaled(lesion: Lesion | None, scale: float) -> Lesion | None:
    if lesion is None or scale >= 1.0:
        return lesion
    height, width = lesion.mask.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    mask = Image.fromarray(lesion.mask.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return Lesion(np.clip(np.asarray(mask, np.float32), 0.0, 1.0), lesion.scope, lesion.strength)


@contextmanager
def _errors_told(what: str, todo: str) -> Iterator[None]:
    """Turn whatever a model's code raises into a sentence: one image that it cannot take must not end a batch."""
    try:
        yield
    except (GazeError, StoppedError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if is_memory_error(error):
            raise
        said = (str(error).strip() or "it says no more").splitlines()[0]
        raise GazeError(f"{what} ({type(error).__name__}: {said}).", todo=todo) from error
