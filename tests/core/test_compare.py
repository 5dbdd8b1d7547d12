from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm
from scipy.stats import t as t_distribution
from sklearn.metrics import f1_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.compare import MIN_EXAMPLES, RESAMPLES, Headline, compare, headline, statistics_for
from core.derived import StatisticsReader
from core.errors import InputError
from core.families import adjusted
from core.metrics.registry import get_metric
from core.predict import observations
from core.records import BASELINE
from core.results import Comparison, Difference, MetricRow, Value
from core.stats.clusters import cluster_standard_error
from core.stats.paired import sign_flip_test, swap_test
from core.stats.rates import paired_difference_interval
from core.stats.resampling import bootstrap_difference_interval, bootstrap_interval
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run

BOTH, ONLY_LORA, ONLY_BASE, NEITHER = 9, 12, 2, 3
N = BOTH + ONLY_LORA + ONLY_BASE + NEITHER
BASE_RIGHT = [True] * BOTH + [False] * ONLY_LORA + [True] * ONLY_BASE + [False] * NEITHER
LORA_RIGHT = [True] * (BOTH + ONLY_LORA) + [False] * (ONLY_BASE + NEITHER)


def rate_run(folder: Path, n: int = N, groups: bool = False, **task: Any) -> Run:
    examples = [mini.example("t", number, "yes", group=f"g{number // 2}" if groups else None) for number in range(n)]
    evidence = [
        mini.chosen("t", variant, number, "yes" if right[number] else "no")
        for variant, right in ((BASELINE, BASE_RIGHT), ("lora", LORA_RIGHT))
        for number in range(n)
    ]
    spec = mini.spec({"t": mini.task(**{"metrics": ["accuracy"], **task})})
    return mini.write(folder, spec, examples, evidence)


def perplexity_run(folder: Path, lora: list[list[float] | None], base: list[list[float] | None], **more: Any) -> Run:
    examples = [
        mini.example("t", number, "text", (), language="zh" if number % 4 == 0 else "en") for number in range(len(base))
    ]
    evidence = [
        mini.failed("t", variant, number, "too long") if one is None else mini.likely("t", variant, number, one)
        for variant, all_of in ((BASELINE, base), ("lora", lora))
        for number, one in enumerate(all_of)
    ]
    spec = mini.spec({"t": mini.task("likelihood", metrics=["perplexity"], **more)})
    return mini.write(folder, spec, examples, evidence)


def drawn(seed: int, n: int, shift: float = 0.0) -> list[list[float] | None]:
    rng = np.random.default_rng(seed)
    # The reference of an example has as many tokens for every variant.
    lengths = np.random.default_rng(0).integers(2, 9, n)
    return [(-rng.gamma(2, 1, length) - shift).tolist() for length in lengths]


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


def test_examples_missing_in_one_variant_leave_the_pair(tmp_path: Path) -> None:
    base, lora = drawn(2, 30), drawn(1, 30)
    base[3], lora[5], lora[6] = None, None, None
    row = compare(perplexity_run(tmp_path / "mini", lora, base)).row("t/perplexity")
    assert [(row.values[name].n, row.values[name].n_missing) for name in (BASELINE, "lora")] == [(29, 1), (28, 2)]
    difference = row.differences["lora"]
    assert difference.n == 27
    pairs = [(a, b) for a, b in zip(base, lora, strict=True) if a is not None and b is not None]
    first, second = (math.exp(-sum(map(sum, some)) / sum(map(len, some))) for some in zip(*pairs, strict=True))
    assert difference.difference == pytest.approx(second - first)
    assert row.values["lora"].value != pytest.approx(second)
    assert difference.low is not None
    assert difference.high is not None
    assert difference.low < second - first < difference.high


