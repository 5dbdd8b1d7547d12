"""Differences between configurations that differ in one factor alone, grouped by that factor, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.ablation.records import OneFactor, Outcome
from core.charts.factor_words import difference_unit, direction_of, interval_text, short_level, shown
from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.theme import Mode
from core.notation import MARKS, MEANINGS, p_text, percent

_NAME_CHARACTERS = 32


def one_factor_forest(
    pairs: Sequence[OneFactor], outcome: Outcome, level: float, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw one row a pair, the factors as groups: hollow where two adapters differ, filled where the factor does over seeds.

    Args:
        pairs: at least one.
        outcome: the metric.
        level: of the intervals.
        colours: by variant; a row about a factor has the text's colour.
        mode: light or dark.
    """
    counts = sorted({pair.n for pair in pairs if pair.difference is not None})
    n = "" if not counts else f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    reading = [
        n, f"{percent(level)} intervals", "filled: the factor, over seeds; hollow: these two adapters alone",
        "▲ ▼ told apart; p adjusted (Benjamini-Hochberg)",
    ]  # fmt: skip
    unit, arrow = difference_unit(outcome), direction_of(outcome)
    axis = f"Difference of {' '.join(filter(None, (outcome.label, arrow)))}{f', {unit}' if unit else ''}"
    choices = {pair.factor_label for pair in pairs}
    what = f"{pairs[0].factor_label} changed alone" if len(choices) == 1 else "one choice changed at a time"
    return interval_chart(
        [_row(pair, outcome, colours) for pair in pairs],
        f"{outcome.task}: {outcome.label}, {what}", "; ".join(filter(None, reading)), Scale(axis, 0.0), mode,
    )  # fmt: skip


def pair_name(pair: OneFactor) -> str:
    """Return what is compared: ``32 against 8``, and where levels are too long for that the configurations' names."""
    told = f"{pair.level_b} against {pair.level_a}"
    if len(told) <= _NAME_CHARACTERS:
        return told
    shortened = f"{short_level(pair.b, 15)} against {short_level(pair.a, 15)}"
    return f"{pair.b} against {pair.a}" if len(f"{pair.b} against {pair.a}") <= _NAME_CHARACTERS else shortened


def _row(pair: OneFactor, outcome: Outcome, colours: Mapping[str, str]) -> IntervalRow:
    if pair.difference is None:
        return IntervalRow(
            pair_name(pair), None, text="no value", hover=(pair.reason or "not known why",), group=pair.factor_label
        )
    value, low, high = (shown(x, outcome) for x in (pair.difference, pair.low, pair.high))
    numbers = interval_text(pair.difference, pair.low, pair.high, outcome, signed=True)
    mark = "" if pair.verdict == "none" else MARKS[pair.verdict]
    adjusted = p_text(pair.p_adjusted)
    hover = (
        pair.statement, f"{mark} {numbers} {difference_unit(outcome)}".strip(), _meaning(pair),
        f"{adjusted} adjusted, {p_text(pair.p)} unadjusted" if adjusted else "",
        f"n = {pair.n:,} examples; {' + '.join(pair.variants_b)} minus {' + '.join(pair.variants_a)}", pair.method, pair.seed_note,
    )  # fmt: skip
    is_factor = pair.kind == "factor"
    return IntervalRow(
        pair_name(pair), value, low, high, f"{mark} {numbers} {adjusted}".strip(), tuple(line for line in hover if line),
        None if is_factor else colours.get(pair.variants_b[0] if pair.variants_b else pair.b), is_factor, pair.factor_label,
    )  # fmt: skip


def _meaning(pair: OneFactor) -> str:
    meaning = MEANINGS[pair.verdict].replace("the reference", pair.level_a)
    return meaning + (
        f", over {pair.n_seeds_b} and {pair.n_seeds_a} seeds" if pair.kind == "factor" else ", these two adapters"
    )
