"""Statistics: resampling, paired tests, intervals of rates, multiple testing, clusters and power.

Arguments are arrays and counts; nothing here knows of metrics, runs or files. A ``value`` is a function from weighted sums
of per-example statistics, (..., k), to values, (...), as `core.metrics.metric.Metric.value` is. Misuse raises ValueError.
"""

from core.stats.clusters import ClusterStandardError, cluster_standard_error
from core.stats.multiple import benjamini_hochberg, holm
from core.stats.paired import TestResult, sign_flip_test, swap_masks, swap_test
from core.stats.power import minimum_detectable_effect, sample_size
from core.stats.rates import McNemar, mcnemar, paired_difference_interval, wilson_interval
from core.stats.resampling import (
    Interval,
    bootstrap_difference_interval,
    bootstrap_interval,
    bootstrap_sums,
    bootstrap_values,
    bootstrap_weights,
    cluster_bootstrap_interval,
    percentile_interval,
)

__all__ = [
    "ClusterStandardError",
    "Interval",
    "McNemar",
    "TestResult",
    "benjamini_hochberg",
    "bootstrap_difference_interval",
    "bootstrap_interval",
    "bootstrap_sums",
    "bootstrap_values",
    "bootstrap_weights",
    "cluster_bootstrap_interval",
    "cluster_standard_error",
    "holm",
    "mcnemar",
    "minimum_detectable_effect",
    "paired_difference_interval",
    "percentile_interval",
    "sample_size",
    "sign_flip_test",
    "swap_masks",
    "swap_test",
    "wilson_interval",
]