def test_languages_have_rows_of_their_own(tmp_path: Path) -> None:
    base, lora = drawn(2, 40), drawn(1, 40)
    comparison = compare(perplexity_run(tmp_path / "mini", lora, base))
    assert [row.key for row in comparison.rows] == ["t/perplexity", "t/perplexity[en]", "t/perplexity[zh]"]
    chinese = comparison.row("t/perplexity[zh]")
    some = [one for number, one in enumerate(lora) if number % 4 == 0 and one is not None]
    assert chinese.values["lora"].value == pytest.approx(math.exp(-sum(map(sum, some)) / sum(map(len, some))))
    assert (chinese.values["lora"].n, chinese.values["lora"].n_missing, chinese.primary) == (10, 0, False)
    assert comparison.family_size == 1


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


def test_too_few_examples_get_no_verdict(tmp_path: Path) -> None:
    base = drawn(2, 14)
    much_better = [None if one is None else [logprob / 9 for logprob in one] for one in base]
    comparison = compare(perplexity_run(tmp_path / "mini", much_better, base))
    difference = comparison.row("t/perplexity").differences["lora"]
    assert difference.p_adjusted is not None
    assert difference.p_adjusted < 0.05
    assert (difference.verdict, difference.reason) == ("unclear", "too few examples (n = 14, at least 15)")
    assert headline(comparison, "lora") == Headline(0, 0, 0, 1, 1)


def test_one_example_has_a_value_and_no_interval(tmp_path: Path) -> None:
    row = compare(perplexity_run(tmp_path / "mini", drawn(1, 1), drawn(2, 1))).row("t/perplexity")
    assert row.values["lora"].value is not None
    assert (row.values["lora"].low, row.values["lora"].high) == (None, None)
    assert row.values["lora"].method == "none: one example alone shows no uncertainty"
    assert row.differences["lora"].p == 1


@pytest.mark.parametrize(("band", "verdict"), [(0.7, "same"), (0.2, "better"), (None, "better")])
def test_the_same_needs_a_band_that_holds_the_interval(tmp_path: Path, band: float | None, verdict: str) -> None:
    run = rate_run(tmp_path / "mini", bands={} if band is None else {"accuracy": band})
    assert compare(run).row("t/accuracy").differences["lora"].verdict == verdict


def test_no_band_and_no_difference_is_unclear_not_same(tmp_path: Path) -> None:
    base = drawn(2, 30)
    difference = compare(perplexity_run(tmp_path / "mini", base, base)).row("t/perplexity").differences["lora"]
    assert (difference.difference, difference.p, difference.verdict) == (0, 1, "unclear")


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


def test_a_variant_that_has_not_run_is_missing_with_the_reason(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "yes") for number in range(20)]
    evidence = [mini.chosen("t", BASELINE, number, "yes") for number in range(20)]
    spec = mini.spec({"t": mini.task(metrics=["accuracy", "f1_macro"])})
    comparison = compare(mini.write(tmp_path / "mini", spec, examples, evidence, finished=False))
    for row in comparison.rows:
        value, difference = row.values["lora"], row.differences["lora"]
        assert (value.value, value.n, value.n_missing) == (None, 0, 20)
        assert value.reason == "the run has no evidence of this example"
        assert (difference.difference, difference.p_adjusted, difference.verdict) == (None, None, "none")
    assert headline(comparison, "lora") == Headline(0, 0, 0, 2, 2)


def test_what_could_not_be_tested_still_counts_in_the_family(tmp_path: Path) -> None:
    examples = [mini.example(task, number, "yes") for task in ("t", "u") for number in range(N)]
    evidence = [
        mini.chosen("t", variant, number, "yes" if right[number] else "no")
        for variant, right in ((BASELINE, BASE_RIGHT), ("lora", LORA_RIGHT))
        for number in range(N)
    ]
    spec = mini.spec(
        {"t": mini.task(metrics=["accuracy"]), "u": mini.task(metrics=["accuracy"])},
        family=("t/accuracy", "u/accuracy"),
    )
    comparison = compare(mini.write(tmp_path / "mini", spec, examples, evidence))
    difference = comparison.row("t/accuracy").differences["lora"]
    assert difference.p is not None
    assert difference.p_adjusted == pytest.approx(2 * difference.p)
    assert comparison.row("u/accuracy").differences["lora"].p_adjusted is None


