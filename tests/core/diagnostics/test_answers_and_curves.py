"""Confusion matrices by hand, curves against scikit-learn, bands by what a band is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve, roc_auc_score, roc_curve

from core.diagnostics.answers import (
    REST,
    UNREADABLE,
    Answers,
    chosen_observations,
    confidences,
    confusion_pair,
    read_answers,
)
from core.diagnostics.score_curves import curve_labels, label_curves
from core.draws import Draws
from core.errors import InputError
from core.metrics.metric import Observations

LABELS = ("a", "b", "c")


def observed(n: int = 200, seed: int = 0, sharp: float = 1.5, ties: bool = False) -> Observations:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n) if seed < 100 else np.zeros(n, dtype=int)
    logits = rng.normal(size=(n, 3)) + sharp * np.eye(3)[truth]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        coarse = np.round(scores[:, :2] * 5) / 10
        scores = np.column_stack([coarse, 1 - coarse.sum(axis=1)])
    return Observations(
        example_ids=[f"e{i}" for i in range(n)], predictions=[LABELS[i] for i in scores.argmax(axis=1)],
        references=[LABELS[i] for i in truth], reasons=[None] * n, scores=[tuple(row) for row in scores], labels=LABELS,
        kind="classification",
    )  # fmt: skip


def draws(n: int, resamples: int = 300) -> Draws:
    return Draws(n, None, seed=3, resamples=resamples, trials=1)


def test_the_two_matrices_are_over_the_examples_that_both_answered() -> None:
    base = Answers(tuple("1234"), ("a", "a", "b", "b"), ("a", "b", None, "b"))
    other = Answers(tuple("1234"), ("a", "a", "b", "b"), ("a", "a", "b", UNREADABLE))
    found = confusion_pair(base, other, ("a", "b"))
    assert found.rows == ("a", "b") and found.columns == ("a", "b", UNREADABLE)
    assert found.reference.tolist() == [[1, 1, 0], [0, 1, 0]]
    assert found.variant.tolist() == [[2, 0, 0], [0, 0, 1]]
    assert found.difference.tolist() == [[1, -1, 0], [0, -1, 1]] and (found.n, found.n_missing) == (3, 1)


def test_a_matrix_is_scikit_learns() -> None:
    some = observed()
    answers = read_answers(some)
    expected = confusion_matrix(some.references, some.predictions, labels=list(LABELS))
    assert confusion_pair(answers, answers, LABELS).variant.tolist() == expected.tolist()


def test_the_rarest_of_many_labels_are_put_together_and_nothing_is_lost() -> None:
    names = [f"label {i}" for i in range(30) for _ in range(i + 1)]
    answers = Answers(tuple(map(str, range(len(names)))), tuple(names), tuple(names))
    found = confusion_pair(answers, answers)
    assert len(found.rows) == 20 and found.rows[-1] == REST and "label 29" in found.rows and "label 0" not in found.rows
    assert found.variant.sum() == len(names) and found.variant[-1, -1] == sum(range(1, 12))


def test_answers_of_other_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same examples"):
        confusion_pair(Answers(("1",), ("a",), ("a",)), Answers(("2",), ("a",), ("a",)))


def test_confidence_is_the_highest_probability_and_a_part_keeps_its_rows() -> None:
    some = observed(n=10)
    found = confidences(some)
    assert found == pytest.approx([max(row) for row in some.scores])
    kept = np.arange(10) % 2 == 0
    part = chosen_observations(some, kept)
    assert list(part.example_ids) == [f"e{i}" for i in range(0, 10, 2)] and part.labels == LABELS
    assert confidences(part) == pytest.approx(found[kept])


@pytest.mark.parametrize("ties", [False, True])
def test_areas_and_points_are_scikit_learns(ties: bool) -> None:
    some = observed(ties=ties)
    found = label_curves({"v": some}, "b", draws(200), 0.95)["v"]
    truth, scores = np.array(some.references) == "b", np.array(some.scores)[:, 1]
    assert found.roc.area == pytest.approx(roc_auc_score(truth, scores))
    assert found.pr.area == pytest.approx(average_precision_score(truth, scores))
    wrong, right, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert found.roc.x == pytest.approx(wrong) and found.roc.y == pytest.approx(right)
    precision, recall, _ = precision_recall_curve(truth, scores)
    assert found.pr.x[1:] == pytest.approx(recall[:-1][::-1]) and found.pr.y[1:] == pytest.approx(precision[:-1][::-1])
    assert (found.n_positive, found.n_negative) == (int(truth.sum()), int((~truth).sum()))


def test_a_band_holds_what_each_resample_drawn_one_by_one_gives() -> None:
    some, n = observed(n=60), 60
    found = label_curves({"v": some}, "a", draws(n, 200), 0.9)["v"]
    truth, scores = (np.array(some.references) == "a").astype(int), np.array(some.scores)[:, 0]
    heights, precisions = [], []
    for weights in np.concatenate(list(draws(n, 200).weight_blocks("examples", 200, 1))):
        rows = np.repeat(np.arange(n), weights.astype(int))
        wrong, right, _ = roc_curve(truth[rows], scores[rows], drop_intermediate=False)
        heights.append(np.interp(0.305, wrong, right))
        precision, recall, _ = precision_recall_curve(truth[rows], scores[rows])
        # The threshold that just reaches a recall of one half.
        precisions.append(precision[np.flatnonzero(recall >= 0.5 - 1e-12)[-1]])
    assert found.pr.low[50] == pytest.approx(np.quantile(precisions, 0.05))
    assert found.pr.high[50] == pytest.approx(np.quantile(precisions, 0.95))
    between = (found.roc.low[30] + found.roc.low[31]) / 2, (found.roc.high[30] + found.roc.high[31]) / 2
    assert between[0] == pytest.approx(np.quantile(heights, 0.05), abs=0.06)
    assert between[1] == pytest.approx(np.quantile(heights, 0.95), abs=0.06)


def test_variants_share_the_resamples_so_that_equal_scores_have_equal_bands() -> None:
    some = observed()
    one = label_curves({"v": some, "w": some, "x": observed(sharp=0.2)}, "a", draws(200), 0.95)
    assert np.array_equal(one["v"].roc.low, one["w"].roc.low) and np.array_equal(one["v"].pr.high, one["w"].pr.high)
    assert not np.array_equal(one["v"].roc.low, one["x"].roc.low)


def test_more_thresholds_than_are_drawn_do_not_change_the_area() -> None:
    some = observed(n=4_000)
    found = label_curves({"v": some}, "a", draws(4_000, 20), 0.95)["v"]
    assert len(found.roc.x) <= 1_001
    assert found.roc.area == pytest.approx(roc_auc_score(np.array(some.references) == "a", np.array(some.scores)[:, 0]))
    assert np.isfinite(found.roc.low).all() and found.roc.x[-1] == found.roc.y[-1] == 1


@pytest.mark.parametrize(
    ("some", "label", "words"),
    [
        (observed(), "z", "no scores for the label 'z'; labels with scores: a, b, c"),
        (observed(seed=100), "a", "of the 200 examples with scores 200 have the label 'a'"),
        (observed(seed=100), "b", "of the 200 examples with scores 0 have the label 'b'"),
    ],
)
def test_no_curve_says_why(some: Observations, label: str, words: str) -> None:
    with pytest.raises(InputError, match="v: ") as error:
        label_curves({"v": some}, label, draws(200), 0.95)
    assert words in str(error.value)


def test_generated_answers_have_no_curve_labels() -> None:
    assert curve_labels(observed()) == LABELS
    bare = Observations(["1"], ["a"], ["a"], [None], labels=LABELS, kind="classification")
    assert curve_labels(bare) == ()
