"""A metric over the levels of one factor: dots are runs, with a mean and its interval where seeds were repeated.

Small multiples of several factors, or one dose-response curve with the baseline's band.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.theme import PALETTES, Mode, escape, styled
from core.notation import counted

IntervalOf = Literal["seeds", "examples", "none"]
"""What an interval is over: seeds and examples together, examples alone, or there is none."""
_HEAD, _PANEL, _FOOT = 84, 190, 70
_DOT_FILL = {"seeds": "circle", "examples": "circle-open", "none": "circle"}


@dataclass(frozen=True)
class LevelPoint:
    """What the runs of one level of a factor gave, in the unit that is drawn."""

    label: str
    runs: Mapping[str, float]
    """Value by variant."""
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    interval_of: IntervalOf = "none"
    dose: float | None = None
    """The level as a number; None where levels are names."""
    hover: tuple[str, ...] = ()
    """Plain lines shown beside the mean."""


@dataclass(frozen=True)
class LevelPanel:
    """One factor with its levels in the order in which they are drawn."""

    factor: str
    levels: tuple[LevelPoint, ...]
    log: bool = False
    """Whether doses stand on a logarithmic axis; it takes doses above zero."""

    @property
    def is_dose(self) -> bool:
        """Whether every level is a number."""
        return all(level.dose is not None for level in self.levels)

    @property
    def is_log(self) -> bool:
        """Whether the axis is logarithmic."""
        return self.log and self.is_dose and all((level.dose or 0) > 0 for level in self.levels)


@dataclass(frozen=True)
class Band:
    """A value that stands beside all levels, such as the baseline's, with its interval."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class LevelWords:
    """What is written on the picture, all of it plain text."""

    title: str
    subtitle: str
    value_title: str
    """Of the vertical axis: metric, direction, unit."""


