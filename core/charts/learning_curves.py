"""How a training went: what the trainer logged, over steps, epochs or tokens; several adapters in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.adapters.training_log import LogRow, TrainingLog
from core.charts.theme import Mode, escape, styled

AXES = {
    "step": "Step",
    "epoch": "Epoch",
    "num_input_tokens_seen": "Tokens seen",
    "train_runtime": "Seconds of training",
}
"""What a curve can be drawn over: name in the log, name on the axis."""
_NAMES = {"loss": "Loss", "learning_rate": "Learning rate", "grad_norm": "Norm of the gradient"}
_NOT_CURVES = frozenset({*AXES, "train_tokens_per_second", "total_flos", "percentage", "total_steps"})


def curve_names(logs: Sequence[TrainingLog]) -> list[str]:
    """Return what can be drawn: the loss first, then every other number that the training steps logged."""
    found = {name for log in logs for row in log.train for name in row.values if name not in _NOT_CURVES}
    if any(log.evaluations for log in logs):
        found.add("loss")
    known = [name for name in _NAMES if name in found]
    return [*known, *sorted(found - set(known))]


def curve_axes(logs: Sequence[TrainingLog]) -> list[str]:
    """Return what every one of the logs can be drawn over; the step always."""
    rows = [row for log in logs for row in (*log.train, *log.evaluations)]
    return ["step", *(name for name in AXES if name != "step" and rows and all(name in row.values for row in rows))]


def curve_label(name: str) -> str:
    """Return what a logged number is called."""
    return _NAMES.get(name, name.replace("_", " "))


def learning_curves(
    logs: Mapping[str, TrainingLog], colours: Mapping[str, str], name: str = "loss", axis: str = "step", mode: Mode = "light"
) -> go.Figure:  # fmt: skip
    """Draw a logged number over the training; of the loss the held-out one too, dashed with markers.

    Args:
        logs: by the adapter's name.
        colours: by the adapter's name.
        name: of what is drawn, as `curve_names` gives it.
        axis: one of `curve_axes`.
        mode: light or dark.
    """
    figure = go.Figure()
    for adapter, log in logs.items():
        _line(figure, adapter, log.train, name, axis, colours[adapter], held_out=False)
        if name == "loss":
            _line(figure, adapter, log.evaluations, "eval_loss", axis, colours[adapter], held_out=True)
    figure.update_xaxes(title=AXES[axis])
    figure.update_yaxes(title=escape(curve_label(name)))
    has_held_out = name == "loss" and any("eval_loss" in row.values for log in logs.values() for row in log.evaluations)
    reading = "solid: training rows; dashed: held-out rows" if has_held_out else "as the trainer logged it"
    title = f"{curve_label(name)} over the training of {' and '.join(logs)}"
    styled(figure, mode, title, reading, 400)
    return figure.update_layout(
        showlegend=len(figure.data) > 1,  # type: ignore[arg-type]
        legend={"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"},
    )


def _line(
    figure: go.Figure, adapter: str, rows: Sequence[LogRow], name: str, axis: str, colour: str, held_out: bool
) -> None:
    points = [(row, row.step if axis == "step" else row.values.get(axis)) for row in rows if name in row.values]
    if not points:
        return
    label = f"{adapter}, held-out" if held_out else adapter
    figure.add_trace(go.Scatter(
        x=[x for _, x in points], y=[row.values[name] for row, _ in points], name=escape(label),
        mode="lines+markers" if held_out or len(points) < 40 else "lines", connectgaps=False,
        line={"color": colour, "width": 2, "dash": "dash" if held_out else "solid"},
        marker={"size": 8 if held_out else 4, "color": colour, "symbol": "diamond" if held_out else "circle"},
        hovertext=[f"<b>{escape(label)}</b><br>step {row.step}: {_number(row.values[name])}" for row, _ in points], hoverinfo="text",
    ))  # fmt: skip


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.5g}"
