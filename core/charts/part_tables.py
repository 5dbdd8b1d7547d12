"""An experiment as a table of plain numbers, for CSV: in the metric's own unit, unrounded."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.ablation_spec import AblationPart
from core.experiment.results import Experiment, MetricEffects
from core.records import BASELINE
from core.results import Difference


def experiment_table(
    experiment: Experiment, key: str | None = None, parts: Sequence[AblationPart] | None = None
) -> pd.DataFrame:
    """Return one row for each metric and trial: its dose, value, and differences to the whole adapter and to the baseline.

    A changed prompt has a row for the whole adapter and one for the baseline, with the difference to the prompt as it is.

    Args:
        experiment: the results.
        key: of one metric; None is all of them.
        parts: those wanted; None is all of them.
    """
    made = []
    for found in experiment.metrics if key is None else (experiment.metric(key),):
        for trial in experiment.ablation.trials:
            if trial.part == "prompt" or (parts is not None and trial.part not in parts):
                continue
            value = found.row.values[trial.variant]
            made.append(_head(experiment, found) | {
                "part": trial.part, "change": trial.change, "label": trial.label, "variant": trial.variant, "dose": trial.dose,
                "modules": " ".join(trial.modules), "first_layer": trial.layers[0] if trial.layers else None,
                "last_layer": trial.layers[1] if trial.layers else None, "method": trial.method,
                "weights": " ".join(f"{name}={weight:g}" for name, weight in trial.weights.items()),
                "value": value.value, "low": value.low, "high": value.high, "n": value.n, "signature": value.signature,
                **_difference("to_whole", found.to_whole.get(trial.variant)),
                **_difference("to_baseline", found.to_baseline.get(trial.variant)), "reason": value.reason,
            })  # fmt: skip
        if parts is None or "prompt" in parts:
            made += _prompts(experiment, found)
    return pd.DataFrame(made)


def _prompts(experiment: Experiment, found: MetricEffects) -> list[dict[str, object]]:
    return [
        _head(experiment, found) | {
            "part": "prompt", "change": "prompt", "label": effect.trial.label, "variant": name, "dose": effect.trial.dose,
            "value": effect.values[name].value, "low": effect.values[name].low, "high": effect.values[name].high,
            "n": effect.values[name].n, "signature": effect.values[name].signature,
            **_difference("to_prompt_as_it_is", effect.differences[name]), "reason": effect.values[name].reason,
        }
        for effect in found.prompts
        for name in (experiment.whole, BASELINE)
    ]  # fmt: skip


def _head(experiment: Experiment, found: MetricEffects) -> dict[str, object]:
    row = found.row
    return {
        "run": experiment.run_id, "adapter": experiment.whole, "task": row.task, "metric": row.metric, "metric_label": row.label,
        "of_label": row.part, "unit": row.unit, "higher_is_better": row.higher_is_better, "primary": row.primary,
        "level": experiment.level,
    }  # fmt: skip


def _difference(name: str, found: Difference | None) -> dict[str, object]:
    """Return the columns of one difference; of the variant itself they are empty."""
    facts = ("difference", "low", "high", "p", "p_adjusted", "verdict", "n", "method")
    return {f"{name}_{fact}": None if found is None else getattr(found, fact) for fact in facts}
