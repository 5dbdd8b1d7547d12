"""Speed and latency as rows of a comparison: measured by the probe, repeat against repeat, without a verdict.

Five repeats on one machine say what a variant costs there and then; they are too few for a test, so each difference has
its interval over repeats and no p-value, and no row counts towards "better on k of m metrics".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.metrics.efficiency import Efficiency, Measured, summarise_probe
from core.metrics.metric import Unit
from core.results import Difference, MetricRow, Value
from core.store import Run

TASK = "efficiency"
RESAMPLES = 2_000
_NO_TEST = "repeats on one machine: shown without a verdict"


@dataclass(frozen=True)
class _Figure:
    """One thing that the probe measured."""

    name: str
    label: str
    unit: Unit
    higher_is_better: bool
    read: Callable[[Efficiency], Measured | None]
    of_answers: Callable[[np.ndarray, np.ndarray], np.ndarray]
    """From (new tokens, seconds), each (..., repeats, prompts): the figure, (...)."""


_FIGURES = (
    _Figure(
        "tokens_per_second", "Tokens per second", "tokens/s", True, lambda e: e.tokens_per_second,
        lambda tokens, seconds: np.median(tokens.sum(-1) / seconds.sum(-1), axis=-1),
    ),
    _Figure(
        "latency_p50", "Latency p50", "seconds", False, lambda e: e.latency_p50,
        lambda _, seconds: np.quantile(seconds.reshape(*seconds.shape[:-2], -1), 0.5, axis=-1),
    ),
    _Figure(
        "latency_p95", "Latency p95", "seconds", False, lambda e: e.latency_p95,
        lambda _, seconds: np.quantile(seconds.reshape(*seconds.shape[:-2], -1), 0.95, axis=-1),
    ),
)  # fmt: skip


def efficiency_rows(run: Run, reference: str, *, level: float, seed: int) -> tuple[MetricRow, ...]:
    """Return one row a figure for the variants that the run's probe measured; none without a probe.

    Raises:
        InputError: probe.json lacks a key.
    """
    probe = run.read_json("probe")
    summaries = summarise_probe(probe, reference, level=level, seed=seed)
    if reference not in summaries:
        return ()
    settings = probe.get("settings", {})
    signature = ", ".join(f"{key} {value}" for key, value in settings.items())
    answers = {name: _answers(probe["repeats"], name) for name in summaries}
    return tuple(_row(figure, summaries, answers, reference, level, seed, signature) for figure in _FIGURES)


def _answers(entries: list[dict], variant: str) -> tuple[np.ndarray, np.ndarray]:
    """Return new tokens and seconds of a variant's answers, each (repeats, prompts)."""
    mine = sorted(
        (e["repeat"], e["prompt"], e["n_new_tokens"], e["seconds"]) for e in entries if e["variant"] == variant
    )
    repeats = len({repeat for repeat, *_ in mine})
    table = np.array([(tokens, seconds) for *_, tokens, seconds in mine], dtype=np.float64).reshape(repeats, -1, 2)
    return table[..., 0], table[..., 1]


def _row(
    figure: _Figure, summaries: dict[str, Efficiency], answers: dict[str, tuple[np.ndarray, np.ndarray]], reference: str,
    level: float, seed: int, signature: str,
) -> MetricRow:  # fmt: skip
    values = {}
    for name, summary in summaries.items():
        found = figure.read(summary)
        assert found is not None
        method = f"bootstrap over {summary.repeats} repeats"
        values[name] = Value(found.value, found.low, found.high, summary.repeats, 0, None, signature, method)
    differences = {
        name: _difference(figure, answers[name], answers[reference], level, seed)
        for name in summaries
        if name != reference
    }
    return MetricRow(
        task=TASK, metric=figure.name, label=figure.label, family="efficiency", unit=figure.unit,
        higher_is_better=figure.higher_is_better, primary=False, language=None, values=values, differences=differences,
    )  # fmt: skip


def _difference(
    figure: _Figure, mine: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray], level: float, seed: int
) -> Difference:
    """Return mine minus theirs; the same repeats are drawn for both, since repeats were interleaved."""
    repeats = len(mine[0])
    if mine[0].shape != theirs[0].shape:
        return Difference(None, None, None, None, None, 0, "none", "the probe has different repeats of the two", "")
    draws = np.random.default_rng(seed).integers(repeats, size=(RESAMPLES, repeats))
    resampled = figure.of_answers(mine[0][draws], mine[1][draws]) - figure.of_answers(
        theirs[0][draws], theirs[1][draws]
    )
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    difference = float(figure.of_answers(*mine) - figure.of_answers(*theirs))
    method = f"bootstrap over {repeats} interleaved repeats"
    return Difference(
        difference, float(low), float(high), None, None, repeats, "unclear", f"{repeats} {_NO_TEST}", method
    )
