"""Token sequences that share their beginnings, folded into one tree and laid out as one row.

All that is asked about one example (its options, its tags, its reference) begins with the same prompt. Folded into a
tree every shared token goes through the model once; a mask lets each token attend to its ancestors alone, and positions
are depths, so that a token's distribution is what it would be in a row of its own. (Tree attention; Miao et al. 2023,
SpecInfer, arXiv:2305.09781.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class TokenTree:
    """A growing tree of tokens. Node 0 is the first token added at the root; there may be several roots."""

    def __init__(self) -> None:
        """Start without tokens."""
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self._children: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """Return the number of tokens that go through the model."""
        return len(self.tokens)

    def add(self, tokens: Sequence[int], parent: int = -1) -> list[int]:
        """Add a sequence below ``parent`` (-1: as a root), sharing what is there, and return the node of each token."""
        nodes = []
        for token in tokens:
            node = self._children.get((parent, token))
            if node is None:
                node = len(self.tokens)
                self._children[parent, token] = node
                self.tokens.append(token)
                self.parents.append(parent)
                self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
            nodes.append(node)
            parent = node
        return nodes

    def visible(self) -> np.ndarray:
        """Return bool (n, n): whether the token of a row may attend to the token of a column: itself and its ancestors."""
        size = len(self.tokens)
        mask = np.zeros((size, size), dtype=bool)
        for node, parent in enumerate(self.parents):  # a parent always stands before its children
            if parent >= 0:
                mask[node] = mask[parent]
            mask[node, node] = True
        return mask
