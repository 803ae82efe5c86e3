"""Molmo 7B-D as a model of transformers: it generates, keeps keys and values, and lets its attention be swapped.

Source: model of allenai/molmo at commit 793fa387, written anew from its rules and compared with its outputs.
"""

# transformers' base classes and decorators are only partly typed.
# mypy: disable-error-code="no-untyped-call, untyped-decorator, override, misc"

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from transformers import initialization
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation.utils import GenerationMixin
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel
from transformers.models.qwen2.configuration_qwen2 import Qwen2Config
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from gazeapp.engine.models.vlm.molmo_7b_d.config import MODEL_TYPE, MolmoSizes, VisionSizes
from gazeapp.engine.models.vlm.molmo_7b_d.language import LanguageModel, MolmoAttention, MolmoBlock, WordTable
from gazeapp.engine.models.vlm.molmo_7b_d.vision import VisionBackbone, VisionEncoder


class MolmoConfig(Qwen2Config):
    """The sizes in the words of transformers."""

    model_type = MODEL_TYPE

    extra_words: int = 128
    vision: dict[str, Any] | None = None

    @classmethod
    def of(cls, sizes: MolmoSizes) -> MolmoConfig:
        """Translate sizes."""
        return cls(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.width,
            intermediate_size=sizes.mlp_width,
            num_hidden_layers=sizes.blocks,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.key_value_heads,
            max_position_embeddings=sizes.longest,
            rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_theta},
            rms_norm_eps=sizes.norm_eps,
            extra_words=sizes.extra_words,
            vision=asdict(sizes.vision),
        )


class MolmoPreTrainedModel(PreTrainedModel):
    """What transformers needs to know to load and run the model."""

    config_class = MolmoConfig
    base_model_prefix = "model"
    input_modalities = ["image", "text"]  # noqa: RUF012
    # Their weights have to be on one device; each brings its input there.
    _no_split_modules = ["MolmoBlock", "VisionBackbone", "WordTable"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _supports_sdpa = True
    _supports_attention_backend = True
    _can_record_outputs = {"hidden_states": MolmoBlock, "attentions": MolmoAttention}  # noqa: RUF012

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Fill weights that are not loaded with small random numbers."""
        super()._init_weights(module)
        if isinstance(module, WordTable | VisionEncoder | VisionBackbone):
            for weights in module.parameters(recurse=False):
                initialization.normal_(weights, std=self.config.initializer_range)


class MolmoModel(MolmoPreTrainedModel):
    """Vision backbone and language model, without the layer that names words."""

    def __init__(self, config: MolmoConfig) -> None:
        super().__init__(config)
        self.transformer = LanguageModel(config, config.extra_words)
        vision = VisionSizes(**(config.vision or {}))
        self.vision_backbone = VisionBackbone(vision, config.hidden_size, config.intermediate_size)
        # What is added to the image's words passes here, shape (image tokens of the batch, width), in the order
        # of the prompt. A forward hook that returns other features takes away or changes what the model sees.
        self.image_features = nn.Identity()
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the word tables."""
        return self.transformer.wte

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        images: Tensor | None = None,
        image_input_idx: Tensor | None = None,
        image_masks: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Return states of all tokens; see `MolmoForCausalLM.forward`."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("either input_ids or inputs_embeds, not both")
        states = self.transformer.wte(input_ids) if inputs_embeds is None else inputs_embeds
        if images is not None:
            states = self._with_image(states, images, image_input_idx, image_masks)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if position_ids is None:
            seen = past_key_values.get_seq_length() if past_key_values is not None else 0
            position_ids = torch.arange(seen, seen + states.shape[1], device=states.device)[None]
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=states,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        states = self.transformer(
            inputs_embeds=states,
            position_ids=position_ids,
            attention_mask=mask,
            past_key_values=past_key_values,
            **kwargs,
        )
        return BaseModelOutputWithPast(
            last_hidden_state=states, past_key_values=past_key_values if use_cache else None
        )

    def _with_image(
        self, states: Tensor, images: Tensor, image_input_idx: Tensor | None, image_masks: Tensor | None
    ) -> Tensor:
        """Add the image's features to the embeddings of its tokens."""
        if image_input_idx is None or image_masks is None:
            raise ValueError("images need image_input_idx and image_masks")
        projected = self.vision_backbone(images, image_masks).flatten(1, 2)
        # Slots in the order of their tokens; those that are given up have negative numbers and come first.
        positions, slots = image_input_idx.flatten(1).to(projected.device).sort(dim=1)
        sample, rank = (positions >= 0).nonzero(as_tuple=True)
        features = self.image_features(projected[sample, slots[sample, rank]])
        places = tuple(index.to(states.device) for index in (sample, positions[sample, rank]))
        return states.index_put(places, states[places] + features.to(states))


class MolmoForCausalLM(MolmoPreTrainedModel, GenerationMixin):
    """The whole model.

    Parameters
    ----------
    config
        From `MolmoConfig.of`.
    """

    def __init__(self, config: MolmoConfig) -> None:
        super().__init__(config)
        self.model = MolmoModel(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the word tables."""
        words: nn.Module = self.model.transformer.wte
        return words

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that names words."""
        naming: nn.Module = self.model.transformer.ff_out
        return naming

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        images: Tensor | None = None,
        image_input_idx: Tensor | None = None,
        image_masks: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits of the next word after each token.

        Parameters
        ----------
        input_ids
            Shape (batch, tokens).
        images, image_input_idx, image_masks
            From `preprocess.MolmoProcessor`, with the pass over the prompt only.
        attention_mask
            Which tokens are there, shape (batch, all tokens); or a prepared additive one, shape (batch, 1, tokens,
            all tokens), which leaves positions as they are.
        position_ids, past_key_values, inputs_embeds, use_cache
            As in any model of transformers.
        logits_to_keep
            Only the last so many tokens; 0 for all.
        kwargs
            ``output_attentions``, ``output_hidden_states`` and what the attention implementation takes.
        """
        outputs = self.model(
            input_ids=input_ids,
            images=images,
            image_input_idx=image_input_idx,
            image_masks=image_masks,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        states = outputs.last_hidden_state[:, -logits_to_keep:]
        return CausalLMOutputWithPast(
            logits=self.model.transformer.ff_out(states),
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def prepare_inputs_for_generation(
        self, input_ids: Any, is_first_iteration: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        """Hand the image to the first pass only, which leaves it in the keys and values."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if not is_first_iteration and kwargs.get("use_cache", True):
            for name in ("images", "image_input_idx", "image_masks"):
                inputs.pop(name, None)
        return inputs
