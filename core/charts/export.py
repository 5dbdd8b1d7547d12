"""Figures and tables to files: PNG, SVG and PDF through kaleido, self-contained HTML, and CSV that a spreadsheet cannot execute."""

from __future__ import annotations

import csv
import html
import io
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from core.errors import RunError

_RENDERER = threading.Lock()
"""Kaleido mixes up the results of calls that overlap: one figure is rendered at a time."""
ImageKind = Literal["png", "svg", "pdf"]
WIDTH = 1100

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet set to Chinese or Japanese reads the full-width signs as the plain ones."""
_NO_BROWSER = (
    "PNG, SVG and PDF are drawn by Chrome or Chromium, and none was found. Install one (Debian: apt install chromium; or run "
    "plotly_get_chrome), or use the camera above the chart or the HTML export: both need nothing installed."
)


@dataclass(frozen=True)
class Picture:
    """A figure and how it is to be drawn."""

    figure: go.Figure
    """Is not changed."""
    kind: ImageKind
    width: int = WIDTH
    """Pixels before scaling."""
    height: int | None = None
    """Pixels before scaling; by default the figure's own."""
    scale: float = 2.0
    """Pixels a pixel, PNG only."""


def to_image(
    figure: go.Figure, kind: ImageKind, width: int = WIDTH, height: int | None = None, scale: float = 2.0
) -> bytes:
    """Return a figure as PNG, SVG or PDF; arguments as of `Picture`.

    Raises:
        RunError: no Chrome or Chromium was found, which draws the picture.
    """
    with _RENDERER:
        return _rendered(Picture(figure, kind, width, height, scale), is_open=False)


def to_images(pictures: Iterable[Picture]) -> Iterator[bytes]:
    """Yield pictures in their order, drawn by one browser that is opened for all of them and closed at the end.

    Others who want a picture wait until the last one was taken, or the iterator is closed.

    Raises:
        RunError: no Chrome or Chromium was found, which draws the pictures.
    """
    import kaleido

    if not browser_found():
        raise RunError(_NO_BROWSER)
    with _RENDERER:
        kaleido.start_sync_server(silence_warnings=True, n=1, mathjax=False)
        try:
            for picture in pictures:
                yield _rendered(picture, is_open=True)
        finally:
            kaleido.stop_sync_server(silence_warnings=True)


def _rendered(picture: Picture, *, is_open: bool) -> bytes:
    import kaleido
    from kaleido.errors import ChromeNotFoundError

    whole = picture.figure.to_dict()
    asked = {
        "format": picture.kind, "width": picture.width, "height": picture.height or whole["layout"].get("height", 450),
        "scale": picture.scale if picture.kind == "png" else 1,
    }  # fmt: skip
    # An open browser has its options already. Without them a new one would fetch MathJax, which no chart here needs.
    alone: dict[str, Any] = {} if is_open else {"kopts": {"mathjax": False}}
    try:
        return kaleido.calc_fig_sync(whole, opts=asked, **alone)
    except ChromeNotFoundError as error:
        raise RunError(_NO_BROWSER) from error


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
    """Tell whether there is a Chrome or Chromium that can draw PNG, SVG and PDF."""
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False) is not None
