"""Metrics of how likely a model finds the reference: perplexity and bits per byte."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble
from core.records import Likelihood


class Perplexity(RatioMetric):
    """exp of the mean negative log-likelihood of a token, every token with the same weight.

    A token of one tokenizer is not a token of another, and one language has more of them than another: compare variants of
    one base, and languages by bits per byte. Statistics: (nll_sum in nats, tokens).
    """

    name = "perplexity"
    label = "Perplexity"
    family = "likelihood"
    kinds = frozenset({"generation", "likelihood"})
    higher_is_better = False
    unit = "perplexity"
    needs = "likelihood"
    by_language = True
    undefined = "no reference has tokens"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (nll_sum, tokens) for each example, (n, 2)."""
        signature = "perplexity|weight:token|end-of-turn:as scored"
        return _likelihood_statistics(
            observations, signature, lambda likelihood, nll: (nll, len(likelihood.token_logprobs))
        )

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return exp(nll_sum / tokens) of sums (..., 2), (...); NaN without tokens."""
        with np.errstate(over="ignore"):
            return np.exp(super().value(sums))


class BitsPerByte(RatioMetric):
    """Bits that the model needs for a byte of the reference (UTF-8): comparable across tokenizers.

    Statistics: (nll_sum / ln 2, bytes).
    """

    name = "bits_per_byte"
    label = "Bits per byte"
    family = "likelihood"
    kinds = frozenset({"generation", "likelihood"})
    higher_is_better = False
    unit = "bits"
    needs = "likelihood"
    by_language = True
    undefined = "no reference has bytes"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (bits, bytes) for each example, (n, 2)."""
        signature = "bits_per_byte|bytes:utf-8|end-of-turn:as scored"
        return _likelihood_statistics(
            observations, signature, lambda likelihood, nll: (nll / math.log(2), likelihood.n_bytes)
        )


def _likelihood_statistics(
    observations: Observations, signature: str, row: Callable[[Likelihood, float], tuple[float, float]]
) -> Statistics:
    n = len(observations.example_ids)
    likelihoods = observations.likelihoods if len(observations.likelihoods) else [None] * n
    why = observations.likelihood_reasons if len(observations.likelihood_reasons) else [None] * n
    rows: list[tuple[float, float]] = []
    reasons: list[str | None] = []
    for likelihood, reason in zip(likelihoods, why, strict=True):
        if likelihood is None:
            reasons.append(reason or "the likelihood of the reference was not observed")
            continue
        nll_sum = -math.fsum(likelihood.token_logprobs)
        if not math.isfinite(nll_sum):
            reasons.append("a token of the reference has no finite log-likelihood")
        elif not likelihood.token_logprobs or not likelihood.n_bytes:
            reasons.append("the reference is empty")
        else:
            reasons.append(None)
            rows.append(row(likelihood, nll_sum))
    return assemble(rows, reasons, signature, 2)
