"""What merging an adapter into its base costs: how far the merged model's answers are from those with the adapter beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

ON_4_BITS = "unmerged, base in 4 bits (nf4)"


def model_name(state: str, precision: str) -> str:
    """Return what a model is called in a check: ``merged, bfloat16``."""
    return f"{state}, {precision}"


def variant_name(model: str) -> str:
    """Return a model's name as that of a variant of a run, which is part of files' names: ``merged-bfloat16``."""
    return re.sub(r"[^A-Za-z0-9]+", "-", model).strip("-")


@dataclass(frozen=True)
class MergeRow:
    """One model held against another on the same prompts."""

    model: str
    """What is looked at: ``merged, bfloat16``."""
    against: str
    """What it is held against: ``unmerged, bfloat16``."""
    largest_logit_change: float | None = None
    """Over all positions looked at and the whole vocabulary; a logit is the unnormalised log-probability of a token, in nats."""
    mean_logit_change: float | None = None
    """Mean absolute change, over the same."""
    other_top: int | None = None
    """Positions at which another token is the likeliest."""
    positions: int = 0
    other_tokens: int | None = None
    """Tokens of the greedy continuations that differ, place by place: after the first that differs most do."""
    tokens: int = 0
    other_continuations: int | None = None
    """Prompts whose continuation differs at all."""
    prompts: int = 0
    reason: str = ""
    """Why there are no numbers, as a sentence."""


@dataclass(frozen=True)
class MergeCheck:
    """An adapter merged and unmerged, in several precisions."""

    tensor_hash: str
    rows: tuple[MergeRow, ...]
    run: str
    """The run whose prompts were asked."""
    device: str
    new_tokens: int
    """Of each continuation."""
    answered: int = 0
    """Examples that every model answered as a run's variants do, for its metrics; see `core.merge_metrics`."""
