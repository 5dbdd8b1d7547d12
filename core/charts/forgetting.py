"""What was gained in the domain against what changed on general text, with both intervals."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.labels import Plot, place_labels
from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.forgetting import ForgettingReport
from core.notation import MARKS, UNIT_NAMES, difference_texts, in_shown_unit, metric_name, percent
from core.results import Difference, MetricRow

_WIDTH, _HEIGHT = 640.0, 300.0
"""Of the plot in pixels, as far as the places of names are concerned; the picture itself follows the page."""


def forgetting_chart(
    report: ForgettingReport,
    key: str,
    variants: Sequence[str],
    general_metric: str = "bits_per_byte",
    mode: Mode = "light",
) -> go.Figure:
    """Draw each variant's difference in the domain (x) against its difference on general text (y), with both intervals.

    A point's customdata is ``[variant]``.

    Args:
        report: with at least one domain and one general row.
        key: `MetricRow.key` of the domain metric; the first one where it is unknown.
        variants: all of the run, in workspace order, for their colours.
        general_metric: which of the general rows; the first one where it was not computed.
        mode: light or dark.

    Raises:
        ValueError: the report has nothing to draw; its ``reason`` says why.
    """
    if not report.domain_rows or not report.general_rows:
        raise ValueError(f"nothing to draw: {report.reason}")
    domain = next((row for row in report.domain_rows if row.key == key), report.domain_rows[0])
    general = next((row for row in report.general_rows if row.metric == general_metric), report.general_rows[0])
    colours, figure = variant_colours(variants, mode), go.Figure()
    points: dict[str, tuple[_Span, _Span]] = {}
    for found in report.variants:
        name = found.variant
        gain, change = _span(domain.differences[name], domain), _span(general.differences[name], general)
        if gain is None or change is None:
            continue
        points[name] = gain, change
        told = general.differences[name].verdict in ("better", "worse")
        figure.add_trace(go.Scatter(
            x=[gain[1]], y=[change[1]], mode="markers", customdata=[[name]], hoverinfo="text",
            hovertext=_hover(name, domain, general), error_x=_error(gain, colours[name]), error_y=_error(change, colours[name]),
            marker={"size": 10, "color": colours[name], "symbol": "circle" if told else "circle-open",
                    "line": {"width": 2, "color": colours[name]}},
        ))  # fmt: skip
    palette = PALETTES[mode]
    figure.add_hline(y=0, line_color=palette.muted, line_width=1, layer="below")
    figure.add_vline(x=0, line_color=palette.muted, line_width=1, layer="below")
    _names(figure, points)
    figure.update_xaxes(title=_axis(domain, "gain" if domain.higher_is_better else "change", report), zeroline=False)
    figure.update_yaxes(title=_axis(general, "change", report), zeroline=False)
    forgotten = "up" if not general.higher_is_better else "down"
    counts = sorted({general.differences[name].n for name in points})
    n = f"n = {counts[0]:,} general texts; " if counts else ""
    reading = f"{n}{percent(report.level)} intervals; further {forgotten} is more forgotten; filled: told apart after correction"
    return styled(figure, mode, f"Gain in {report.domain} against change on {report.general}", reading, 420)


_Span = tuple[float, float, float]
"""Low, centre and high in the unit that people read; all three the centre where there is no interval."""


def _span(difference: Difference, row: MetricRow) -> _Span | None:
    if difference.difference is None:
        return None
    centre = in_shown_unit(difference.difference, row.unit)
    if difference.low is None or difference.high is None:
        return centre, centre, centre
    return in_shown_unit(difference.low, row.unit), centre, in_shown_unit(difference.high, row.unit)


def _error(span: _Span, colour: str) -> dict[str, object]:
    low, centre, high = span
    return {"type": "data", "symmetric": False, "array": [max(high - centre, 0)], "arrayminus": [max(centre - low, 0)],
            "thickness": 1.5, "width": 0, "color": colour}  # fmt: skip


def _names(figure: go.Figure, points: dict[str, tuple[_Span, _Span]]) -> None:
    """Write each variant's name beside its point, clear of all intervals."""
    if not points:
        return
    placed = [_pixels([spans[axis] for spans in points.values()], size) for axis, size in ((0, _WIDTH), (1, _HEIGHT))]
    spans = list(zip(*placed, strict=True))
    bars = [(x[0], y[1] - 2, x[2], y[1] + 2) for x, y in spans] + [(x[1] - 2, y[0], x[1] + 2, y[2]) for x, y in spans]
    offsets = place_labels([Plot(_WIDTH, _HEIGHT, [(x[1], y[1]) for x, y in spans], bars)], list(points))
    for (name, (x, y)), (right, above) in zip(points.items(), offsets, strict=True):
        figure.add_annotation(
            x=x[1], y=y[1], text=escape(name), showarrow=False, xshift=right, yshift=above, font={"size": 12.5}
        )


def _pixels(spans: Sequence[_Span], size: float) -> list[_Span]:
    """Return one axis' intervals in pixels; zero is in the picture too."""
    low, high = min(0.0, *(span[0] for span in spans)), max(0.0, *(span[2] for span in spans))
    scale = size / (high - low or 1.0)
    return [((down - low) * scale, (centre - low) * scale, (up - low) * scale) for down, centre, up in spans]


def _axis(row: MetricRow, what: str, report: ForgettingReport) -> str:
    unit = UNIT_NAMES[row.unit]
    scale = f" ({'points' if unit == '%' else unit})" if unit and unit not in row.label.lower() else ""
    better = "right" if row.higher_is_better else "left"
    side = f", further {better} is better" if row.task == report.domain else ""
    return f"{escape(metric_name(row))}: {what} against {escape(report.reference)}{scale}{side}"


def _hover(name: str, domain: MetricRow, general: MetricRow) -> str:
    lines = [f"<b>{escape(name)}</b>"]
    for row in (domain, general):
        difference = row.differences[name]
        text = " ".join(filter(None, difference_texts(difference, row.unit)))
        lines.append(f"{MARKS[difference.verdict]} {escape(metric_name(row))} {escape(text)}, n = {difference.n}")
    return "<br>".join(lines)
