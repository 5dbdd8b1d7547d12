"""Lengths in tokens, with the model's own tokenizer and chat template: what max_length cuts off, and whose tokens they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.data.profile.packing import Packing, packing_cost

PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99, 100)
USUAL_CUTS = (512, 1024, 2048, 4096, 8192, 16384, 32768)
LINES_KEPT = 100


@dataclass(frozen=True)
class Cut:
    """What one max_length takes away."""

    max_length: int
    rows: int
    """Rows longer than ``max_length``."""
    share: float | None
    """Of all rows; None for a file without rows."""
    tokens_lost: int
    share_of_tokens: float | None
    answers_lost: int
    """Rows whose prompt alone fills ``max_length``: nothing of the answer is left."""
    lines: tuple[int, ...]
    """Of the longest of those rows, at most 100."""


@dataclass(frozen=True)
class RoleTokens:
    """The tokens of one role."""

    role: str
    tokens: int
    share: float
    """Of all tokens of the file."""
    turns: int
    mean: float | None
    """Tokens a turn; None for the template."""


@dataclass(frozen=True)
class Unrendered:
    """Rows that the chat template refuses: they have no length here, and training would stop at them."""

    count: int
    reason: str
    """What was said of the first."""
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Lengths:
    """The length of every row in tokens; ready to answer for any max_length at once."""

    lines: np.ndarray
    """int32 (n,): the line of each row."""
    totals: np.ndarray
    """int32 (n,): tokens of each row as training sees it, in the file's order."""
    prompts: np.ndarray
    """int32 (n,): how many of them come before the answer; -1 for a row without one."""
    roles: tuple[RoleTokens, ...]
    """``template`` are tokens of nobody's words: headers, ends of turns, BOS and EOS."""
    unrendered: Unrendered
    notes: tuple[str, ...]
    tokenizer: str
    """Fingerprint of the tokenizer and template."""

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.totals, kind="stable")

    @cached_property
    def sorted_totals(self) -> np.ndarray:
        """int32 (n,): the lengths, shortest first."""
        return self.totals[self._order]

    @cached_property
    def _longer_sums(self) -> np.ndarray:
        """int64 (n + 1,): tokens of the rows from this place of the sorted lengths on."""
        return np.concatenate([np.cumsum(self.sorted_totals[::-1], dtype=np.int64)[::-1], [0]])

    @cached_property
    def _sorted_prompts(self) -> np.ndarray:
        return np.sort(self.prompts[(self.prompts >= 0) & (self.totals > self.prompts)])

    @property
    def tokens(self) -> int:
        """All tokens of the file."""
        return int(self._longer_sums[0])

    def cut(self, max_length: int) -> Cut:
        """Return what ``max_length`` takes away; three binary searches, so that a slider can ask.

        Raises:
            ValueError: ``max_length`` is below 1.
        """
        if max_length < 1:
            raise ValueError(f"max_length is at least 1; found {max_length}")
        first = int(np.searchsorted(self.sorted_totals, max_length, side="right"))
        rows = len(self.totals) - first
        lost = int(self._longer_sums[first]) - rows * max_length
        answers = len(self._sorted_prompts) - int(np.searchsorted(self._sorted_prompts, max_length, side="left"))
        longest = self._order[first:][::-1][:LINES_KEPT]
        return Cut(
            max_length, rows, rows / len(self.totals) if len(self.totals) else None, lost,
            lost / self.tokens if self.tokens else None, answers, tuple(self.lines[longest].tolist()),
        )  # fmt: skip

    def packing(self, max_length: int) -> Packing:
        """Return the cost of padding and of packing at ``max_length``; see `packing_cost`."""
        return packing_cost(self.totals, max_length)

    def percentiles(self) -> dict[str, int]:
        """Return lengths that so many percent of the rows do not pass (nearest rank); empty for a file without rows."""
        n = len(self.totals)
        return {f"p{p}": int(self.sorted_totals[max(0, -(-p * n // 100) - 1)]) for p in PERCENTILES} if n else {}

    def histogram(self, bins: int = 50) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edges (bins + 1, whole tokens) and the rows in each bin; a last edge belongs to the last bin."""
        if not len(self.totals):
            return (), ()
        low, high = int(self.sorted_totals[0]), int(self.sorted_totals[-1])
        edges = np.unique(np.linspace(low, high + 1, min(bins, high + 1 - low) + 1).astype(np.int64))
        counts, _ = np.histogram(self.totals, edges)
        return tuple(edges.tolist()), tuple(counts.tolist())

    def to_json(self, max_length: int) -> dict[str, Any]:
        """Return the summary as plain values: everything but the rows' own lengths."""
        edges, counts = self.histogram()
        answered = self.prompts >= 0
        prompt_tokens = int(self.prompts[answered].sum())
        return {
            "rows": len(self.totals), "tokens": self.tokens, "percentiles": self.percentiles(),
            "histogram": {"edges": list(edges), "counts": list(counts)},
            "prompt_tokens": prompt_tokens, "completion_tokens": int(self.totals[answered].sum()) - prompt_tokens,
            "rows_with_an_answer": int(answered.sum()), "roles": [asdict(role) for role in self.roles],
            "cut": asdict(self.cut(max_length)),
            "cuts": [_short(self.cut(length)) for length in USUAL_CUTS],
            "packing": asdict(self.packing(max_length)), "unrendered": asdict(self.unrendered),
            "notes": list(self.notes), "tokenizer": self.tokenizer,
        }  # fmt: skip


def _short(cut: Cut) -> Mapping[str, Any]:
    found = asdict(cut)
    del found["lines"]
    return found
