"""How often a text feature occurs: a rate for every variant and its paired difference, as a row of a comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.contrasts import measure
from core.derived import example_index
from core.families import adjusted, judged
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.metric import Metric, Observations, Statistics
from core.panels import Panel
from core.resampler import Resampler
from core.results import Comparison, Difference, MetricRow
from core.store import Run
from core.text_features.feature import TextFeature

FAMILY = "text features"
UNANSWERED = "no answer to look at"
DESCRIBED = "the filters look at the answers themselves: described, not tested"


class FeatureRate(Metric):
    """The share of examples whose answer has a text feature; several answers of one are averaged first.

    Statistics: (share of the example's answers that have it, 1).
    """

    name, label, family = "text_feature", "Text feature", FAMILY
    kinds = frozenset()
    test = "rate"
    direction_free = True
    undefined = UNANSWERED

    def statistics(self, observations: Observations) -> Statistics:
        """Refuse: features are read from texts where they lie, see `core.text_features.hits`.

        Raises:
            TypeError: always.
        """
        raise TypeError("a text feature is counted from the run's texts; use feature_row")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean share of sums (..., 2), (...); NaN without examples."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[..., 0] / sums[..., 1]


def feature_row(
    run: Run, task: str, feature: TextFeature, hits: pd.DataFrame, reference: str, positions: np.ndarray, *, tested: bool = True
) -> MetricRow:  # fmt: skip
    """Return how often a feature occurs among some examples, for every variant, with differences to a reference.

    Wilson's interval, Tango's and McNemar's mid-p where examples are independent and answered once; by cluster where they
    have groups. The p-values over the variants are a family of their own (Benjamini and Hochberg).

    Args:
        run: whose examples they are.
        task: likewise.
        feature: what was looked for.
        hits: see `core.text_features.hits.feature_hits`.
        reference: the variant to compare with.
        positions: int, the rows of ``hits`` to count.
        tested: whether the examples were chosen without a look at the answers. Where they were not, a difference is what it is
            among these and says nothing of others: it comes without interval and p-value.
    """
    positions = np.sort(positions)
    groups = _groups(run, task, hits.index[positions])
    listed = hits.iloc[positions]
    statistics = {name: _statistics(listed[name].to_numpy(dtype=np.float64), feature) for name in listed.columns}
    panel = Panel(FeatureRate(), statistics, np.ones(len(positions), dtype=bool))
    resampler = Resampler(len(positions), groups, seed=run.spec.settings.seed, resamples=RESAMPLES, trials=MIN_TRIALS)
    measured = measure([panel], reference, resampler, run.spec.level)[0]
    row = MetricRow(
        task=task, metric=FeatureRate.name, label=feature.label, family=FAMILY, unit="share", higher_is_better=True,
        primary=False, language=None, values=measured.values, differences=measured.differences, direction_free=True,
    )  # fmt: skip
    row = judged(adjusted([row], [measured.errors], 0, run.spec.level)[0], None, run.spec.level)
    if tested:
        return row
    return replace(row, differences={name: _described(found) for name, found in row.differences.items()})


def as_comparison(run: Run, reference: str, row: MetricRow) -> Comparison:
    """Return the row of a feature as a comparison of its own, for tables and charts of comparisons."""
    variants = (reference, *row.differences)
    return Comparison(
        run.id, reference, variants, (row,), run.spec.level, run.spec.settings.seed, RESAMPLES, MIN_TRIALS, len(row.differences)
    )  # fmt: skip


def _statistics(shares: np.ndarray, feature: TextFeature) -> Statistics:
    missing = ~np.isfinite(shares)
    array = np.column_stack([np.where(missing, 0.0, shares), (~missing).astype(np.float64)])
    reasons = tuple(UNANSWERED if gone else None for gone in missing.tolist())
    return Statistics(array, missing, reasons, f"text_feature|{feature.kind}|{feature.argument}")


def _groups(run: Run, task: str, ids: pd.Index) -> list[str | None] | None:
    index = example_index(run, task)
    if not any(group is not None for group in index.groups):
        return None
    of_id = dict(zip(index.ids, index.groups, strict=True))
    return [of_id.get(name) for name in ids]


def _described(found: Difference) -> Difference:
    if found.difference is None:
        return found
    return replace(
        found, low=None, high=None, p=None, p_adjusted=None, detectable=None, verdict="none", reason=DESCRIBED
    )
