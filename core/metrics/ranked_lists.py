"""Ranked lists of many examples at once: documents in the order of their scores, documents of one score as one group.

Where scores are equal a system says nothing of the order, so that every measure here is its expectation over all orders of
the tied documents, in closed form (McSherry & Najork, 2008, "Computing information retrieval performance measures
efficiently in the presence of tied scores", ECIR). A document that the system did not return (score -inf) gains nothing, as
in trec_eval and ranx, but is still to be found.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.metrics.metric import Observations
from core.metrics.rows import NO_REFERENCE


@dataclass(frozen=True)
class RankedLists:
    """The lists of the examples that have one: n lists, d documents in all, r of them returned, in g groups of ties."""

    n: int
    relevance: np.ndarray
    """(d,): of every document, from the most relevant of its list to the least."""
    document_list: np.ndarray
    """(d,): the list of each of them."""
    retrieved_relevance: np.ndarray
    """(r,): of every returned document, in the order of the scores."""
    position: np.ndarray
    """(r,): of each of them in its list, from 0."""
    group: np.ndarray
    """(r,): the group of each of them."""
    group_list: np.ndarray
    """(g,): the list of each group."""
    start: np.ndarray
    """(g,): the position where it starts."""
    size: np.ndarray
    relevant: np.ndarray
    """(g,): how many of it are relevant, that is of a relevance above 0."""
    above: np.ndarray
    """(g,): how many relevant documents stand above it in its list."""
    total: np.ndarray
    """(n,): the relevant documents of each list, returned or not; at least 1."""

    def by_list(self, of_groups: np.ndarray) -> np.ndarray:
        """Return the sum over the groups of each list, (n,)."""
        return np.bincount(self.group_list, weights=of_groups, minlength=self.n)

    def expected_hits(self, k: int) -> np.ndarray:
        """Return how many relevant documents are expected among the first k, (n,)."""
        inside = np.clip(k - self.start, 0, self.size)
        return self.by_list(inside * self.relevant / self.size)

    def hit_chance(self, k: int) -> np.ndarray:
        """Return the probability of at least one relevant document among the first k, (n,)."""
        from scipy.special import gammaln

        # Only a list's first group with a relevant document matters: later ones start beyond k, or it has hit already.
        first = self._first_relevant()
        size, relevant = self.size[first], self.relevant[first]
        inside = np.clip(k - self.start[first], 0, size)
        rest = size - relevant - inside
        with np.errstate(all="ignore"):
            # Hypergeometric: none of the relevant ones among those drawn.
            log_none = gammaln(size - relevant + 1) - gammaln(rest + 1) + gammaln(size - inside + 1) - gammaln(size + 1)
        none = np.where(rest < 0, 0.0, np.exp(log_none))
        found = np.zeros(self.n)
        found[self.group_list[first]] = np.where(inside == 0, 0.0, np.clip(1 - none, 0.0, 1.0))
        return found

    def expected_reciprocal_rank(self) -> np.ndarray:
        """Return the expectation of 1 / rank of the first relevant document, (n,); 0 where none was returned."""
        first = self._first_relevant()
        found = np.zeros(self.n)
        found[self.group_list[first]] = 1 / (self.start[first] + 1)
        for group in first[self.size[first] > 1].tolist():
            size, relevant = int(self.size[group]), int(self.relevant[group])
            place = np.arange(size - relevant + 1)
            # How likely the first relevant one is not before each place, and then that it is there.
            later = np.concatenate([[1.0], np.cumprod((size - relevant - place[:-1]) / (size - place[:-1]))])
            here = later * relevant / (size - place)
            found[self.group_list[group]] = float((here / (self.start[group] + place + 1)).sum())
        return found

    def expected_average_precision(self) -> np.ndarray:
        """Return the expected mean, over the relevant documents, of the precision where each is found, (n,)."""
        size, relevant = self.size[self.group], self.relevant[self.group]
        before = self.position - self.start[self.group]
        tied_above = before * (relevant - 1) / np.maximum(size - 1, 1)
        gained = relevant / size * (self.above[self.group] + 1 + tied_above) / (self.position + 1)
        return np.bincount(self.group_list[self.group], weights=gained, minlength=self.n) / self.total

    def expected_ndcg(self, gain: Callable[[np.ndarray], np.ndarray], k: int | None) -> np.ndarray:
        """Return the expected discounted cumulative gain over that of the ideal order, (n,), as ``sklearn.metrics.ndcg_score``.

        Args:
            gain: From relevances to gains, elementwise.
            k: Positions that count; None for all.
        """
        longest = int(np.bincount(self.document_list, minlength=1).max(initial=0))
        counted = longest if k is None else min(k, longest)
        discounts = np.zeros(longest + 1)
        discounts[1 : counted + 1] = 1 / np.log2(np.arange(2, counted + 2))
        discounts = np.cumsum(discounts)
        with np.errstate(all="ignore"):
            of_group = np.bincount(self.group, weights=gain(self.retrieved_relevance), minlength=len(self.size))
            of_group = of_group / self.size * (discounts[self.start + self.size] - discounts[self.start])
            at = _positions(self.document_list)
            ideal = gain(self.relevance) * (discounts[at + 1] - discounts[at])
            return self.by_list(of_group) / np.bincount(self.document_list, weights=ideal, minlength=self.n)

    def _first_relevant(self) -> np.ndarray:
        return np.flatnonzero((self.relevant > 0) & (self.above == 0))


def read_rankings(observations: Observations) -> tuple[RankedLists, list[str | None]]:
    """Return the lists of the examples that have one, in order, and why the other examples have none.

    Args:
        observations: Predictions are scores and references relevances, one a document.
    """
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    reasons: list[str | None] = []
    entries = zip(observations.predictions, observations.references, observations.reasons, strict=True)
    for scores, relevances, reason in entries:
        pair, why = _read(scores, relevances, reason)
        reasons.append(why)
        if pair is not None:
            kept.append(pair)
    return _ranked(kept), reasons


def _read(scores: Any, relevances: Any, reason: str | None) -> tuple[tuple[np.ndarray, np.ndarray] | None, str | None]:
    if relevances is None:
        return None, NO_REFERENCE
    wanted, why = _numbers(relevances, "relevance")
    if wanted is None or why:
        return None, why
    if (wanted < 0).any():
        return None, f"a relevance of {wanted.min():g} is below zero"
    if np.isinf(wanted).any():
        return None, "a relevance is infinite"
    if not (wanted > 0).any():
        return None, "no document is relevant"
    if scores is None:
        return None, reason or "there is no prediction"
    given, why = _numbers(scores, "score")
    if given is None or why:
        return None, why
    if len(given) != len(wanted):
        return None, f"there are {len(given)} scores and {len(wanted)} relevances; each document needs one of both"
    if (given == math.inf).any():
        return None, "a score is infinite"
    return (given, wanted), None


def _numbers(values: Any, what: str) -> tuple[np.ndarray | None, str | None]:
    if isinstance(values, str) or not isinstance(values, list | tuple | np.ndarray):
        found = repr(values)
        return None, f"a ranking needs a list of {what}s; found {found if len(found) <= 40 else found[:39] + '…'}"
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None, f"a {what} is not a number"
    if array.ndim != 1 or np.isnan(array).any():
        return None, f"a {what} is not a number"
    return array, None


def _ranked(pairs: list[tuple[np.ndarray, np.ndarray]]) -> RankedLists:
    n = len(pairs)
    document_list = np.repeat(np.arange(n), np.array([len(scores) for scores, _ in pairs], dtype=np.int64))
    scores = np.concatenate([scores for scores, _ in pairs]) if n else np.zeros(0)
    relevance = np.concatenate([relevances for _, relevances in pairs]) if n else np.zeros(0)
    order = np.lexsort((-scores, document_list))
    order = order[scores[order] > -math.inf]
    lists, in_order = document_list[order], relevance[order]
    new = (np.diff(lists, prepend=-1) != 0) | (np.diff(scores[order], prepend=math.nan) != 0)
    position, group = _positions(lists), np.cumsum(new) - 1
    hit = (in_order > 0).astype(np.int64)
    first = np.flatnonzero(new)
    # Relevant documents above a group: all before it, less those of earlier lists.
    before = np.cumsum(hit) - hit
    list_start = np.flatnonzero(np.diff(lists, prepend=-1) != 0)
    of_earlier_lists = np.zeros(n, dtype=np.int64)
    of_earlier_lists[lists[list_start]] = before[list_start]
    return RankedLists(
        n=n,
        relevance=relevance[np.lexsort((-relevance, document_list))],
        document_list=document_list,
        retrieved_relevance=in_order,
        position=position,
        group=group,
        group_list=lists[first],
        start=position[first],
        size=np.bincount(group, minlength=len(first)),
        relevant=np.bincount(group, weights=hit, minlength=len(first)).astype(np.int64),
        above=before[first] - of_earlier_lists[lists[first]],
        total=np.bincount(document_list, weights=relevance > 0, minlength=n),
    )


def _positions(lists: np.ndarray) -> np.ndarray:
    """Return each entry's position within its list, from 0; entries of a list stand together."""
    starts = np.flatnonzero(np.diff(lists, prepend=-1) != 0)
    return np.arange(len(lists)) - np.repeat(starts, np.diff(starts, append=len(lists)))
