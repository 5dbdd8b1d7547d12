from __future__ import annotations

import math

import numpy as np
import pytest

from core.metrics.metric import Parameters
from core.metrics.registry import get_metric
from core.records import Likelihood
from tests.core.metrics.made import observe, total

LIKELIHOODS = ("perplexity", "bits_per_byte", "reference_log_likelihood", "token_accuracy")


def likelihood(*logprobs: float, n_bytes: int = 10) -> Likelihood:
    n = len(logprobs)
    return Likelihood(tuple(range(n)), logprobs, tuple(range(n)), (True,) * n, n_bytes)


def imported(nll_sum: float, n_tokens: int | None, n_bytes: int) -> Likelihood:
    return Likelihood((), (), (), (), n_bytes, nll_sum, n_tokens)


def observed(*likelihoods: Likelihood | None, reasons: tuple[str | None, ...] = (), tokenizer: str = ""):
    n = len(likelihoods)
    return observe(
        [None] * n,
        ["text"] * n,
        likelihoods=likelihoods,
        likelihood_reasons=reasons,
        parameters=Parameters(tokenizer=tokenizer),
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_metric_equals_its_float64_computation_from_logits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths, vocabulary = rng.integers(1, 9, 12), 7
    logits = [rng.normal(0, 2, (length, vocabulary)).round(1) for length in lengths]  # rounded: ties for the likeliest
    targets = [rng.integers(0, vocabulary, length) for length in lengths]
    n_bytes = rng.integers(1, 40, 12)
    some, all_logprobs, all_top = [], [], []
    for rows, target, size in zip(logits, targets, n_bytes, strict=True):
        logprobs = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
        chosen = logprobs[np.arange(len(target)), target]
        top = rows.argmax(axis=1) == target
        all_logprobs.append(chosen)
        all_top.append(top)
        places = tuple(range(len(target)))
        some.append(Likelihood(tuple(target.tolist()), tuple(chosen.tolist()), places, tuple(top.tolist()), int(size)))
    flat = np.concatenate(all_logprobs)
    expected = {
        "perplexity": np.exp(-flat.mean()),
        "bits_per_byte": -flat.sum() / np.log(2) / n_bytes.sum(),
        "reference_log_likelihood": np.mean([chosen.sum() for chosen in all_logprobs]),
        "token_accuracy": np.concatenate(all_top).mean(),
    }
    for name, value in expected.items():
        assert total(get_metric(name), observed(*some)) == pytest.approx(value, rel=1e-12), name
    assert 0 < expected["token_accuracy"] < 1


def test_an_imported_sum_gives_all_but_what_needs_the_tokens() -> None:
    some = observed(imported(6.0, 3, 4), imported(2.0, 1, 2), likelihood(-4.0, -2.0, n_bytes=6))
    assert total(get_metric("perplexity"), some) == pytest.approx(math.exp(14 / 6))
    assert total(get_metric("bits_per_byte"), some) == pytest.approx(14 / math.log(2) / 12)
    assert total(get_metric("reference_log_likelihood"), some) == pytest.approx(-14 / 3)
    accuracy = get_metric("token_accuracy").statistics(some)
    assert accuracy.missing.tolist() == [True, True, False]
    assert accuracy.reasons[0] == "the imported likelihood is a sum: which tokens were the likeliest is not known"


@pytest.mark.parametrize(
    ("one", "name", "reason"),
    [
        (imported(math.nan, 3, 4), "perplexity", "the log-likelihood of the reference is not a finite number"),
        (imported(math.inf, 3, 4), "bits_per_byte", "the log-likelihood of the reference is not a finite number"),
        (imported(3.0, None, 4), "perplexity", "the imported likelihood does not say over how many tokens it is"),
        (imported(3.0, 2, 0), "bits_per_byte", "the imported likelihood does not say how many bytes the reference has"),
    ],
)
def test_an_imported_sum_that_says_too_little_is_missing_alone(one: Likelihood, name: str, reason: str) -> None:
    statistics = get_metric(name).statistics(observed(one, imported(2.0, 2, 2)))
    assert statistics.reasons == (reason, None)
    assert np.isfinite(get_metric(name).value(statistics.array.sum(axis=0)))


@pytest.mark.parametrize("name", ["perplexity", "token_accuracy"])
def test_values_by_token_are_never_compared_across_tokenizers(name: str) -> None:
    metric = get_metric(name)
    made = [metric.statistics(observed(likelihood(-1.0, -2.0), tokenizer=known)) for known in ("a" * 64, "b" * 64)]
    assert "tokenizer:aaaaaaaaaaaa" in made[0].signature
    assert "computed differently" in (metric.incomparable(*made) or "")
    unknown = metric.statistics(observed(likelihood(-1.0, -2.0), likelihood(-3.0)))
    finer = metric.statistics(observed(likelihood(-1.0, -2.0), likelihood(-3.0, -1.0)))
    missing = metric.statistics(observed(likelihood(-1.0, -2.0), None))
    reason = metric.incomparable(unknown, finer)
    assert reason is not None
    assert (
        "different tokens in 1 references (the first: 1 and 2)" in reason and "not compared across tokenizers" in reason
    )
    assert metric.incomparable(unknown, missing) is None


@pytest.mark.parametrize("name", ["bits_per_byte", "reference_log_likelihood"])
def test_values_by_reference_are_compared_across_tokenizers(name: str) -> None:
    metric = get_metric(name)
    first = metric.statistics(observed(likelihood(-1.0, -2.0), tokenizer="a"))
    second = metric.statistics(observed(likelihood(-1.0, -2.0, -3.0), tokenizer="b"))
    assert metric.incomparable(first, second) is None


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
    for name in LIKELIHOODS:
        statistics = get_metric(name).statistics(some)
        assert statistics.missing.tolist() == [False, True, True, True, True]
        assert statistics.reasons[1:3] == ("too long", "a token of the reference has no finite log-likelihood")
        assert np.isfinite(statistics.array).all()
    assert total(get_metric("perplexity"), some) == pytest.approx(math.e)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_task_without_likelihoods_has_no_value(name: str) -> None:
    metric = get_metric(name)
    statistics = metric.statistics(observe(["a"], ["b"]))
    assert statistics.missing.all()
    assert np.isnan(metric.value(statistics.array.sum(axis=0)))
    assert metric.by_language
    assert metric.higher_is_better is (name in ("reference_log_likelihood", "token_accuracy"))
