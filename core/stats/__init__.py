"""Statistics: resampling, paired tests, influence functions, intervals of rates, effects, multiple testing,
clusters, power; and of human ratings: agreement, preference, evidence that may be looked at any time.

Arguments are arrays and counts; nothing here knows of metrics, runs or files. A ``value`` is a function from weighted sums
of per-example statistics, (..., k), to values, (...), as `core.metrics.metric.Metric.value` is. Misuse raises ValueError.
"""

from core.stats.agreement import Agreement, krippendorff_alpha, raw_agreement
from core.stats.blocks import block_codes, block_length, stationary_bootstrap_weights
from core.stats.clusters import ClusterStandardError, cluster_standard_error
from core.stats.effects import EffectSize, Equivalence, MeanTest, effect_size, equivalence_test, mean_t_test
from core.stats.evalues import EValue, RatingsNeeded, confidence_sequence, e_value, e_values, ratings_needed
from core.stats.influence import (
    influence_difference_interval,
    influence_error,
    influence_interval,
    influence_values,
    large_swap_test,
)
from core.stats.kappa import CohenKappa, cohen_kappa, fleiss_kappa
from core.stats.multiple import benjamini_hochberg, holm
from core.stats.pair_ordering import PairOrdering, pair_ordering
from core.stats.paired import TestResult, sign_flip_test, swap_masks, swap_test
from core.stats.power import minimum_detectable_effect, sample_size
from core.stats.prediction_powered import PredictionPoweredMean, prediction_powered_mean
from core.stats.preference import (
    BradleyTerry,
    PreferenceIntervals,
    Rank,
    bradley_terry,
    elo_ratings,
    preference_intervals,
)
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
from core.stats.several import SeveralTest, cochran_q, friedman
from core.stats.win_rates import (
    LengthControlledWinRate,
    WinRate,
    decisive_win_rate,
    length_controlled_win_rate,
)

__all__ = [
    "Agreement",
    "BradleyTerry",
    "ClusterStandardError",
    "CohenKappa",
    "EValue",
    "EffectSize",
    "Equivalence",
    "Interval",
    "LengthControlledWinRate",
    "McNemar",
    "MeanTest",
    "PairOrdering",
    "PredictionPoweredMean",
    "PreferenceIntervals",
    "Rank",
    "RatingsNeeded",
    "SeveralTest",
    "TestResult",
    "WinRate",
    "benjamini_hochberg",
    "block_codes",
    "block_length",
    "bootstrap_difference_interval",
    "bootstrap_interval",
    "bootstrap_sums",
    "bootstrap_values",
    "bootstrap_weights",
    "bradley_terry",
    "cluster_bootstrap_interval",
    "cluster_standard_error",
    "cochran_q",
    "cohen_kappa",
    "confidence_sequence",
    "decisive_win_rate",
    "e_value",
    "e_values",
    "effect_size",
    "elo_ratings",
    "equivalence_test",
    "fleiss_kappa",
    "friedman",
    "holm",
    "influence_difference_interval",
    "influence_error",
    "influence_interval",
    "influence_values",
    "krippendorff_alpha",
    "large_swap_test",
    "length_controlled_win_rate",
    "mcnemar",
    "mean_t_test",
    "minimum_detectable_effect",
    "pair_ordering",
    "paired_difference_interval",
    "percentile_interval",
    "prediction_powered_mean",
    "preference_intervals",
    "ratings_needed",
    "raw_agreement",
    "sample_size",
    "sign_flip_test",
    "stationary_bootstrap_weights",
    "swap_masks",
    "swap_test",
    "wilson_interval",
]
