"""How often a text feature occurs: a rate for every variant and its paired difference, as a row of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
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
        raise TypeError("a text feature is counted from the run's texts; use feature_rows")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean share of sums (..., 2), (...); NaN without examples."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[..., 0] / sums[..., 1]


def feature_rows(
    run: Run, task: str, hits: Mapping[TextFeature, pd.DataFrame], reference: str, positions: np.ndarray, *, tested: bool = True
) -> tuple[MetricRow, ...]:  # fmt: skip
    """Return how often features occur among some examples, for every variant, with differences to a reference.

    Wilson's interval, Tango's and McNemar's mid-p where examples are independent and answered once; by cluster where they
    have groups. The p-values over the variants and the features are a family of their own (Benjamini and Hochberg).

    Args:
        run: whose examples they are.
        task: likewise.
        hits: of each feature, see `core.text_features.hits.feature_hits`; all of the same examples.
        reference: the variant to compare with.
        positions: int, the rows of ``hits`` to count.
        tested: whether the examples were chosen without a look at the answers. Where they were not, a difference is what it is
            among these and says nothing of others: it comes without interval and p-value.

    Returns:
        A row for each feature, in that order.
    """
    if not hits:
        return ()
    positions = np.sort(positions)
    groups = _groups(run, task, next(iter(hits.values())).index[positions])
    everything = np.ones(len(positions), dtype=bool)
    panels = [
        Panel(FeatureRate(), _listed(found.iloc[positions], feature), everything) for feature, found in hits.items()
    ]
    resampler = Resampler(len(positions), groups, seed=run.spec.settings.seed, resamples=RESAMPLES, trials=MIN_TRIALS)
    measured = measure(panels, reference, resampler, run.spec.level)
    rows = [
        MetricRow(
            task=task, metric=FeatureRate.name, label=feature.label, family=FAMILY, unit="share", higher_is_better=True,
            primary=False, language=None, values=one.values, differences=one.differences, direction_free=True,
        )
        for feature, one in zip(hits, measured, strict=True)
    ]  # fmt: skip
    corrected = adjusted(rows, [one.errors for one in measured], 0, run.spec.level)
    rows = [judged(row, None, run.spec.level) for row in corrected]
    if not tested:
        rows = [
            replace(row, differences={name: _described(one) for name, one in row.differences.items()}) for row in rows
        ]
    return tuple(rows)


def as_comparison(run: Run, reference: str, *rows: MetricRow) -> Comparison:
    """Return the rows of features as a comparison of their own, for tables and charts of comparisons."""
    variants = (reference, *rows[0].differences)
    n_tests = sum(len(row.differences) for row in rows)
    return Comparison(
        run.id, reference, variants, rows, run.spec.level, run.spec.settings.seed, RESAMPLES, MIN_TRIALS, n_tests
    )  # fmt: skip


def _listed(hits: pd.DataFrame, feature: TextFeature) -> dict[str, Statistics]:
    return {name: _statistics(hits[name].to_numpy(dtype=np.float64), feature) for name in hits.columns}


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
