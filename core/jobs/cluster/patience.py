"""How long a worker may take over a part before it is taken for hanging: by the pace of the parts that came back."""

from __future__ import annotations

from core.plan import Part

TIMES = 20
"""A part may take so many times what its tokens took in the slowest part of its kind so far."""
UNKNOWN_TIMES = 6
"""As long as no part of its kind has come back, so many times the time that is given at least."""


class Patience:
    """Learns from each part that comes back. Scoring and answering have each a pace of their own."""

    def __init__(self, seconds: float) -> None:
        """Take how long a worker may always be silent."""
        self._seconds = seconds
        self._slowest: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """How long a worker may be at something of which nothing is known: loading, a check, a first part."""
        return UNKNOWN_TIMES * self._seconds

    def learn(self, part: Part, seconds: float) -> None:
        """Note how long a worker took for a part."""
        kind = part.batches[0].kind
        self._slowest[kind] = max(self._slowest.get(kind, 0.0), seconds / max(1, part.tokens))

    def seconds_for(self, part: Part) -> float:
        """Return how long a worker may be at a part."""
        pace = self._slowest.get(part.batches[0].kind)
        if pace is None:
            return self.seconds
        return max(self._seconds, TIMES * pace * part.tokens)
