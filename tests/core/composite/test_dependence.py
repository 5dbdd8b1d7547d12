"""How far a ranking depends on weights: closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from core.composite.dependence import CONCENTRATION, weight_dependence


def test_of_two_metrics_the_share_is_a_beta_probability() -> None:
    # a leads where 0.9 w + 0.1 (1 - w) > 0.4, that is w > 0.375.
    found = weight_dependence({"x": 3, "y": 1}, {"a": [0.9, 0.1], "b": [0.4, 0.4]}, draws=40_000)
    assert found.first == "a"
    assert found.anywhere["a"] == pytest.approx(1 - 0.375, abs=0.01)
    around = beta.sf(0.375, CONCENTRATION * 0.75, CONCENTRATION * 0.25)
    assert found.around["a"] == pytest.approx(around, abs=0.01)
    assert sum(found.around.values()) == pytest.approx(1) and sum(found.anywhere.values()) == pytest.approx(1)


def test_the_smallest_change_is_where_the_two_draw_level() -> None:
    found = weight_dependence({"x": 3, "y": 1}, {"a": [0.9, 0.1], "b": [0.4, 0.4]}).change
    # 0.5 x - 0.3 y = 0: x falls from 3 to 0.6, a move of 2.4; y would have to rise from 1 to 5.
    assert found is not None and (found.key, found.declared, found.first) == ("x", 3, "b")
    assert found.weight == pytest.approx(0.6)


def test_who_is_best_in_everything_stays_first() -> None:
    found = weight_dependence({"x": 1, "y": 2, "z": 1}, {"a": [0.9, 0.5, 0.3], "b": [0.8, 0.5, 0.2]})
    assert found.change is None and found.around == {"a": 1.0, "b": 0.0} == found.anywhere
    assert weight_dependence({"x": 1}, {"a": [0.9], "b": [0.8]}).change is None


def test_variants_that_are_level_share_the_first_place() -> None:
    found = weight_dependence({"x": 1, "y": 1}, {"a": [0.5, 0.2], "b": [0.5, 0.2], "c": [0.1, 0.1]})
    assert found.around == pytest.approx({"a": 0.5, "b": 0.5, "c": 0.0}) and found.first == "a"


def test_it_is_the_same_each_time_and_scale_free() -> None:
    scaled = {"a": [0.9, 0.1, 0.5], "b": [0.4, 0.4, 0.6]}
    once = weight_dependence({"x": 1, "y": 2, "z": 3}, scaled, seed=4)
    assert once == weight_dependence({"x": 1, "y": 2, "z": 3}, scaled, seed=4)
    tenfold = weight_dependence({"x": 10, "y": 20, "z": 30}, scaled, seed=4)
    assert tenfold.around == pytest.approx(once.around)
    assert once.change is not None and tenfold.change is not None
    assert tenfold.change.weight == pytest.approx(10 * once.change.weight)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_nobody_else_is_first_before_the_smallest_change_and_somebody_is_behind_it(
    seed: int, variants: int, parts: int
) -> None:
    rng = np.random.default_rng(seed)
    weights, table = rng.uniform(0.5, 3, parts), rng.random((variants, parts))
    keys = [f"m{i}" for i in range(parts)]
    found = weight_dependence(
        dict(zip(keys, weights, strict=True)), {f"v{i}": row.tolist() for i, row in enumerate(table)}, draws=10
    )
    first = int(np.argmax(table @ weights))
    assert found.first == f"v{first}"
    reach = np.inf if found.change is None else abs(found.change.weight - found.change.declared)
    for part in range(parts):
        for move in np.linspace(-weights[part], min(reach, 50) * 0.999, 200):
            if abs(move) < reach * 0.999:
                moved = weights + move * np.eye(parts)[part]
                assert int(np.argmax(table @ moved)) == first or np.isclose(*np.sort(table @ moved)[-2:])
    if found.change is not None:
        part = keys.index(found.change.key)
        moved = weights.copy()
        moved[part] += (found.change.weight - weights[part]) * 1.001
        if moved[part] >= 0:
            assert f"v{int(np.argmax(table @ moved))}" == found.change.first
