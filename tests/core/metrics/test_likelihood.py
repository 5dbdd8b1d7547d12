from __future__ import annotations

import math

import numpy as np
import pytest

from core.metrics.registry import get_metric
from core.records import Likelihood
from tests.core.metrics.made import observe, total


def likelihood(*logprobs: float, n_bytes: int = 10) -> Likelihood:
    n = len(logprobs)
    return Likelihood(tuple(range(n)), logprobs, tuple(range(n)), (True,) * n, n_bytes)


def observed(*likelihoods: Likelihood | None, reasons: tuple[str | None, ...] = ()):
    n = len(likelihoods)
    return observe([None] * n, ["text"] * n, likelihoods=likelihoods, likelihood_reasons=reasons)


def test_perplexity_weighs_tokens_not_texts() -> None:
    some = observed(likelihood(-1.0, -2.0, -3.0), likelihood(-6.0))
    assert total(get_metric("perplexity"), some) == pytest.approx(math.exp(12 / 4), rel=1e-12)


def test_perplexity_equals_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    text = pytest.importorskip("torchmetrics.functional.text")
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=(1, 12, 7)))
    target = torch.tensor(rng.integers(0, 7, (1, 12)))
    chosen = torch.log_softmax(logits, -1).gather(-1, target[..., None])[0, :, 0].tolist()
    some = observed(likelihood(*chosen[:5]), likelihood(*chosen[5:]))
    assert total(get_metric("perplexity"), some) == pytest.approx(float(text.perplexity(logits, target)), rel=1e-6)


def test_bits_per_byte_by_hand() -> None:
    some = observed(likelihood(-math.log(2), -math.log(4), n_bytes=4), likelihood(-math.log(8), n_bytes=2))
    assert total(get_metric("bits_per_byte"), some) == pytest.approx((1 + 2 + 3) / 6, rel=1e-12)


def test_what_cannot_be_scored_is_missing_with_its_reason() -> None:
    some = observed(
        likelihood(-1.0), None, likelihood(-math.inf), likelihood(), likelihood(-1.0, n_bytes=0),
        reasons=(None, "too long", None, None, None),
    )  # fmt: skip
    for name in ("perplexity", "bits_per_byte"):
        statistics = get_metric(name).statistics(some)
        assert statistics.missing.tolist() == [False, True, True, True, True]
        assert statistics.reasons[1:3] == ("too long", "a token of the reference has no finite log-likelihood")
        assert np.isfinite(statistics.array).all()
    assert total(get_metric("perplexity"), some) == pytest.approx(math.e)


@pytest.mark.parametrize("name", ["perplexity", "bits_per_byte"])
def test_a_task_without_likelihoods_has_no_value(name: str) -> None:
    metric = get_metric(name)
    statistics = metric.statistics(observe(["a"], ["b"]))
    assert statistics.missing.all()
    assert np.isnan(metric.value(statistics.array.sum(axis=0)))
    assert metric.by_language
    assert not metric.higher_is_better
