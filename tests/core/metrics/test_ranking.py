from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from core.metrics.metric import Observations
from core.metrics.registry import get_metric
from tests.core.metrics.made import observe, total

NAMES = (
    "ndcg",
    "map",
    "mrr",
    *(f"{stem}_at_{k}" for stem in ("ndcg", "precision", "recall", "hit_rate") for k in (1, 3, 10)),
)


def rankings(scores: Sequence[Sequence[float]], relevances: Sequence[Sequence[float]]) -> Observations:
    return observe([tuple(some) for some in scores], [list(some) for some in relevances], kind="ranking")


def drawn(seed: int, n: int, ties: bool, returned: float = 1.0) -> tuple[list[list[float]], list[list[float]]]:
    """Return scores and graded relevances of lists of 2 to 12 documents, each list with a relevant one."""
    rng = np.random.default_rng(seed)
    scores, relevances = [], []
    for _ in range(n):
        documents = int(rng.integers(2, 13))
        drawn_scores = (
            rng.integers(0, 4, documents).astype(float) if ties else rng.permutation(documents) + rng.random()
        )
        scores.append(np.where(rng.random(documents) < returned, drawn_scores, -math.inf).tolist())
        grades = rng.integers(0, 4, documents) * (rng.random(documents) < 0.5)
        grades[rng.integers(documents)] = 2
        relevances.append(grades.tolist())
    return scores, relevances


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("k", [1, 3, 5, 10, None])
def test_ndcg_equals_sklearn_ties_included(seed: int, ties: bool, k: int | None) -> None:
    scores, relevances = drawn(seed, 40, ties)
    name = "ndcg" if k is None else f"ndcg_at_{k}"
    found = get_metric(name).statistics(rankings(scores, relevances)).array
    expected = [ndcg_score([rel], [some], k=k) for some, rel in zip(scores, relevances, strict=True)]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-12)
    exponential = get_metric("ndcg_exp_at_5").statistics(rankings(scores, relevances)).array
    gains = [np.exp2(rel) - 1 for rel in relevances]
    expected = [ndcg_score([gain], [some], k=5) for some, gain in zip(scores, gains, strict=True)]
    np.testing.assert_allclose(exponential[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("returned", [1.0, 0.6])
def test_without_ties_all_equal_ranx_what_was_not_returned_included(
    returned: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # numba reads it when it is imported; compiling ranx takes a minute
    from ranx import Qrels, Run, evaluate

    scores, relevances = drawn(4, 30, ties=False, returned=returned)
    for some in scores:
        some[0] = some[0] if any(map(math.isfinite, some)) else 1.0  # ranx wants one document at least
    qrels = Qrels({f"q{i}": {f"d{j}": int(r) for j, r in enumerate(rel) if r > 0} for i, rel in enumerate(relevances)})
    run = Run({f"q{i}": {f"d{j}": s for j, s in enumerate(some) if s > -math.inf} for i, some in enumerate(scores)})
    theirs = {"ndcg": "ndcg", "map": "map", "mrr": "mrr", "ndcg_exp_at_5": "ndcg_burges@5", "hit_rate": "hit_rate@10"}
    theirs |= {name: name.replace("_at_", "@") for name in NAMES if "_at_" in name}
    for name, metric in theirs.items():
        expected = evaluate(qrels, run, metric, make_comparable=True)
        assert total(get_metric(name), rankings(scores, relevances)) == pytest.approx(expected, abs=1e-9), name


def _precision(relevant: list[bool], n_relevant: int, k: int) -> float:
    return sum(relevant[:k]) / k


def _recall(relevant: list[bool], n_relevant: int, k: int) -> float:
    return sum(relevant[:k]) / n_relevant


def _hit(relevant: list[bool], n_relevant: int, k: int) -> float:
    return float(any(relevant[:k]))


def _reciprocal(relevant: list[bool], n_relevant: int, k: int) -> float:
    return 1 / (relevant.index(True) + 1) if True in relevant else 0.0


def _average_precision(relevant: list[bool], n_relevant: int, k: int) -> float:
    return sum(sum(relevant[: i + 1]) / (i + 1) for i, hit in enumerate(relevant) if hit) / n_relevant


@pytest.mark.parametrize("seed", range(25))
def test_ties_are_the_mean_over_every_order(seed: int) -> None:
    """The brute force that the closed forms stand for: all permutations of up to 6 documents."""
    rng = np.random.default_rng(seed)
    documents = int(rng.integers(1, 7))
    scores = np.where(rng.random(documents) < 0.85, rng.integers(0, 2, documents), -math.inf)
    relevant = rng.random(documents) < 0.4
    relevant[rng.integers(documents)] = True
    orders = [
        [bool(relevant[index]) for index in order if scores[index] > -math.inf]
        for order in itertools.permutations(range(documents))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    rules: dict[str, Callable[[list[bool], int, int], float]] = {"mrr": _reciprocal, "map": _average_precision}
    for k in (1, 2, 3, 5):
        rules |= {f"precision_at_{k}": _precision, f"recall_at_{k}": _recall, f"hit_rate_at_{k}": _hit}
    observed = rankings([scores.tolist()], [relevant.astype(int).tolist()])
    for name, rule in rules.items():
        k = int(name.rsplit("_", 1)[-1]) if "_at_" in name else 0
        expected = np.mean([rule(order, int(relevant.sum()), k) for order in orders])
        assert total(get_metric(name), observed) == pytest.approx(expected, abs=1e-12), name


def test_large_groups_of_ties_stay_exact() -> None:
    n, relevant = 3000, 40
    observed = rankings([[0.0] * n], [[1] * relevant + [0] * (n - relevant)])
    none = math.prod((n - relevant - i) / (n - i) for i in range(10))
    assert total(get_metric("hit_rate"), observed) == pytest.approx(1 - none, abs=1e-10)
    chances = np.cumprod([1.0, *((n - relevant - i) / (n - i) for i in range(n - relevant))])
    here = chances * relevant / (n - np.arange(n - relevant + 1))
    assert total(get_metric("mrr"), observed) == pytest.approx((here / np.arange(1, n - relevant + 2)).sum(), abs=1e-12)


def test_a_system_that_returned_nothing_gains_nothing() -> None:
    nothing = rankings([[-math.inf] * 3], [[0, 2, 1]])
    for name in NAMES:
        assert total(get_metric(name), nothing) == 0, name
    # The one document not returned does not share the position behind the others, though sklearn would give it one.
    assert total(get_metric("ndcg"), rankings([[1.0, -math.inf]], [[0, 1]])) == 0


def test_any_cut_off_can_be_asked_for() -> None:
    metric = get_metric("ndcg_at_7")
    assert (metric.name, metric.label) == ("ndcg_at_7", "NDCG@7")
    assert get_metric("ndcg_exp_at_2").label == "NDCG (exponential gain)@2"
    for name in ("ndcg_at_0", "ndcg_at_07", "ndcg_at_-1", "ndcg_at_x", "map_at_3"):
        assert type(metric).parse(name) is None
    assert get_metric("precision_at_7").statistics(rankings([[1, 2]], [[1, 1]])).array.tolist() == [[2 / 7, 1]]


@pytest.mark.parametrize(
    ("scores", "relevances", "reason"),
    [
        ((0.1, 0.2), [0, -1], "a relevance of -1 is below zero"),
        ((0.1, 0.2), [0, float("nan")], "a relevance is not a number"),
        ((0.1, 0.2), [0, "high"], "a relevance is not a number"),
        ((0.1, 0.2), [0, float("inf")], "a relevance is infinite"),
        ((0.1, 0.2), [0, 0], "no document is relevant"),
        ((), [], "no document is relevant"),
        ((0.1, float("nan")), [0, 1], "a score is not a number"),
        ((0.1, float("inf")), [0, 1], "a score is infinite"),
        ((0.1, 0.2, 0.3), [0, 1], "there are 3 scores and 2 relevances; each document needs one of both"),
        ("0.1, 0.2", [0, 1], "a ranking needs a list of scores; found '0.1, 0.2'"),
        (0.5, [0, 1], "a ranking needs a list of scores; found 0.5"),
        ((0.1, 0.2), "甲", "a ranking needs a list of relevances; found '甲'"),
        (None, [0, 1], "the model failed"),
        ((0.1, 0.2), None, "the example has no reference"),
    ],
)
def test_bad_input_is_missing_with_its_reason_and_spoils_no_other(
    scores: object, relevances: object, reason: str
) -> None:
    observed = observe([scores, (0.9, 0.1)], [relevances, [1, 0]], kind="ranking")
    for name in (*NAMES, "hit_rate"):
        statistics = get_metric(name).statistics(observed)
        assert statistics.reasons == (reason, None)
        assert total(get_metric(name), observed) > 0


def test_a_relevance_too_large_for_its_gain_is_missing() -> None:
    statistics = get_metric("ndcg_exp_at_5").statistics(rankings([[1, 2], [1, 2]], [[0, 5000], [0, 1]]))
    assert statistics.reasons == ("the relevances are too large for their gains", None)
    assert statistics.array.tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("name", (*NAMES, "hit_rate"))
def test_no_example_gives_no_value(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(total(get_metric(name), observe([], [], kind="ranking")))
        assert np.isnan(total(get_metric(name), observe([None], [[1]], kind="ranking")))


def test_signatures_name_gain_and_ties() -> None:
    one = rankings([[1, 2]], [[1, 0]])
    assert (
        get_metric("ndcg_at_5").statistics(one).signature
        == "ndcg_at_5|gain:linear|ties:averaged|not returned:gains nothing"
    )
    assert "gain:exponential" in get_metric("ndcg_exp_at_5").statistics(one).signature
