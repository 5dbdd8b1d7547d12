"""How the variance between runs divides among factors: type-II analysis of variance, and importance beside its permutation band.

A run is one row and its value over the same examples one number: what is said is about those examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import fdtrc

from core.ablation.design import Design
from core.ablation.records import Anova, AnovaRow, Importance, ImportanceBar

LEAST_RESIDUAL = 5
ENTANGLED = 5.0
"""Above this a variance-inflation factor is warned of (the customary bound)."""
RUNS_A_FACTOR = 3
PERMUTATIONS = 1_999
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Term:
    """A factor, or two together, as columns of a linear model."""

    factors: frozenset[int]
    columns: np.ndarray
    """(runs, degrees): deviation-coded."""


def anova(design: Design, point: dict[str, float]) -> Anova:
    """Return the type-II table over runs: factors, then those interactions that the runs carry.

    Args:
        design: of the adapters.
        point: the value of each run; those without are left out.

    Source: Langsrud (2003), ANOVA for unbalanced data: use type II instead of type III sums of squares; generalised
    variance-inflation factors: Fox & Monette (1992), to the power 1 / degrees.
    """
    variants = [variant for group in design.groups for variant in group.variants if variant in point]
    terms, reason = _main_terms(design, variants)
    if reason is None:
        terms = _with_interactions(design, variants, terms)
    free = len(variants) - 1 - sum(term.columns.shape[1] for term in terms)
    if reason is None and free < LEAST_RESIDUAL:
        reason = _too_few(design, len(variants), free)
    if reason is not None:
        return Anova((), max(free, 0), len(variants), reason)
    y = np.array([point[variant] for variant in variants])
    squares, rest = type_two(terms, y)
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 0 or rest <= _TOLERANCE * total:
        return Anova((), free, len(variants), "the runs leave no noise to hold an effect against")
    rows = []
    for term, ss in zip(terms, squares.tolist(), strict=True):
        degrees = term.columns.shape[1]
        f = (ss / degrees) / (float(rest) / free)
        vif = inflation(terms, term) if len(term.factors) == 1 else None
        names = [design.factors[k] for k in sorted(term.factors)]
        rows.append(AnovaRow(
            " x ".join(one.name for one in names), " x ".join(one.label for one in names), degrees, ss, f,
            float(fdtrc(degrees, free, f)), vif, ss / total,
        ))  # fmt: skip
    warnings = tuple(
        f"{row.label} is entangled with the other choices (variance-inflation factor {row.vif:.1f}): its share may be theirs."
        for row in rows if row.vif is not None and row.vif > ENTANGLED
    )  # fmt: skip
    return Anova(tuple(rows), free, len(variants), None, warnings)


def _too_few(design: Design, n: int, free: int) -> str:
    """Return why there is no table, and the runs that would make one."""
    missing = LEAST_RESIDUAL - max(free, 0)
    fewest = sorted(design.groups, key=lambda group: group.n_seeds)
    named = ", ".join(group.name for group in fewest[:missing])
    return (
        f"{n} runs leave {max(free, 0)} degrees of freedom for the noise between runs, and {LEAST_RESIDUAL} are needed. Runs with other "
        f"seeds would give them ({missing} more at least): of {named}"
    )


def importance(design: Design, point: dict[str, float], level: float, seed: int) -> Importance:
    """Return each factor's type-II share of the variance beside the band that permuted outcomes give it.

    A factor stands outside where its share is above the permutations' quantile at ``level``, corrected for the number of factors, so
    that on noise alone nothing does more often than 1 - level.

    Args:
        design: of the adapters.
        point: the value of each run.
        level: of the band, 0.95.
        seed: of the permutations.
    """
    variants = [variant for group in design.groups for variant in group.variants if variant in point]
    n, m = len(variants), len(design.factors)
    if not m:
        return Importance((), n, 0, "there is no setting that differs")
    if n < RUNS_A_FACTOR * m:
        return Importance(
            (),
            n,
            0,
            f"{n} runs are too few for {m} factors: importance needs {RUNS_A_FACTOR * m} runs, or it ranks noise",
        )
    terms, reason = _main_terms(design, variants)
    if reason is not None:
        return Importance((), n, 0, reason)
    y = np.array([point[variant] for variant in variants])
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 0:
        return Importance((), n, 0, "all runs have the same value")
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(y, (PERMUTATIONS, 1)), axis=1)
    shares = type_two(terms, y)[0] / total
    null = type_two(terms, drawn)[0] / total
    tail = (1 - level) / m
    p = (1 + (null >= shares[:, None] - _TOLERANCE).sum(axis=1)) / (1 + PERMUTATIONS)
    high = np.quantile(null, 1 - tail, axis=1)
    bars = [
        ImportanceBar(factor.name, factor.label, float(share), float(np.median(some)), float(top), bool(one <= tail))
        for factor, share, some, top, one in zip(design.factors, shares, null, high, p, strict=True)
    ]
    return Importance(tuple(sorted(bars, key=lambda bar: -bar.share)), n, PERMUTATIONS, None)


def type_two(terms: Sequence[Term], y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the type-II sum of squares of each term, (terms, ...), and the residual one, (...).

    Args:
        terms: of a linear model with an intercept.
        y: (..., runs).
    """
    centred = y - y.mean(axis=-1, keepdims=True)
    squares = []
    for term in terms:
        others = [one for one in terms if not term.factors <= one.factors]
        squares.append(_explained([*others, term], centred) - _explained(others, centred))
    total = (centred**2).sum(axis=-1)
    return np.maximum(np.array(squares), 0.0), total - _explained(terms, centred)