def test_metrics_outside_the_declared_family_are_not_primary(tmp_path: Path) -> None:
    comparison = compare(rate_run(tmp_path / "mini", metrics=["accuracy", "f1_macro"], primary=["f1_macro"]))
    assert {row.metric: row.primary for row in comparison.rows} == {"accuracy": False, "f1_macro": True}
    assert comparison.family_size == 1
    assert headline(comparison, "lora").of == 1


def test_a_label_that_only_one_variant_says_is_a_class_for_both(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "yes", ()) for number in range(20)]
    texts = {BASELINE: ["yes"] * 20, "lora": ["yes"] * 10 + ["perhaps"] * 10}
    evidence = [mini.said("t", name, number, text) for name, some in texts.items() for number, text in enumerate(some)]
    task = mini.task(answer={"rule": "regex", "pattern": r"\w+"}, metrics=["f1_macro"])
    row = compare(mini.write(tmp_path / "mini", mini.spec({"t": task}), examples, evidence)).row("t/f1_macro")
    assert (row.values[BASELINE].value, row.values["lora"].value) == (1, pytest.approx((2 / 3 + 0) / 2))
    assert row.differences["lora"].verdict == "worse"


def test_an_unknown_reference_is_answered_with_the_nearest(run: Run) -> None:
    with pytest.raises(InputError, match=r"no variant 'qv-r9' \(did you mean 'qv-r8'\?\)"):
        compare(run, reference="qv-r9")


def test_a_run_without_examples_has_rows_without_values(tmp_path: Path) -> None:
    spec = mini.spec(
        {"t": mini.task(metrics=["accuracy", "f1_macro"]), "u": mini.task("generation", metrics=["bleu", "rouge_l"])}
    )
    comparison = compare(mini.write(tmp_path / "mini", spec, [], [], finished=False))
    assert [row.values["lora"].value for row in comparison.rows] == [None] * 4
    assert all(row.values["lora"].reason for row in comparison.rows)


def test_an_unknown_metric_spoils_no_other(tmp_path: Path) -> None:
    comparison = compare(rate_run(tmp_path / "mini", metrics=["accuracy", "house_style", "f1_macro"]))
    assert [row.key for row in comparison.rows] == ["t/accuracy", "t/house_style", "t/f1_macro"]
    row = comparison.row("t/house_style")
    reason = "metric house_style is not known to this version"
    assert (row.values["lora"].value, row.values["lora"].reason, row.values["lora"].n_missing) == (None, reason, N)
    assert (row.differences["lora"].verdict, row.differences["lora"].reason) == ("none", reason)
    assert row.primary
    assert comparison.family_size == 3  # what was declared counts
    assert comparison.row("t/accuracy").differences["lora"].p is not None


def labelled_run(folder: Path, **task: Any) -> Run:
    rng = np.random.default_rng(4)
    labels = rng.choice(["yes", "no", "maybe"], 60)
    examples = [mini.example("t", number, str(label)) for number, label in enumerate(labels)]
    evidence = [
        mini.chosen("t", name, number, str(label) if rng.random() < skill else "no")
        for name, skill in ((BASELINE, 0.5), ("lora", 0.8))
        for number, label in enumerate(labels)
    ]
    return mini.write(folder, mini.spec({"t": mini.task(**task)}), examples, evidence)


