"""Tests of more than two variants on the same examples at once: is there any difference among them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from core.stats.arrays import statistics_array


@dataclass(frozen=True)
class SeveralTest:
    """A test over all variants; which of them differ it does not say."""

    statistic: float
    p: float
    """From chi-squared with this many degrees of freedom; 1 where no example tells any two variants apart."""
    degrees: int


def cochran_q(right: ArrayLike) -> SeveralTest:
    """Test whether several variants are right equally often on the same examples.

    Args:
        right: (n examples, m variants) of 0 or 1 (or bool).

    Raises:
        ValueError: the shape is not (n, m) with m of at least 2, or a number is neither 0 nor 1.

    Source: Cochran (1950); equal to statsmodels' ``cochrans_q``. For two variants it is McNemar's chi-squared.
    """
    table = _table(right)
    if not np.isin(table, (0, 1)).all():
        raise ValueError("right must hold 0 (wrong) and 1 (right) alone")
    m = table.shape[1]
    columns, rows = table.sum(axis=0), table.sum(axis=1)
    spread = float(np.sum(rows * (m - rows)))
    if spread == 0:
        return SeveralTest(0.0, 1.0, m - 1)
    statistic = float((m - 1) * (m * np.sum(columns**2) - columns.sum() ** 2) / spread)
    return SeveralTest(statistic, float(chdtrc(m - 1, statistic)), m - 1)


def friedman(values: ArrayLike) -> SeveralTest:
    """Test whether several variants' scores rank alike on the same examples, with the correction for ties.

    Args:
        values: (n examples, m variants), one score each; only their order within an example matters.

    Raises:
        ValueError: the shape is not (n, m) with m of at least 3, or a number is NaN or infinite.

    Source: Friedman (1937), by scipy's ``friedmanchisquare``; the chi-squared is good from about 10 examples.
    """
    from scipy.stats import friedmanchisquare  # a third of a second that only its callers pay

    table = _table(values, at_least=3)
    if (table == table[:, :1]).all():
        return SeveralTest(0.0, 1.0, table.shape[1] - 1)
    found = friedmanchisquare(*table.T)
    return SeveralTest(float(found.statistic), float(found.pvalue), table.shape[1] - 1)


def _table(values: ArrayLike, at_least: int = 2) -> np.ndarray:
    table = statistics_array(values, "the table of examples by variants")
    if table.shape[1] < at_least:
        raise ValueError(f"at least {at_least} variants are needed, a column each; found {table.shape[1]}")
    return table
