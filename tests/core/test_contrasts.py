from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from core import resampler as resampler_module
from core.contrasts import Measured, measure
from core.metrics.metric import Metric, Statistics
from core.panels import Panel, label_panels
from core.resampler import BootstrapJob, Masked, Resampler, SwapJob
from core.stats.blocks import block_codes, stationary_bootstrap_weights
from core.stats.influence import influence_difference_interval, large_swap_test
from core.stats.paired import sign_flip_test, swap_masks, swap_test
from core.stats.resampling import bootstrap_interval, bootstrap_values, bootstrap_weights
from tests.core.made_metrics import Auc, Mean, Path, Ratio, SmoothAuc, TimeMean, statistics

N, DRAWS = 60, 2_000


def resampler(n: int = N, groups: list[str] | None = None, draws: int = DRAWS) -> Resampler:
    return Resampler(n, groups, seed=4, resamples=draws, trials=draws)


def panel(metric: Metric, base: Statistics, other: Statistics, inside: np.ndarray | None = None) -> Panel:
    everyone = np.ones(len(base.array), dtype=bool)
    return Panel(metric, {"base": base, "other": other}, everyone if inside is None else inside)


def measured(one: Panel, draws: Resampler | None = None) -> Measured:
    return measure([one], "base", draws or resampler(len(one.inside)), 0.95)[0]


def scored(seed: int, n: int = N, skill: float = 1.0) -> np.ndarray:
    """Scores in tenths, so that there are ties, and whether an example is positive: the same for every seed."""
    positive = np.random.default_rng(0).random(n) < 0.4
    noise = np.random.default_rng(seed).normal(size=n)
    return np.column_stack([np.round(skill * positive + noise, 1), positive])


def test_an_ordered_metric_is_resampled_by_weights() -> None:
    base, other = scored(1), scored(2, skill=2.0)
    found = measured(panel(Auc(), statistics(base), statistics(other)))
    for name, array in (("base", base), ("other", other)):
        value = found.values[name]
        assert value.value == pytest.approx(roc_auc_score(array[:, 1], array[:, 0]))
        resampled = []
        for row in bootstrap_weights(N, DRAWS, 4)[:400]:
            rows = np.repeat(np.arange(N), row.astype(int))
            resampled.append(roc_auc_score(array[rows, 1], array[rows, 0]))
        assert (value.low, value.high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.03)
        assert value.method == "bootstrap (2,000 resamples)"
    difference = found.differences["other"]
    assert difference.method == "swap test (2,000 draws), bootstrap (2,000 resamples)"
    assert difference.difference == pytest.approx(
        roc_auc_score(other[:, 1], other[:, 0]) - roc_auc_score(base[:, 1], base[:, 0])
    )


def test_the_swap_test_of_an_ordered_metric_equals_a_loop_that_exchanges_rows() -> None:
    base, other = scored(1), scored(2, skill=1.6)
    mask = np.arange(N) % 7 != 0
    pair = (Masked(base, mask), Masked(other, mask))
    p = resampler(draws=300).swap([SwapJob(Auc(), [pair[0]], [pair[1]])])[0][0]
    kept = [array[mask] for array in (base, other)]
    observed = abs(np.subtract(*(roc_auc_score(array[:, 1], array[:, 0]) for array in kept)))
    extreme = 0
    for row in swap_masks(N, 300, 4)[:, mask]:
        first, second = np.where(row[:, None], kept[1], kept[0]), np.where(row[:, None], kept[0], kept[1])
        gap = roc_auc_score(first[:, 1], first[:, 0]) - roc_auc_score(second[:, 1], second[:, 0])
        extreme += abs(gap) >= observed - 1e-12
    assert p == pytest.approx((1 + extreme) / 301)


def test_an_ordered_metric_without_a_value_says_so() -> None:
    one_class = scored(1)
    one_class[:, 1] = 1
    found = measured(panel(Auc(), statistics(scored(1)), statistics(one_class)))
    assert (found.values["other"].value, found.values["other"].reason) == (None, "nothing to rank")
    assert found.differences["other"].verdict == "none"
    assert found.values["base"].value is not None


