"""Figures and tables to files: PNG and SVG through kaleido, self-contained HTML, and CSV that a spreadsheet cannot execute."""

from __future__ import annotations

import csv
import html
import io
import threading
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from core.errors import RunError

_RENDERER = threading.Lock()
"""Kaleido mixes up the results of calls that overlap: one figure is rendered at a time."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_image(
    figure: go.Figure, kind: Literal["png", "svg"], width: int = 1100, height: int | None = None, scale: float = 2.0
) -> bytes:
    """Return a figure as PNG or SVG.

    Args:
        figure: is not changed.
        kind: png or svg.
        width: pixels before scaling.
        height: pixels before scaling; by default the figure's own.
        scale: pixels a pixel, PNG only.

    Raises:
        RunError: no Chrome or Chromium was found, which draws the picture.
    """
    with _RENDERER:
        try:
            return figure.to_image(
                format=kind,
                width=width,
                height=height or figure.to_dict()["layout"].get("height", 450),
                scale=scale if kind == "png" else 1,
            )
        except Exception as error:
            if "chrome" not in str(error).lower():
                raise
            raise RunError(
                "PNG and SVG are drawn by Chrome or Chromium, and none was found. Install one (Debian: apt install "
                "chromium; or run plotly_get_chrome), or use the camera above the chart or the HTML export: both "
                "need nothing installed."
            ) from error


def to_html(figure: go.Figure, title: str) -> str:
    """Return a page with the figure and plotly.js inside: it needs no network and no other file."""
    whole = figure.to_html(include_plotlyjs=True, full_html=True, include_mathjax=False, config={"displaylogo": False})
    return whole.replace("<head>", f"<head>\n    <title>{html.escape(title)}</title>", 1)


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV (RFC 4180) in which no text can be taken for a formula by a spreadsheet.

    Text that begins with = + - @, a tab or a carriage return gets an apostrophe in front (OWASP, "CSV injection"); numbers
    stay numbers, and a missing value is empty. The index is left out.
    """
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow([_safe(str(name)) for name in table.columns])
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_safe(cell) for cell in row])
    return sink.getvalue()


def _safe(cell: Any) -> Any:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
    return "" if cell is None or pd.isna(cell) else cell


def browser_found() -> bool:
    """Tell whether there is a Chrome or Chromium that can draw PNG and SVG."""
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False) is not None
