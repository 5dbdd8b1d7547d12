"""Confusion matrices of two variants over the same examples, and their difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.theme import PALETTES, Mode, escape, styled
from core.diagnostics.answers import REST, ConfusionPair
from core.notation import number_text

_LONGEST = 18
_WRITTEN_UP_TO = 14
"""Labels up to which a cell has room for its count."""


def confusion_figure(found: ConfusionPair, reference: str, variant: str, title: str, mode: Mode = "light") -> go.Figure:
    """Draw the two matrices and the difference beside each other; rows are the true labels, columns the answers.

    A cell's customdata is ``[variant, true label, answer]``; one of the difference is the variant's. Cells of labels that were
    put together have none.
    """
    colours, names = PALETTES[mode], (reference, variant)
    titles = [escape(reference), escape(variant), f"{escape(variant)} minus {escape(reference)}"]
    figure = make_subplots(rows=1, cols=3, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.02)
    counts = [found.reference, found.variant, found.difference]
    most = max(1, int(max(counts[0].max(initial=0), counts[1].max(initial=0))))
    step = max(1, int(np.abs(counts[2]).max(initial=0)))
    one_way = [[0, colours.paper], [1, colours.baseline]]
    two_way = [[0, colours.worse], [0.5, colours.paper], [1, colours.better]]
    right = _good(found)
    for place, cells in enumerate(counts):
        # More is better on the diagonal and worse beside it.
        z = cells * right if place == 2 else cells
        figure.add_trace(
            go.Heatmap(
                z=z, zmin=-step if place == 2 else 0, zmax=step if place == 2 else most, showscale=False, hoverinfo="skip",
                colorscale=two_way if place == 2 else one_way, xgap=1, ygap=1,
            ),
            row=1, col=place + 1,
        )  # fmt: skip
        figure.add_trace(_cells(found, cells, names[min(place, 1)], place == 2, colours.text), row=1, col=place + 1)
    _axes(figure, found, colours.text)
    missing = f"; {found.n_missing:,} without both answers" if found.n_missing else ""
    reading = "rows are true labels, columns answers; blue: more right or fewer wrong"
    styled(figure, mode, title, f"n = {found.n:,} examples{missing}; {reading}", 240 + 30 * len(found.rows))
    figure.update_annotations(font={"size": 13})
    return figure.update_layout(margin={"t": 104, "b": 90})


def confusion_data(found: ConfusionPair, reference: str, variant: str) -> pd.DataFrame:
    """Return one row a cell."""
    return pd.DataFrame([
        {"true": true, "answer": answer, reference: int(found.reference[row, column]), variant: int(found.variant[row, column]),
         "difference": int(found.difference[row, column])}
        for row, true in enumerate(found.rows) for column, answer in enumerate(found.columns)
    ])  # fmt: skip


def _good(found: ConfusionPair) -> np.ndarray:
    return np.where([[row == column and row != REST for column in found.columns] for row in found.rows], 1, -1)


def _cells(found: ConfusionPair, cells: np.ndarray, variant: str, signed: bool, colour: str) -> go.Scatter:
    """Return the texts, hovers and clicks of a matrix."""
    places = [(row, column) for row in range(len(found.rows)) for column in range(len(found.columns))]
    written = len(found.columns) <= _WRITTEN_UP_TO
    numbers = [int(cells[place]) for place in places]
    texts = [number_text(one, 0, signed) if one and written else "" for one in numbers]
    labels = [(found.rows[row], found.columns[column]) for row, column in places]
    return go.Scatter(
        x=[column for _, column in places], y=[row for row, _ in places], mode="markers+text", text=texts,
        marker={"size": 26, "opacity": 0, "symbol": "square"}, textfont={"size": 12, "color": colour},
        customdata=[None if REST in pair else [variant, *pair] for pair in labels], hoverinfo="text",
        hovertext=[f"<b>{number_text(one, 0, signed)}</b> examples<br>true: {escape(true)}<br>answer: {escape(answer)}"
                   for one, (true, answer) in zip(numbers, labels, strict=True)],
    )  # fmt: skip


def _axes(figure: go.Figure, found: ConfusionPair, colour: str) -> None:
    plain = {"showgrid": False, "zeroline": False, "tickfont": {"size": 11.5, "color": colour}}
    figure.update_xaxes(
        **plain, tickvals=list(range(len(found.columns))), ticktext=_short(found.columns), tickangle=-40,
        range=[-0.5, len(found.columns) - 0.5],
    )  # fmt: skip
    figure.update_yaxes(
        **plain, tickvals=list(range(len(found.rows))), ticktext=_short(found.rows), range=[len(found.rows) - 0.5, -0.5]
    )


def _short(labels: Sequence[str]) -> list[str]:
    return [escape(label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…") for label in labels]
