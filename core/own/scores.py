"""What single examples score under a user's own metrics: stored by the worker, and read without any of the user's code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.derived import StatisticsReader
from core.own.results import OwnResult, OwnScores, own_names
from core.own.rows import OwnRows
from core.own.stored import StoredMetric
from core.store import Run


def stored_metrics(run: Run, task: str) -> dict[str, StoredMetric]:
    """Return the own metrics of a task that single examples can be judged by, from what was stored of them."""
    kind = run.spec.tasks[task].kind
    return {name: StoredMetric(result, scores, kind) for name, (result, scores) in _stored(run, task).items()}


def own_scores(run: Run, task: str, metric: str) -> pd.DataFrame | None:
    """Return each example's own value under an own metric; None where nothing is stored.

    Returns:
        Index ``example_id``, one column a variant, NaN where there is none.
    """
    found = _stored(run, task).get(metric)
    if found is None:
        return None
    columns = {name: np.array(values, dtype=np.float64) for name, values in found[1].values.items()}
    return pd.DataFrame(columns, index=pd.Index(found[1].ids, name="example_id"))


def _stored(run: Run, task: str) -> Mapping[str, tuple[OwnResult, OwnScores]]:
    named = [name for name in own_names(run) if name in run.spec.tasks[task].metrics]
    if not named:
        return {}
    rows = OwnRows(StatisticsReader(run), run.spec.reference)
    found = {name: rows.result(name) for name in named}
    return {
        name: (result, told.scores)
        for name, result in found.items()
        if result is not None and (told := result.tasks.get(task)) is not None and told.scores is not None
    }