def test_a_metric_by_label_has_a_row_for_each_and_no_part_in_the_family(tmp_path: Path) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_per_class"])
    comparison = compare(run)
    assert [row.key for row in comparison.rows] == [
        "t/accuracy", "t/f1_per_class[yes]", "t/f1_per_class[no]", "t/f1_per_class[maybe]",
    ]  # fmt: skip
    assert [row.primary for row in comparison.rows] == [True, False, False, False]
    assert comparison.family_size == 1
    truth = [example.reference for example in run.examples]
    said = observations(run, "t", "lora").predictions
    for row, label in zip(comparison.rows[1:], mini.LABELS, strict=True):
        expected = f1_score(truth, said, labels=[label], average="macro")
        assert (row.part, row.is_detail) == (label, True)
        assert row.values["lora"].value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("primary", "family", "size"),
    [(("f1_per_class",), (), 3), ((), ("t/f1_per_class[no]",), 1), (("accuracy", "f1_per_class"), (), 4)],
)
def test_a_metric_by_label_counts_each_label_where_it_is_declared(
    tmp_path: Path, primary: tuple[str, ...], family: tuple[str, ...], size: int
) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_per_class"], primary=primary)
    spec = run.spec.model_copy(update={"family": family})
    run.__dict__["spec"] = spec
    comparison = compare(run)
    assert comparison.family_size == size
    assert sum(row.primary for row in comparison.rows) == size


def test_the_detectable_difference_is_what_so_many_examples_show_four_times_out_of_five(tmp_path: Path) -> None:
    n, shown, rng = 200, 0, np.random.default_rng(0)
    error = np.sqrt(2.0 / n)
    rows = [
        MetricRow("t", "m", "m", "f", "number", True, True, None, {}, {
            "a": Difference(0.1, None, None, 0.2, None, n, "unclear", None, "")})
        for _ in range(4)
    ]  # fmt: skip
    found = adjusted(rows, [{"a": error}] * 4, family_size=4, level=0.95)[0].differences["a"]
    assert found.detectable == pytest.approx((norm.isf(0.05 / 8) + norm.isf(0.2)) * error)
    gain = found.detectable
    for _ in range(2_000):
        estimate = gain + error * rng.normal()
        shown += 2 * norm.sf(abs(estimate) / error) < 0.05 / 4
    assert shown / 2_000 == pytest.approx(0.8, abs=0.03)
    assert adjusted(rows, [{}] * 4, family_size=4, level=0.95)[0].differences["a"].detectable is None


def test_every_tested_row_says_what_it_could_have_shown(comparison: Comparison) -> None:
    told = [d for row in comparison.rows for d in row.differences.values() if d.p is not None and d.p < 0.9]
    assert all(d.detectable is not None and d.detectable > 0 for d in told)
    significant = [d for d in told if d.p_adjusted is not None and d.p_adjusted < 1e-3]
    # What is shown beyond doubt is above what could have been shown.
    assert significant
    assert all(abs(d.difference or 0) > 0.6 * (d.detectable or 0) for d in significant)


def test_the_caution_of_a_metric_reaches_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(get_metric("f1_macro")), "caution", "mind the gap")
    comparison = compare(rate_run(tmp_path / "mini", metrics=["accuracy", "f1_macro"]))
    assert [row.caution for row in comparison.rows] == ["", "mind the gap"]


def test_many_examples_are_measured_metric_by_metric_with_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_macro", "f1_per_class"])
    together = compare(run)
    for kept in (run.folder / "derived").glob("comparison-*.json"):
        kept.unlink()
    monkeypatch.setattr("core.measuring.LARGE", 50)
    assert compare(run) == together


def test_a_slice_of_many_examples_is_measured_without_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_macro", "f1_per_class"])
    drawn = compare(run, where=lambda example: example.reference != "no")
    monkeypatch.setattr("core.measuring.LARGE", 50)
    reader = StatisticsReader(run, in_memory=True)
    found = compare(run, where=lambda example: example.reference != "no", reader=reader)
    assert [row.key for row in found.rows] == [row.key for row in drawn.rows]
    for one, two in zip(found.rows, drawn.rows, strict=True):
        assert one.values["lora"].value == two.values["lora"].value
        assert one.differences["lora"].difference == two.differences["lora"].difference
        assert one.differences["lora"].n == two.differences["lora"].n
    assert found.row("t/accuracy").differences == drawn.row("t/accuracy").differences
    assert found.row("t/f1_macro").differences["lora"].method.startswith("t test, influence functions")
    assert found.family_size == drawn.family_size
