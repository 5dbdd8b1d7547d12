"""A base model with virtual tokens before every prompt (prompt tuning, P-tuning, prefix tuning and their kind).

PEFT puts them before the padding of a batch and leaves positions to the model, so that a padded row is not answered as a row
alone would be. Here their keys and values are computed once, and every layer looks back at them as well as at what its own cache
holds; real tokens stand at the positions after them, and what comes out is of real tokens alone.
"""

from __future__ import annotations

from typing import Any

import torch
from peft import PeftModel
from transformers import Cache, DynamicCache
from transformers.cache_utils import CacheLayerMixin

from core.errors import InputError


class _AfterPrefix(CacheLayerMixin):
    """One layer's view of a cache: the virtual tokens first, then what the cache itself holds, which knows nothing of them."""

    def __init__(self, cache: Cache, place: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self._cache, self._place, self._prefix = cache, place, (keys, values)
        self._length = keys.shape[2]

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing has to be prepared."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *arguments: Any, **options: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep what is new in the cache, and return all that a token may look back at."""
        keys, values = self._cache.update(key_states, value_states, self._place, *arguments, **options)
        first_keys, first_values = (one.expand(len(keys), -1, -1, -1) for one in self._prefix)
        return torch.cat([first_keys, keys], dim=2), torch.cat([first_values, values], dim=2)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return the length and offset of a mask."""
        length, offset = self._cache.get_mask_sizes(query_length, self._place)
        return length + self._length, offset

    def get_seq_length(self) -> int:
        """Return how many tokens stand before the next one."""
        return self._cache.get_seq_length(self._place) + self._length

    def get_max_length(self) -> int:
        """Return -1: no limit."""
        return -1


class PrefixedModel:
    """A model that is called as its base is: masks, positions and caches are of real tokens alone."""

    def __init__(self, base: Any, prefix: Cache, n_virtual: int) -> None:
        """Take the base and the keys and values of the virtual tokens, of one row."""
        self.base, self.n_virtual = base, n_virtual
        layers: list[Any] = prefix.layers
        self._prefix = [(layer.keys, layer.values) for layer in layers]

    def __getattr__(self, name: str) -> Any:
        """Answer for all else as the base does: its config, its parameters, its output layer."""
        return getattr(self.base, name)

    def __call__(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Return the base's output for these tokens.

        Args:
            input_ids: rows x tokens.
            attention_mask: rows x tokens so far, or to be added to attention's scores as rows x 1 x tokens x tokens so far.
            position_ids: rows x tokens, from 0.
            past_key_values: What came before; what is new is added to it.
            options: of the base's forward.
        """
        cache = DynamicCache(config=self.base.config) if past_key_values is None else past_key_values
        layers: list[Any] = [_AfterPrefix(cache, place, *pair) for place, pair in enumerate(self._prefix)]
        if attention_mask is not None:
            fill = 1 if attention_mask.dim() == 2 else 0  # 0 added to a score lets it be
            seen = attention_mask.new_full((*attention_mask.shape[:-1], self.n_virtual), fill)
            attention_mask = torch.cat([seen, attention_mask], dim=-1)
        output = self.base(
            input_ids=input_ids, attention_mask=attention_mask, past_key_values=Cache(layers=layers),
            position_ids=None if position_ids is None else position_ids + self.n_virtual, **options,
        )  # fmt: skip
        output.past_key_values = cache
        return output


@torch.inference_mode()
def with_prefix(model: PeftModel, base: Any) -> PrefixedModel:
    """Return the base with the virtual tokens of a prompt-learning adapter.

    Args:
        model: The adapter, attached by PEFT.
        base: The model under it.

    Raises:
        InputError: the base has an encoder, or PEFT gives this architecture's prefix in a form that is no cache.
    """
    config: Any = model.active_peft_config
    if base.config.is_encoder_decoder:
        raise InputError(
            f"{config.peft_type.value}: an adapter that learns a prompt cannot be evaluated on a sequence-to-sequence base; "
            "adapters of layers (LoRA, IA3) can."
        )
    prompt = model.get_prompt(batch_size=1)
    cache: Any = prompt
    if isinstance(prompt, torch.Tensor):
        cache = DynamicCache(config=base.config)
        embedded = prompt.to(device=base.device, dtype=base.get_input_embeddings().weight.dtype)
        base(inputs_embeds=embedded, past_key_values=cache, use_cache=True, logits_to_keep=1)
    if not isinstance(cache, DynamicCache) or cache.get_seq_length() != config.num_virtual_tokens:
        raise InputError(
            f"PEFT gives the virtual tokens of {config.peft_type.value} for {base.config.model_type} in a form that cannot be put "
            "before a batch; merge what it does into a prompt, or leave it out."
        )
    return PrefixedModel(base, cache, config.num_virtual_tokens)
