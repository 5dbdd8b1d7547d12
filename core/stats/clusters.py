"""Examples that belong together: who shares a cluster, and the standard error that respects it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.stats.arrays import finite_vector


@dataclass(frozen=True)
class ClusterStandardError:
    """Three standard errors of one mean, in the unit of the values."""

    naive: float
    """As if examples were independent: sd / sqrt(n), with n - 1 in the variance."""
    clustered: float
    """Cluster-robust: sqrt(sum over clusters of (sum of residuals)^2) / n."""
    clustered_small_sample: float
    """``clustered`` times sqrt(G / (G - 1)) for G clusters; use it with t on G - 1 degrees of freedom when G is small."""
    n: int
    n_clusters: int


def cluster_codes(groups: Iterable[Hashable | None], n: int) -> tuple[np.ndarray, int]:
    """Number the clusters in order of first appearance.

    Args:
        groups: the cluster's name for each of n examples; an example whose name is None or NaN is a cluster of its own.
        n: how many examples there are.

    Returns:
        int64 (n,), the cluster's number of each example, and the number of clusters.

    Raises:
        ValueError: there are not n names.
    """
    names = groups.tolist() if isinstance(groups, np.ndarray) else list(groups)
    if len(names) != n:
        raise ValueError(f"groups must name one cluster for each of the {n} examples; found {len(names)} names")
    numbers: dict[Hashable, int] = {}
    for position, name in enumerate(names):
        # NaN differs from itself; the wrapped position cannot collide with a name that a dataset could hold.
        alone = name is None or name != name
        names[position] = numbers.setdefault((_ALONE, position) if alone else name, len(numbers))
    return np.asarray(names, dtype=np.int64), len(numbers)


def require_constant_within(rows: np.ndarray, codes: np.ndarray, name: str) -> None:
    """Check that weights or masks treat the examples of a cluster alike; the first rows are enough to tell.

    Args:
        rows: (draws, n).
        codes: (n,), from `cluster_codes`.
        name: what they are, for the message.

    Raises:
        ValueError: two examples of one cluster differ.
    """
    first_of_cluster = np.unique(codes, return_index=True)[1]
    head = rows[:64]
    if not np.array_equal(head, head[:, first_of_cluster[codes]]):
        raise ValueError(f"{name} were not drawn by cluster: examples of one group differ. Draw them with groups=...")


def cluster_standard_error(values: ArrayLike, clusters: Iterable[Hashable | None]) -> ClusterStandardError:
    """Return the standard error of a mean, naive and cluster-robust.

    Args:
        values: (n,), one number an example; for a paired comparison the differences.
        clusters: (n,) names; None is a cluster of its own.

    Raises:
        ValueError: the lengths differ, values hold NaN, or there are fewer than 2 clusters.

    Source: Liang & Zeger (1986); Miller (2024), Adding Error Bars to Evals, s. 2.2. ``clustered_small_sample`` equals
    statsmodels' OLS on a constant with cov_type="cluster", ``clustered`` the same with use_correction=False.
    """
    numbers = finite_vector(values, "values")
    n = len(numbers)
    codes, n_clusters = cluster_codes(clusters, n)
    if n_clusters < 2:
        raise ValueError("a cluster-robust standard error needs at least 2 clusters; found 1")
    residual_sums = np.bincount(codes, weights=numbers - numbers.mean(), minlength=n_clusters)
    clustered = float(np.sqrt(np.sum(residual_sums**2)) / n)
    return ClusterStandardError(
        naive=float(numbers.std(ddof=1) / np.sqrt(n)),
        clustered=clustered,
        clustered_small_sample=clustered * float(np.sqrt(n_clusters / (n_clusters - 1))),
        n=n,
        n_clusters=n_clusters,
    )


_ALONE = object()
"""Marks an example without a cluster's name."""
