"""Quality against each cost of the adapters of one base, with how surely each is dominated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.ablation.measured import Measurement, Pool
from core.ablation.records import Pareto, ParetoPoint
from core.efficiency_rows import efficiency_rows
from core.pareto import RESAMPLES, on_front, resampled_times
from core.records import BASELINE
from core.results import MetricRow

COSTS = ("trainable_parameters", "adapter_size", "latency_p50", "peak_host_memory", "peak_gpu_memory", "training_time")
_PROBED = ("latency_p50", "peak_host_memory", "peak_gpu_memory")
"""Measured side by side within one run: not to be held against another run's."""


def fronts(pool: Pool, measured: Measurement, variants: Sequence[str]) -> tuple[Pareto, ...]:
    """Return quality against each cost that is known of two variants or more, the baseline among them.

    Quality is resampled by example (all variants together), a latency over the probe's repeats; sizes, memory and training time are
    what they are. A metric without a direction has no front.

    Args:
        pool: the runs.
        measured: the quality.
        variants: adapters of one base.
    """
    if measured.outcome.direction_free or not len(measured.draws):
        return ()
    names = [name for name in (BASELINE, *variants) if name in measured.point]
    first = pool.first
    seed, level = first.spec.settings.seed, first.spec.level
    rows = {
        reader.run.id: {
            row.metric: row for row in efficiency_rows(reader.run, reader.run.spec.reference, level=level, seed=seed)
        }
        for reader in pool.readers
    }
    times = resampled_times(first.read_json("probe"), "latency_p50", seed)
    found = []
    for cost in COSTS:
        row = rows[first.id].get(cost)
        if row is None:
            continue
        known: dict[str, float] = {}
        for name in names:
            run = pool.owner[name].run
            value = _cost(rows[run.id].get(cost), name) if run is first or cost not in _PROBED else None
            if value is not None:
                known[name] = value
        if len(known) > 1:
            drawn = {name: times[name] for name in known if cost == "latency_p50" and name in times}
            found.append(_pareto(measured, row, known, drawn, [name for name in names if name not in known]))
    return tuple(found)


def _cost(row: MetricRow | None, name: str) -> float | None:
    return None if row is None or name not in row.values else row.values[name].value


def _pareto(
    measured: Measurement,
    row: MetricRow,
    known: dict[str, float],
    drawn: dict[str, np.ndarray],
    left_out: Sequence[str],
) -> Pareto:
    names = list(known)
    columns = [measured.names.index(name) for name in names]
    qualities = measured.draws[:RESAMPLES, columns]
    prices = np.stack(
        [np.broadcast_to(drawn.get(name, known[name]), (RESAMPLES,))[: len(qualities)] for name in names], axis=1
    )
    finite = np.isfinite(qualities).all(axis=1)
    up = measured.outcome.higher_is_better
    shares = (
        on_front(qualities[finite], prices[finite], up).mean(axis=0) if finite.any() else np.full(len(names), np.nan)
    )
    here = on_front(np.array([measured.point[name] for name in names]), np.array([known[name] for name in names]), up)
    points = tuple(
        ParetoPoint(name, measured.values[name], known[name], float(1 - share), bool(front))
        for name, share, front in zip(names, shares, here, strict=True)
        if np.isfinite(share)
    )
    return Pareto(
        row.metric, row.label, row.unit, points, tuple(left_out), int(finite.sum()), int(measured.joint.sum())
    )
