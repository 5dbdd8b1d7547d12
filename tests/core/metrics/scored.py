"""Probabilities of labels drawn for tests, as observations."""

from __future__ import annotations

import numpy as np

from core.metrics.metric import Metric, Observations, Parameters
from tests.core.metrics.made import observe

LABELS = ("甲", "乙", "丙", "丁")
AREAS = ("roc_auc", "roc_auc_macro", "roc_auc_weighted", "pr_auc", "pr_auc_macro")
BINARY = ("no", "yes")


def drawn(seed: int, labels: tuple[str, ...], n: int = 80, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return references as codes and probabilities (n, labels); with ties most scores are shared."""
    rng = np.random.default_rng(seed)
    references = np.concatenate([np.arange(len(labels)), rng.integers(0, len(labels), n - len(labels))])
    chances = rng.dirichlet(np.ones(len(labels)), n) + 0.3 * np.eye(len(labels))[references]
    return references, np.round(chances, 1) + 0.05 if ties else chances / chances.sum(axis=1, keepdims=True)


def observed(references: np.ndarray, scores: np.ndarray, labels: tuple[str, ...] = LABELS) -> Observations:
    return observe(
        [labels[code] for code in scores.argmax(axis=1)], [labels[code] for code in references], labels=labels,
        scores=[tuple(row) for row in scores.tolist()], options=[labels] * len(scores), kind="classification",
        parameters=Parameters(positive=labels[-1]),
    )  # fmt: skip


def area(metric: Metric, some: Observations) -> float:
    array = metric.statistics(some).array
    return float(metric.weighted_values(array, np.ones((1, len(array))))[0])


def one_hot(references: np.ndarray, k: int) -> np.ndarray:
    return np.eye(k, dtype=int)[references]