def test_resamples_without_a_value_are_counted_and_shown() -> None:
    rare = np.column_stack([np.arange(N), np.isin(np.arange(N), (3, N // 2))]).astype(float)
    value = measured(panel(Auc(), statistics(rare), statistics(rare))).values["base"]
    expected = DRAWS * (1 - 2 / N) ** N
    told = int(value.method.partition("resamples, ")[2].partition(" of them undefined")[0])
    assert told == pytest.approx(expected, rel=0.2)


def test_ordered_metrics_of_many_examples_get_fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampler_module, "ORDERED_WEIGHTS", 1_500 * N)
    values = resampler().bootstrap([BootstrapJob(Auc(), [Masked(scored(1), np.ones(N, dtype=bool))])])[0]
    assert len(values) == 1_500


def test_time_series_are_resampled_by_blocks() -> None:
    rng = np.random.default_rng(3)
    walk = np.convolve(rng.normal(size=N + 5), np.ones(6) / 6, mode="valid")
    base, other = (np.column_stack([some, np.ones(N)]) for some in (walk, walk + rng.normal(0.1, 0.3, N)))
    found = measured(panel(TimeMean(), statistics(base), statistics(other)))
    value, difference = found.values["base"], found.differences["other"]
    resampled = bootstrap_values(base, TimeMean().value, stationary_bootstrap_weights(N, DRAWS, 4))
    assert (value.low, value.high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]))
    assert value.method == "stationary block bootstrap (2,000 resamples, mean block length 4)"
    tested = sign_flip_test(other[:, 0] - base[:, 0], groups=block_codes(N))
    assert difference.p == pytest.approx(tested.p)
    assert difference.method.startswith("block sign-flip (exact, 15 blocks), stationary block bootstrap")
    longer = np.tile(base, (3, 1)), np.tile(other, (3, 1))
    drawn = measured(panel(TimeMean(), *map(statistics, longer))).differences["other"]
    assert drawn.method.startswith("block sign-flip (2,000 draws, 30 blocks), stationary block bootstrap")
    exact = sign_flip_test(longer[1][:, 0] - longer[0][:, 0], groups=block_codes(3 * N), trials=20_000).p
    assert drawn.p == pytest.approx(exact, abs=0.03)


def test_a_path_has_a_value_and_says_why_it_has_no_interval() -> None:
    base, other = (np.random.default_rng(seed).normal(size=(N, 1)) for seed in (0, 1))
    found = measured(panel(Path(), statistics(base), statistics(other)))
    value, difference = found.values["base"], found.differences["other"]
    assert value.value == pytest.approx(np.cumsum(base).max())
    assert (value.low, value.high, value.method) == (None, None, "none: it depends on the whole path")
    assert difference.difference == pytest.approx(np.cumsum(other).max() - np.cumsum(base).max())
    assert (difference.p, difference.low, difference.reason) == (None, None, "it depends on the whole path")


def test_each_label_has_a_panel_of_its_columns() -> None:
    array = np.arange(12.0).reshape(2, 6)
    whole = panel(Mean(), statistics(array, labels=("x", "y", "z")), statistics(array + 1, labels=("x", "y", "z")))
    parts = label_panels(whole)
    assert list(parts) == ["x", "y", "z"]
    assert parts["y"].statistics["base"].array.tolist() == [[2, 3], [8, 9]]
    assert parts["z"].statistics["other"].array.tolist() == [[5, 6], [11, 12]]
    assert label_panels(panel(Mean(), statistics(array), statistics(array))) == {}


def made_ratio(seed: int, n: int, gain: float = 0.0) -> np.ndarray:
    """(nll, tokens), lengths and difficulties the same for every seed."""
    shared = np.random.default_rng(0)
    lengths = shared.integers(5, 60, n).astype(float)
    difficulty = shared.gamma(2.0, 1.0, n)
    return np.column_stack([lengths * (difficulty - gain + np.random.default_rng(seed).normal(0, 0.5, n)), lengths])


def test_many_examples_take_influence_functions_and_the_linear_swap_test() -> None:
    n = resampler_module.LARGE + 1_000
    base, other = made_ratio(1, n), made_ratio(2, n, 0.01)
    found = measured(panel(Ratio(), statistics(base), statistics(other)), resampler(n))
    value, difference = found.values["base"], found.differences["other"]
    assert value.method == "influence functions (6,000 examples)"
    assert difference.method == "swap test (normal approximation), influence functions (6,000 examples)"
    drawn = bootstrap_interval(base, Ratio().value, resamples=4_000)
    assert value.high - value.low == pytest.approx(drawn.high - drawn.low, rel=0.06)
    expected = influence_difference_interval(base, other, Ratio().value)
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))
    assert difference.p == pytest.approx(swap_test(base, other, Ratio().value, trials=4_000).p, abs=0.03)
    assert found.errors["other"] == pytest.approx((expected.high - expected.low) / 2 / norm.isf(0.025), rel=1e-3)


