"""Which part a worker of a cluster takes next: the longest ones first, and its own variant as long as there are parts of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.plan import Part


@dataclass(frozen=True)
class Share:
    """One part of one variant: what is handed out, and done again where it got lost."""

    variant: str
    part: Part


class WorkQueue:
    """All that is still to be handed out. Longest first, so that nobody starts on a long part when the others are done.

    (Graham 1969, Bounds on multiprocessing timing anomalies: longest processing time first ends within 4/3 of the best.)
    """

    def __init__(self, work: Mapping[str, Sequence[Part]]) -> None:
        """Take each variant's parts."""
        self._waiting = {
            variant: deque(sorted(parts, key=lambda part: (-part.tokens, part.index)))
            for variant, parts in work.items()
            if parts
        }
        self._tokens = {variant: sum(part.tokens for part in parts) for variant, parts in self._waiting.items()}
        self._at: dict[int, str] = {}

    def __len__(self) -> int:
        """Return how many shares wait."""
        return sum(len(parts) for parts in self._waiting.values())

    def take(self, worker: int) -> Share | None:
        """Return what a worker does next, or None when nothing waits.

        Switching a variant costs, so a worker stays with its own; else it takes the variant with the most tokens left for each
        worker that is at it.
        """
        variant = self._at.get(worker)
        if variant is None or not self._waiting[variant]:
            others = Counter(name for who, name in self._at.items() if who != worker)
            left = [name for name, parts in self._waiting.items() if parts]
            if not left:
                return None
            variant = max(left, key=lambda name: self._tokens[name] / (1 + others[name]))
            self._at[worker] = variant
        part = self._waiting[variant].popleft()
        self._tokens[variant] -= part.tokens
        return Share(variant, part)

    def give_back(self, worker: int, shares: Sequence[Share]) -> None:
        """Take back what a worker that is gone did not finish: it is handed out next."""
        self._at.pop(worker, None)
        for share in reversed(shares):
            self._waiting[share.variant].appendleft(share.part)
            self._tokens[share.variant] += share.part.tokens
