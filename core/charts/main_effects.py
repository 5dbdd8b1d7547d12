"""What each factor's levels gave: small multiples of main effects, and the metric along a dose with the baseline's band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.ablation.records import Factor, FactorLevel, MainEffect, Outcome, Summary, Trend
from core.charts.factor_levels import Band, IntervalOf, LevelPanel, LevelPoint, LevelWords, level_panels
from core.charts.factor_words import interval_text, outcome_heading, short_level, shown
from core.charts.theme import Mode
from core.notation import percent
from core.results import Value

_INTERVAL_OF: dict[str | None, IntervalOf] = {"seeds": "seeds", "one seed": "examples"}
READING = "dots: runs; filled with a thick line: three seeds or more; hollow with a thin one: examples alone, seed variance unknown"


def main_effect_panels(
    effects: Sequence[MainEffect], outcome: Outcome, level: float, n: int, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:  # fmt: skip
    """Draw a panel for each factor.

    Args:
        effects: at least one.
        outcome: the metric.
        level: of the intervals.
        n: examples.
        colours: by variant.
        mode: light or dark.
    """
    panels = [_panel(effect.factor, effect.levels, outcome) for effect in effects]
    words = LevelWords(
        f"{outcome.task}: {outcome.label} by the levels of each choice",
        f"n = {n}; {percent(level)} intervals; {READING}", outcome_heading(outcome),
    )  # fmt: skip
    return level_panels(panels, colours, words, None, mode)


def dose_curve(
    trend: Trend, outcome: Outcome, level: float, baseline: Value | None, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:  # fmt: skip
    """Draw the metric along a factor's ordered levels, with the baseline's value and interval behind it.

    Args:
        trend: of the factor.
        outcome: the metric.
        level: of the intervals.
        baseline: its value; None leaves the band out.
        colours: by variant.
        mode: light or dark.
    """
    panel = _panel(trend.factor, [(point.level, point.summary) for point in trend.points], outcome)
    band = None
    if baseline is not None and (value := shown(baseline.value, outcome)) is not None:
        band = Band("baseline", value, shown(baseline.low, outcome), shown(baseline.high, outcome))
    behind = "" if band is None else "grey: the baseline"
    reading = "; ".join(filter(None, (f"n = {trend.n}", f"{percent(level)} intervals", behind, READING)))
    words = LevelWords(f"{outcome.task}: {outcome.label} along {trend.factor.label}", reading, outcome_heading(outcome))
    return level_panels([panel], colours, words, band, mode, connect=True)


def _panel(factor: Factor, levels: Sequence[tuple[FactorLevel, Summary]], outcome: Outcome) -> LevelPanel:
    points = tuple(_point(level, summary, outcome, factor.numeric) for level, summary in levels)
    return LevelPanel(factor.label, points, factor.log)


def _point(level: FactorLevel, summary: Summary, outcome: Outcome, numeric: bool) -> LevelPoint:
    runs = {dot.variant: shown(dot.value, outcome) or 0.0 for dot in summary.dots}
    told = interval_text(summary.mean, summary.low, summary.high, outcome)
    return LevelPoint(
        short_level(level.text), runs, shown(summary.mean, outcome), shown(summary.low, outcome), shown(summary.high, outcome),
        _INTERVAL_OF.get(summary.spread, "none"), level.dose if numeric else None,
        (*([level.text] if short_level(level.text) != level.text else []), f"{told}, {summary.label}"),
    )  # fmt: skip
