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
_NAMES = {
    "loss": "Loss",
    "eval_loss": "Held-out loss",
    "learning_rate": "Learning rate",
    "grad_norm": "Norm of the gradient",
}
_FEW = 3
"""With more adapters the legend names each once."""
_NOT_CURVES = frozenset({*AXES, "train_tokens_per_second", "total_flos", "percentage", "total_steps"})


def curve_names(logs: Sequence[TrainingLog]) -> list[str]:
    """Return what can be drawn: the loss, the held-out loss alone, then every other number that the training steps logged."""
    found = {name for log in logs for row in log.train for name in row.values if name not in _NOT_CURVES}
    if any(log.evaluations for log in logs):
        found |= {"loss", "eval_loss"}
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
    logs: Mapping[str, TrainingLog], colours: Mapping[str, str], name: str = "loss", axis: str = "step", mode: Mode = "light",
    title: str | None = None,
) -> go.Figure:  # fmt: skip
    """Draw a logged number over the training; of the loss the held-out one too, dashed with markers.

    Args:
        logs: by the adapter's name.
        colours: by the adapter's name.
        name: of what is drawn, as `curve_names` gives it.
        axis: one of `curve_axes`.
        mode: light or dark.
        title: plain text; None names the adapters.
    """
    figure = go.Figure()
    for adapter, log in logs.items():
        if name != "eval_loss":
            _line(figure, adapter, log.train, name, axis, colours[adapter], held_out=False)
        if name in ("loss", "eval_loss"):
            is_second = name == "loss"
            is_named = len(logs) <= _FEW or not is_second or not any(name in row.values for row in log.train)
            _line(figure, adapter, log.evaluations, "eval_loss", axis, colours[adapter], is_second, is_named)
            _best(figure, adapter, log, axis, colours[adapter])
    figure.update_xaxes(title=AXES[axis])
    figure.update_yaxes(title=escape(curve_label(name)))
    has_held_out = any("eval_loss" in row.values for log in logs.values() for row in log.evaluations)
    readings = {"eval_loss": "held-out rows, as the trainer logged them; the best ringed"}
    readings |= {"loss": "solid: training rows; dashed: held-out rows, the best ringed"} if has_held_out else {}
    reading = readings.get(name, "as the trainer logged it")
    title = title or f"{curve_label(name)} over the training of {' and '.join(logs)}"
    styled(figure, mode, title, reading, 400)
    if len(logs) > _FEW:  # a legend of both lines of each would hide the curves
        return figure.update_layout(showlegend=True, legend={"x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"})
    return figure.update_layout(
        showlegend=len(figure.data) > 1,  # type: ignore[arg-type]
        legend={"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"},
    )


def _line(
    figure: go.Figure, adapter: str, rows: Sequence[LogRow], name: str, axis: str, colour: str, held_out: bool,
    is_named: bool = True,
) -> None:  # fmt: skip
    points = [(row, row.step if axis == "step" else row.values.get(axis)) for row in rows if name in row.values]
    if not points:
        return
    label = f"{adapter}, held-out" if held_out else adapter
    figure.add_trace(go.Scatter(
        x=[x for _, x in points], y=[row.values[name] for row, _ in points], name=escape(label), showlegend=is_named,
        legendgroup=escape(adapter), mode="lines+markers" if held_out or len(points) < 40 else "lines", connectgaps=False,
        line={"color": colour, "width": 2, "dash": "dash" if held_out else "solid"},
        marker={"size": 8 if held_out else 4, "color": colour, "symbol": "diamond" if held_out else "circle"},
        hovertext=[f"<b>{escape(label)}</b><br>step {row.step}: {_number(row.values[name])}" for row, _ in points], hoverinfo="text",
    ))  # fmt: skip


def _best(figure: go.Figure, adapter: str, log: TrainingLog, axis: str, colour: str) -> None:
    """Mark the evaluation with the lowest held-out loss."""
    best = log.best_evaluation
    if best is None:
        return
    loss = best.values["eval_loss"]
    figure.add_trace(go.Scatter(
        x=[best.step if axis == "step" else best.values.get(axis)], y=[loss], mode="markers", name=escape(adapter), showlegend=False,
        legendgroup=escape(adapter), marker={"size": 15, "symbol": "circle-open", "color": colour, "line": {"width": 2, "color": colour}},
        hovertext=f"<b>{escape(adapter)}</b><br>best held-out loss {_number(loss)}, step {best.step}", hoverinfo="text",
    ))  # fmt: skip


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.5g}"
