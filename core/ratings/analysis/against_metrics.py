"""Humans against metrics: which automatic metric orders the variants' answers as the raters do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.derived import StatisticsReader
from core.errors import InputError, RunError
from core.judging import metrics_of
from core.metrics.metric import Metric
from core.own.scores import StoredMetric, own_scores
from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Estimate, Settings, from_interval, undefined
from core.ratings.analysis.human_signs import human_signs
from core.ratings.analysis.results import MetricAgreement, MetricsAnalysis
from core.stats import Interval, pair_ordering
from core.store import Run

_NO_RUN = "the study names no run: its ratings were imported"


@dataclass(frozen=True)
class _Source:
    """A variant of the study in one of its runs."""

    run: Run
    variant: str
    reader: StatisticsReader


def against_metrics(rated: Rated, runs: Sequence[Run] | None, settings: Settings) -> MetricsAnalysis:
    """Return each metric of the study's tasks by its agreement with people, highest accuracy first.

    Args:
        rated: the study.
        runs: what the study was made from, as far as it is there; other runs are left aside.
        settings: of the intervals.
    """
    if not rated.study.runs:
        return MetricsAnalysis((), _NO_RUN)
    if runs is None:
        return MetricsAnalysis((), "the runs were not read")
    sources = _sources(rated, runs)
    missing = [name for name in rated.variants if name not in sources]
    why = f"no run is there for {', '.join(missing)}: deleted or moved since the study was made" if missing else None
    if len(sources) < 2:
        return MetricsAnalysis((), why)
    rows: list[MetricAgreement] = []
    troubles: list[str] = []
    for criterion in rated.criteria:
        signs = human_signs(rated, criterion.name)
        for task in dict.fromkeys(signs["task"]):
            try:
                rows += _of_task(signs[signs["task"] == task], str(task), criterion.name, sources, settings)
            except (InputError, RunError, OSError) as error:
                troubles.append(f"{task}: {error}")
    reasons = [one for one in (why, *dict.fromkeys(troubles)) if one]
    if not rows and not reasons:
        reasons = [
            "no pair of answers was rated yet" if rated.own.empty else "no metric has a value for single examples"
        ]
    return MetricsAnalysis(tuple(sorted(rows, key=_order)), "; ".join(reasons) or None)


def _order(row: MetricAgreement) -> tuple[bool, float, float]:
    return row.accuracy.value is None, -(row.accuracy.value or 0.0), -(row.tau.value or 0.0)


def _sources(rated: Rated, runs: Sequence[Run]) -> dict[str, _Source]:
    """Return where each variant of the study is: one that several runs had is called ``RUN/VARIANT``."""
    there = [
        run for run in runs if (run.folder / "spec.json").is_file() and (run.folder / "examples.parquet").is_file()
    ]
    mine = [run for run in there if run.id in rated.study.runs]
    readers = {run.id: StatisticsReader(run) for run in mine}
    found: dict[str, _Source] = {}
    for name in rated.variants:
        for run in mine:
            inner = name.removeprefix(f"{run.id}/")
            if inner in run.spec.models.variants and name not in found:
                found[name] = _Source(run, inner, readers[run.id])
    return found


def _of_task(
    signs: pd.DataFrame, task: str, criterion: str, sources: Mapping[str, _Source], settings: Settings
) -> list[MetricAgreement]:
    names = [name for name in sources if task in sources[name].run.spec.tasks]
    signs = signs[signs["variant"].isin(names) & signs["against"].isin(names)]
    if signs.empty:
        return []
    met = [name for name in names if name in {*signs["variant"], *signs["against"]}]
    run_ids = ", ".join(dict.fromkeys(sources[name].run.id for name in met))
    rows = []
    for metric in metrics_of(sources[met[0]].run, task).values():
        if metric.direction_free:
            continue
        scores = {name: _scores(sources[name], task, metric) for name in met}
        if any(one.notna().any() for one in scores.values()):
            rows.append(_agreement(signs, task, criterion, metric, scores, run_ids, settings))
    return rows


def _scores(source: _Source, task: str, metric: Metric) -> pd.Series:
    if isinstance(metric, StoredMetric):
        own = own_scores(source.run, task, metric.name)
        return pd.Series(dtype=np.float64) if own is None else own[source.variant]
    values = metric.per_example(source.reader.read(task, metric, source.variant))
    return pd.Series(values, index=list(source.reader.index(task).ids), dtype=np.float64)


def _agreement(
    signs: pd.DataFrame, task: str, criterion: str, metric: Metric, scores: Mapping[str, pd.Series], run_ids: str,
    settings: Settings,
) -> MetricAgreement:  # fmt: skip
    wide = pd.DataFrame(dict(scores))
    at = wide.index.get_indexer(pd.Index(signs["example_id"]))
    values = np.vstack([wide.to_numpy(dtype=np.float64), np.full(wide.shape[1], np.nan)])[at]
    columns = [wide.columns.get_indexer(pd.Index(signs[name])) for name in ("variant", "against")]
    rows = np.arange(len(signs))
    gaps = values[rows, columns[0]] - values[rows, columns[1]]
    gaps = np.where(np.isfinite(gaps), gaps if metric.higher_is_better else -gaps, np.nan)
    found = pair_ordering(
        gaps, signs["sign"].to_numpy(dtype=float), items=signs["group"].tolist(), resamples=settings.resamples,
        seed=settings.seed, level=settings.level,
    )  # fmt: skip
    return MetricAgreement(
        run=run_ids,
        task=task,
        metric=metric.name,
        title=metric.label,
        criterion=criterion,
        accuracy=_estimate(
            found.accuracy, found.accuracy_interval, found.n_ordered, "undefined: no pair is decided by both"
        ),
        tau=_estimate(found.tau, found.tau_interval, found.n, found.reason or "undefined"),
        n_missing=found.n_missing,
        n_tied=found.n_decisive - found.n_ordered,
    )


def _estimate(value: float | None, interval: Interval | None, n: int, why_not: str) -> Estimate:
    return undefined(why_not, n) if value is None else from_interval(value, interval, n)
