"""Whether paired comparisons have a finite estimate: a variant that never lost has none, and no number is made up for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.stats.preference.comparisons import Comparisons

_MOVED = 1e-7


def why_undefined(rated: Comparisons, matrix: np.ndarray, counts: np.ndarray) -> str | None:
    """Return why strengths have no finite estimate, or None where they have one.

    Args:
        rated: the comparisons.
        matrix: (distinct pairs, parameters), a column for each variant and, with a position term, one more.
        counts: (distinct pairs, 3) of left wins, right wins, ties.

    Source: Ford (1957) for wins and losses; in general, as Albert & Anderson (1984) for logistic models: no estimate exists where
    some direction of the parameters never lowers, and somewhere raises, the chance of what was observed.
    """
    names, observed = rated.variants, counts.sum(axis=1) > 0
    if not observed.any():
        return "undefined: no comparisons"
    if counts[:, :2].sum() == 0:
        return "undefined: every comparison is a tie"
    apart = _apart(matrix[observed, : len(names)])
    if apart is not None:
        inside, outside = _named(names, apart), _named(names, ~apart)
        return f"undefined: {inside} was never compared with {outside}, not even by way of others"
    if matrix.shape[1] > len(names):
        if np.linalg.matrix_rank(matrix[observed]) < len(names):
            return (
                "undefined: the sides were not exchanged enough to tell the left position from the variants' strength"
            )
        if not counts[:, :2].sum(axis=0).all():
            side = "left" if counts[:, 0].any() else "right"
            return f"undefined: the {side} side never lost, so the position term has no bound"
    if (counts[observed, :2] > 0).all():
        return None  # each pair compared has its say in both directions, so none of them can drift apart
    direction = recession(matrix, counts)
    return None if direction is None else _described(names, direction, bool(counts[:, 2].any()))


def recession(matrix: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """Return a direction, (parameters + 1,) with log nu last, in which the likelihood rises without end; None where there is none.

    Args:
        matrix: (rows, parameters).
        counts: (rows, 3) of left wins, right wins, ties; without any tie, ties are taken as impossible.
    """
    size = matrix.shape[1]
    zero, one = np.zeros((len(matrix), 1)), np.ones((len(matrix), 1))
    # What each verdict adds to its own log-chance, before all three are scaled to sum to 1.
    scores = [np.hstack([matrix / 2, zero]), np.hstack([-matrix / 2, zero]), np.hstack([0 * matrix, one])]
    verdicts = range(3 if counts[:, 2].any() else 2)
    rises = np.concatenate(
        [(scores[a] - scores[b])[counts[:, a] > 0] for a in verdicts for b in verdicts if a != b], axis=0
    )
    from scipy.optimize import linprog  # scipy.optimize is slow to import, and every page imports this file

    found = linprog(-rises.sum(axis=0), A_ub=-rises, b_ub=np.zeros(len(rises)), bounds=[(-1, 1)] * (size + 1))
    if not found.success:
        raise RuntimeError(f"the search for a finite estimate failed: {found.message}")
    return found.x if -found.fun > _MOVED else None


def _apart(pairs: np.ndarray) -> np.ndarray | None:
    """Return which variants hang together with the first one, bool (variants,); None where all do."""
    size = pairs.shape[1]
    left, right = pairs.argmax(axis=1), pairs.argmin(axis=1)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left)), (left, right)), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    return None if count == 1 else labels == labels[0]


def _described(names: Sequence[str], direction: np.ndarray, tied: bool) -> str:
    strengths = direction[: len(names)]
    top = strengths > strengths.max() - _MOVED
    position = direction[len(names)] if len(direction) > len(names) + 1 else 0.0
    if abs(position) > _MOVED:
        return "undefined: too few comparisons to bound the strengths and the position term together"
    # Where log nu moves along, ties between the two sides were seen and do not bound them.
    or_tied = " or tied with" if tied and direction[-1] <= _MOVED else ""
    if top.sum() <= len(names) / 2:
        return f"undefined: {_named(names, top)} never lost to{or_tied} {_named(names, ~top)}"
    return f"undefined: {_named(names, ~top)} never won against{or_tied} {_named(names, top)}"


def _named(names: Sequence[str], chosen: np.ndarray) -> str:
    return ", ".join(str(name) for name, is_chosen in zip(names, chosen, strict=True) if is_chosen)
