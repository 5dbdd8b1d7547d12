"""Who is preferred: verdicts of each pair as one bar, wins of all against all, and strengths with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.stacked_bars import Bar, Part, stacked_bars
from core.charts.theme import PALETTES, Mode
from core.charts.win_matrix import WinCell, win_matrix
from core.notation import percent
from core.ratings.analysis.results import PreferenceAnalysis, StudyAnalysis
from core.ratings.records import PREFERENCE
from core.wording.ratings import in_one, number_texts, pair_name, ranks_text, share_texts

_ON_VARIANT = "#11161C"
"""Reads on all of the palette's colours in both modes."""
_WHITE = "#FFFFFF"
_DARK_FILLS = ("#0072B2", "#D55E00", "#009E73", "#8A7A00", "#1F2933", "#7B8794")
_GRADES = ("much better", "better", "a little better", "equal", "a little worse", "worse", "much worse")


def verdict_bars(
    analysis: StudyAnalysis, preference: PreferenceAnalysis, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw each pair's verdicts as one bar: won, tie, both bad, lost; one verdict an item.

    Args:
        analysis: of the study.
        preference: by one criterion, with a pair at least.
        colours: of the variants.
        mode: light or dark.
    """
    pairs, palette = preference.pairs, PALETTES[mode]
    named = dict.fromkeys(name for pair in pairs for name in (pair.variant, pair.against))
    winners = [name for name in named if any(pair.variant == name for pair in pairs)]
    losers = [name for name in named if any(pair.against == name for pair in pairs)]
    won = [Part(f"{name} preferred", colours[name], _on(colours[name])) for name in winners]
    lost = [Part(f"{name} preferred", colours[name], _on(colours[name])) for name in losers]
    middle = [Part("tie", palette.grid, palette.text), Part("both bad", palette.grid, palette.text, hatched=True)]
    if analysis.mode != "pair" or not any(pair.both_bad for pair in pairs):
        middle = middle[:1]
    bars = [
        Bar(pair_name(pair, pairs), (
            *(pair.wins if pair.variant == name else 0 for name in winners), pair.ties, *([pair.both_bad] if len(middle) > 1 else []),
            *(pair.losses if pair.against == name else 0 for name in losers),
        ))
        for pair in pairs
    ]  # fmt: skip
    subtitle = (
        "one verdict an item, of the majority of its raters" if analysis.counts.n_raters > 1 else "one verdict an item"
    )
    title = _pairs_title("Verdicts", preference)
    return stacked_bars(bars, [*won, *middle, *lost], title, subtitle, "verdicts", mode, named=len(pairs) > 1)


def grade_bars(preference: PreferenceAnalysis, mode: Mode = "light") -> go.Figure:
    """Draw how often each grade from -3 to 3 was given in each pair, from much better to much worse."""
    pairs = preference.pairs
    parts = [Part(name, *colour) for name, colour in zip(_GRADES, _diverging(mode, 7), strict=True)]
    bars = [
        Bar(f"{pair.variant} against {pair.against}", tuple(reversed(pair.grades))) for pair in pairs if pair.grades
    ]
    return stacked_bars(bars, parts, "Grades, all answers", "of the first variant against the second", "answers", mode)


def wins_of_all(analysis: StudyAnalysis, preference: PreferenceAnalysis, mode: Mode = "light") -> go.Figure:
    """Draw the matrix of decisive win rates, rows against columns, strongest first where strengths are known."""
    strengths = preference.strengths
    names = [one.variant for one in strengths.variants] if strengths else list(analysis.variants)
    place = {name: at for at, name in enumerate(analysis.variants)}
    cells = []
    for row in names:
        for column in names:
            found = preference.matrix[place[row]][place[column]]
            if found is None:
                continue
            value, interval = share_texts(found)
            told = found.low is not None and found.high is not None and not found.low <= 0.5 <= found.high
            hover = (in_one((value, interval), found), f"{found.n:,} decisive verdicts")
            cells.append(WinCell(row, column, found.value, value, hover, told))
    subtitle = f"% of decisive verdicts that the row won; coloured where the {percent(analysis.level)} interval leaves out 50 %"
    return win_matrix(cells, names, "Wins of the row against the column", subtitle, mode)


def strengths_chart(
    analysis: StudyAnalysis, preference: PreferenceAnalysis, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw the strengths of three and more variants, strongest first; `PreferenceAnalysis.strengths` must be there."""
    found = preference.strengths
    rows = []
    for one in found.variants if found else ():
        ranks = ranks_text(one)
        rank = f"rank {one.rank}{f' ({ranks})' if ranks != str(one.rank) else ''}" if ranks else ""
        strength = in_one(number_texts(one.strength, signed=True), one.strength)
        elo = in_one(number_texts(one.elo, 0), one.elo)
        hover = (f"strength {strength}", f"Elo scale {elo}", rank, f"{one.strength.n:,} comparisons")
        rows.append(IntervalRow(
            one.variant, one.strength.value, one.strength.low, one.strength.high, rank or strength,
            hover, colours[one.variant],
        ))  # fmt: skip
    subtitle = (
        f"Davidson's model; {percent(analysis.level)} intervals by example; beside: rank and the ranks it may have"
    )
    scale = Scale("strength: log-odds of being preferred to the middle of all", 0.0)
    return interval_chart(rows, _title("Strengths", preference), subtitle, scale, mode)


def decisive_chart(
    analysis: StudyAnalysis, preference: PreferenceAnalysis, colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw each pair's decisive win rate, as it is and between answers of equal length."""
    rows = []
    for pair in preference.pairs:
        for name, found in (("as it is", pair.decisive), ("at equal length", pair.length_controlled)):
            rows.append(IntervalRow(
                name, _percent(found.value), _percent(found.low), _percent(found.high), in_one(share_texts(found), found),
                (in_one(share_texts(found), found), f"{found.n:,} decisive verdicts", found.method), colours[pair.variant],
                filled=_leaves_out_half(found.low, found.high), group=f"{pair.variant} against {pair.against}",
            ))  # fmt: skip
    subtitle = f"{percent(analysis.level)} intervals; hollow: 50 % lies within"
    title = _pairs_title("Decisive win rate", preference)
    return interval_chart(rows, title, subtitle, Scale("% of decisive verdicts won", 50.0, (0.0, 100.0)), mode)


def _title(what: str, preference: PreferenceAnalysis) -> str:
    """Return a title that names the criterion, unless it is the only one there is of itself."""
    return what if preference.criterion == PREFERENCE.name else f"{what} by {preference.label.lower()}"


def _pairs_title(what: str, preference: PreferenceAnalysis) -> str:
    """Return a title that names the pair where there is one, or the other side where all pairs have the same."""
    pairs, title = preference.pairs, _title(what, preference)
    if len(pairs) == 1:
        return f"{title}: {pairs[0].variant} against {pairs[0].against}"
    return f"{title} against {pairs[0].against}" if len({pair.against for pair in pairs}) == 1 else title


def diverging_parts(names: tuple[str, ...], mode: Mode) -> list[Part]:
    """Return parts from worst to best, orange to blue with grey in the middle: for levels of a scale."""
    return [Part(name, *colour) for name, colour in zip(names, reversed(_diverging(mode, len(names))), strict=True)]


def _diverging(mode: Mode, n: int) -> list[tuple[str, str]]:
    """Return colours from best to worst, each with what is written on it."""
    palette = PALETTES[mode]
    half = n // 2
    blue, orange = _shades(palette.better, palette.paper, half), _shades(palette.worse, palette.paper, half)
    middle = [(palette.grid, palette.text)] if n % 2 else []
    on = [_WHITE if mode == "light" else _ON_VARIANT] + [palette.text] * (half - 1)
    return [*zip(blue, on, strict=True), *middle, *reversed(list(zip(orange, on, strict=True)))]


def _shades(colour: str, paper: str, n: int) -> list[str]:
    """Return n mixtures of a colour with the paper, the strongest first."""
    first, last = ([int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in (colour, paper))
    shares = [step / (n + 0.4) for step in range(n)]
    mixed = [[round(a + (b - a) * share) for a, b in zip(first, last, strict=True)] for share in shares]
    return ["#" + "".join(f"{part:02X}" for part in one) for one in mixed]


def _on(colour: str) -> str:
    return _WHITE if colour.upper() in _DARK_FILLS else _ON_VARIANT


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _leaves_out_half(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and not low <= 0.5 <= high
