"""What an adapter changed, layer by layer and module by module; and how alike the changes of two adapters are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from core.adapters.anatomy import Anatomy, ModuleChange
from core.adapters.facts import part_order
from core.adapters.overlap import ModuleOverlap, Overlap
from core.charts.theme import PALETTES, Mode, escape, styled

Quantity = Literal["share", "change_norm", "effective_rank"]
Likeness = Literal["cosine", "output_overlap", "input_overlap"]
QUANTITIES: dict[Quantity, str] = {
    "share": "Change as a share of the weight",
    "change_norm": "Norm of the change",
    "effective_rank": "Effective rank",
}
LIKENESSES: dict[Likeness, str] = {
    "cosine": "Cosine of the changes",
    "output_overlap": "Shared outputs",
    "input_overlap": "Shared inputs",
}
_ROW, _FRAME = 30, 150
_NO_LAYER = "none"


@dataclass(frozen=True)
class _Cell:
    value: float | None
    hover: str
    module: str


def short_parts(parts: Sequence[str]) -> dict[str, str]:
    """Return what each path within a layer is called: its last part where that is its alone, else the whole path."""
    last = [part.rpartition(".")[2] for part in parts]
    return {part: name if last.count(name) == 1 else part for part, name in zip(parts, last, strict=True)}


def change_heatmap(
    anatomy: Anatomy, name: str, quantity: Quantity = "share", mode: Mode = "light", top: float | None = None
) -> go.Figure:
    """Draw one number of each changed weight: layers from left to right, modules from top to bottom.

    A cell's customdata is the module's path.

    Args:
        anatomy: what was measured.
        name: the adapter's.
        quantity: which number; shares are drawn in percent.
        mode: light or dark.
        top: the end of the colours, in the number's own unit; None is the largest value.
    """
    cells = {(one.part, one.layer): _cell(one, quantity) for one in anatomy.modules}
    scale = 100.0 if quantity == "share" else 1.0
    values = [cell.value for cell in cells.values() if cell.value is not None]
    end = top * scale if top is not None else max(values, default=1.0)
    colours = PALETTES[mode]
    figure = _heatmap(cells, anatomy.parts, (0.0, end or 1.0), [[0, colours.paper], [1, colours.better]],
                      "%" if quantity == "share" else "", mode)  # fmt: skip
    titles = {
        "share": (f"{name}: how much of each weight changed",
                  "Frobenius norm of the change as a share of the weight's, in percent; empty: not changed"),
        "change_norm": (f"{name}: how large each change is", "Frobenius norm of the change; empty: not changed"),
        "effective_rank": (f"{name}: in how many directions each weight changed",
                           "effective rank: exp of the entropy of the singular values' shares (Roy and Vetterli 2007)"),
    }  # fmt: skip
    return styled(figure, mode, *titles[quantity], _FRAME + _ROW * len(anatomy.parts))


def overlap_heatmap(
    overlap: Overlap, names: tuple[str, str], likeness: Likeness = "cosine", mode: Mode = "light"
) -> go.Figure:
    """Draw how alike two adapters' changes of each weight are; a cell's customdata is the module's path."""
    parts = tuple(sorted({one.part for one in overlap.modules}, key=part_order))
    cells = {(one.part, one.layer): _likeness_cell(one, likeness) for one in overlap.modules}
    colours = PALETTES[mode]
    if likeness == "cosine":
        ends, colourscale, unit = (-1.0, 1.0), [[0, colours.worse], [0.5, colours.paper], [1, colours.better]], ""
        reading = "1: the same up to strength; 0: unrelated; -1: opposite"
    else:
        ends, colourscale, unit = (0.0, 100.0), [[0, colours.paper], [1, colours.better]], "%"
        side = "outputs" if likeness == "output_overlap" else "inputs"
        reading = f"share of the smaller subspace of {side} that lies in the larger (Hu et al. 2021, eq. 4), in percent"
    figure = _heatmap(cells, parts, ends, colourscale, unit, mode)
    title = f"{names[0]} and {names[1]}: {LIKENESSES[likeness].lower()}"
    return styled(figure, mode, title, reading, _FRAME + _ROW * len(parts))


