from __future__ import annotations

import numpy as np
import pytest

from core.metrics.metric import Statistics
from core.metrics.registry import get_metric
from core.panels import Panel, aligned, chosen_rows
from core.resampler import BootstrapJob, Masked, Resampler, SwapJob
from core.stats.paired import swap_test
from core.stats.resampling import bootstrap_values, bootstrap_weights

N, SEED, DRAWS = 30, 4, 500
GROUPS = [f"g{index // 3}" for index in range(N)]


def arrays(seed: int, k: int, count: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 4, (N, k)).astype(float) for _ in range(count)]


def masked(some: list[np.ndarray]) -> list[Masked]:
    return [Masked(array, np.ones(N, dtype=bool)) for array in some]


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("kept_bytes", [1 << 28, 1])
def test_many_metrics_at_once_equal_one_at_a_time(
    groups: list[str] | None, kept_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn whole the numbers are those of core.stats to the last draw; drawn in blocks they are of other draws."""
    monkeypatch.setattr("core.draws.KEPT_BYTES", kept_bytes)
    resampler = Resampler(N, groups, seed=SEED, resamples=DRAWS, trials=DRAWS)
    perplexity, f1 = get_metric("perplexity"), get_metric("f1_macro")
    jobs = [BootstrapJob(perplexity, masked(arrays(0, 2))), BootstrapJob(f1, masked(arrays(1, 6)))]
    swaps = [
        SwapJob(perplexity, masked(arrays(0, 2)[:2]), masked(arrays(2, 2)[:2])),
        SwapJob(f1, masked(arrays(1, 6)[:1]), masked(arrays(3, 6)[:1])),
    ]
    resampled, p = resampler.bootstrap(jobs), resampler.swap(swaps)
    assert [some.shape for some in resampled] == [(DRAWS, 3), (DRAWS, 3)]
    exactly = 1e-12 if kept_bytes > 1 else 0.1
    weights = bootstrap_weights(N, DRAWS, SEED, groups)
    for job, values in zip(jobs, resampled, strict=True):
        for position, array in enumerate(job.arrays):
            expected = bootstrap_values(array.summed, job.metric.value, weights)
            assert np.quantile(values[:, position], 0.3) == pytest.approx(np.quantile(expected, 0.3), rel=exactly)
            if kept_bytes > 1:
                np.testing.assert_allclose(values[:, position], expected, rtol=1e-12)
    for job, found in zip(swaps, p, strict=True):
        pairs = zip(job.references, job.others, strict=True)
        expected = [
            swap_test(a.summed, b.summed, job.metric.value, trials=DRAWS, seed=SEED, groups=groups).p for a, b in pairs
        ]
        np.testing.assert_allclose(found, expected, atol=exactly)


def test_no_jobs_draw_nothing() -> None:
    resampler = Resampler(0, None, seed=0, resamples=10, trials=10)
    assert resampler.bootstrap([]) == []
    assert resampler.swap([]) == []


def test_equal_variants_have_p_one() -> None:
    same = arrays(5, 2, 1)
    job = SwapJob(get_metric("perplexity"), masked(same), masked(same))
    assert Resampler(N, None, seed=0, resamples=10, trials=200).swap([job])[0].tolist() == [1.0]


def test_columns_named_by_labels_are_brought_into_one_order() -> None:
    def of(labels: tuple[str, ...], row: list[float]) -> Statistics:
        return Statistics(np.array([row]), np.array([False]), (None,), "f1", labels)

    made = aligned({"a": of(("x", "y"), [1, 2, 3, 4, 5, 6]), "b": of(("z", "x"), [7, 8, 9, 10, 11, 12])})
    assert made["a"].labels == made["b"].labels == ("x", "y", "z")
    assert made["a"].array.tolist() == [[1, 2, 3, 4, 5, 6, 0, 0, 0]]
    assert made["b"].array.tolist() == [[10, 11, 12, 0, 0, 0, 7, 8, 9]]


def test_chosen_rows_keep_their_reasons() -> None:
    missing = np.array([False, True, False, True])
    statistics = Statistics(np.arange(8.0).reshape(4, 2), missing, (None, "no answer", None, "too long"), "s")
    found = chosen_rows(statistics, np.array([False, True, True, False]))
    np.testing.assert_array_equal(found.array, [[2, 3], [4, 5]])
    assert (found.missing.tolist(), found.reasons) == ([True, False], ("no answer", None))
    assert chosen_rows(statistics, np.array([True, False, True, False])).reasons == (None, None)


def test_an_ordered_metric_is_sorted_once_for_its_value_and_its_influences(monkeypatch: pytest.MonkeyPatch) -> None:
    metric, rng, calls = get_metric("roc_auc"), np.random.default_rng(0), []
    rows = np.column_stack([rng.random(N), rng.integers(0, 2, N)]).astype(float)
    statistics = Statistics(rows, np.zeros(N, dtype=bool), (None,) * N, "s")
    panel = Panel(metric, {"base": statistics}, np.ones(N, dtype=bool))
    plain = type(metric).value_and_influence
    monkeypatch.setattr(type(metric), "value_and_influence", lambda *given: calls.append(1) or plain(*given))
    half = np.arange(N) < N // 2
    value, influence = panel.value_and_influence("base", half)
    assert panel.value("base", half) == value
    assert influence is not None and len(influence) == N // 2
    assert panel.value("base", ~half) != value
    assert np.isnan(panel.value("base", half & ~half))
    assert len(calls) == 2
