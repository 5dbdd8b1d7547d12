"""What people said of a run's variants, study by study: decisive win rates with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import plotly.graph_objects as go

from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.theme import Mode, variant_colours
from core.ratings.analysis.results import HumanPreference
from core.wording.ratings import e_text, in_one, share_texts


def human_preference_chart(
    found: Sequence[HumanPreference], variants: Sequence[str], mode: Mode = "light"
) -> go.Figure:
    """Draw each variant's decisive win rate in each study.

    Args:
        found: at least one.
        variants: all of the run, in workspace order, for their colours.
        mode: light or dark.
    """
    colours, rows = variant_colours(variants, mode), []
    criteria = {one.criterion for one in found}
    for one in found:
        rate = one.win_rate
        value, low, high = (None if x is None else 100 * x for x in (rate.value, rate.low, rate.high))
        text = in_one(share_texts(rate), rate)
        hover = (
            f"{text} of {rate.n:,} decisive verdicts",
            f"e-value {e_text(one.e_value)}",
            f"raters: {one.n_raters:,}",
        )
        what = f", {one.criterion}" if len(criteria) > 1 else ""
        told = low is not None and high is not None and not low <= 50.0 <= high
        rows.append(IntervalRow(
            f"{one.variant} against {one.against}{what}", value, low, high, text, hover, colours.get(one.variant), filled=told,
            group=f"{one.title} ({'closed' if one.closed else 'open'})",
        ))  # fmt: skip
    subtitle = "intervals of one look at the end; hollow: 50 % lies within"
    return interval_chart(
        rows, "Preferred by people", subtitle, Scale("% of decisive verdicts won", 50.0, (0.0, 100.0)), mode
    )


def human_preference_table(found: Sequence[HumanPreference]) -> pd.DataFrame:
    """Return one row a study, variant and criterion: win rate with interval, e-value, agreement."""
    rows = []
    for one in found:
        row = {name: value for name, value in asdict(one).items() if name not in ("win_rate", "difference", "sentence")}
        for name, estimate in (("win_rate", one.win_rate), ("difference", one.difference)):
            for field in ("value", "low", "high", "n", "reason"):
                row[f"{name}_{field}"] = getattr(estimate, field) if estimate is not None else None
        rows.append(row)
    return pd.DataFrame(rows)
