"""Values, intervals and tests of a comparison against closed forms and outside referees; its families."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import t as t_distribution
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.compare import MIN_EXAMPLES, RESAMPLES, Headline, compare, headline, statistics_for
from core.errors import InputError
from core.metrics.registry import get_metric
from core.records import BASELINE
from core.results import Comparison, Difference, Value
from core.stats.clusters import cluster_standard_error
from core.stats.paired import sign_flip_test, swap_test
from core.stats.rates import paired_difference_interval
from core.stats.resampling import bootstrap_difference_interval, bootstrap_interval
from core.store import Run
from tests.core import mini
from tests.core.compared_runs import (
    BASE_RIGHT,
    BOTH,
    LORA_RIGHT,
    NEITHER,
    ONLY_BASE,
    ONLY_LORA,
    N,
    drawn,
    perplexity_run,
    rate_run,
)
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "made", n=40)


@pytest.fixture(scope="module")
def comparison(run: Run) -> Comparison:
    return compare(run)


def test_a_rate_by_hand(tmp_path: Path) -> None:
    comparison = compare(rate_run(tmp_path / "mini"))
    row = comparison.row("t/accuracy")
    base, lora, difference = row.values[BASELINE], row.values["lora"], row.differences["lora"]
    assert (base.value, lora.value) == (pytest.approx(11 / 26), pytest.approx(21 / 26))
    assert (base.low, base.high) == pytest.approx(proportion_confint(11, 26, method="wilson"))
    assert (base.n, base.n_missing, base.reason, base.method) == (26, 0, None, "Wilson")
    mid_p = 2 * binom.cdf(2, 14, 0.5) - binom.pmf(2, 14, 0.5)
    assert difference.difference == pytest.approx(10 / 26)
    assert difference.p == pytest.approx(mid_p)
    assert difference.p_adjusted == pytest.approx(mid_p)  # a family of one
    expected = paired_difference_interval(BOTH, ONLY_LORA, ONLY_BASE, NEITHER)
    assert (difference.low, difference.high) == pytest.approx(expected)
    assert 0 < expected[0] < 10 / 26 < expected[1]
    assert (difference.n, difference.verdict, difference.method) == (26, "better", "mid-p McNemar, Tango interval")
    assert headline(comparison, "lora") == Headline(1, 0, 0, 0, 1)


def test_corpus_values_are_those_of_the_stats_functions(tmp_path: Path) -> None:
    run = perplexity_run(tmp_path / "mini", drawn(1, 40), drawn(2, 40, 0.3))
    comparison = compare(run)
    row, metric = comparison.row("t/perplexity"), get_metric("perplexity")
    base, lora = (statistics_for(run, "t", "perplexity", variant).array for variant in (BASELINE, "lora"))
    difference = row.differences["lora"]
    assert row.values["lora"].value == pytest.approx(math.exp(lora[:, 0].sum() / lora[:, 1].sum()), rel=1e-12)
    interval = bootstrap_interval(lora, metric.value, resamples=RESAMPLES, seed=3)
    assert (row.values["lora"].low, row.values["lora"].high) == pytest.approx((interval.low, interval.high))
    apart = bootstrap_difference_interval(base, lora, metric.value, resamples=RESAMPLES, seed=3)
    assert (difference.low, difference.high) == pytest.approx((apart.low, apart.high))
    tested = swap_test(base, lora, metric.value, trials=comparison.trials, seed=3)
    assert (difference.difference, difference.p) == pytest.approx((tested.statistic, tested.p))
    assert difference.method == "swap test (10,000 draws), bootstrap (10,000 resamples)"
    assert row.values["lora"].method == "bootstrap (10,000 resamples)"


def test_lower_is_better_for_perplexity(tmp_path: Path) -> None:
    base = drawn(2, 30)
    better = [None if one is None else [logprob + 0.5 for logprob in one] for one in base]
    difference = compare(perplexity_run(tmp_path / "mini", better, base)).row("t/perplexity").differences["lora"]
    assert difference.difference is not None
    assert difference.difference < 0
    assert difference.verdict == "better"


def test_few_nonzero_differences_of_a_mean_are_tested_exactly(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "a b c d", ()) for number in range(16)]
    said = {BASELINE: ["a b c d"] * 16, "lora": ["a x c d"] * 5 + ["a b c d"] * 11}
    evidence = [mini.said("t", name, number, text) for name, texts in said.items() for number, text in enumerate(texts)]
    run = mini.write(
        tmp_path / "mini", mini.spec({"t": mini.task("generation", metrics=["rouge_1"])}), examples, evidence
    )
    difference = compare(run).row("t/rouge_1").differences["lora"]
    assert difference.p == pytest.approx(2 / 2**5)
    assert difference.method.startswith("sign-flip (exact), bootstrap")


def test_many_differences_of_a_mean_flip_signs_with_the_shared_draws(comparison: Comparison, run: Run) -> None:
    difference = comparison.row("reply/rouge_l").differences["qv-r2"]
    base, lora = (statistics_for(run, "reply", "rouge_l", variant).array[:, 0] for variant in (BASELINE, "qv-r2"))
    tested = sign_flip_test(lora - base, trials=100_000, seed=8)
    assert difference.p == pytest.approx(tested.p, abs=0.01)
    assert difference.method.startswith(f"sign-flip ({comparison.trials:,} draws)")


def test_holm_is_over_the_declared_family_and_the_rest_has_its_own(comparison: Comparison) -> None:
    for primary, method in ((True, "holm"), (False, "fdr_bh")):
        found = [d for row in comparison.rows if row.primary is primary for d in row.differences.values()]
        assert len(found) > 3
        assert [d.p_adjusted for d in found] == pytest.approx(multipletests([d.p for d in found], method=method)[1])
    n_primary = len([row for row in comparison.rows if row.primary])
    assert comparison.family_size == n_primary * 3
    assert comparison.trials == max(10_000, math.ceil(20 * comparison.family_size / 0.05))


def test_a_filter_keeps_the_family_and_makes_the_fewest_exchanges(run: Run, comparison: Comparison) -> None:
    filtered = compare(run, where=lambda example: example.task == "general" and example.language == "en")
    assert (filtered.family_size, filtered.trials) == (comparison.family_size, 10_000)
    kept = sum(example.task == "general" and example.language == "en" for example in run.examples)
    row = filtered.row("general/perplexity")
    assert row.values[BASELINE].n == kept > MIN_EXAMPLES
    alone = row.differences["all-r8"]
    assert alone.p is not None
    assert alone.p_adjusted == pytest.approx(min(1.0, max(
        (comparison.family_size - rank) * p
        for rank, p in enumerate(sorted(d.p for name in ("perplexity", "bits_per_byte")
                                        for d in filtered.row(f"general/{name}").differences.values() if d.p is not None))
        if p <= alone.p)))  # fmt: skip
    emptied = filtered.row("category/accuracy")
    assert emptied.values[BASELINE].value is None
    assert emptied.values[BASELINE].reason == "no example is left by the filter"
    assert emptied.differences["qv-r8"].verdict == "none"


def test_exchanging_reference_and_variant_turns_the_sign_and_keeps_p(run: Run, comparison: Comparison) -> None:
    turned = compare(run, reference="qv-r8")
    assert turned.reference == "qv-r8"
    for row in comparison.rows:
        there, back = row.differences["qv-r8"], turned.row(row.key).differences[BASELINE]
        assert there.difference is not None
        assert back.difference == pytest.approx(-there.difference)
        assert back.p == pytest.approx(there.p)
        assert (back.low, back.high) == pytest.approx((-(there.high or 0), -(there.low or 0)))


def test_numbers_are_never_nan_and_none_has_a_reason(comparison: Comparison) -> None:
    cells: list[Value | Difference] = []
    for row in comparison.rows:
        cells += [*row.values.values(), *row.differences.values()]
    for cell in cells:
        numbers = [getattr(cell, each.name) for each in fields(cell)]
        assert all(math.isfinite(one) for one in numbers if isinstance(one, float))
        main = cell.value if isinstance(cell, Value) else cell.difference
        assert (main is None) <= bool(cell.reason)
    assert {row.metric for row in comparison.rows} == {
        "accuracy", "f1_macro", "bleu", "chrf", "rouge_l", "exact_match", "perplexity", "bits_per_byte",
    }  # fmt: skip


def test_groups_go_by_cluster(tmp_path: Path) -> None:
    n, groups = 80, [f"g{number // 2}" for number in range(80)]
    rng = np.random.default_rng(5)
    base, lora = rng.random(n) < 0.5, rng.random(n) < 0.7
    examples = [mini.example("t", number, "yes", group=groups[number]) for number in range(n)]
    evidence = [
        mini.chosen("t", name, number, "yes" if right else "no")
        for name, some in ((BASELINE, base), ("lora", lora)) for number, right in enumerate(some)
    ]  # fmt: skip
    spec = mini.spec({"t": mini.task(metrics=["accuracy", "f1_macro"])})
    comparison = compare(mini.write(tmp_path / "mini", spec, examples, evidence))
    row = comparison.row("t/accuracy")
    gaps = lora.astype(float) - base
    # Both draw signs of the same 40 clusters.
    expected = sign_flip_test(gaps, groups=groups, trials=comparison.trials, seed=3).p
    assert row.differences["lora"].p == pytest.approx(expected, abs=0.01)
    assert row.values["lora"].method == "cluster bootstrap (10,000 resamples, 40 clusters)"
    assert row.differences["lora"].method.startswith("cluster sign-flip (10,000 draws, 40 clusters), cluster bootstrap")


def test_few_clusters_take_student_s_t(tmp_path: Path) -> None:
    comparison = compare(rate_run(tmp_path / "mini", groups=True, metrics=["accuracy", "f1_macro"]))
    row = comparison.row("t/accuracy")
    groups = [f"g{number // 2}" for number in range(N)]
    gaps = np.array(LORA_RIGHT, dtype=float) - np.array(BASE_RIGHT, dtype=float)
    error = cluster_standard_error(gaps, groups).clustered_small_sample
    difference = row.differences["lora"]
    assert difference.p == pytest.approx(2 * t_distribution(12).sf(gaps.mean() / error))
    expected = t_distribution(12, gaps.mean(), error).interval(0.95)
    assert (difference.low, difference.high) == pytest.approx(expected)
    assert difference.method == "t test (13 clusters), influence functions (13 clusters, Student's t)"
    own = cluster_standard_error(np.array(LORA_RIGHT, dtype=float), groups).clustered_small_sample
    value = row.values["lora"]
    assert value.low == pytest.approx(21 / 26 - t_distribution(12).isf(0.025) * own)
    assert value.high == 1  # a rate goes no higher
    assert comparison.row("t/f1_macro").differences["lora"].method.startswith("t test (13 clusters)")


def test_an_unknown_reference_is_answered_with_the_nearest(run: Run) -> None:
    with pytest.raises(InputError, match=r"no variant 'qv-r9' \(did you mean 'qv-r8'\?\)"):
        compare(run, reference="qv-r9")


def test_every_tested_row_says_what_it_could_have_shown(comparison: Comparison) -> None:
    told = [d for row in comparison.rows for d in row.differences.values() if d.p is not None and d.p < 0.9]
    assert all(d.detectable is not None and d.detectable > 0 for d in told)
    significant = [d for d in told if d.p_adjusted is not None and d.p_adjusted < 1e-3]
    # What is shown beyond doubt is above what could have been shown.
    assert significant
    assert all(abs(d.difference or 0) > 0.6 * (d.detectable or 0) for d in significant)
