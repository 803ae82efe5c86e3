"""A loaded vision-language model as gazeapp's other rooms know it: an image and a prompt in, words with maps out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.lesions.lesion import MASKING_SCOPES, Lesion
from gazeapp.engine.lesions.pixels import blank_pixels
from gazeapp.engine.models.base import (
    PLAIN,
    AttentionDetail,
    Caption,
    DescribeOptions,
    ModelInfo,
    Word,
)
from gazeapp.engine.models.environment import threads_for
from gazeapp.engine.models.vlm.capture.capture import Capture, Rows, Tap
from gazeapp.engine.models.vlm.capture.masking import KeyMask
from gazeapp.engine.models.vlm.families.base import Family, Prepared
from gazeapp.engine.models.vlm.methods import DEFAULT_METHOD, Selection, parse_method
from gazeapp.engine.models.vlm.words import TokenWord, split_words
from gazeapp.engine.types import FloatArray, HalfArray, ImageArray, Json


@dataclass(frozen=True, eq=False)
class Generated:
    """What a network wrote: token ids without special ones, their log-probabilities, and whether it came to an end."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    ended: bool


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
            Prompt, decoding, what to keep, lesion.

        Returns
        -------
        Caption
            Words with log-probabilities; for each word the mean of its tokens' maps, normalised over the image, with
            the share of attention that fell on the image at all.

        Raises
        ------
        GazeError
            When the method names what the model lacks, the lesion takes the whole image away, or the model says
            nothing.
        StoppedError
            When ``options.should_stop`` answered True between two words.
        MemoryError
            When the device or the computer ran out of memory; what was taken is given back.
        """
        selection = parse_method(method or DEFAULT_METHOD)
        height, width = image.shape[:2]
        with _memory_errors(), threads_for(self._n_parameters), torch.no_grad():
            prepared = self._prepare(image, options)
            if selection.view and selection.view not in prepared.layout.view_names:
                prepared.layout.to_maps(np.zeros(prepared.layout.columns.size, np.float32), selection.view)
            generated, rows = self._generate(prepared, selection, options)
        layout = prepared.layout.scaled_to(width, height)
        said, token_words = split_words(generated.tokens, self._decode)
        if not token_words:
            raise GazeError("The model said nothing, so there is no map.", todo="Try another prompt.")
        mass = _by_word(rows.mean, token_words)
        maps, rect = layout.to_maps(mass, selection.view)
        total = maps.sum(axis=(1, 2), keepdims=True)
        if not (np.isfinite(maps).all() and (total > 0).all()):
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
            image_mass=np.minimum(mass.sum(axis=1), 1.0).astype(np.float32),
            rect=rect,
            task=task,
            method=method or DEFAULT_METHOD,
            said=said,
            prompt=prepared.prompt,
            detail=detail,
            facts=self._facts(prepared, generated, token_words, options),
        )

    def generate(self, prepared: Prepared, options: DescribeOptions = PLAIN) -> Generated:
        """Let the network write, without listening to its attention."""
        return self._write(prepared, options)

    def _prepare(self, image: ImageArray, options: DescribeOptions) -> Prepared:
        lesion = _scaled(options.lesion, options.image_scale)
        shown = _shrunk(image, options.image_scale)
        if lesion is not None and lesion.mask.shape != shown.shape[:2]:
            raise GazeError(
                f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
                f"{shown.shape[1]} x {shown.shape[0]} px."
            )
        if lesion is not None and lesion.scope == "pixels":
            shown = blank_pixels(shown, lesion)
        prompt = options.prompt or self.family.default_prompt
        try:
            return self.family.prepare(self.processor, self.network.config, Image.fromarray(shown), prompt)
        except ValueError as error:
            # How transformers refuses, for example, images of extreme proportions.
            raise GazeError(
                f"The model's processor cannot read this image and prompt: {error}",
                todo="Leave the image out, or ask in other words.",
            ) from error

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
        capture = Capture(self.taps, prepared.layout.columns, mask, layers, heads, options.keep)
        with around, self.family.capturing(self.network, capture):
            generated = self._write(prepared, options)
            if not generated.tokens:
                raise GazeError("The model said nothing, so there is no map.", todo="Try another prompt.")
            rows = capture.rows(len(generated.tokens))
        return generated, rows

    def _share(self, prepared: Prepared, options: DescribeOptions) -> FloatArray | None:
        """Return how much of each image token a lesion takes; None where it takes nothing of the tokens."""
        lesion = _scaled(options.lesion, options.image_scale)
        if lesion is None or lesion.is_empty or lesion.scope == "pixels":
            return None
        share: FloatArray = (lesion.strength * prepared.layout.coverage(lesion.mask)).astype(np.float32)
        if share.min() >= 1.0:
            raise GazeError(
                "The lesion takes the whole image away, so there is nothing left to attend to.",
                todo="Leave a part of the image out of the mask, or use a smaller strength.",
            )
        return share

    @property
    def n_heads(self) -> int:
        """Heads of a layer that carries attention to the image."""
        return self.family.n_heads(self.network.config)

    def _write(self, prepared: Prepared, options: DescribeOptions) -> Generated:
        from transformers import StoppingCriteriaList

        decoding = options.decoding
        config = copy.deepcopy(self.network.generation_config)
        config.output_attentions = False
        config.output_logits = True
        config.return_dict_in_generate = True
        config.max_length = None
        config.max_new_tokens = decoding.max_tokens
        config.num_beams = config.num_return_sequences = 1
        # Some checkpoints ask for penalties of their own; a caption is made as the run's settings say.
        config.repetition_penalty = 1.0
        config.no_repeat_ngram_size = config.min_length = 0
        if config.cache_implementation is not None:
            # Caches of a fixed size hold keys for words that are not there yet.
            config.cache_implementation = "dynamic"
        config.do_sample = decoding.temperature > 0
        config.temperature = decoding.temperature if config.do_sample else None
        config.top_p = decoding.top_p if config.do_sample else None
        config.top_k = 0 if config.do_sample else None
        inputs = {name: self._to_device(value) for name, value in prepared.inputs.items()}
        if config.do_sample:
            torch.manual_seed(decoding.seed)
        out = self.network.generate(
            **inputs,
            generation_config=config,
            stopping_criteria=StoppingCriteriaList([_StopWhenAsked(options.should_stop)]),
        )
        n = len(out.logits)
        tokens = out.sequences[0, -n:]
        chosen = torch.stack(
            [
                step[0, token] - step[0].logsumexp(dim=0)
                for step, token in zip(out.logits, tokens, strict=True)
            ]
        )
        special = set(self.family.tokenizer(self.processor).all_special_ids)
        told = [(int(t), float(p)) for t, p in zip(tokens, chosen, strict=True)]
        # Special tokens only ever end a caption; behind the first one nothing is told.
        end = next((i for i, (token, _) in enumerate(told) if token in special), n)
        return Generated(tuple(t for t, _ in told[:end]), tuple(p for _, p in told[:end]), end < n)

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
            "n_prompt_tokens": prepared.n_rows,
            "n_image_tokens": int(prepared.layout.columns.size),
            "views": views,
            "image_scale": options.image_scale,
            "dtype": str(self.network.dtype).removeprefix("torch."),
            "device": str(self.network.device),
        }


class _StopWhenAsked:
    """Asked by transformers after each token; gives the caption up when the user wants to stop."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop

    def __call__(self, input_ids: Tensor, _scores: Any, **_kwargs: Any) -> Tensor:
        if self._should_stop():
            raise StoppedError
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


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


def _shrunk(image: ImageArray, scale: float) -> ImageArray:
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _scaled(lesion: Lesion | None, scale: float) -> Lesion | None:
    if lesion is None or scale >= 1.0:
        return lesion
    height, width = lesion.mask.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    mask = Image.fromarray(lesion.mask.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return Lesion(np.clip(np.asarray(mask, np.float32), 0.0, 1.0), lesion.scope, lesion.strength)


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turn torch's ways of saying that memory is short into ``MemoryError``, and give back what was taken."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        short: Exception = error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        short = error
    else:
        return
    # The tracebacks hold the tensors of every frame that was under way.
    short.__traceback__ = None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise MemoryError
