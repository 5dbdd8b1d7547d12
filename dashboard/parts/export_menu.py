"""The same small menu beside every chart and table: PNG in three sizes, SVG, PDF, self-contained HTML and CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.charts.export import browser_found, to_csv, to_html, to_image

_SCALES, _USUAL = (1, 2, 4), 2
"""Pixels a pixel of a PNG."""
_CONFIG = {"displayModeBar": False, "scrollZoom": False}


def chart(
    figure: go.Figure,
    name: str,
    file_stem: str,
    data: Callable[[], pd.DataFrame],
    select: bool = False,
    alt: str = "",
    on_pick: Callable[[Any], None] | None = None,
    on_box: Callable[[Sequence[float], Sequence[float]], None] | None = None,
) -> list[dict[str, Any]]:
    """Show a chart with its export menu and return the points that were clicked.

    Args:
        figure: drawn in its own colours.
        name: names the element on its page and ends the files' names.
        file_stem: begins the files' names; the run's id.
        data: makes the table behind the chart, when it is asked for.
        select: whether a click on a point should rerun the page.
        alt: what the chart shows, for screen readers.
        on_pick: called with the customdata of a point that was clicked, before the page is drawn again.
        on_box: called with the left and right and the lower and upper end of a box that was drawn; its points are then not
            returned as clicked ones.
    """
    key = f"figure-{name}"
    if on_box is not None:
        figure.update_layout(dragmode="select")

    def picked() -> None:
        points, boxes = st.session_state[key].selection.points, st.session_state[key].selection.get("box")
        if on_box is not None and boxes:
            on_box(sorted(boxes[0]["x"]), sorted(boxes[0]["y"]))
            return
        if on_pick is not None and points:
            on_pick(points[0].get("customdata"))

    with st.container(key=f"chart-{name}"):
        export_menu(name, f"{file_stem}-{name}", data, lambda: figure)
        state: Any = st.plotly_chart(
            figure, theme=None, key=key, config=_CONFIG, alt=alt or None, width="stretch",
            on_select=picked if on_pick or on_box else "rerun" if select else "ignore",
            selection_mode=("points", "box") if on_box else "points",
        )  # fmt: skip
    return list(state.selection.points) if select and not (on_box and state.selection.get("box")) else []


def export_menu(
    name: str, file_stem: str, data: Callable[[], pd.DataFrame], figure: Callable[[], go.Figure] | None = None
) -> None:
    """Draw the menu; every file, and a figure that is only for it, is made when it is asked for."""
    with st.container(key=f"menu-{name}"), st.popover("Export", type="tertiary", width="content"):
        if figure is not None:
            figure_buttons(name, file_stem, figure)
        csv_button("CSV of the data" if figure is not None else "CSV", name, file_stem, data)


def csv_button(label: str, name: str, file_stem: str, data: Callable[[], pd.DataFrame]) -> None:
    """Draw the button that gives a table as CSV."""
    st.download_button(
        label, data=lambda: to_csv(data()).encode("utf-8-sig", "replace"), file_name=f"{file_stem}.csv", mime="text/csv",
        on_click="ignore", key=f"csv-{name}", width="stretch",
    )  # fmt: skip


def figure_buttons(name: str, file_stem: str, figure: Callable[[], go.Figure]) -> None:
    """Draw the buttons that give a figure as PNG, SVG and HTML; it is made when one of them is pressed."""
    drawable = browser_found()

    def button(key: str, label: str, ending: str, mime: str, make: Callable[[], bytes]) -> None:
        st.download_button(
            label, data=make, file_name=f"{file_stem}.{ending}", mime=mime, on_click="ignore", key=f"{key}-{name}",
            width="stretch", disabled=not drawable and ending != "html",
        )  # fmt: skip

    with st.container(horizontal=True, gap="small"):
        for scale in _SCALES:
            made = partial(lambda scale: to_image(figure(), "png", scale=scale), scale)
            key = "png" if scale == _USUAL else f"png{scale}"
            button(key, f"PNG {scale}×", "png", "image/png", made)
    button("svg", "SVG", "svg", "image/svg+xml", lambda: to_image(figure(), "svg"))
    button("pdf", "PDF", "pdf", "application/pdf", lambda: to_image(figure(), "pdf"))
    button("html", "HTML", "html", "text/html", lambda: to_html(figure(), file_stem).encode())
    if not drawable:
        st.caption(
            "PNG, SVG and PDF need Chrome or Chromium on this machine. The HTML page has a camera that saves PNG."
        )
