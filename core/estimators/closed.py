"""Without any draw: rates in closed form, and metrics of which no interval can be made."""

from __future__ import annotations

import numpy as np

from core.estimators.setting import Bounds, Estimator, Setting
from core.stats.rates import mcnemar, paired_difference_interval, wilson_interval


class Counted:
    """Independent rates: Wilson's interval for one, Tango's for a difference, McNemar's mid-p."""

    def __init__(self, setting: Setting) -> None:
        """Take the panel as it is."""
        self.setting = setting

    @staticmethod
    def fits(setting: Setting) -> bool:
        """Whether the statistics are (0 or 1, 1), examples are independent, and no order ties them."""
        if setting.metric.test != "rate" or setting.scheme != "examples":
            return False
        for variant in setting.panel.statistics:
            array = setting.panel.rows(variant, setting.panel.present(variant))
            if array.shape[1] != 2 or not (array[:, 1] == 1).all() or not _zero_or_one(array[:, 0]):
                return False
        return True

    def interval(self, variant: str, mask: np.ndarray, value: float) -> Bounds:
        """See `core.estimators.setting.Estimator.interval`."""
        rows = self.setting.panel.rows(variant, mask)
        hits, counted = np.ones(len(rows)) @ rows
        low, high = wilson_interval(round(float(hits)), round(float(counted)), self.setting.level)
        return Bounds(low, high, "Wilson")

    def difference(self, variant: str, difference: float) -> Bounds:
        """See `core.estimators.setting.Estimator.difference`."""
        both, only, only_base, neither = self._table(variant)
        n = both + only + only_base + neither
        low, high = paired_difference_interval(both, only, only_base, neither, level=self.setting.level)
        error = np.sqrt(max(0.0, only + only_base - (only - only_base) ** 2 / n)) / n
        return Bounds(low, high, "Tango interval", float(error))

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """See `core.estimators.setting.Estimator.test`."""
        _, only, only_base, _ = self._table(variant)
        return mcnemar(only, only_base).mid_p, "mid-p McNemar"

    def _table(self, variant: str) -> tuple[int, int, int, int]:
        pair, statistics = self.setting.pairs[variant], self.setting.panel.statistics
        counted = pair & (statistics[variant].array[:, 1] > 0)
        own, base = (statistics[name].array[counted, 0] > 0 for name in (variant, self.setting.reference))
        both, only, only_base = (int(np.count_nonzero(some)) for some in (own & base, own & ~base, ~own & base))
        return both, only, only_base, int(counted.sum()) - both - only - only_base


class Conditional(Counted):
    """Rates among the examples that meet a condition (`core.metrics.metric.Metric.proportion`), examples being independent.

    Where a variant counts the same examples as the reference (recall: those of positive reference) their difference is one of
    paired rates. Where each counts its own (precision: those that it answers so) the difference is made in another way.
    """

    def __init__(self, setting: Setting, otherwise: Estimator | None) -> None:
        """Take the panel, and what makes the differences of variants that count other examples than the reference."""
        super().__init__(setting)
        self.otherwise = otherwise

    @staticmethod
    def fits(setting: Setting) -> bool:
        """Whether the metric is such a rate, its statistics are (0 or 1, 0 or 1), and examples are independent."""
        if not setting.metric.proportion or setting.scheme != "examples":
            return False
        arrays = (some.array for some in setting.panel.statistics.values())
        return all(array.shape[1] == 2 and _zero_or_one(array) for array in arrays)

    @staticmethod
    def paired(setting: Setting, variant: str) -> bool:
        """Whether a variant counts the same examples as the reference."""
        statistics, pair = setting.panel.statistics, setting.pairs[variant]
        return np.array_equal(statistics[variant].array[pair, 1], statistics[setting.reference].array[pair, 1])

    def difference(self, variant: str, difference: float) -> Bounds:
        """See `core.estimators.setting.Estimator.difference`."""
        return self._way(variant).difference(variant, difference)

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """See `core.estimators.setting.Estimator.test`."""
        return self._way(variant).test(variant, difference)

    def _way(self, variant: str) -> Estimator:
        return Counted(self.setting) if self.otherwise is None or self.paired(self.setting, variant) else self.otherwise


class Untold:
    """A metric of which no interval can be made; it says why."""

    def __init__(self, setting: Setting) -> None:
        """Take the panel as it is."""
        self.method = f"none: {setting.metric.no_interval}"

    def interval(self, variant: str, mask: np.ndarray, value: float) -> Bounds:
        """See `core.estimators.setting.Estimator.interval`."""
        return Bounds(None, None, self.method)

    def difference(self, variant: str, difference: float) -> Bounds:
        """See `core.estimators.setting.Estimator.difference`."""
        return Bounds(None, None, self.method)

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """See `core.estimators.setting.Estimator.test`."""
        return None, "none"


def _zero_or_one(array: np.ndarray) -> bool:
    return bool(((array == 0) | (array == 1)).all())
