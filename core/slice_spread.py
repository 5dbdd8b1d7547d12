"""How far the values of one slice of a comparison move with its examples: intervals and tests of `core.slice_measures`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from core.contrasts import NOTHING
from core.estimators import Bounds
from core.stats.influence import normal_p, t_reach
from core.stats.resampling import percentile_interval


@dataclass(frozen=True)
class Spread:
    """How the values of one slice move: by the influence of its examples, or over resamples."""

    influence: np.ndarray | None
    """(examples, entries), zero where an example takes no part."""
    present: np.ndarray | None
    """bool (examples, entries)."""
    codes: np.ndarray | None
    """The cluster of each example; None where they are independent."""
    reason: str
    """Where neither is known: why, as an interval's method."""
    level: float
    drawn: np.ndarray | None = None
    """(draws, entries)."""

    def bounds(self, centre: float, entry: int, minus: int | None = None) -> Bounds:
        """Return the interval of an entry's value, or of its difference to another's."""
        if self.drawn is not None:
            with np.errstate(invalid="ignore"):
                values = self.drawn[:, entry] - (0 if minus is None else self.drawn[:, minus])
            low, high, n_undefined = percentile_interval(values, self.level)
            if low is None or n_undefined > len(values) / 2:
                return Bounds(None, None, "none: the value is undefined in most resamples")
            error = float(np.std(values[np.isfinite(values)]))
            return Bounds(low, high, f"bootstrap ({len(values):,} resamples)", error)
        if self.influence is None:
            return Bounds(None, None, self.reason)
        error, units = self._error(entry, minus)
        if units < 2:
            unit = "example" if self.codes is None else "cluster"
            return Bounds(None, None, f"none: one {unit} alone shows no uncertainty")
        if not np.isfinite(error):
            return Bounds(None, None, "none: how examples move the value is undefined here")
        reach = t_reach(units, self.level) * error
        unit = "examples" if self.codes is None else "clusters"
        return Bounds(centre - reach, centre + reach, f"influence functions ({units:,} {unit}, Student's t)", error)

    def test(self, gap: float, bounds: Bounds, mine: int, theirs: int) -> tuple[float | None, str]:
        """Return the p-value of a difference and the test's name."""
        if bounds.error is None:
            return None, NOTHING
        if self.influence is None:
            return normal_p(gap, bounds.error), "z test"
        units = self._units(mine)
        if bounds.error > 1e-8 * abs(gap):
            return float(2 * stdtr(units - 1, -abs(gap) / bounds.error)), "t test"
        # Examples that all differ alike have no spread; of their signs only two patterns reach the difference.
        return (1.0 if gap == 0 else 2.0 ** (1 - units)), "sign-flip (exact)"

    def _error(self, entry: int, minus: int | None) -> tuple[float, int]:
        """Return the standard error and the number of examples (clusters) behind it."""
        assert self.influence is not None
        assert self.present is not None
        moved = self.influence[:, entry] - (0 if minus is None else self.influence[:, minus])
        units = self._units(entry)
        if units < 2:
            return float("nan"), units
        if self.codes is not None:
            inside = self.present[:, entry]
            moved = np.bincount(np.unique(self.codes[inside], return_inverse=True)[1], weights=moved[inside])
        # Examples that take no part add nothing to either sum.
        squares = float(moved @ moved) - float(moved.sum()) ** 2 / units
        return float(np.sqrt(max(0.0, squares) * units / (units - 1))), units

    def _units(self, entry: int) -> int:
        """Return how many examples (clusters) take part."""
        assert self.present is not None
        inside = self.present[:, entry]
        return int(np.count_nonzero(inside)) if self.codes is None else len(np.unique(self.codes[inside]))