def singular_values_chart(
    changes: Mapping[str, ModuleChange], colours: Mapping[str, str], mode: Mode = "light"
) -> go.Figure:
    """Draw the singular values of one module's change, falling, a line an adapter.

    Args:
        changes: by the adapter's name; all of the same module.
        colours: by the adapter's name.
        mode: light or dark.
    """
    figure = go.Figure()
    told = []
    for name, change in changes.items():
        places = list(range(1, len(change.singular_values) + 1))
        figure.add_trace(go.Scatter(
            x=places, y=list(change.singular_values), mode="lines+markers", name=escape(name),
            line={"color": colours[name], "width": 2}, marker={"size": 7, "color": colours[name]},
            hovertext=[f"<b>{escape(name)}</b><br>singular value {place}: {value:.4g}"
                       for place, value in zip(places, change.singular_values, strict=True)], hoverinfo="text",
        ))  # fmt: skip
        if change.effective_rank is not None:
            told.append(f"{name}: effective rank {change.effective_rank:.3g} of {change.rank}")
    figure.update_layout(showlegend=len(changes) > 1, legend={"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"})
    figure.update_xaxes(title="Direction, strongest first", tickformat="d")
    figure.update_yaxes(title="Singular value of the change", rangemode="tozero")
    first = next(iter(changes.values()))
    return styled(figure, mode, _title(first.layer, first.part), "; ".join(told), 330)


def _title(layer: int | None, part: str) -> str:
    return f"Singular values of {part}" + (f", layer {layer}" if layer is not None else "")


def _heatmap(
    cells: Mapping[tuple[str, int | None], _Cell], parts: Sequence[str], ends: tuple[float, float],
    colourscale: list[list[float | str]], unit: str, mode: Mode,
) -> go.Figure:  # fmt: skip
    layers = sorted({layer for _, layer in cells}, key=lambda layer: (layer is None, layer or 0))
    columns = [_NO_LAYER if layer is None else str(layer) for layer in layers]
    grid = [[cells.get((part, layer)) for layer in layers] for part in parts]
    names = short_parts(parts)
    colours = PALETTES[mode]
    figure = go.Figure(go.Heatmap(
        x=columns, y=[escape(names[part]) for part in parts],
        z=[[cell.value if cell else None for cell in line] for line in grid],
        hovertext=[[cell.hover if cell else "not changed" for cell in line] for line in grid], hoverinfo="text",
        customdata=[[cell.module if cell else None for cell in line] for line in grid],
        zmin=ends[0], zmax=ends[1], colorscale=colourscale, xgap=1, ygap=1, hoverongaps=False,
        colorbar={"title": {"text": unit}, "thickness": 12, "outlinewidth": 0, "len": 1, "nticks": 4},
    ))  # fmt: skip
    figure.update_xaxes(title="Layer", type="category", showgrid=False, nticks=min(len(columns), 32))
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure.update_layout(plot_bgcolor=colours.neutral_fill)


def _cell(change: ModuleChange, quantity: Quantity) -> _Cell:
    value = getattr(change, quantity)
    lines = [f"<b>{escape(change.module)}</b>"]
    if change.share is not None:
        lines.append(f"changed by {100 * change.share:.3g} % of its norm")
    lines.append(f"norm of the change {change.change_norm:.4g}")
    if change.effective_rank is not None:
        lines.append(f"effective rank {change.effective_rank:.3g} of {change.rank}")
    shown = None if value is None else 100 * value if quantity == "share" else value
    return _Cell(shown, "<br>".join(lines), change.module)


def _likeness_cell(one: ModuleOverlap, likeness: Likeness) -> _Cell:
    lines = [f"<b>{escape(one.module)}</b>"]
    if one.cosine is None:
        lines.append("one of the two changes nothing here")
    else:
        lines.append(f"cosine {one.cosine:.3g}")
        for side, shared, chance in (
            ("outputs", one.output_overlap, one.output_chance), ("inputs", one.input_overlap, one.input_chance),
        ):  # fmt: skip
            lines.append(f"shared {side} {100 * (shared or 0):.3g} % (by chance {100 * (chance or 0):.2g} %)")
    value = getattr(one, likeness)
    shown = value if value is None or likeness == "cosine" else 100 * value
    return _Cell(shown, "<br>".join(lines), one.module)
