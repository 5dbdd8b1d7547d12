"""Outcome classes, filters, order, pages and aggregates of examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.example_aggregates import aggregates
from core.examples import PAGE_SIZE, ExampleTable, Measure, Query, make_table, measure_of, outcomes, select
from core.metrics.metric import Metric, Observations, Statistics

NAN = float("nan")
RATE = Measure("accuracy", "Accuracy", "share", True, True, 0.0, "", 0.0, 1.0)
GRADED = Measure("rouge_l", "ROUGE-L", "points", True, False, 5.0, "five points", 0.0, 100.0)
LOSS = Measure("perplexity", "Perplexity", "perplexity", False, False, 0.5, "", 0.0, 10.0)


def _scores(reference: list[float], variant: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"baseline": reference, "a": variant}, index=[f"e{i}" for i in range(len(variant))])


def _table(n: int, tags: list[tuple[str, ...]] | None = None) -> ExampleTable:
    return make_table("t", [f"e{i}" for i in range(n)], tags or [()] * n)


def _query(**changes: object) -> Query:
    return Query("a", "baseline", **changes)  # type: ignore[arg-type]


class _Metric(Metric):
    name, label, family, kinds = "m", "M", "f", frozenset()

    def __init__(self, unit: str, test: str) -> None:
        self.unit, self.test = unit, test  # type: ignore[assignment]

    def statistics(self, observations: Observations) -> Statistics:
        raise NotImplementedError

    def value(self, sums: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def test_a_rate_has_four_outcomes_and_a_place_for_missing_ones() -> None:
    scores = _scores([0, 1, 1, 0, NAN, 1], [1, 0, 1, 0, 1, NAN])
    difference, classes = outcomes(scores, "a", "baseline", RATE)
    assert classes.tolist() == ["fixed", "broken", "both right", "both wrong", "no value", "no value"]
    assert difference[:4].tolist() == [1, -1, 0, 0]


def test_a_graded_example_moves_only_beyond_the_threshold() -> None:
    scores = _scores([50, 50, 50, 50, 50], [55, 55.1, 45, 44.9, 50])
    assert outcomes(scores, "a", "baseline", GRADED)[1].tolist() == [
        "unchanged",
        "gained",
        "unchanged",
        "lost",
        "unchanged",
    ]


def test_rounding_does_not_decide_at_the_threshold() -> None:
    assert outcomes(_scores([0.1 + 0.2], [0.3 + 5]), "a", "baseline", GRADED)[1].tolist() == ["unchanged"]
    assert outcomes(_scores([0.3], [0.1 + 0.2 + 5]), "a", "baseline", GRADED)[1].tolist() == ["unchanged"]


def test_where_lower_is_better_a_fall_is_a_gain() -> None:
    assert outcomes(_scores([8, 4], [4, 8]), "a", "baseline", LOSS)[1].tolist() == ["gained", "lost"]
    selection = select(_table(3), _scores([8, 4, 4], [7, 8, 4]), LOSS, _query(sort="gain"))
    assert selection.positions.tolist() == [0, 2, 1]


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, NAN]), st.sampled_from([0.0, 1.0, NAN])), min_size=1, max_size=40))
def test_swapping_the_variants_swaps_fixed_and_broken_and_every_example_is_counted_once(
    pairs: list[tuple[float, float]],
) -> None:
    scores = _scores([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    table = _table(len(pairs))
    there = select(table, scores, RATE, _query()).counts
    back = select(table, scores, RATE, Query("baseline", "a")).counts
    assert (there["fixed"], there["broken"]) == (back["broken"], back["fixed"])
    assert (there["both right"], there["both wrong"]) == (back["both right"], back["both wrong"])
    assert sum(there.values()) == len(pairs)


def test_counts_follow_tags_and_search_but_not_the_outcome_itself() -> None:
    table = _table(4, [("hard=true",), ("hard=true",), ("hard=false",), ("hard=true",)])
    scores = _scores([0, 1, 0, 0], [1, 0, 1, 1])
    query = _query(outcome="fixed", tags=("hard=true",), matching=frozenset({"e0", "e1", "e2"}))
    selection = select(table, scores, RATE, query)
    assert selection.positions.tolist() == [0]
    assert selection.counts == {"fixed": 1, "broken": 1, "both right": 0, "both wrong": 0, "no value": 0}


def test_tags_of_one_field_are_alternatives_and_of_several_fields_conditions() -> None:
    table = _table(4, [("c=x", "h=1"), ("c=y", "h=1"), ("c=z", "h=1"), ("c=x", "h=0", "c=z")])
    assert np.flatnonzero(table.with_tags(["c=x", "c=y", "h=1"])).tolist() == [0, 1]
    assert np.flatnonzero(table.with_tags(["c=z"])).tolist() == [2, 3]
    assert table.with_tags([]).all()
    assert not table.with_tags(["c=unknown"]).any()
    assert table.tag_counts == {"c=x": 2, "c=y": 1, "c=z": 2, "h=0": 1, "h=1": 3}


@pytest.mark.parametrize(
    ("sort", "order"), [("change", [1, 0, 3, 2, 4]), ("gain", [0, 3, 2, 1, 4]), ("loss", [1, 2, 3, 0, 4]), ("dataset", [0, 1, 2, 3, 4])]
)  # fmt: skip
def test_the_order_is_what_was_asked_for_with_missing_values_last(sort: str, order: list[int]) -> None:
    scores = _scores([10, 90, 50, 50, NAN], [50, 20, 50, 60, 10])
    assert select(_table(5), scores, GRADED, _query(sort=sort)).positions.tolist() == order


def test_ties_keep_the_order_of_the_dataset() -> None:
    selection = select(_table(6), _scores([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0]), RATE, _query(sort="gain"))
    assert selection.positions.tolist() == [0, 2, 4, 1, 3, 5]


@given(st.integers(0, 170), st.integers(-2, 9))
def test_pages_hold_every_example_once_and_a_number_outside_is_brought_inside(n: int, asked: int) -> None:
    selection = select(_table(n), _scores([0.0] * n, [1.0] * n), RATE, _query())
    pages = [selection.page(number).tolist() for number in range(1, selection.n_pages + 1)]
    assert sum(pages, []) == selection.positions.tolist()
    assert all(len(page) <= PAGE_SIZE for page in pages)
    assert selection.page(asked).tolist() in pages
    for position in selection.positions.tolist():
        assert position in pages[(selection.page_of(position) or 0) - 1]


def test_neighbours_stop_at_the_ends_and_enter_from_outside() -> None:
    selection = select(_table(4), _scores([0, 1, 0, 0], [1, 1, 1, 1]), RATE, _query(outcome="fixed"))
    assert selection.positions.tolist() == [0, 2, 3]
    assert [selection.neighbour(position, 1) for position in (0, 2, 3, 1, None)] == [2, 3, None, 0, 0]
    assert [selection.neighbour(position, -1) for position in (0, 2, 3, 1)] == [None, 0, 2, 3]
    assert selection.rank(1) is None
    assert selection.page_of(None) is None


def test_an_unknown_example_has_no_position() -> None:
    table = _table(3)
    assert [table.position(name) for name in ("e2", "nowhere", None, "")] == [2, None, None, None]


def test_the_threshold_is_the_band_then_five_points_then_a_share_of_the_spread() -> None:
    scores = _scores([0, 10, 20, 30], [0, 10, 20, 30])
    assert measure_of(_Metric("points", "corpus"), scores, band=1.5).threshold == 1.5
    assert measure_of(_Metric("points", "corpus"), scores).threshold == 5.0
    assert measure_of(_Metric("share", "mean"), scores).threshold == 0.05
    spread = np.subtract(*np.percentile([0, 10, 20, 30] * 2, [75, 25]))
    assert measure_of(_Metric("nats", "mean"), scores).threshold == pytest.approx(0.1 * spread)
    assert measure_of(_Metric("share", "rate"), scores, band=0.1).threshold == 0.0
    assert measure_of(_Metric("nats", "mean"), scores.iloc[:0]).threshold == 0.0


def test_bars_have_the_scale_of_the_metric_or_of_the_scores() -> None:
    points = measure_of(_Metric("points", "corpus"), _scores([0], [3]))
    assert [points.drawn(x) for x in (0, 25, 100, 130, -5)] == [0, 0.25, 1, 1, 0]
    assert points.drawn(NAN) is None
    nats = measure_of(_Metric("nats", "mean"), _scores([2.0] * 50, [4.0] * 50))
    assert (nats.drawn(0.0), nats.drawn(2.0), nats.drawn(4.0)) == (0.0, 0.5, 1.0)
    assert measure_of(_Metric("nats", "mean"), _scores([0.0], [0.0])).drawn(0.0) == 0.0


def test_aggregates_are_over_what_the_filters_leave() -> None:
    scores = _scores([0, 1, NAN, 1], [1, 1, 1, 0])
    lengths = pd.DataFrame({"a": [10.0, 20.0, NAN, 99.0]}, index=scores.index)
    labels = {"a": pd.Categorical(["x", "y", "x", "z"]), "baseline": pd.Categorical([None] * 4)}
    baseline, variant = aggregates(np.array([0, 1, 2]), ["baseline", "a"], scores, lengths, labels)
    assert (baseline.variant, baseline.n, baseline.mean, baseline.mean_length, baseline.labels) == (
        "baseline",
        2,
        0.5,
        None,
        (),
    )
    assert (variant.n, variant.mean, variant.mean_length) == (3, 1.0, 15.0)
    assert variant.labels == (("x", 2), ("y", 1))


def test_aggregates_of_nothing_have_no_value() -> None:
    for aggregate in aggregates(np.array([], dtype=np.int64), ["baseline", "a"], _scores([1], [1])):
        assert (aggregate.n, aggregate.mean) == (0, None)


def test_a_task_without_metric_is_listed_in_the_order_of_the_dataset() -> None:
    table = _table(3, [("h=1",), (), ("h=1",)])
    selection = select(table, None, None, _query(tags=("h=1",), outcome="fixed"))
    assert selection.positions.tolist() == [0, 2]
    assert selection.counts == {}
    assert [found.n for found in aggregates(selection.positions, ["a"], None)] == [0]


def test_a_slice_is_a_condition_beside_the_tags_of_its_own_field() -> None:
    table = _table(3, [("c=x",), ("c=y",), ("c=x", "c=y")])
    selection = select(table, None, None, _query(part="c=x", tags=("c=y",)))
    assert selection.positions.tolist() == [2]


def test_a_further_filter_narrows_the_list_and_its_counts() -> None:
    scores, kept = _scores([0, 0, 1, 1], [1, 0, 1, 0]), np.array([True, False, True, False])
    found = select(_table(4), scores, RATE, _query(kept=kept))
    assert found.positions.tolist() == [0, 2]
    assert found.counts == {"fixed": 1, "broken": 0, "both right": 1, "both wrong": 0, "no value": 0}


def test_the_nearest_are_listed_in_their_own_order_whatever_the_sort_says() -> None:
    scores = _scores([0, 0, 1, 1], [1, 0, 1, 0])
    found = select(_table(4), scores, RATE, _query(nearest=(3, 1, 0), sort="gain"))
    assert found.positions.tolist() == [3, 1, 0]
    assert (found.counts["fixed"], found.counts["both right"]) == (1, 0)
    assert select(_table(4), scores, RATE, _query(nearest=(3, 1, 0), outcome="fixed")).positions.tolist() == [0]
    assert select(_table(4), None, None, _query(nearest=(2,))).positions.tolist() == [2]
