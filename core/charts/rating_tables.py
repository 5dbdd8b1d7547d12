"""The analysis of human ratings as tables of plain numbers, for CSV: shares from 0 to 1, unrounded, with reasons where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results import MetricAgreement, StudyAnalysis
from core.ratings.review import Reason


def pairs_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a criterion and pair of variants: verdicts, rates with intervals, tests, e-value."""
    return _table(
        {"criterion": found.criterion, **_flat(pair)} for found in analysis.preferences for pair in found.pairs
    )


def strengths_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a criterion and variant: strength, Elo, rank and the ranks it may have."""
    return _table(
        {"criterion": found.criterion, **_flat(one), "reason": found.strengths.reason}
        for found in analysis.preferences
        if found.strengths is not None
        for one in found.strengths.variants
    )


def matrix_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a criterion and ordered pair of variants: the decisive win rate of the first against the second."""
    return _table(
        {"criterion": found.criterion, "variant": row, "against": column, **_spread("decisive_win_rate", cell)}
        for found in analysis.preferences
        for row, cells in zip(analysis.variants, found.matrix, strict=True)
        for column, cell in zip(analysis.variants, cells, strict=True)
        if cell is not None
    )


def scores_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a criterion and variant: mean, paired difference, p-values, and how many answers gave each level."""
    scores = analysis.scores
    return _table(_flat(row) for row in ((*scores.rows, *scores.weighted) if scores is not None else ()))


def agreement_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a criterion and statistic: raw agreement, each alpha, Fleiss' kappa, and Cohen's for each pair of raters."""
    rows = []
    for row in analysis.agreement:
        named = {"criterion": row.criterion, "raters": "all"}
        rows.append({**named, "statistic": "raw agreement", **_spread("value", row.raw)})
        rows += [
            {**named, "statistic": f"Krippendorff's alpha ({one.level})", **_spread("value", one.alpha)}
            for one in row.alphas
        ]
        rows.append({**named, "statistic": "Fleiss' kappa", **_spread("value", row.fleiss)})
        for pair in row.pairs:
            who = {"criterion": row.criterion, "raters": f"{pair.first} / {pair.second}"}
            kappa = "Cohen's kappa (quadratic weights)" if pair.weighted else "Cohen's kappa"
            rows.append({**who, "statistic": "raw agreement", **_spread("value", pair.raw)})
            rows.append({**who, "statistic": kappa, **_spread("value", pair.kappa)})
    return _table(rows)


def raters_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a rater: answers, side, win rate, repeats, speed, gold, drift."""
    rows = []
    for rater in analysis.quality.raters:
        drift = _flat(rater.drift, "drift_")
        rows.append({name: value for name, value in _flat(rater).items() if name != "drift"} | drift)
    return _table(rows)


def disagreements_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a rater's verdict on an item that raters differ on, the hardest conflicts first."""
    return _table(
        {"place": place, "task": item.task, "example_id": item.example_id, "criterion": item.criterion,
         "variants": " / ".join(item.variants), "opposed": item.opposed, "rater": one.rater, "verdict": one.verdict,
         "comment": one.comment, "item_id": item.item_id}
        for place, item in enumerate(analysis.disagreements, start=1) for one in item.verdicts
    )  # fmt: skip


def metrics_table(rows: Sequence[MetricAgreement]) -> pd.DataFrame:
    """Return one row a metric: how it orders pairs as the raters do."""
    return _table(_flat(row) for row in rows)


def judges_table(analysis: StudyAnalysis) -> pd.DataFrame:
    """Return one row a model judge and pair of variants: people's rate, the judge's, and both together."""
    return _table(_flat(row) for row in analysis.judges)


def reasons_table(reasons: Sequence[Reason]) -> pd.DataFrame:
    """Return one row a reason for which items were skipped or flagged."""
    return _table(
        {"kind": one.kind, "reason": one.reason, "count": one.count, "items": one.n_items,
         "example_ids": "; ".join(one.example_ids)}
        for one in reasons
    )  # fmt: skip


def _flat(record: Any, prefix: str = "") -> dict[str, Any]:
    """Return a record's fields by name; an estimate becomes five, and a list of counts one text."""
    found: dict[str, Any] = {}
    for field in fields(record):
        name, value = prefix + field.name, getattr(record, field.name)
        if isinstance(value, Estimate):
            found |= _spread(name, value)
        else:
            found[name] = "; ".join(map(str, value)) if isinstance(value, tuple) else value
    return found


def _spread(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high, f"{name}_n": estimate.n,
        f"{name}_reason": estimate.reason, f"{name}_method": estimate.method,
    }  # fmt: skip


def _table(rows: Any) -> pd.DataFrame:
    return pd.DataFrame(list(rows))
