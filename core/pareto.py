"""Which variants are worth their cost: nothing else is at least as good and as cheap, and how surely that is so.

The share of resamples in which a variant is on the front is the bootstrap's answer to "how surely" (it is no p-value). Quality is
resampled by example, with the weights that every metric of the run shares, so that variants move together; a time is resampled
over the probe's repeats; sizes and memory are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.derived import StatisticsReader
from core.efficiency_figures import PROBE_FIGURES, probe_tables
from core.lines import Filter, lines_of, task_examples_kept
from core.metrics.efficiency import MIN_REPEATS
from core.metrics.registry import find_metric
from core.resampler import BootstrapJob, Resampler
from core.results import MetricRow

RESAMPLES = 1_000


@dataclass(frozen=True)
class FrontCertainty:
    """How often each variant is on the front."""

    shares: dict[str, float]
    """Of the resamples, 0 to 1."""
    resamples: int
    n: int
    """Examples that all of the variants have a value of."""


def on_front(qualities: np.ndarray, costs: np.ndarray, higher_is_better: bool = True) -> np.ndarray:
    """Return which points no other beats: none is at least as good and as cheap, and better in one.

    Args:
        qualities: float64 (..., points).
        costs: float64 (..., points), lower is better.
        higher_is_better: of the quality.

    Returns:
        bool (..., points).
    """
    gain = qualities if higher_is_better else -qualities
    good, other_good = gain[..., :, None], gain[..., None, :]
    cheap, other_cheap = costs[..., :, None], costs[..., None, :]
    is_beaten = (other_good >= good) & (other_cheap <= cheap) & ((other_good > good) | (other_cheap < cheap))
    return np.logical_not(is_beaten.any(axis=-1))


def front_certainty(
    reader: StatisticsReader, row: MetricRow, costs: Mapping[str, float | np.ndarray], where: Filter | None = None
) -> FrontCertainty | None:
    """Return how often each variant is on the front of a metric against a cost.

    Args:
        reader: of the run.
        row: the metric; one language or label of it too.
        costs: by variant, one number or one for each of `RESAMPLES`; variants without are left out.
        where: keeps the examples for which it is true.

    Returns:
        None where the metric is unknown or has no interval, or no example has a value of all variants.
    """
    metric = find_metric(row.metric)
    if metric is None or len(costs) < 1:
        return None
    examples = task_examples_kept(reader, row.task, where)
    lines = lines_of(reader, examples, [row.metric])
    panel = next((line.panel for line in lines if (line.language, line.part) == (row.language, row.part)), None)
    if panel is None or panel.resampling == "none":
        return None
    names = [name for name in panel.statistics if name in costs]
    both = np.logical_and.reduce([panel.present(name) for name in names])
    if not names or not both.any():
        return None
    seed = reader.run.spec.settings.seed
    resampler = Resampler(examples.n, examples.groups, seed=seed, resamples=RESAMPLES, trials=1)
    job = BootstrapJob(metric, [panel.masked(name, both) for name in names], panel.resampling)
    qualities = resampler.bootstrap([job])[0]
    prices = np.stack(
        [np.broadcast_to(np.asarray(costs[name], dtype=np.float64), len(qualities)) for name in names], axis=1
    )
    known = np.isfinite(qualities).all(axis=1)
    if not known.any():
        return None
    shares = on_front(qualities[known], prices[known], metric.higher_is_better).mean(axis=0)
    return FrontCertainty(dict(zip(names, shares.tolist(), strict=True)), int(known.sum()), int(both.sum()))


def resampled_times(probe: Mapping[str, Any] | None, figure: str, seed: int) -> dict[str, np.ndarray]:
    """Return a figure of the probe over resampled repeats, float64 (`RESAMPLES`,) by variant.

    Repeats are interleaved over the variants: the same ones are drawn for all that have equally many, so that a slow minute
    of the machine is shared. A variant with fewer than `core.metrics.efficiency.MIN_REPEATS` has its one value throughout.

    Args:
        probe: the content of a run's probe.json.
        figure: a name of `core.efficiency_figures.PROBE_FIGURES`.
        seed: of the draw.

    Raises:
        InputError: an entry of the probe lacks a key.
        KeyError: no such figure.
    """
    of = {one.name: one.of for one in PROBE_FIGURES}[figure]
    found = {}
    for name, table in probe_tables(probe).items():
        repeats = len(table["seconds"])
        if repeats < MIN_REPEATS:
            found[name] = np.full(RESAMPLES, float(of(table)))
            continue
        drawn = np.random.default_rng(seed).integers(0, repeats, (RESAMPLES, repeats))
        found[name] = np.asarray(of({field: values[drawn] for field, values in table.items()}), dtype=np.float64)
    return found
