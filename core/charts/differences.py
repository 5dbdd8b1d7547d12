"""How the examples of one metric moved: a histogram of paired differences, and wins, ties and losses of every variant."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from core.charts.stacked_bars import Bar, Part, stacked_bars
from core.charts.theme import PALETTES, Mode, escape, styled
from core.diagnostics.paired import Outcomes, PairedDifferences
from core.metrics.metric import Unit
from core.notation import UNIT_NAMES, decimals, in_shown_unit, number_text


def difference_histogram(
    found: PairedDifferences, reference: str, variant: str, title: str, unit: Unit = "number",
    higher_is_better: bool = True, mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """Draw how many examples moved by how much; the ties are said in words, since their bar would hide the others.

    A bar's customdata is ``[low, high]`` in the metric's unit, see `core.diagnostics.paired.in_bin`.

    Args:
        found: of one metric and variant.
        reference: its name.
        variant: its name.
        title: plain text.
        unit: the metric's.
        higher_is_better: which side of zero is blue.
        mode: light or dark.
    """
    colours, figure = PALETTES[mode], go.Figure()
    name = "points" if UNIT_NAMES[unit] == "%" else UNIT_NAMES[unit]
    edges = [in_shown_unit(float(edge), unit) for edge in found.edges]
    bounds = list(zip(found.edges[:-1].tolist(), found.edges[1:].tolist(), strict=True))
    shown = list(zip(edges[:-1], edges[1:], strict=True))
    places = decimals(edges, unit)
    spans = [
        f"{number_text(low, places, True)} to {number_text(high, places, True)} {name}".strip() for low, high in shown
    ]
    figure.add_trace(go.Bar(
        x=[(low + high) / 2 for low, high in shown], y=found.counts.tolist(), width=[high - low for low, high in shown],
        customdata=[list(pair) for pair in bounds],
        marker={"color": [colours.better if (low >= 0) == higher_is_better else colours.worse for low, _ in bounds],
                "line": {"width": 1, "color": colours.paper}},
        hovertext=[f"<b>{count:,} examples</b><br>{escape(span)}" for count, span in zip(found.counts, spans, strict=True)],
        hoverinfo="text",
    ))  # fmt: skip
    figure.add_vline(x=0, line={"width": 1, "color": colours.muted})
    if found.mean is not None and edges:
        mean = in_shown_unit(found.mean, unit)
        figure.add_vline(x=mean, line={"width": 1.5, "color": colours.text, "dash": "dash"})
        figure.add_annotation(
            x=mean, y=1, yref="paper", yanchor="bottom", showarrow=False, font={"size": 12, "color": colours.text},
            text=f"mean {number_text(mean, decimals([mean], unit), True)}",
        )  # fmt: skip
    unit_name = f" ({name})" if name else ""
    side = "right" if higher_is_better else "left"
    figure.update_xaxes(title=f"{escape(variant)} minus {escape(reference)}{unit_name}, better to the {side}")
    figure.update_yaxes(title="examples", rangemode="tozero", tickformat=",d")
    better, worse = (found.n_up, found.n_down) if higher_is_better else (found.n_down, found.n_up)
    missing = f"; {found.n_missing:,} without a value" if found.n_missing else ""
    ties = f"{found.n_ties:,} {'tie is' if found.n_ties == 1 else 'ties are'} not drawn" if found.n_ties else "no ties"
    subtitle = f"n = {found.n:,}: {better:,} better, {worse:,} worse; {ties}{missing}"
    if not edges:
        figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, text="no example moved")
    styled(figure, mode, title, subtitle, 360)
    return figure.update_layout(bargap=0, margin={"t": 92})


def difference_data(found: PairedDifferences) -> pd.DataFrame:
    """Return one row a bin, and one of the ties, in the metric's unit."""
    rows = zip(found.edges[:-1].tolist(), found.edges[1:].tolist(), found.counts.tolist(), strict=True)
    return pd.DataFrame([*rows, (0.0, 0.0, found.n_ties)], columns=["low", "high", "examples"])


def win_tie_loss_bars(found: Sequence[Outcomes], reference: str, title: str, mode: Mode = "light") -> go.Figure:
    """Draw each variant's shares of wins, ties and losses against the reference; a part's customdata is ``[variant, outcome]``."""
    colours = PALETTES[mode]
    parts = [
        Part("win", colours.better, colours.paper), Part("tie", colours.neutral_fill, colours.text),
        Part("loss", colours.worse, colours.paper),
    ]  # fmt: skip
    bars = [Bar(one.variant, (one.wins, one.ties, one.losses)) for one in found]
    counts = sorted({one.wins + one.ties + one.losses for one in found})
    n = f"n = {counts[0]:,}" if len(counts) == 1 else f"n = {counts[0]:,} to {counts[-1]:,}" if counts else "n = 0"
    figure = stacked_bars(bars, parts, title, f"{n} examples, each against {reference}", "examples", mode)
    for part in parts:
        figure.update_traces(customdata=[[one.variant, part.name] for one in found], selector={"name": part.name})
    return figure


def win_tie_loss_data(found: Sequence[Outcomes]) -> pd.DataFrame:
    """Return one row a variant."""
    return pd.DataFrame([vars(one) for one in found])
