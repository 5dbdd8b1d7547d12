"""What is stored about one example: the example itself, what a variant was observed to do, and what was read out of it.

Frozen and typed; `core.store` writes them to Parquet. Log-likelihoods are natural logarithms (nats).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

BASELINE = "baseline"
"""The name of the variant that is the base model with every adapter off."""
REFERENCE_ITEM = "reference"
"""The item of evidence about the likelihood of a reference, where a task has answers too."""

FORMAT_VERSION = 1
"""Version of the run folder; a reader refuses a folder with a higher one."""

Kind = Literal[
    "generation", "classification", "regression", "multilabel", "ranking", "likelihood", "medical", "finance", "vision"
]
"""``medical`` is binary classification with a declared positive label; ``finance`` positions against a return series, in
time order; ``vision`` boxes. See `core.metrics.metric.Observations` for what a prediction and a reference are for each."""
EvidenceKind = Literal["generation", "likelihood", "options", "number"]


@dataclass(frozen=True)
class Example:
    """One evaluation item of one task, the same for every variant."""

    task: str
    id: str
    prompt: str
    """The prompt as the model sees it, chat template applied; empty for plain likelihood."""
    fields: dict[str, Any]
    """The row of the dataset."""
    reference: Any
    """text | list of texts | label | number | list of labels | list of relevances, as the task's kind says."""
    options: tuple[str, ...] = ()
    """What can be chosen: labels, numbers as text, tags, or the documents to rank."""
    tags: tuple[str, ...] = ()
    """``field=value`` strings to filter and slice by."""
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Generation:
    """A text that a variant generated."""

    text: str
    finish: Literal["eos", "stop", "length"]
    n_prompt_tokens: int
    token_ids: tuple[int, ...]
    """The new tokens, the end-of-turn token included where there was one."""
    token_logprobs: tuple[float, ...]
    """Of each new token under the model's own distribution, temperature 1."""


@dataclass(frozen=True)
class Likelihood:
    """How likely a variant finds the reference, token by token."""

    token_ids: tuple[int, ...]
    token_logprobs: tuple[float, ...]
    token_starts: tuple[int, ...]
    """For each token the character of the reference text where it starts; the end-of-turn token starts at its length."""
    token_top: tuple[bool, ...]
    """Whether the token was the likeliest one."""
    n_bytes: int
    """UTF-8 length of the reference text; 0 where an imported likelihood does not say."""
    nll_sum: float | None = None
    """Of an imported likelihood, which has no token lists: the summed negative log-likelihood."""
    n_tokens: int | None = None
    """Of an imported likelihood: how many tokens ``nll_sum`` is over; None where it does not say."""


@dataclass(frozen=True)
class OptionScores:
    """How likely a variant finds each option (the end-of-turn token included)."""

    options: tuple[str, ...]
    logprob_sums: tuple[float, ...]
    n_tokens: tuple[int, ...]
    n_bytes: tuple[int, ...]


@dataclass(frozen=True)
class Evidence:
    """What was observed of one example and variant: one of four kinds, an imported prediction, or a reason why none."""

    task: str
    variant: str
    example_id: str
    item: str = ""
    """For multilabel the tag that was asked about; for the likelihood that stands beside a generation ``"reference"``."""
    generation: Generation | None = None
    likelihood: Likelihood | None = None
    option_scores: OptionScores | None = None
    number: float | None = None
    """What a classification head that was trained for regression gave: the prediction itself, without probabilities."""
    imported: str | None = None
    """A prediction that came from elsewhere, as text for a reader; ``option_scores`` may stand beside it."""
    reason: str | None = None


@dataclass(frozen=True)
class Prediction:
    """What a task reads out of evidence.

    ``value`` is a label (classification), a float (regression), a tuple of labels (multilabel), a tuple of scores, one an
    option (ranking), a text (generation), or None with a ``reason``.
    """

    example_id: str
    value: Any
    reason: str | None = None
    scores: tuple[float, ...] = field(default=())
    """The probability of each option where the evidence has them (classification, regression, multilabel)."""
