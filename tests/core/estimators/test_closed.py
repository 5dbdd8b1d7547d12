"""Rates among some of the examples: Wilson's interval, and of paired ones Tango's and McNemar's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from core.contrasts import Measured, measure
from core.estimators import Conditional, Counted, Drawn, Linear, Setting, drawing, estimator
from core.metrics.metric import Metric, Statistics
from core.metrics.registry import get_metric
from core.panels import Panel, label_panels
from core.resampler import LARGE, Resampler
from core.slice_measures import measure_slices
from core.stats.rates import mcnemar, paired_difference_interval
from tests.core.metrics.made import observe

N = 80
REFERENCES = np.random.default_rng(0).choice(["yes", "no"], N, p=[0.4, 0.6])


def answers(seed: int, right: float = 0.75) -> np.ndarray:
    other = np.where(REFERENCES == "yes", "no", "yes")
    return np.where(np.random.default_rng(seed).random(N) < right, REFERENCES, other)


def panel(name: str, *given: np.ndarray, missing: int = 0, times: int = 1) -> Panel:
    metric = get_metric(name)
    statistics: dict[str, Statistics] = {}
    for variant, some in zip(("base", "other"), given, strict=False):
        texts: list[Any] = np.tile(some, times).tolist()
        texts[:missing] = [None] * missing
        references = np.tile(REFERENCES, times).tolist()
        statistics[variant] = metric.statistics(observe(texts, references, labels=("no", "yes"), kind="classification"))
    return Panel(metric, statistics, np.ones(N * times, dtype=bool))


def setting(one: Panel, groups: list[str] | None = None) -> Setting:
    return Setting(one, "base", Resampler(len(one.inside), groups, seed=1, resamples=500, trials=500), 0.95)


def measured(one: Panel, groups: list[str] | None = None) -> Measured:
    return measure([one], "base", setting(one, groups).resampler, 0.95)[0]


def test_recall_has_wilson_s_interval_over_the_positive_references() -> None:
    given = answers(1)
    positive = REFERENCES[5:] == "yes"
    hits = int((given[5:][positive] == "yes").sum())
    for name in ("recall", "sensitivity"):
        value = measured(panel(name, given, missing=5)).values["base"]
        assert value.value == pytest.approx(recall_score(REFERENCES[5:], given[5:], pos_label="yes"))
        expected = proportion_confint(hits, int(positive.sum()), method="wilson")
        assert (value.low, value.high) == pytest.approx(expected)
        assert (value.method, value.n, value.n_missing) == ("Wilson", N - 5, 5)


@pytest.mark.parametrize("name", ["recall", "sensitivity", "specificity", "precision", "ppv", "npv"])
def test_all_right_is_no_interval_of_width_0(name: str) -> None:
    for times in (1, 1 + LARGE // N):  # many examples, too
        value = measured(panel(name, REFERENCES, times=times)).values["base"]
        assert value.value == value.high == 1
        assert value.low is not None and 0.8 < value.low < 1


def test_a_difference_in_recall_is_one_of_paired_rates() -> None:
    base, other = answers(1), answers(2, 0.9)
    one = panel("recall", base, other)
    found = measured(one).differences["other"]
    right, was = ((some == REFERENCES)[REFERENCES == "yes"] for some in (other, base))
    table = [int(some.sum()) for some in (right & was, right & ~was, ~right & was, ~right & ~was)]
    assert (found.low, found.high) == pytest.approx(paired_difference_interval(*table))
    assert found.p == pytest.approx(mcnemar(table[1], table[2]).mid_p)
    assert found.method == "mid-p McNemar, Tango interval"
    assert drawing(estimator(setting(one))) is None, "nothing is drawn in vain"


def test_a_difference_in_precision_is_resampled_since_each_counts_its_own_answers() -> None:
    base, other = answers(1), answers(2, 0.9)
    one = panel("precision", base, other)
    found = measured(one)
    assert found.differences["other"].difference == pytest.approx(
        precision_score(REFERENCES, other, pos_label="yes") - precision_score(REFERENCES, base, pos_label="yes")
    )
    assert found.differences["other"].method == "swap test (500 draws), bootstrap (500 resamples)"
    assert isinstance(drawing(estimator(setting(one))), Drawn)
    chosen = estimator(setting(panel("precision", base, other, times=1 + LARGE // N)))
    assert isinstance(chosen, Conditional) and isinstance(chosen.otherwise, Linear)


def test_clusters_and_fractions_are_resampled() -> None:
    one = panel("recall", answers(1))
    groups = [f"g{i // 2}" for i in range(N)]
    assert measured(one, groups).values["base"].method.startswith("cluster bootstrap")
    halves = Statistics(one.statistics["base"].array / 2, np.zeros(N, dtype=bool), (None,) * N, "")
    assert not Conditional.fits(setting(Panel(one.metric, {"base": halves}, one.inside)))


def test_a_class_s_precision_and_recall_are_rates_and_its_f1_is_not() -> None:
    given = answers(3)
    for name, kind in (
        ("precision_per_class", Conditional),
        ("recall_per_class", Conditional),
        ("f1_per_class", Drawn),
    ):
        parts = label_panels(panel(name, given, answers(4)))
        assert list(parts) == ["no", "yes"]
        assert type(estimator(setting(parts["yes"]))) is kind
    binary, one = panel("recall", given), label_panels(panel("recall_per_class", given))["yes"]
    assert measured(one).values["base"].low == pytest.approx(measured(binary).values["base"].low)


def test_slices_have_the_same_interval() -> None:
    one = panel("precision", answers(1), answers(2))
    inside = np.arange(N) % 2 == 0
    sliced = measure_slices([one], "base", {"even": inside}, setting(one).resampler, 0.95)["even"][0].values["base"]
    alone = measured(one.within(inside)).values["base"]
    assert (sliced.value, sliced.low, sliced.high, sliced.method) == (alone.value, alone.low, alone.high, "Wilson")


@pytest.mark.parametrize(
    ("name", "kind"), [("hit_rate_at_5", Counted), ("precision_at_1", Counted), ("hit_rate", Counted)]
)
def test_rankings_without_ties_that_are_hit_or_not_are_rates(name: str, kind: type) -> None:
    metric: Metric = get_metric(name)
    for scores, expected in (((3.0, 2.0, 1.0), kind), ((1.0, 1.0, 0.0), kind if name != "precision_at_1" else Drawn)):
        rows = metric.statistics(observe([scores] * 20, [[1, 0, 0]] * 20, kind="ranking"))
        one = Panel(metric, {"base": rows}, np.ones(20, dtype=bool), "ranking")
        assert type(estimator(setting(one))) is expected
