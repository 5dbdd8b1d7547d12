"""The places in which rows are decoded, one token a step: their keys and values in one piece of memory.

For architectures as in `core.engine.states`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache

from core.engine.states import GivenMasks, HeaderStates, Layout, additive
from core.tree import TokenTree

GROWTH = 32
"""Tokens by which the room of rows that are being decoded grows."""


@dataclass
class _Step:
    """Where one more token of each row goes: its rows and the place after their last tokens, and the width they then need."""

    rows: torch.Tensor
    ends: torch.Tensor
    width: int


class _SlotLayer(GivenMasks):
    """One layer's keys and values of rows that are being decoded, one token a step."""

    def __init__(self, step: _Step) -> None:
        super().__init__()
        # Not the slots: layers that held what holds them would keep their memory until the collector comes.
        self._step = step

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.keys is not None and self.values is not None
        rows, ends, width = self._step.rows, self._step.ends, self._step.width
        height = len(rows)
        self.keys[rows, :, ends] = key_states[:, :, 0]
        self.values[rows, :, ends] = value_states[:, :, 0]
        return self.keys[:height, :, :width], self.values[:height, :, :width]


class Slots:
    """The places in which rows are decoded: the first ``height`` of them are busy, without gaps.

    Keys and values of all layers lie in one piece of memory, which is cut into a block a layer (places x tokens) with some tokens
    to spare: a step writes one token a row and copies none, and blocks of another shape are cut from the same piece.
    """

    def __init__(self, model: Any, places: int, room: int, device: torch.device, *, most: int) -> None:
        """Prepare for a model's layers.

        Args:
            model: Whose rows they will be.
            places: The most rows.
            room: The most tokens of a block: where rows are long, fewer of them find a place.
            device: Where the model is.
            most: The most tokens that all rows together can come to; no more memory is taken.
        """
        self.places, self.room, self.device = places, room, device
        self._capacity = min(room, most)
        self._memory: torch.Tensor | None = None
        """Layers x 2 (keys, values) x numbers; what no row has written to is not defined."""
        self.lengths: list[int] = []
        """How many tokens each busy row has behind it."""
        none = torch.zeros(0, dtype=torch.long, device=device)
        self._step = _Step(none, none, 0)
        self._layers: list[Any] = [_SlotLayer(self._step) for _ in range(model.config.num_hidden_layers)]
        self.cache = Cache(layers=self._layers)

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
        self._make_room(layout.layers[0].keys, busy=first)
        for number, (layer, source) in enumerate(zip(self._layers, layout.layers, strict=True)):
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
        self._make_room(self._layers[0].keys, busy=self.height)
        step = self._step
        step.width = max(self.lengths) + 1
        step.ends = torch.tensor(self.lengths, device=self.device)
        step.rows = torch.arange(self.height, device=self.device)
        visible = torch.arange(step.width, device=self.device)[None, None, :] <= step.ends[:, None, None]
        self.lengths = [length + 1 for length in self.lengths]
        return step.ends[:, None], additive(visible, dtype)

    def _make_room(self, like: torch.Tensor, *, busy: int) -> None:
        """Cut blocks that hold the rows and one more token of each, if those that are there do not; the first rows are busy.

        Keys ``like`` theirs tell heads and sizes.
        """
        needed = max(self.lengths) + 1
        there = self._layers[0].keys
        places, tokens = (0, 0) if there is None else (there.shape[0], there.shape[2])
        if self.height <= places and needed <= tokens:
            return
        width = max(needed, min(needed + GROWTH, self._capacity // self.height))
        height = max(self.height, min(self.places, self._capacity // width))
        heads, size = like.shape[1], like.shape[3]
        numbers = heads * size * max(self._capacity, height * width)
        memory = self._memory
        if memory is None or memory.shape[2] < numbers:
            memory = like.new_empty(len(self._layers), 2, numbers)  # on a processor it is taken as it is written to
        columns = min(width, tokens)
        for layer, piece in zip(self._layers, memory, strict=True):
            blocks = [flat[: heads * size * height * width].view(height, heads, width, size) for flat in piece]
            for name, block in zip(("keys", "values"), blocks, strict=True):
                if busy:  # a copy, since the new block may lie where the old one does
                    block[:busy, :, :columns] = getattr(layer, name)[:busy, :, :columns].clone()
                    block[:busy, :, columns:] = 0
                setattr(layer, name, block)
        self._memory = memory


def _clear(layer: Any, row: int, start: int) -> None:
    """Forget what an earlier row left behind: it is masked, but undefined numbers would go through any mask."""
    layer.keys[row, :, start:] = 0
    layer.values[row, :, start:] = 0
