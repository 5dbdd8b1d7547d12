"""Token sequences that share their beginnings, folded into one tree and laid out as one row.

All that is asked about one example (its options, its tags, its reference) begins with the same prompt. Folded into a
tree every shared token goes through the model once; a mask lets each token attend to its ancestors alone, and positions
are depths, so that a token's distribution is what it would be in a row of its own. (Tree attention; Miao et al. 2023,
SpecInfer, arXiv:2305.09781.) What many rows begin with is a tree of its own, the header, that the rows hang below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ROOT = -1
"""The parent of a tree's first tokens, and the anchor of a row that hangs below no header."""


class TokenTree:
    """A growing tree of tokens. Node 0 is the first token added at the root; there may be several roots."""

    def __init__(self, header: Header | None = None) -> None:
        """Start without tokens; what sequences share with the header is then not added again."""
        self.header = header
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self.anchors: list[int] = []
        """For each node the node of the header that its first ancestor hangs below; ``ROOT`` without one."""
        self._children: dict[tuple[int, int, int], int] = {}

    def __len__(self) -> int:
        """Return the number of tokens that go through the model."""
        return len(self.tokens)

    def add(self, tokens: Sequence[int], parent: int = ROOT) -> list[int]:
        """Add a sequence below ``parent`` (``ROOT``: as a root), sharing what is there, and return the node of each token.

        What a root sequence shares with the header has no node here and is left out; its last token always has one.
        """
        anchor, depth = ROOT, 0
        if parent != ROOT:
            anchor, depth = self.anchors[parent], self.depths[parent] + 1
        elif self.header is not None:
            anchor, depth = self.header.walk(tokens[:-1])
            tokens = tokens[depth:]
        nodes = []
        for token in tokens:
            node = self._children.get((anchor, parent, token))
            if node is None:
                node = len(self.tokens)
                self._children[anchor, parent, token] = node
                self.tokens.append(token)
                self.parents.append(parent)
                self.depths.append(depth)
                self.anchors.append(anchor)
            nodes.append(node)
            parent, depth = node, self.depths[node] + 1
        return nodes

    def visible(self) -> np.ndarray:
        """Return bool (n, n): whether the token of a row may attend to the token of a column: itself and its ancestors."""
        return _ancestry(self.parents)


@dataclass(frozen=True)
class Header:
    """What many rows begin with: a tree that goes through the model once a variant, whatever the rows below it."""

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    """The parent of each token, ``ROOT`` for a first one; a parent stands before its children."""

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def walk(self, tokens: Sequence[int]) -> tuple[int, int]:
        """Return the last node of the longest beginning of a sequence that is here (``ROOT``: none), and its length."""
        node = ROOT
        for length, token in enumerate(tokens):
            child = self._children.get((node, token))
            if child is None:
                return node, length
            node = child
        return node, len(tokens)

    def path(self, node: int) -> list[int]:
        """Return the nodes from a root to a node, both included; none for ``ROOT``."""
        found = []
        while node != ROOT:
            found.append(node)
            node = self.parents[node]
        return found[::-1]

    @cached_property
    def _children(self) -> dict[tuple[int, int], int]:
        return {
            (parent, token): node for node, (parent, token) in enumerate(zip(self.parents, self.tokens, strict=True))
        }

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """How many tokens stand before each."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(0 if parent == ROOT else depths[parent] + 1)
        return tuple(depths)

    @cached_property
    def visible(self) -> np.ndarray:
        """Return bool (n, n): whether the token of a row may attend to the token of a column: itself and its ancestors."""
        return _ancestry(self.parents)


def _ancestry(parents: Sequence[int]) -> np.ndarray:
    size = len(parents)
    mask = np.zeros((size, size), dtype=bool)
    for node, parent in enumerate(parents):  # a parent always stands before its children
        if parent != ROOT:
            mask[node] = mask[parent]
        mask[node, node] = True
    return mask


def shared_header(rows: Sequence[Sequence[Sequence[int]]], *, most: int) -> Header | None:
    """Return the beginnings that many rows share, each token once; None where there are none.

    A token is shared by enough rows if a sixteenth of them, and at least two, pass it. The last token of a prompt is never part
    of it, since its output is what a row is asked for.

    Args:
        rows: The prompts of each row, as tokens; a row is what goes through the model together, such as one example.
        most: The largest size in tokens; of a larger tree those that most rows pass are kept.
    """
    children: dict[tuple[int, int], int] = {}
    parents: list[int] = []
    tokens: list[int] = []
    passing: list[int] = []
    for prompts in rows:
        touched: set[int] = set()
        for prompt in prompts:
            node = ROOT
            for token in prompt[:-1]:
                child = children.get((node, token))
                if child is None:
                    child = children[node, token] = len(tokens)
                    tokens.append(token)
                    parents.append(node)
                    passing.append(0)
                touched.add(child)
                node = child
        for node in touched:
            passing[node] += 1
    least = max(2, len(rows) // 16)
    # A parent is passed by at least as many rows and stands before its children: what is kept holds together.
    kept = sorted(
        sorted((n for n, count in enumerate(passing) if count >= least), key=lambda n: (-passing[n], n))[:most]
    )
    if not kept:
        return None
    place = {ROOT: ROOT} | {node: k for k, node in enumerate(kept)}
    return Header(tuple(tokens[node] for node in kept), tuple(place[parents[node]] for node in kept))
