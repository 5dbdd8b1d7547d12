"""What has no value, no test or no verdict says why, and spoils no other."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from core.compare import Headline, compare, headline
from core.families import adjusted
from core.metrics.registry import get_metric
from core.records import BASELINE
from core.results import Difference, MetricRow
from tests.core import mini
from tests.core.compared_runs import BASE_RIGHT, LORA_RIGHT, N, drawn, perplexity_run, rate_run


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


def test_the_caution_of_a_metric_reaches_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(get_metric("f1_macro")), "caution", "mind the gap")
    comparison = compare(rate_run(tmp_path / "mini", metrics=["accuracy", "f1_macro"]))
    assert [row.caution for row in comparison.rows] == ["", "mind the gap"]
