"""Observations made by hand or drawn, shared by the tests of the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.metrics.metric import Metric, Observations

WORDS = (
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "Refund",
    "order.",
    "Köln",
    "été",
    "FH-1",
    "退货",
    "需要",
    "三天。",
    "привет",
    "नमस्ते",
)


def observe(predictions: Sequence[Any], references: Sequence[Any], **more: Any) -> Observations:
    reasons = more.pop("reasons", ["the model failed" if prediction is None else None for prediction in predictions])
    return Observations([f"e{index}" for index in range(len(predictions))], predictions, references, reasons, **more)


def drawn_texts(seed: int, n: int = 60, copies: bool = True) -> tuple[list[str], list[str]]:
    """Return texts and references: some texts empty, some equal to their reference, of 0 to 14 words."""
    rng = np.random.default_rng(seed)
    references = [" ".join(rng.choice(WORDS, rng.integers(1, 14))) for _ in range(n)]
    texts = [" ".join(rng.choice(WORDS, rng.integers(0, 14))) for _ in range(n)]
    if copies:
        texts = [reference if rng.random() < 0.3 else text for text, reference in zip(texts, references, strict=True)]
    texts[0] = ""
    return texts, references


def total(metric: Metric, observations: Observations) -> float:
    return float(metric.value(metric.statistics(observations).array.sum(axis=0)))
