"""Metrics of the probabilities of options: log loss, Brier score, expected calibration error."""

from __future__ import annotations

import numpy as np

from core.metrics.class_counts import ONE_LABEL
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, assemble
from core.metrics.scores import OptionTable, read_scores

BINS = 15
"""Of the expected calibration error, as in Guo et al. (2017)."""
NO_PROBABILITIES = "no example has probabilities"


class LogLoss(RatioMetric):
    """The mean negative log-probability of the reference, in nats.

    Equal to ``sklearn.metrics.log_loss``: probabilities are kept float64's epsilon away from 0 and 1. Statistics: (loss, 1).
    """

    name = "log_loss"
    label = "Log loss"
    family = "classification"
    kinds = ONE_LABEL
    needs = "scores"
    higher_is_better = False
    unit = "nats"
    test = "mean"
    bounds = (0.0, None)
    undefined = NO_PROBABILITIES

    def statistics(self, observations: Observations) -> Statistics:
        """Return (loss, 1) for each example, (n, 2)."""
        table, present = _present(observations)
        eps = np.finfo(np.float64).eps
        chosen = table.scores[present, table.reference[present]]
        rows = np.stack([-np.log(np.clip(chosen, eps, 1 - eps)), np.ones(len(chosen))], axis=1)
        return assemble(rows, table.reasons, "log_loss|log:natural|clip:2.2e-16", 2)


class Brier(RatioMetric):
    """The mean squared distance of the probabilities from what is true, summed over the options.

    Equal to ``sklearn.metrics.brier_score_loss``: with two options half the sum (0 to 1), with more the sum (0 to 2).
    Statistics: (score, 1).
    """

    name = "brier"
    label = "Brier score"
    family = "classification"
    kinds = ONE_LABEL
    needs = "scores"
    higher_is_better = False
    unit = "number"
    test = "mean"
    bounds = (0.0, 2.0)
    undefined = NO_PROBABILITIES

    def statistics(self, observations: Observations) -> Statistics:
        """Return (score, 1) for each example, (n, 2)."""
        table, present = _present(observations)
        halved = table.most_options <= 2
        distance = table.scores[present]
        distance[np.arange(len(distance)), table.reference[present]] -= 1
        scores = across(distance**2) / (2 if halved else 1)
        signature = f"brier|sum over options{':halved' if halved else ''}"
        return assemble(np.stack([scores, np.ones(len(scores))], axis=1), table.reasons, signature, 2)


class CalibrationError(Metric):
    """The expected calibration error: how far the likeliest option's probability is from how often it is right.

    The mean over `BINS` equal-width bins of |accuracy - mean confidence|, by the bins' sizes (Guo et al., 2017). Equal to
    torchmetrics' ``multiclass_calibration_error(norm="l1")``: a bin includes its lower edge, and a confidence of exactly 1 is a
    bin of its own. Statistics: (right - confidence) in the example's bin, and 1.
    """

    name = "ece"
    label = "ECE"
    family = "classification"
    kinds = ONE_LABEL
    needs = "scores"
    higher_is_better = False
    undefined = NO_PROBABILITIES
    caution = (
        "The bootstrap of a calibration error is biased upward: noise in a bin counts as error, so that the interval may "
        "lie above the value."
    )

    def statistics(self, observations: Observations) -> Statistics:
        """Return the gap in its bin, that of exactly 1 the last, and 1 for each example, (n, bins + 2)."""
        table, present = _present(observations)
        confidence, right = top_label(table, present)
        rows = np.zeros((len(confidence), BINS + 2))
        rows[np.arange(len(rows)), bins_of(confidence, BINS)] = right - confidence
        rows[:, -1] = 1
        signature = f"ece|norm:l1|bins:{BINS}, equal width, lower edge in, 1 apart|confidence:likeliest option"
        return assemble(rows, table.reasons, signature, BINS + 2)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the error of sums (..., bins + 2), (...); NaN without examples."""
        sums = np.asarray(sums, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.where(sums[..., -1] > 0, across(np.abs(sums[..., :-1])) / sums[..., -1], np.nan)


def top_label(table: OptionTable, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the likeliest option's probability, and whether it is the reference (0 or 1), (n present,) each."""
    scores = table.scores[present]
    if not scores.size:
        return np.zeros(0), np.zeros(0)
    right = scores.argmax(axis=1) == table.reference[present]
    return scores.max(axis=1), right.astype(np.float64)


def bins_of(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Return the equal-width bin of each probability, int64 (n,); a bin includes its lower edge, and 1 is in bin ``bins``.

    Edges and probabilities are compared as float32, the edges those of ``torch.linspace`` to the last bit: a probability such as
    0.4, which is an edge when written in tenths, falls where torchmetrics puts it.
    """
    step, number = float(np.float32(1) / np.float32(bins)), np.arange(bins + 1)
    edges = np.where(2 * number < bins, step * number, 1 - step * (bins - number)).astype(np.float32)
    return np.searchsorted(edges, confidence.astype(np.float32), side="right") - 1


def _present(observations: Observations) -> tuple[OptionTable, np.ndarray]:
    """Return the probabilities, and which examples have some, bool (n,)."""
    table = read_scores(observations, probabilities=True)
    return table, np.array([reason is None for reason in table.reasons], dtype=bool)