def inflation(terms: Sequence[Term], term: Term) -> float:
    """Return the generalised variance-inflation factor of a term among the main terms, to the power 1 / degrees."""
    others = [one.columns for one in terms if one is not term and len(one.factors) == 1]
    if not others:
        return 1.0
    mine, theirs = _centred(term.columns), _centred(np.concatenate(others, axis=1))
    inside = np.linalg.qr(theirs)[0]
    left = mine - inside @ (inside.T @ mine)
    ratio = np.linalg.det(mine.T @ mine) / max(float(np.linalg.det(left.T @ left)), np.finfo(float).tiny)
    return float(ratio ** (1 / mine.shape[1]))


def _explained(terms: Sequence[Term], centred: np.ndarray) -> np.ndarray:
    if not terms:
        return np.zeros(centred.shape[:-1])
    basis = np.linalg.qr(_centred(np.concatenate([term.columns for term in terms], axis=1)))[0]
    return ((centred @ basis) ** 2).sum(axis=-1)


def _centred(columns: np.ndarray) -> np.ndarray:
    return columns - columns.mean(axis=0)


def _main_terms(design: Design, variants: Sequence[str]) -> tuple[list[Term], str | None]:
    """Return a term for each factor, and why the runs do not tell them apart, if they do not."""
    terms = []
    for k, factor in enumerate(design.factors):
        numbers = np.array([design.group_of(variant).levels[k] for variant in variants])
        seen = np.unique(numbers)
        if len(seen) < 2:
            return [], f"{factor.label} has one level among the runs with a value"
        columns = (numbers[:, None] == seen[1:]).astype(float) - (numbers == seen[0])[:, None]
        terms.append(Term(frozenset({k}), columns))
    if not terms:
        return [], "there is no setting that differs"
    whole = _centred(np.concatenate([term.columns for term in terms], axis=1))
    if np.linalg.matrix_rank(whole) < whole.shape[1]:
        return terms, "the runs do not tell the choices apart: some always come together"
    return terms, None


def _with_interactions(design: Design, variants: Sequence[str], terms: list[Term]) -> list[Term]:
    """Return main terms with every two-factor term that is fully told apart and leaves degrees of freedom enough."""
    main = list(terms)
    for one, other in combinations(main, 2):
        columns = (one.columns[:, :, None] * other.columns[:, None, :]).reshape(len(variants), -1)
        whole = _centred(np.concatenate([*(term.columns for term in terms), columns], axis=1))
        enough = len(variants) - 1 - whole.shape[1] >= LEAST_RESIDUAL
        if enough and np.linalg.matrix_rank(whole) == whole.shape[1]:
            terms = [*terms, Term(one.factors | other.factors, columns)]
    return terms
