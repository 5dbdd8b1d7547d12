from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from core.errors import InputError
from core.metrics.registry import all_metrics, get_metric, metrics_for
from tests.core.metrics.made import drawn_texts, observe

FIRST = {
    "accuracy",
    "f1_macro",
    "bleu",
    "chrf",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "exact_match",
    "perplexity",
    "bits_per_byte",
}


def test_the_first_metrics_are_found() -> None:
    assert set(all_metrics()) >= FIRST
    assert {metric.name for metric in metrics_for("classification")} >= {"accuracy", "f1_macro"}
    assert {metric.name for metric in metrics_for("likelihood")} == {
        "perplexity",
        "bits_per_byte",
        "reference_log_likelihood",
        "token_accuracy",
    }


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown metric 'rogue_l' \(did you mean 'rouge_l'\?\).*accuracy"):
        get_metric("rogue_l")


@pytest.mark.parametrize("name", sorted(all_metrics()))
def test_every_metric_keeps_the_contract(name: str) -> None:
    """Any metric, present or future: complete, and its values of many sums are those of each."""
    metric = get_metric(name)
    assert metric.name == name
    assert metric.label
    assert metric.family
    assert metric.kinds
    assert metric.undefined
    texts, references = drawn_texts(1, 20)
    statistics = metric.statistics(observe([None, *texts[1:]], references))
    n, k = statistics.array.shape
    assert (n, statistics.missing.shape, len(statistics.reasons)) == (20, (20,), 20)
    assert statistics.array.dtype == np.float64
    assert np.isfinite(statistics.array).all()
    assert not statistics.array[statistics.missing].any()
    assert all(
        (reason is not None) == missing for reason, missing in zip(statistics.reasons, statistics.missing, strict=True)
    )
    if metric.ordered:
        weights = np.random.default_rng(0).integers(0, 3, (6, 20)) * ~statistics.missing
        values = metric.weighted_values(statistics.array, weights)
        assert values.shape == (6,)
        np.testing.assert_allclose(values[4:5], metric.weighted_values(statistics.array, weights[4:5]))
        with pytest.raises(TypeError, match="no function of sums"):
            metric.value(statistics.array)
        return
    sums = np.random.default_rng(0).integers(0, 3, (2, 3, 20)) @ statistics.array
    assert sums.shape[-1] == k
    values = metric.value(sums)
    assert values.shape == (2, 3)
    np.testing.assert_array_equal(values[1, 2], metric.value(sums[1, 2]))


def test_finding_metrics_imports_neither_torch_nor_evaluate() -> None:
    code = (
        "import sys; from core.metrics.registry import all_metrics; all_metrics(); "
        "print([m for m in ('torch', 'transformers', 'evaluate', 'peft', 'streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
