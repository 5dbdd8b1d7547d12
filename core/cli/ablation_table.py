"""The table of ``lorascope ablate``: every part of the adapter beside the whole adapter and the baseline, metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from core import notation
from core.ablation_spec import Trial
from core.cli.options import print_table
from core.experiment.results import Experiment, MetricEffects, PromptEffect
from core.results import Difference, MetricRow, Unit, Value

_HEADER = ("part", "what", "value", "minus the whole", "adjusted p", "", "minus the baseline", "adjusted p", "", "n")
_PROMPT_HEADER = ("prompt", "variant", "value", "minus the prompt as it is", "adjusted p", "", "n")


def print_experiment(experiment: Experiment, metrics: Sequence[MetricEffects], left_out: Sequence[str]) -> None:
    """Print some metrics of an ablation for people, and how the numbers were made.

    Args:
        experiment: The results.
        metrics: Those to print.
        left_out: Variants that the budget left out: they are said, and have no line.
    """
    for one in metrics:
        lines = [line for trial in _measured(experiment, left_out) if (line := _line(one, trial, experiment.whole))]
        if lines:
            click.echo(_heading(one.row))
            print_table(_HEADER, lines)
            click.echo("")
        prompts = [line for effect in one.prompts for line in _prompt_lines(effect, one.row.unit)]
        if prompts:
            click.echo(_heading(one.row))
            print_table(_PROMPT_HEADER, prompts)
            click.echo("")
    click.echo(
        f"Run {experiment.run_id}: {experiment.whole} in parts. Differences are paired by example; {notation.percent(experiment.level)} "
        f"intervals from {experiment.resamples:,} resamples, seed {experiment.seed}; Benjamini and Hochberg's correction over "
        f"{experiment.family_size} p-values of primary metrics."
    )
    click.echo("  ".join(f"{mark} {notation.MEANINGS[verdict]}" for verdict, mark in notation.MARKS.items()))
    for reason in experiment.ablation.off.values():
        click.echo(f"Off: {reason}")


def experiment_json(experiment: Experiment, metrics: Sequence[MetricEffects]) -> dict[str, Any]:
    """Return some metrics of an ablation as JSON can hold them: each trial with its values and differences."""
    return {
        "run": experiment.run_id, "adapter": experiment.whole, "partners": list(experiment.ablation.partners),
        "off": dict(experiment.ablation.off), "level": experiment.level, "seed": experiment.seed,
        "family_size": experiment.family_size, "metrics": [_metric_json(experiment, one) for one in metrics],
    }  # fmt: skip


def _metric_json(experiment: Experiment, one: MetricEffects) -> dict[str, Any]:
    def told(table: dict[str, Difference], name: str) -> dict[str, Any] | None:
        return asdict(table[name]) if name in table else None

    trials = [
        trial.model_dump(mode="json")
        | {
            "value": asdict(one.row.values[trial.variant]), "to_whole": told(one.to_whole, trial.variant),
            "to_baseline": told(one.to_baseline, trial.variant),
        }
        for trial in experiment.ablation.trials
        if trial.prompt is None
    ]  # fmt: skip
    prompts = [
        effect.trial.model_dump(mode="json")
        | {
            "values": {name: asdict(value) for name, value in effect.values.items()},
            "differences": {name: asdict(found) for name, found in effect.differences.items()},
        }
        for effect in one.prompts
    ]
    return {"key": one.key, "primary": one.row.primary, "unit": one.row.unit, "trials": trials, "prompts": prompts}


def _measured(experiment: Experiment, left_out: Sequence[str]) -> Iterator[Trial]:
    for part in experiment.ablation.parts:
        trials = [t for t in experiment.trials(part) if t.prompt is None and t.variant not in left_out]
        # No layer and all of them end both curves of depth: one line is enough.
        yield from {trial.label: trial for trial in sorted(trials, key=_place)}.values()


def _place(trial: Trial) -> tuple[str, float]:
    """Return where a trial stands among those of its part: dose curves rise, the rest stays as planned."""
    return trial.change if trial.dose is not None else "", 0.0 if trial.dose is None else trial.dose


def _heading(row: MetricRow) -> str:
    unit = notation.UNIT_NAMES[row.unit]
    return " ".join(filter(None, (notation.metric_name(row), notation.direction_arrow(row), unit)))


def _line(one: MetricEffects, trial: Trial, whole: str) -> tuple[str, ...] | None:
    value = one.row.values[trial.variant]
    if value.value is None:
        return (trial.part, trial.label, f"\u2013 ({value.reason})", *[""] * 6, str(value.n))
    to_whole = ("the whole", "", "") if trial.variant == whole else _shown(one.to_whole[trial.variant], one.row.unit)
    beside = one.to_baseline.get(trial.variant)
    to_baseline = ("the baseline", "", "") if beside is None else _shown(beside, one.row.unit)
    return (trial.part, trial.label, _value_text(value, one.row.unit), *to_whole, *to_baseline, str(value.n))


def _prompt_lines(effect: PromptEffect, unit: Unit) -> Iterator[tuple[str, ...]]:
    for place, (name, value) in enumerate(effect.values.items()):
        label = effect.trial.label if place == 0 else ""
        shown = _value_text(value, unit) if value.value is not None else f"\u2013 ({value.reason})"
        yield (label, name, shown, *_shown(effect.differences[name], unit), str(value.n))


def _value_text(value: Value, unit: Unit) -> str:
    return " ".join(filter(None, notation.value_texts(value, unit)))


def _shown(difference: Difference, unit: Unit) -> tuple[str, str, str]:
    """Return a difference with its interval, its adjusted p and its mark."""
    p = notation.p_text(difference.p_adjusted).removeprefix("p ").removeprefix("= ")
    text = " ".join(filter(None, notation.difference_texts(difference, unit)))
    return text, p, notation.MARKS[difference.verdict]
