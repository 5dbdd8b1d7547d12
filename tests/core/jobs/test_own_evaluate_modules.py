"""A user's own modules of `evaluate`: a mean has the statistics of single examples, all else is computed anew for each resample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.records import BASELINE
from core.stats.resampling import bootstrap_interval
from tests.core.jobs.own_rows import fault_of, row_of
from tests.core.own_runs import BASE_TEXTS

pytestmark = pytest.mark.usefixtures("own_settings")

EVALUATE = """\
import datasets
import evaluate

LABEL = "Through evaluate"

class Mine(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="", citation="", inputs_description="",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        return RETURNED
"""


def test_a_module_of_evaluate_that_is_a_mean_has_the_statistics_of_single_examples(tmp_path: Path) -> None:
    mean = EVALUATE.replace(
        "RETURNED", '{"mine": sum(len(text) for text in predictions) / len(predictions), "other": 3}'
    )
    row = row_of(tmp_path / "w", mean)
    lengths = np.array([[len(text), 1] for text in BASE_TEXTS], dtype=float)
    expected = bootstrap_interval(lengths, lambda sums: sums[..., 0] / sums[..., 1], resamples=10_000, seed=3)
    value = row.values[BASELINE]
    assert (row.label, value.value) == ("Through evaluate", pytest.approx(lengths[:, 0].mean()))
    assert (value.low, value.high) == pytest.approx((expected.low, expected.high))
    assert row.differences["lora"].method.startswith("sign-flip")
    assert value.n == 32 and row.values["lora"].n_missing == 1


def test_a_module_of_evaluate_that_is_no_mean_is_computed_anew_for_fewer_resamples(tmp_path: Path) -> None:
    returned = '{"one": float(len(set(predictions)) ** 0.5)}'
    row = row_of(tmp_path / "w", EVALUATE.replace("RETURNED", returned))
    value, difference = row.values[BASELINE], row.differences["lora"]
    assert value.value == pytest.approx(len(set(BASE_TEXTS)) ** 0.5)
    assert value.method == "bootstrap (200 resamples)"
    assert value.low is not None and value.high is not None and value.low <= value.value
    assert difference.method.startswith("swap test (200 draws)")
    assert difference.p is not None and 1 / 201 <= difference.p <= 1


def test_faults_of_an_evaluate_module_are_said_too(tmp_path: Path) -> None:
    several = fault_of(tmp_path / "a", EVALUATE.replace("RETURNED", '{"x": 1, "y": 2}'))
    assert several == "metrics/mine.py: it returned several numbers (x, y); expected one, or one that is named 'mine'"
    assert fault_of(tmp_path / "b", EVALUATE.replace("RETURNED", '{"x": "much"}')).startswith(
        "metrics/mine.py: it returned no number"
    )
    assert fault_of(tmp_path / "c", EVALUATE.replace("RETURNED", "1 / 0")).startswith(
        "metrics/mine.py, line 15: ZeroDivisionError"
    )
    assert "no class of evaluate.Metric" in fault_of(tmp_path / "d", "class Mine(dict):\n    pass\n")
