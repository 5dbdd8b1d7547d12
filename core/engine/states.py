"""Keys and values that attention looks back at: of a header that many rows share, and of rows that are being decoded.

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

GROWTH = 32
"""Tokens by which the room of rows that are being decoded grows."""


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
    mask = additive(torch.from_numpy(header.visible)[None], dtype_of(model)).to(device)
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


class _Layer(CacheLayerMixin):
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


class _BelowHeader(_Layer):
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
    mask = additive(torch.from_numpy(visible), dtype_of(model)).to(device)
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


class _SlotLayer(_Layer):
    """One layer's keys and values of rows that are being decoded, one token a step."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self._slots = slots

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.keys is not None and self.values is not None
        height, lengths = self._slots.height, self._slots.ends
        rows = self._slots.rows
        self.keys[rows, :, lengths] = key_states[:, :, 0]
        self.values[rows, :, lengths] = value_states[:, :, 0]
        width = self._slots.width
        return self.keys[:height, :, :width], self.values[:height, :, :width]


class Slots:
    """The places in which rows are decoded: the first ``height`` of them are busy, without gaps.

    Keys and values lie in one block a layer (places x tokens) with some tokens to spare, so that a step writes one token a row
    and copies none.
    """

    def __init__(self, model: Any, places: int, room: int, device: torch.device) -> None:
        """Prepare for a model's layers.

        Args:
            model: Whose rows they will be.
            places: The most rows.
            room: The most tokens of a block: where rows are long, fewer of them find a place.
            device: Where the model is.
        """
        self.places, self.room, self.device = places, room, device
        self.lengths: list[int] = []
        """How many tokens each busy row has behind it."""
        self._layers: list[Any] = [_SlotLayer(self) for _ in range(model.config.num_hidden_layers)]
        self.cache = Cache(layers=self._layers)
        self.rows = self.ends = torch.zeros(0, dtype=torch.long, device=device)
        self.width = 0

    @property
    def height(self) -> int:
        """How many places are busy."""
        return len(self.lengths)

    def has_room(self, lengths: Sequence[int]) -> bool:
        """Tell whether rows of these lengths find places beside those that are there; one row alone always does."""
        height = self.height + len(lengths)
        return height == 1 or (
            height <= self.places and height * (max([*self.lengths, *lengths]) + GROWTH) <= self.room
        )

    def take(self, layout: Layout, trees: Sequence[TokenTree], states: HeaderStates | None) -> None:
        """Give places to rows that have just gone through the model, keys and values of their header included."""
        paths = [states.header.path(tree.anchors[0]) if states else [] for tree in trees]
        first = self.height
        self.lengths += [len(path) + len(tree) for path, tree in zip(paths, trees, strict=True)]
        for number, (layer, source) in enumerate(zip(self._layers, layout.layers, strict=True)):
            self._make_room(layer, source.keys)
            for place, (path, tree) in enumerate(zip(paths, trees, strict=True)):
                row, start, end = first + place, len(path), len(path) + len(tree)
                if states is not None and path:
                    layer.keys[row, :, :start] = states.keys[number][0][:, path]
                    layer.values[row, :, :start] = states.values[number][0][:, path]
                layer.keys[row, :, start:end] = source.keys[place, :, : len(tree)]
                layer.values[row, :, start:end] = source.values[place, :, : len(tree)]
                _clear(layer, row, end)

    def leave(self, places: Sequence[int]) -> list[int]:
        """Free places, fill the gaps with the last rows, and return the old place of each row that stays, in its new order."""
        order = list(range(self.height))
        for place in sorted(places, reverse=True):
            last = order.pop()
            if place < len(order):
                order[place] = last
        moved = [(new, old) for new, old in enumerate(order) if new != old]
        for layer in self._layers:
            for new, old in moved:
                length = self.lengths[old]
                layer.keys[new, :, :length] = layer.keys[old, :, :length]
                layer.values[new, :, :length] = layer.values[old, :, :length]
                _clear(layer, new, length)
        self.lengths = [self.lengths[old] for old in order]
        return order

    def step(self, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Prepare for one more token a row; return its positions (rows x 1) and mask (rows x 1 x 1 x width)."""
        self.width = max(self.lengths) + 1
        for layer in self._layers:
            self._make_room(layer, layer.keys)
        self.ends = torch.tensor(self.lengths, device=self.device)
        self.rows = torch.arange(self.height, device=self.device)
        visible = torch.arange(self.width, device=self.device)[None, None, :] <= self.ends[:, None, None]
        self.lengths = [length + 1 for length in self.lengths]
        return self.ends[:, None], additive(visible, dtype)

    def _make_room(self, layer: Any, like: torch.Tensor) -> None:
        """Give a layer a block that holds the busy rows and one more token of each, if it has none."""
        needed = max(self.lengths) + 1
        places, tokens = (0, 0) if layer.keys is None else (layer.keys.shape[0], layer.keys.shape[2])
        if self.height <= places and needed <= tokens:
            return
        width = needed + GROWTH
        height = max(self.height, min(self.places, self.room // width))
        for name in ("keys", "values"):
            block = like.new_zeros(height, like.shape[1], width, like.shape[3])
            if places:
                rows, columns = min(height, places), min(width, tokens)
                block[:rows, :, :columns] = getattr(layer, name)[:rows, :, :columns]
            setattr(layer, name, block)


def _clear(layer: Any, row: int, start: int) -> None:
    """Forget what an earlier row left behind: it is masked, but undefined numbers would go through any mask."""
    layer.keys[row, :, start:] = 0
    layer.values[row, :, start:] = 0
