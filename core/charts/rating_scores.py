"""Scores by criterion: how often each level was given, and the paired differences to the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.preference import diverging_parts
from core.charts.stacked_bars import Bar, stacked_bars
from core.charts.theme import Mode
from core.notation import p_text, percent
from core.ratings.analysis.results import ScoreRow, StudyAnalysis
from core.ratings.records import SCORE_RANGE
from core.wording.ratings import in_one, number_texts


def level_bars(rows: Sequence[ScoreRow], low: str, high: str, mode: Mode = "light") -> go.Figure:
    """Draw how often each level was given, one bar a variant.

    Args:
        rows: of one criterion, at least one.
        low: what the lowest level means, plain text; may be empty.
        high: what the highest means.
        mode: light or dark.
    """
    first, last = SCORE_RANGE
    names = tuple(str(level) for level in range(first, last + 1))
    bars = [Bar(row.variant, row.levels) for row in rows]
    ends = f"{first}: {low}, {last}: {high}" if low and high else f"{first} is the lowest, {last} the highest"
    return stacked_bars(bars, diverging_parts(names, mode), f"{rows[0].label}: answers by level", ends, "answers", mode)


def score_differences(
    analysis: StudyAnalysis, rows: Sequence[ScoreRow], colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw each variant's mean difference to the reference, criterion by criterion.

    Args:
        analysis: of the study.
        rows: those with a difference, at least one.
        colours: of the variants.
        mode: light or dark.
    """
    several = len({row.variant for row in rows}) > 1
    points = []
    for row in rows:
        found = row.difference
        if found is None:
            continue
        text = in_one(number_texts(found, signed=True), found)
        p = f"{p_text(row.p)}, {p_text(row.p_adjusted)} adjusted" if row.p is not None else ""
        points.append(IntervalRow(
            row.variant if several else row.label, found.value, found.low, found.high, text,
            tuple(filter(None, (text, p, f"n = {found.n:,} examples, {found.method}"))), colours[row.variant],
            filled=row.p_adjusted is not None and row.p_adjusted < 1 - analysis.level, group=row.label if several else "",
        ))  # fmt: skip
    who = "Score differences" if several else f"{rows[0].variant}: score differences"
    subtitle = f"{percent(analysis.level)} intervals, paired by example; filled: told apart after Holm's correction"
    scale = Scale(f"mean score minus {analysis.reference}'s (levels); further right is better", 0.0)
    return interval_chart(points, f"{who} to {analysis.reference}", subtitle, scale, mode)
