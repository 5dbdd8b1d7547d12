"""How far raters agree, which side each leans to, and which automatic metric orders pairs as they do."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.theme import PALETTES, Mode
from core.notation import p_text, percent
from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results import AgreementRow, MetricAgreement, Quality
from core.wording.ratings import in_one, number_texts, share_texts


def alpha_chart(rows: Sequence[AgreementRow], level: float, mode: Mode = "light") -> go.Figure:
    """Draw Krippendorff's alpha of each criterion, then Cohen's kappa of each pair of raters on it.

    Args:
        rows: at least one.
        level: of the intervals.
        mode: light or dark.
    """
    palette, points = PALETTES[mode], []
    for row in rows:
        alpha = row.alpha.alpha
        text = in_one(number_texts(alpha), alpha)
        hover = (f"alpha ({row.alpha.level}) {text}", f"{alpha.n:,} items with two answers and more", alpha.method)
        points.append(_number("all raters (alpha)", alpha, text, hover, palette.better, row.label))
        for pair in row.pairs:
            kappa = in_one(number_texts(pair.kappa), pair.kappa)
            hover = (
                f"kappa {kappa}",
                f"{pair.kappa.n:,} items of both",
                f"equal: {in_one(share_texts(pair.raw), pair.raw)}",
            )
            points.append(_number(f"{pair.first} and {pair.second}", pair.kappa, kappa, hover, None, row.label))
    subtitle = f"alpha of all, Cohen's kappa of two; {percent(level)} intervals; 0 is chance, 1 is always the same"
    scale = Scale("agreement beyond chance", 0.0, (-1.0, 1.0))
    return interval_chart(points, "How far the raters agree", subtitle, scale, mode)


def sides_chart(quality: Quality, level: float, mode: Mode = "light") -> go.Figure:
    """Draw each rater's share of left among decisive answers; there must be a rater."""
    palette = PALETTES[mode]
    rows = []
    for name, left, p, colour in (
        ("all raters", quality.left, quality.left_p, palette.better),
        *((rater.rater, rater.left, rater.left_p, None) for rater in quality.raters),
    ):
        text = in_one(share_texts(left), left)
        out = left.low is not None and left.high is not None and not left.low <= 0.5 <= left.high
        hover = tuple(filter(None, (text, p_text(p), f"{left.n:,} decisive answers", left.method)))
        rows.append(IntervalRow(name, *_percents(left), text, hover, colour, filled=out))
    subtitle = f"{percent(level)} intervals; 50 % is no lean; hollow: 50 % lies within"
    scale = Scale("% of decisive answers for the left side", 50.0, (0.0, 100.0))
    return interval_chart(rows, "Which side was chosen", subtitle, scale, mode)


def metrics_chart(rows: Sequence[MetricAgreement], level: float, most: int = 20, mode: Mode = "light") -> go.Figure:
    """Draw how often each metric orders two answers as the raters do, the best first.

    Args:
        rows: those with a value, at least one.
        level: of the intervals.
        most: how many are drawn.
        mode: light or dark.
    """
    runs, criteria = {row.run for row in rows}, {row.criterion for row in rows}
    points = []
    for row in rows[:most]:
        told = row.accuracy.low is not None and row.accuracy.low > 0.5
        text, tau = in_one(share_texts(row.accuracy), row.accuracy), in_one(number_texts(row.tau), row.tau)
        hover = (f"orders {text} of {row.accuracy.n:,} decided pairs as the raters do", f"Kendall's tau {tau}",
                 f"{row.n_tied:,} pairs that the metric leaves tied; {row.n_missing:,} without a value", f"run {row.run}")  # fmt: skip
        group = ", ".join(filter(None, (row.criterion if len(criteria) > 1 else "", row.run if len(runs) > 1 else "")))
        points.append(IntervalRow(
            f"{row.task}: {row.title}", *_percents(row.accuracy), text, hover, PALETTES[mode].better if told else None,
            filled=told, group=group,
        ))  # fmt: skip
    left_out = f"; {len(rows) - most:,} more in the table" if len(rows) > most else ""
    subtitle = f"{percent(level)} intervals; 50 % is chance; filled: better than chance{left_out}"
    scale = Scale("% of pairs decided by both that are ordered alike", 50.0, (0.0, 100.0))
    ordered = sorted(points, key=lambda point: point.group)  # stable: the best first within each group
    return interval_chart(ordered, "Which metric orders answers as the raters do", subtitle, scale, mode)


def _number(
    name: str, estimate: Estimate, text: str, hover: tuple[str, ...], colour: str | None, group: str
) -> IntervalRow:
    return IntervalRow(name, estimate.value, estimate.low, estimate.high, text, hover, colour, group=group)


def _percents(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    value, low, high = (None if x is None else 100 * x for x in (estimate.value, estimate.low, estimate.high))
    return value, low, high