def level_panels(
    panels: Sequence[LevelPanel], colours: Mapping[str, str], words: LevelWords, band: Band | None = None,
    mode: Mode = "light", columns: int = 3, connect: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw one panel a factor, all over the same vertical axis.

    Args:
        panels: at least one, each with at least one level.
        colours: by variant; a variant without has the text's colour.
        words: title, subtitle, name of the metric.
        band: drawn behind every panel.
        mode: light or dark.
        columns: panels beside each other.
        connect: whether a line joins the levels' means (or, of a single run, its value).
    """
    columns = max(1, min(columns, len(panels)))
    lines = math.ceil(len(panels) / columns)
    plot = _PANEL if lines > 1 or columns > 1 else _PANEL + 60
    height = _HEAD + lines * (plot + _FOOT)
    figure = make_subplots(
        rows=lines, cols=columns, shared_yaxes=True, horizontal_spacing=0.04,
        vertical_spacing=min(_FOOT * 1.25 / (height - _HEAD), 0.8 / max(lines - 1, 1)) if lines > 1 else 0,
    )  # fmt: skip
    palette = PALETTES[mode]
    traces: list[go.Scatter] = []
    for i, panel in enumerate(panels):
        axis, positions = "" if i == 0 else str(i + 1), _positions(panel)
        drawn = [] if band is None else list(_band(band, _ends(panel, positions), palette.baseline))
        drawn += _level_traces(panel, positions, colours, palette.text, connect)
        traces += [trace.update(xaxis=f"x{axis}", yaxis=f"y{axis}") for trace in drawn]
        figure.layout[f"xaxis{axis}"].update(_axis(panel, positions))
    figure.add_traces(traces)
    figure.update_yaxes(range=_bounds(panels, band), zeroline=False)
    figure.update_yaxes(title=escape(words.value_title), col=1)
    styled(figure, mode, words.title, words.subtitle, height)
    return figure.update_layout(margin={"t": _HEAD - 6, "b": 24})


def _positions(panel: LevelPanel) -> list[float]:
    if panel.is_dose:
        return [float(level.dose or 0.0) for level in panel.levels]
    return [float(i) for i in range(len(panel.levels))]


def _level_traces(
    panel: LevelPanel, positions: Sequence[float], colours: Mapping[str, str], plain: str, connect: bool
) -> Iterator[go.Scatter]:
    centres = [_centre(level) for level in panel.levels]
    if connect:
        yield go.Scatter(
            x=positions,
            y=centres,
            mode="lines",
            hoverinfo="skip",
            connectgaps=True,
            line={"color": plain, "width": 1.2},
        )
    for position, level in zip(positions, panel.levels, strict=True):
        for variant, value in level.runs.items():
            yield _dot(position, level, variant, value, colours.get(variant, plain))
        if level.mean is not None and len(level.runs) > 1:
            yield _mean(position, level, plain, panel.factor)


def _centre(level: LevelPoint) -> float | None:
    if level.mean is not None:
        return level.mean
    return next(iter(level.runs.values())) if len(level.runs) == 1 else None


def _dot(position: float, level: LevelPoint, variant: str, value: float, colour: str) -> go.Scatter:
    single = len(level.runs) == 1
    error = _error(value, level, colour, 1.2) if single else None
    lines = [f"<b>{escape(variant)}</b>, {escape(level.label)}: {value:.4g}"]
    lines += [escape(line) for line in level.hover] if single else []
    return go.Scatter(
        x=[position], y=[value], mode="markers", error_y=error, name=escape(variant), customdata=[variant], cliponaxis=False,
        marker={"size": 10, "color": colour, "symbol": _DOT_FILL[level.interval_of], "line": {"width": 2, "color": colour}},
        hovertext="<br>".join(lines), hoverinfo="text",
    )  # fmt: skip


def _mean(position: float, level: LevelPoint, plain: str, factor: str) -> go.Scatter:
    lines = [f"<b>{escape(factor)} {escape(level.label)}</b>: mean {level.mean:.4g}", *map(escape, level.hover)]
    return go.Scatter(
        x=[position], y=[level.mean], mode="markers", error_y=_error(level.mean or 0.0, level, plain, 2.2), cliponaxis=False,
        marker={"size": 20, "symbol": "line-ew", "line": {"width": 2.5, "color": plain}, "color": plain},
        hovertext="<br>".join(lines), hoverinfo="text", name="mean",
    )  # fmt: skip


def _error(centre: float, level: LevelPoint, colour: str, thickness: float) -> dict[str, Any] | None:
    if level.low is None or level.high is None or level.interval_of == "none":
        return None
    return {"type": "data", "symmetric": False, "array": [max(level.high - centre, 0)], "width": 0,
            "arrayminus": [max(centre - level.low, 0)], "thickness": thickness, "color": colour}  # fmt: skip


def _band(band: Band, ends: tuple[float, float], colour: str) -> Iterator[go.Scatter]:
    low, high = (band.value if x is None else x for x in (band.low, band.high))
    start, end = ends
    yield go.Scatter(
        x=[start, end, end, start], y=[low, low, high, high], fill="toself", mode="lines", hoverinfo="skip", opacity=0.16,
        line={"width": 0, "color": colour}, fillcolor=colour,
    )  # fmt: skip
    interval = "" if band.low is None or band.high is None else f" [{band.low:.4g}, {band.high:.4g}]"
    yield go.Scatter(
        x=[start, end], y=[band.value] * 2, mode="lines", line={"color": colour, "width": 1.5, "dash": "dot"},
        hovertext=f"<b>{escape(band.name)}</b>: {band.value:.4g}{interval}", hoverinfo="text", name=escape(band.name),
    )  # fmt: skip


def _ends(panel: LevelPanel, positions: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a panel's axis, in the numbers of the axis itself."""
    numbers = [math.log10(x) for x in positions] if panel.is_log else list(positions)
    margin = 0.16 * (max(numbers) - min(numbers)) or 0.6
    low, high = min(numbers) - margin, max(numbers) + margin
    return (10**low, 10**high) if panel.is_log else (low, high)


def _axis(panel: LevelPanel, positions: Sequence[float]) -> dict[str, Any]:
    start, end = _ends(panel, positions)
    scale = {"type": "log", "range": [math.log10(start), math.log10(end)]} if panel.is_log else {"range": [start, end]}
    counts = [f"{escape(level.label)}<br>{counted(len(level.runs), 'run')}" for level in panel.levels]
    title = f"{escape(panel.factor)}{' (log scale)' if panel.is_log else ''}"
    return {**scale, "title": title, "tickvals": list(positions), "ticktext": counts, "zeroline": False, "showgrid": False,
            "minor": {"ticks": ""}, "tickangle": 0}  # fmt: skip


def _bounds(panels: Sequence[LevelPanel], band: Band | None) -> list[float]:
    known = [value for panel in panels for level in panel.levels for value in level.runs.values()]
    levels = [level for panel in panels for level in panel.levels if level.interval_of != "none"]
    known += [x for level in levels for x in (level.mean, level.low, level.high) if x is not None]
    known += [] if band is None else [x for x in (band.value, band.low, band.high) if x is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = 0.08 * (high - low or 1.0)
    return [low - margin, high + margin]
