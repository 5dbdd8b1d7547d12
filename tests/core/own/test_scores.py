"""What single examples score under a user's own metric: stored by the worker, shown and picked by like any other metric's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.compare import compare
from core.jobs.own_metrics import own_metrics
from core.judging import metric_of, metrics_of, scores_of
from core.metrics.metric import Observations
from core.own.scores import own_scores
from core.records import BASELINE
from core.stats.rates import mcnemar
from core.store import Run
from core.trust import trust
from tests.core import own_runs
from tests.core.own_runs import BASE_TEXTS, LORA_TEXTS, SHARE_OF_A

SQUARED = """
def statistics(predictions, references):
    return [[len(text), len(text) ** 2] for text in predictions]

def value(sums):
    return sums[..., 1] / sums[..., 0]
"""
MISSING = 9
"""The adapter's example without an answer."""


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LORASCOPE_CONFIG", str(tmp_path / "config"))
    with own_runs.clean_imports():
        yield


def computed(folder: Path, code: str) -> Run:
    run = own_runs.make(folder, code, "mine")
    trust(folder)
    own_metrics(run.folder, "mine", BASELINE)
    return run


def test_a_rate_is_right_or_wrong_of_each_example(tmp_path: Path) -> None:
    run = computed(tmp_path / "w", SHARE_OF_A)
    metric = metrics_of(run, "reply")["mine"]
    assert (metric.label, metric.family, metric.unit, metric.test) == ("Share of a", "own", "share", "rate")
    assert list(metrics_of(run, "reply")) == ["exact_match", "mine"]
    scores = scores_of(run, "reply", "mine")
    expected = np.array(["a" in text for text in LORA_TEXTS], dtype=float)
    expected[MISSING] = np.nan
    np.testing.assert_array_equal(scores["lora"], expected)
    np.testing.assert_array_equal(scores[BASELINE], ["a" in text for text in BASE_TEXTS])
    assert list(scores.index) == list(scores_of(run, "reply", "exact_match").index)


def test_a_number_without_a_value_of_one_example_is_no_value_there(tmp_path: Path) -> None:
    scores = own_scores(computed(tmp_path / "w", SQUARED), "reply", "mine")
    assert scores is not None
    lengths = np.array([len(text) or np.nan for text in LORA_TEXTS])
    lengths[MISSING] = np.nan
    np.testing.assert_array_equal(scores["lora"], lengths)


def test_before_it_is_computed_nothing_is_judged_by_it(tmp_path: Path) -> None:
    run = own_runs.make(tmp_path / "w", SHARE_OF_A, "mine")
    assert list(metrics_of(run, "reply")) == ["exact_match"]
    assert metric_of(run, "reply", "mine") is None
    assert own_scores(run, "reply", "mine") is None


def test_a_copy_without_the_code_shows_the_scores(tmp_path: Path) -> None:
    run = computed(tmp_path / "w", SHARE_OF_A)
    copied = Run(run.folder.rename(tmp_path / "copy"))
    assert scores_of(copied, "reply", "mine")["lora"].notna().sum() == len(LORA_TEXTS) - 1


def test_the_dashboard_never_computes_it(tmp_path: Path) -> None:
    metric = metrics_of(computed(tmp_path / "w", SHARE_OF_A), "reply")["mine"]
    with pytest.raises(TypeError, match="it is computed by"):
        metric.statistics(Observations((), (), (), (), (), ()))  # type: ignore[call-arg]


def test_a_slice_shows_the_rate_of_its_own_examples(tmp_path: Path) -> None:
    run = computed(tmp_path / "w", SHARE_OF_A)
    scores = scores_of(run, "reply", "mine")
    inside = set(scores.index[4:20])
    row = compare(run, where=lambda example: example.id in inside).row("reply/mine")
    kept = scores.loc[sorted(inside, key=list(scores.index).index)]
    paired = kept.dropna()
    assert (row.values["lora"].value, row.values["lora"].n) == (pytest.approx(kept["lora"].mean()), 15)
    assert row.values["lora"].method == "Wilson"
    difference = row.differences["lora"]
    assert difference.difference == pytest.approx((paired["lora"] - paired[BASELINE]).mean())
    assert difference.p == pytest.approx(
        mcnemar(int((paired["lora"] > paired[BASELINE]).sum()), int((paired["lora"] < paired[BASELINE]).sum())).mid_p
    )


def test_a_slice_of_what_is_no_mean_says_so(tmp_path: Path) -> None:
    row = compare(computed(tmp_path / "w", SQUARED), where=lambda example: True).row("reply/mine")
    assert row.values["lora"].value is None
    assert "no mean over examples" in (row.values["lora"].reason or "")


def test_a_slice_without_examples_says_so(tmp_path: Path) -> None:
    row = compare(computed(tmp_path / "w", SHARE_OF_A), where=lambda example: False).row("reply/mine")
    assert row.values["lora"].reason == "no example is left by the filter"