def test_few_differing_examples_among_many_are_drawn() -> None:
    n = 6_000
    base = made_ratio(1, n)
    other = base.copy()
    other[:40, 0] -= 3
    difference = measured(panel(Ratio(), statistics(base), statistics(other)), resampler(n)).differences["other"]
    assert difference.method.startswith("swap test (2,000 draws), influence")
    assert (
        difference.p == large_swap_test(base, other, Ratio().value, trials=2_000, seed=4).p == pytest.approx(1 / 2_001)
    )


def test_a_small_part_of_many_examples_is_drawn_by_itself() -> None:
    n = 6_000
    base, other = made_ratio(1, n), made_ratio(2, n, 0.3)
    inside = np.arange(n) % 60 == 0
    found = measured(panel(Ratio(), statistics(base), statistics(other), inside), resampler(n))
    alone = measured(panel(Ratio(), statistics(base[inside]), statistics(other[inside])), resampler(100))
    assert found == alone
    assert found.values["base"].method == "bootstrap (2,000 resamples)"


def test_ordered_metrics_with_influences_use_them_where_examples_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.estimators.LARGE", 300)
    monkeypatch.setattr("core.contrasts.LARGE", 300)
    base, other = scored(1, 400), scored(2, 400, skill=1.3)
    linear = measured(panel(SmoothAuc(), statistics(base), statistics(other)), resampler(400))
    drawn = measured(panel(Auc(), statistics(base), statistics(other)), resampler(400))
    assert linear.values["base"].method == "influence functions (400 examples)"
    assert drawn.values["base"].method == "bootstrap (2,000 resamples)"
    for name in ("base", "other"):
        one, two = linear.values[name], drawn.values[name]
        assert one.high - one.low == pytest.approx(two.high - two.low, rel=0.08)
    one, two = linear.differences["other"], drawn.differences["other"]
    assert one.method.startswith("swap test (normal approximation)")
    assert one.p == pytest.approx(two.p, abs=0.03)
    assert one.high - one.low == pytest.approx(two.high - two.low, rel=0.08)


def test_ordered_metrics_without_influences_take_the_spread_of_a_thousand_exchanges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place in ("core.resampler", "core.estimators.drawn", "core.contrasts"):
        monkeypatch.setattr(f"{place}.LARGE", 300)
    base, other = scored(1, 400), scored(2, 400, skill=1.3)
    found = measured(panel(Auc(), statistics(base), statistics(other)), resampler(400)).differences["other"]
    monkeypatch.undo()
    drawn = measured(panel(Auc(), statistics(base), statistics(other)), resampler(400)).differences["other"]
    assert found.method.startswith("swap test (normal, spread of 1,000 draws)")
    assert found.p == pytest.approx(drawn.p, abs=0.03)


def test_few_clusters_of_an_ordered_metric_take_the_bootstrap_s_error_with_t() -> None:
    groups = [f"g{i // 6}" for i in range(N)]
    found = measured(panel(Auc(), statistics(scored(1)), statistics(scored(2))), resampler(groups=groups))
    assert found.values["base"].method == "cluster bootstrap's error with Student's t (2,000 resamples, 10 clusters)"
    smooth = measured(panel(SmoothAuc(), statistics(scored(1)), statistics(scored(2))), resampler(groups=groups))
    one, two = smooth.values["base"], found.values["base"]
    assert one.method == "influence functions (10 clusters, Student's t)"
    assert one.low == pytest.approx(two.low, abs=0.05)


@pytest.mark.parametrize(("gap", "p"), [(0.0, 1.0), (0.25, 2 / 2**5)])
def test_clusters_that_all_differ_alike_are_tested_by_their_signs(gap: float, p: float) -> None:
    base = np.column_stack([np.repeat([1.0, 2, 3, 4, 5], 4), np.ones(20)])
    other = base + [gap, 0]
    groups = [f"g{i // 4}" for i in range(20)]
    difference = measured(panel(Mean(), statistics(base), statistics(other)), resampler(20, groups)).differences[
        "other"
    ]
    assert difference.p == pytest.approx(p)


def test_rates_that_are_not_counts_are_not_counted() -> None:
    class Rate(Mean):
        test = "rate"

    halves = np.column_stack([np.random.default_rng(0).integers(0, 3, N) / 2, np.ones(N)])
    found = measured(panel(Rate(), statistics(halves), statistics(np.roll(halves, 1, axis=0))))
    assert found.values["base"].method.startswith("bootstrap")
    whole = np.column_stack([np.arange(N) % 2, np.ones(N)])
    assert measured(panel(Rate(), statistics(whole), statistics(whole))).values["base"].method == "Wilson"
