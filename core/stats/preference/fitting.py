"""Newton's method for paired comparisons with ties, for many sets of counts in one batch.

With x the log-odds of left against right and nu the tie parameter, the chances of left, right and tie are as
exp(x / 2) : exp(-x / 2) : nu, and x is linear in the parameters. That is an exponential family: the likelihood is concave
in the parameters and log nu, so that what Newton's method finds is the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.row_blocks import row_blocks

LARGEST_LOG_ODDS = 15.0
"""Three million to one: beyond it no number of ratings tells an estimate from infinity."""
_STEPS = 60


@dataclass(frozen=True)
class Fit:
    """Estimates of a batch."""

    parameters: np.ndarray
    """float64 (batch, parameters)."""
    log_tie: np.ndarray
    """float64 (batch,), log nu; -infinity where there are no ties."""
    found: np.ndarray
    """bool (batch,): False where there is no finite maximum."""
    information: np.ndarray
    """float64 (batch, parameters + 1, parameters + 1): minus the second derivatives, log nu last; 1 on its diagonal, else 0,
    where there are no ties. What `anchor` holds in place is added."""


@dataclass(frozen=True)
class _Point:
    """The log-likelihood, its Newton step and its curvature at some parameters."""

    at: np.ndarray
    log_likelihood: np.ndarray
    step: np.ndarray
    information: np.ndarray

    def where(self, chosen: np.ndarray, other: _Point) -> _Point:
        """Return this point where ``chosen`` (batch,), else the other one."""
        return _Point(
            np.where(chosen[:, None], self.at, other.at),
            np.where(chosen, self.log_likelihood, other.log_likelihood),
            np.where(chosen[:, None], self.step, other.step),
            np.where(chosen[:, None, None], self.information, other.information),
        )

    def rows(self, chosen: np.ndarray) -> _Point:
        return _Point(self.at[chosen], self.log_likelihood[chosen], self.step[chosen], self.information[chosen])


def fit_batch(
    matrix: np.ndarray,
    counts: np.ndarray,
    anchor: np.ndarray,
    start: np.ndarray | None = None,
    last_step: float = 1e-9,
) -> Fit:
    """Find the maximum of the likelihood for each set of counts.

    Args:
        matrix: (rows, parameters): x = matrix @ parameters.
        counts: (batch, rows, 3): left wins, right wins, ties.
        anchor: (parameters,): a direction that x does not depend on and in which parameters stay where they start (all zeros
            where there is none).
        start: (parameters + 1,), log nu last; near the maximum it saves steps. By default 0.
        last_step: a step as small as this is the last one. What it leaves in the parameters is about its square, in the
            information about itself.
    """
    size = matrix.shape[1] + 1
    first = np.zeros(size) if start is None else start
    parts = [
        _fit(matrix, counts[rows], anchor, first, last_step)
        for rows in row_blocks(len(counts), 4 * (len(matrix) + size * size))
    ]
    parameters, found, information = (np.concatenate(column) for column in zip(*parts, strict=True))
    tied = counts[..., 2].sum(axis=1) > 0
    log_tie = np.where(tied, parameters[:, -1], -np.inf)
    reach = np.abs(parameters[:, :-1] @ matrix.T).max(axis=1, initial=0)
    found &= (reach < LARGEST_LOG_ODDS) & (np.abs(parameters[:, -1]) < LARGEST_LOG_ODDS)
    return Fit(parameters[:, :-1], log_tie, found, information)


def _fit(
    matrix: np.ndarray, counts: np.ndarray, anchor: np.ndarray, start: np.ndarray, last_step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters with log nu last, whether Newton's method came to rest, and the information."""
    batch, size = len(counts), len(start)
    parameters, found = np.tile(start, (batch, 1)), np.zeros(batch, dtype=bool)
    information = np.zeros((batch, size, size))
    open_rows = np.arange(batch)
    best = _point(matrix, counts, anchor, parameters)
    scale = np.ones(batch)
    for _ in range(_STEPS):
        at_rest = np.abs(best.step).max(axis=1) < last_step
        done = open_rows[at_rest]
        parameters[done] = best.at[at_rest] + best.step[at_rest]
        information[done], found[done] = best.information[at_rest], True
        if at_rest.all():
            break
        open_rows, best, scale = open_rows[~at_rest], best.rows(~at_rest), scale[~at_rest]
        tried = _point(matrix, counts[open_rows], anchor, best.at + scale[:, None] * best.step)
        # A full step may overshoot where counts are lopsided: it is then halved until it goes up.
        better = tried.log_likelihood >= best.log_likelihood - 1e-9 * np.abs(best.log_likelihood)
        best = tried.where(better, best)
        scale = np.where(better, 1.0, scale / 2)
    return parameters, found, information


def _point(matrix: np.ndarray, counts: np.ndarray, anchor: np.ndarray, at: np.ndarray) -> _Point:
    lead = (counts[..., 0] - counts[..., 1]) / 2
    ties, n = counts[..., 2].sum(axis=1), counts.sum(axis=2)
    tied = ties > 0
    x, log_tie = at[:, :-1] @ matrix.T, np.where(tied, at[:, -1], -np.inf)[:, None]
    top = np.maximum(np.abs(x) / 2, log_tie)
    left, right, tie = np.exp(x / 2 - top), np.exp(-x / 2 - top), np.exp(log_tie - top)
    total = left + right + tie
    gap, tie = (left - right) / total / 2, tie / total
    spread = n * ((1 - tie) / 4 - gap**2)
    log_likelihood = np.sum(lead * x - n * (top + np.log(total)), axis=1) + np.where(tied, at[:, -1], 0.0) * ties
    gradient = np.concatenate([(lead - n * gap) @ matrix, (ties - np.sum(n * tie, axis=1))[:, None]], axis=1)
    information = _information(matrix, anchor, spread, -n * tie * gap, np.sum(n * tie * (1 - tie), axis=1) + ~tied)
    # A grain on the diagonal keeps a flat direction solvable; it moves steps, not the point where they end.
    grain = 1e-10 * np.maximum(1.0, n.sum(axis=1))[:, None, None] * np.eye(at.shape[1])
    return _Point(at, log_likelihood, np.linalg.solve(information + grain, gradient[..., None])[..., 0], information)


def _information(
    matrix: np.ndarray, anchor: np.ndarray, spread: np.ndarray, cross: np.ndarray, of_tie: np.ndarray
) -> np.ndarray:
    size = matrix.shape[1]
    products = (matrix[:, :, None] * matrix[:, None, :]).reshape(len(matrix), -1)
    information = np.empty((len(spread), size + 1, size + 1))
    held = np.outer(anchor, anchor) * np.maximum(1.0, spread.sum(axis=1))[:, None, None]
    information[:, :-1, :-1] = (spread @ products).reshape(-1, size, size) + held
    information[:, :-1, -1] = information[:, -1, :-1] = cross @ matrix
    information[:, -1, -1] = of_tie
    return information
