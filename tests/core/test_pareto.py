"""The Pareto front against brute force, and how surely a variant is on it against resamples drawn one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.charts.cost import CostPoint, pareto_front
from core.compare import compare
from core.derived import StatisticsReader
from core.metrics.registry import get_metric
from core.pareto import RESAMPLES, front_certainty, on_front, resampled_times
from core.stats.resampling import bootstrap_weights
from core.store import Run
from tests.synthetic import make_run

VARIANTS = ("baseline", "qv-r8", "qv-r2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("pareto") / "run", n=40, variants=VARIANTS, tasks=("category", "reply"))


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_is_that_of_brute_force_ties_included(higher: bool) -> None:
    rng = np.random.default_rng(0)
    qualities, costs = rng.integers(0, 4, (300, 6)).astype(float), rng.integers(0, 4, (300, 6)).astype(float)
    found = on_front(qualities, costs, higher)
    for row in range(300):
        points = list(zip(qualities[row] if higher else -qualities[row], costs[row], strict=True))
        expected = [
            not any(good >= mine and price <= cost and (good, price) != (mine, cost) for good, price in points)
            for mine, cost in points
        ]
        assert found[row].tolist() == expected
        drawn = [CostPoint(str(i), qualities[row, i], None, None, costs[row, i]) for i in range(6)]
        assert {point.variant for point in pareto_front(drawn, higher)} == {str(i) for i in range(6) if expected[i]}


def test_certainty_is_the_share_of_the_shared_resamples(run: Run) -> None:
    row = compare(run).row("category/accuracy")
    costs: dict[str, float | np.ndarray] = {"baseline": 0.0, "qv-r8": 2.0, "qv-r2": 1.0}
    found = front_certainty(StatisticsReader(run), row, costs)
    assert found is not None and found.n == 40 and found.resamples == RESAMPLES
    reader, metric = StatisticsReader(run), get_metric("accuracy")
    right = np.stack([reader.read("category", metric, name).array[:, 0] for name in VARIANTS], axis=1)
    hits = bootstrap_weights(40, RESAMPLES, run.spec.settings.seed).astype(float) @ right
    assert found.shares["baseline"] == 1.0, "nothing is cheaper"
    assert found.shares["qv-r2"] == pytest.approx(np.mean(hits[:, 2] > hits[:, 0]))
    assert found.shares["qv-r8"] == pytest.approx(np.mean((hits[:, 1] > hits[:, 0]) & (hits[:, 1] > hits[:, 2])))
    assert 0 < found.shares["qv-r2"] <= 1


def test_an_uncertain_cost_is_taken_draw_by_draw(run: Run) -> None:
    row = compare(run).row("category/accuracy")
    half = np.where(np.arange(RESAMPLES) < RESAMPLES // 2, -1.0, 1.0)
    found = front_certainty(StatisticsReader(run), row, {"baseline": 0.0, "qv-r8": half})
    assert found is not None and set(found.shares) == {"baseline", "qv-r8"} and found.shares["qv-r8"] >= 0.5


def test_no_cost_and_no_example_are_no_certainty(run: Run) -> None:
    row = compare(run).row("category/accuracy")
    assert front_certainty(StatisticsReader(run), row, {}) is None
    assert front_certainty(StatisticsReader(run), row, {"baseline": 0.0}, lambda _: False) is None


def test_times_are_resampled_over_repeats_the_same_for_all() -> None:
    def entry(variant: str, repeat: int, seconds: float) -> dict[str, object]:
        return {"variant": variant, "repeat": repeat, "prompt": 0, "n_new_tokens": 10, "seconds": seconds,
                "seconds_to_first_token": 0.1}  # fmt: skip

    probe = {"repeats": [entry(name, i, 1.0 + i) for name in ("a", "b") for i in range(5)] + [entry("few", 0, 3.0)]}
    found = resampled_times(probe, "latency_p50", 0)
    assert np.array_equal(found["a"], found["b"]) and set(found["a"]) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert np.mean(found["a"]) == pytest.approx(3.0, abs=0.1) and set(found["few"]) == {3.0}


def test_a_run_without_probe_has_no_times(tmp_path: Path) -> None:
    assert resampled_times(None, "latency_p50", 0) == {}
