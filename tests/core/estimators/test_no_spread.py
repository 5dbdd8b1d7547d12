"""A value that no resample and no example moves has no interval of width 0."""

from __future__ import annotations

import numpy as np
import pytest

from core.contrasts import Measured, measure
from core.metrics.metric import Statistics
from core.metrics.registry import get_metric
from core.panels import Panel
from core.resampler import LARGE, Resampler
from core.slice_measures import measure_slices
from tests.core.metrics.made import observe

N = 40


def panel(name: str, times: int = 1, wrong: int = 0) -> Panel:
    references = ["a", "b"] * (N * times // 2)
    answers = ["b"] * wrong + references[wrong:]
    scores = [(0.9, 0.1) if one == "a" else (0.2, 0.8) for one in answers]
    metric = get_metric(name)
    observed = observe(answers, references, labels=("a", "b"), kind="classification", scores=scores)
    statistics: Statistics = metric.statistics(observed)
    return Panel(metric, {"base": statistics, "other": statistics}, np.ones(N * times, dtype=bool), "classification")


def measured(one: Panel, groups: list[str] | None = None) -> Measured:
    resampler = Resampler(len(one.inside), groups, seed=1, resamples=300, trials=300)
    return measure([one], "base", resampler, 0.95)[0]


@pytest.mark.parametrize("name", ["f1_macro", "mcc", "roc_auc_macro", "pr_auc_macro"])
@pytest.mark.parametrize("groups", [None, [f"g{i // 4}" for i in range(N)]], ids=["examples", "few clusters"])
def test_all_right_is_no_certainty(name: str, groups: list[str] | None) -> None:
    value = measured(panel(name), groups).values["base"]
    assert (value.value, value.low, value.high) == (pytest.approx(1), None, None)
    assert value.method in ("none: every resample gives the same value", "none: no example moves the value")
    some = measured(panel(name, wrong=3), groups).values["base"]
    assert some.low is not None and some.high is not None and some.low < some.high


@pytest.mark.parametrize("name", ["f1_macro", "mcc", "roc_auc_macro", "pr_auc_macro"])
def test_many_examples_and_slices_say_the_same(name: str) -> None:
    many = panel(name, times=1 + LARGE // N)
    value = measured(many).values["base"]
    assert (value.low, value.method) == (None, "none: no example moves the value")
    resampler = Resampler(len(many.inside), None, seed=1, resamples=300, trials=300)
    half = np.arange(len(many.inside)) < 60
    sliced = measure_slices([many], "base", {"half": half}, resampler, 0.95)["half"][0].values["base"]
    assert (sliced.value, sliced.low, sliced.method) == (pytest.approx(1), None, "none: no example moves the value")


def test_equal_variants_still_have_the_interval_of_their_difference() -> None:
    """Two that answer alike differ by nothing: a band of equivalence has to be able to hold that."""
    difference = measured(panel("f1_macro")).differences["other"]
    assert (difference.difference, difference.low, difference.high) == (0, 0, 0)


def test_rates_keep_wilson_s() -> None:
    value = measured(panel("accuracy")).values["base"]
    assert value.method == "Wilson" and value.low is not None and value.low < 1
