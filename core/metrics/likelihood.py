"""Metrics of how likely a model finds the reference: perplexity, bits per byte, log-likelihood and token accuracy.

Log-likelihoods come token by token from the engine, or as a sum and a number of tokens from elsewhere (see
`core.records.Likelihood`); what needs the tokens themselves then has no value.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble
from core.records import Likelihood

_NO_COUNT = "the imported likelihood does not say over how many tokens it is"
_NO_BYTES = "the imported likelihood does not say how many bytes the reference has"
_NO_TOKENS = "the imported likelihood is a sum: which tokens were the likeliest is not known"
_FINGERPRINT = 12
"""Characters of a tokenizer's fingerprint that a signature shows."""


class LikelihoodMetric(RatioMetric):
    """A ratio of two sums over the references' likelihoods."""

    family = "likelihood"
    kinds = frozenset({"generation", "likelihood"})
    needs = "likelihood"
    by_language = True
    undefined = "no reference has tokens"
    by_token = False
    """Whether the denominator counts tokens, so that values of different tokenizers cannot be compared."""

    @abstractmethod
    def row(self, likelihood: Likelihood, nll_sum: float) -> tuple[float, float] | str:
        """Return (numerator, denominator) of one reference, or why it has none; ``nll_sum`` in nats."""

    @abstractmethod
    def choices(self) -> str:
        """Return what the signature says of the metric itself."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (numerator, denominator) for each example, (n, 2)."""
        n = len(observations.example_ids)
        likelihoods = observations.likelihoods if len(observations.likelihoods) else [None] * n
        why = observations.likelihood_reasons if len(observations.likelihood_reasons) else [None] * n
        rows: list[tuple[float, float]] = []
        reasons: list[str | None] = []
        for likelihood, reason in zip(likelihoods, why, strict=True):
            found = self._row(likelihood, reason)
            reasons.append(found if isinstance(found, str) else None)
            if not isinstance(found, str):
                rows.append(found)
        return assemble(rows, reasons, self._signature(observations), 2)

    def incomparable(self, mine: Statistics, theirs: Statistics) -> str | None:
        """Return also that the two count different tokens in a reference that both have, which one tokenizer never does."""
        if (reason := super().incomparable(mine, theirs)) or not self.by_token:
            return reason
        different = ~mine.missing & ~theirs.missing & (mine.array[:, 1] != theirs.array[:, 1])
        if not different.any():
            return None
        first = int(different.argmax())
        return (
            f"the two have different tokens in {int(different.sum()):,} references (the first: {mine.array[first, 1]:g} and "
            f"{theirs.array[first, 1]:g}): values by token are not compared across tokenizers; bits per byte are"
        )

    def _row(self, likelihood: Likelihood | None, reason: str | None) -> tuple[float, float] | str:
        if likelihood is None:
            return reason or "the likelihood of the reference was not observed"
        imported = likelihood.nll_sum
        if imported is not None:
            if not math.isfinite(imported):
                return "the log-likelihood of the reference is not a finite number"
            return self.row(likelihood, imported)
        nll_sum = -math.fsum(likelihood.token_logprobs)
        if not math.isfinite(nll_sum):
            return "a token of the reference has no finite log-likelihood"
        if not likelihood.token_logprobs or not likelihood.n_bytes:
            return "the reference is empty"
        return self.row(likelihood, nll_sum)

    def _signature(self, observations: Observations) -> str:
        signature = f"{self.name}|{self.choices()}|end-of-turn:as scored"
        known = observations.parameters.tokenizer
        return f"{signature}|tokenizer:{known[:_FINGERPRINT] or 'unknown'}" if self.by_token else signature


class Perplexity(LikelihoodMetric):
    """exp of the mean negative log-likelihood of a token, every token with the same weight.

    A token of one tokenizer is not a token of another, and one language has more of them than another: compare variants of
    one base, and languages by bits per byte. Statistics: (nll_sum in nats, tokens).
    """

    name = "perplexity"
    label = "Perplexity"
    higher_is_better = False
    unit = "perplexity"
    bounds = (1.0, None)
    version = 2
    by_token = True

    def row(self, likelihood: Likelihood, nll_sum: float) -> tuple[float, float] | str:
        """Return (nll_sum, tokens)."""
        n_tokens = _n_tokens(likelihood)
        return (nll_sum, n_tokens) if n_tokens else _NO_COUNT

    def choices(self) -> str:
        """Return what weighs."""
        return "weight:token"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return exp(nll_sum / tokens) of sums (..., 2), (...); NaN without tokens."""
        with np.errstate(over="ignore"):
            return np.exp(super().value(sums))


class BitsPerByte(LikelihoodMetric):
    """Bits that the model needs for a byte of the reference (UTF-8): comparable across tokenizers.

    Statistics: (nll_sum / ln 2, bytes).
    """

    name = "bits_per_byte"
    label = "Bits per byte"
    higher_is_better = False
    unit = "bits"
    bounds = (0.0, None)
    undefined = "no reference has bytes"

    def row(self, likelihood: Likelihood, nll_sum: float) -> tuple[float, float] | str:
        """Return (bits, bytes)."""
        return (nll_sum / math.log(2), likelihood.n_bytes) if likelihood.n_bytes else _NO_BYTES

    def choices(self) -> str:
        """Return what a byte is."""
        return "bytes:utf-8"


class ReferenceLogLikelihood(LikelihoodMetric):
    """The log-likelihood of a whole reference in nats, averaged over examples: long references weigh more.

    Statistics: (log-likelihood, 1).
    """

    name = "reference_log_likelihood"
    label = "Reference log-likelihood"
    unit = "nats"
    test = "mean"
    bounds = (None, 0.0)
    undefined = "no reference has a likelihood"

    def row(self, likelihood: Likelihood, nll_sum: float) -> tuple[float, float] | str:
        """Return (log-likelihood, 1)."""
        return -nll_sum, 1.0

    def choices(self) -> str:
        """Return what is averaged."""
        return "sum of a reference|mean over references"


class TokenAccuracy(LikelihoodMetric):
    """The share of the references' tokens that the model finds the likeliest, each given the ones before it.

    Every token has the same weight. Statistics: (tokens that were the likeliest, tokens).
    """

    name = "token_accuracy"
    label = "Token accuracy"
    by_token = True

    def row(self, likelihood: Likelihood, nll_sum: float) -> tuple[float, float] | str:
        """Return (likeliest, tokens)."""
        n_tokens = len(likelihood.token_top)
        return (float(sum(likelihood.token_top)), n_tokens) if n_tokens else _NO_TOKENS

    def choices(self) -> str:
        """Return what weighs."""
        return "weight:token"


def _n_tokens(likelihood: Likelihood) -> int:
    return len(likelihood.token_logprobs) or likelihood.n_tokens or 0
