"""Hand-made results of an experiment, with round numbers that a test can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.ablation_spec import AblationSpec, Trial
from core.experiment.results import Experiment, MetricEffects, PromptEffect
from core.records import BASELINE
from core.results import Difference, MetricRow, Value, Verdict

WHOLE, N = "all-r8", 40
KEY = "category/accuracy"


def value(number: float | None) -> Value:
    if number is None:
        return Value(None, None, None, 0, N, "not measured yet", "accuracy|v1", "none")
    return Value(number, number - 0.1, number + 0.1, N, 0, None, "accuracy|v1", "Wilson")


def gap(number: float | None, verdict: Verdict = "unclear") -> Difference:
    if number is None:
        return Difference(None, None, None, None, None, 0, "none", "not measured yet", "none")
    return Difference(number, number - 0.05, number + 0.05, 0.01, 0.02, N, verdict, None, "mid-p McNemar")


def strength(dose: float, variant: str) -> Trial:
    return Trial(part="strength", change="scaled", variant=variant, label=f"strength {dose:g}", dose=dose)


def rank(dose: int, variant: str) -> Trial:
    return Trial(part="rank", change="truncated", variant=variant, label=f"rank {dose}", dose=dose)


def module(change: Any, variant: str, label: str) -> Trial:
    return Trial(part="modules", change=change, variant=variant, label=label, modules=("x",))


def window(first: int, last: int, variant: str) -> Trial:
    label = f"without layers {first}\u2013{last}"
    return Trial(part="depth", change="left_out", variant=variant, label=label, layers=(first, last))


def ends(change: Any, dose: int, variant: str, layers: tuple[int, int] | None) -> Trial:
    return Trial(
        part="depth", change=change, variant=variant, label=f"{change} {dose} layers", dose=dose, layers=layers
    )


def mixture(variant: str, weights: Mapping[str, float], method: Any = "cat") -> Trial:
    label = " + ".join(f"{share:g} {name}" for name, share in weights.items())
    return Trial(
        part="mixing", change="mixed", variant=variant, label=label if method else variant, method=method, weights=dict(weights),
        dose=weights.get(WHOLE, 0.0),
    )  # fmt: skip


def make_experiment(
    trials: Sequence[Trial], parts: Mapping[str, tuple[float | None, Verdict]], *, gain: Verdict = "better",
    partners: tuple[str, ...] = (), prompts: Mapping[str, tuple[float, Verdict]] | None = None, **row: Any,
) -> Experiment:  # fmt: skip
    """Return results of one metric.

    Args:
        trials: what was tried, changed prompts left out.
        parts: of each variant its value and the verdict against the whole adapter.
        gain: the verdict of the whole adapter, which has 0.8, against the baseline, which has 0.5.
        partners: the adapters that it is mixed with, in ``parts`` too.
        prompts: of each changed prompt the whole adapter's difference and its verdict; the baseline's is 0.
        row: fields of the metric's row that differ.
    """
    known = {BASELINE: (0.5, "worse" if gain == "better" else "unclear"), WHOLE: (0.8, "unclear"), **parts}
    values = {name: value(number) for name, (number, _) in known.items()}
    to_whole = {
        name: gap(None if number is None else number - 0.8, verdict if number is not None else "none")  # type: ignore[arg-type]
        for name, (number, verdict) in known.items() if name != WHOLE
    }  # fmt: skip
    to_baseline = {
        name: gap(None if number is None else number - 0.5, gain if name == WHOLE else "unclear")
        for name, (number, _) in known.items() if name != BASELINE
    }  # fmt: skip
    made = MetricRow(
        "category", "accuracy", "Accuracy", "classification", "share", True, True, None, values, to_baseline
    )
    asked = [
        Trial(part="prompt", change="prompt", variant=WHOLE, label=label, prompt=label.replace(" ", "-"))
        for label in prompts or {}
    ]
    effects = tuple(
        PromptEffect(trial, {WHOLE: value(0.8), BASELINE: value(0.5)}, {WHOLE: gap(*told), BASELINE: gap(0.0)})
        for trial, told in zip(asked, (prompts or {}).values(), strict=True)
    )
    everything = (*trials, *asked)
    ablation = AblationSpec(
        adapter=WHOLE,
        partners=partners,
        parts=tuple(dict.fromkeys(trial.part for trial in everything)),
        trials=everything,
    )
    metric = MetricEffects(replace(made, **row), to_whole, effects)
    return Experiment("made", ablation, (metric,), 0.95, 0, 10_000, 7)
