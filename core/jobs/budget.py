"""How much of a time budget is left, reckoned from what the variants before took: nothing is begun that would pass it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


class Budget:
    """The time that a worker may take, counted from when this is made."""

    def __init__(self, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the count; ``minutes`` None is no limit."""
        self._clock, self._minutes = clock, minutes
        self._ends = None if minutes is None else clock() + 60 * minutes
        self._seconds_per_token: float | None = None
        self._began = 0.0

    def allows(self, tokens: int) -> bool:
        """Tell whether so many planned tokens fit in, at the pace of the slowest variant so far; the first always may."""
        if self._ends is None or self._seconds_per_token is None:
            return True
        return self._clock() + tokens * self._seconds_per_token <= self._ends

    def begin(self) -> None:
        """Say that a variant begins."""
        self._began = self._clock()

    def end(self, tokens: int) -> None:
        """Say that it is done, and how many planned tokens it had."""
        pace = (self._clock() - self._began) / max(tokens, 1)
        self._seconds_per_token = max(pace, self._seconds_per_token or 0.0)

    def sentence(self, left_out: Sequence[str]) -> str:
        """Return what is said of a run whose budget did not suffice for some variants."""
        listed = f"{len(left_out)} variant{'' if len(left_out) == 1 else 's'}: {', '.join(left_out)}"
        kept = "What was measured is kept; resume goes on for as long again."
        return f"The budget of {self._minutes or 0:g} minutes left out {listed}. {kept}"
