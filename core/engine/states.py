"""Keys and values that attention looks back at, of a header that many rows share, and rows laid out below it.

For architectures whose layers all see a token's ancestors and its position alone (`core.engine.models.supports_trees`): masks
and positions are always given, so that a layer need not know where in its row a token stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import CacheLayerMixin

from core.tree import Header, TokenTree


@dataclass(frozen=True)
class HeaderStates:
    """A header that went through a model: its keys and values at every layer."""

    header: Header
    keys: tuple[torch.Tensor, ...]
    """A layer each: 1 x heads x tokens x size of a head."""
    values: tuple[torch.Tensor, ...]

    @cached_property
    def finite(self) -> bool:
        """Whether every number of the last layer is one, and with it all before."""
        return bool(torch.isfinite(self.keys[-1]).all() and torch.isfinite(self.values[-1]).all())


@torch.inference_mode()
def encode_header(model: Any, header: Header, device: torch.device) -> HeaderStates:
    """Send a header through the model, as one row."""
    mask = additive(torch.from_numpy(header.visible)[None].to(device), dtype_of(model))
    cache = DynamicCache()
    model(
        input_ids=torch.tensor([header.tokens], device=device), position_ids=torch.tensor([header.depths], device=device),
        attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1,
    )  # fmt: skip
    layers: list[Any] = cache.layers
    return HeaderStates(header, tuple(layer.keys for layer in layers), tuple(layer.values for layer in layers))


def dtype_of(model: Any) -> torch.dtype:
    """Return the precision that a model computes in."""
    return next(parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())


def additive(visible: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return bool (rows, queries, keys) as the mask that is added to attention's scores: (rows, 1, queries, keys)."""
    blocked = torch.full((), torch.finfo(dtype).min, dtype=dtype, device=visible.device)
    return torch.where(visible, torch.zeros((), dtype=dtype, device=visible.device), blocked).unsqueeze(1)


class GivenMasks(CacheLayerMixin):
    """What transformers wants to know of a layer; masks are given, so that only `update` matters."""

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing has to be prepared."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return the length and offset of a mask that is never made."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Return 0: positions are given."""
        return 0

    def get_max_length(self) -> int:
        """Return -1: no limit."""
        return -1


class _BelowHeader(GivenMasks):
    """Rows that look back at the tokens of a header; what they add can be kept."""

    def __init__(self, keys: torch.Tensor | None, values: torch.Tensor | None) -> None:
        super().__init__()
        self._header = (keys, values)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys, self.values = key_states, value_states
        keys, values = self._header
        if keys is None or values is None:
            return key_states, value_states
        height = len(key_states)
        return (
            torch.cat([keys.expand(height, -1, -1, -1), key_states], dim=2),
            torch.cat([values.expand(height, -1, -1, -1), value_states], dim=2),
        )


@dataclass(frozen=True)
class Layout:
    """Rows as they go through the model below a header: right-padded."""

    tokens: torch.Tensor
    """rows x width."""
    positions: torch.Tensor
    """rows x width: how many tokens stand before each, the header's included."""
    mask: torch.Tensor
    """rows x 1 x width x (header's used tokens + width), added to attention's scores."""
    cache: Cache

    @property
    def layers(self) -> list[Any]:
        """The layers of the cache, which keep what the rows add."""
        return self.cache.layers

    @property
    def width(self) -> int:
        """Tokens of the longest row."""
        return self.tokens.shape[1]


def lay_out(trees: Sequence[TokenTree], states: HeaderStates | None, model: Any, device: torch.device) -> Layout:
    """Return rows below the part of the header that they need; padding sees itself, so that no row is all masked."""
    width = max(len(tree) for tree in trees)
    tokens = torch.zeros(len(trees), width, dtype=torch.long)
    positions = torch.zeros(len(trees), width, dtype=torch.long)
    used = _used(trees, states)
    visible = np.zeros((len(trees), width, len(used) + width), dtype=bool)
    visible[:, :, len(used) :] = np.eye(width, dtype=bool)
    for place, tree in enumerate(trees):
        size = len(tree)
        tokens[place, :size] = torch.tensor(tree.tokens)
        positions[place, :size] = torch.tensor(tree.depths)
        visible[place, :size, len(used) : len(used) + size] = tree.visible()
        if states is not None and len(used):
            anchors = np.array(tree.anchors)
            visible[place, :size, : len(used)] = states.header.visible[anchors][:, used] & (anchors >= 0)[:, None]
    mask = additive(torch.from_numpy(visible).to(device), dtype_of(model))  # bools travel, not numbers
    return Layout(tokens.to(device), positions.to(device), mask, _cache_below(states, used, model, device))


def _used(trees: Sequence[TokenTree], states: HeaderStates | None) -> list[int]:
    if states is None:
        return []
    anchors = {anchor for tree in trees for anchor in tree.anchors}
    return sorted({node for anchor in anchors for node in states.header.path(anchor)})


def _cache_below(states: HeaderStates | None, used: Sequence[int], model: Any, device: torch.device) -> Cache:
    if states is None or not used:
        return Cache(layers=[_BelowHeader(None, None) for _ in range(model.config.num_hidden_layers)])
    chosen = torch.tensor(used, device=device)
    pairs = zip(states.keys, states.values, strict=True)
    return Cache(layers=[_BelowHeader(keys[:, :, chosen], values[:, :, chosen]) for keys, values in pairs])
