"""Changes of a task's prompt and decoding as factors of an ablation: no system prompt, no template, fewer worked examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from core.ablation_spec import Trial
from core.errors import InputError
from core.model_set import NAME_PATTERN
from core.spec import PerturbationRef, TaskSpec

NO_CHANGE = "No task has a system prompt, worked examples, a chat template or a generated answer that could be changed."
_TEMPERATURES = (0.0, 0.7, 1.0)
"""Greedy decoding, a usual temperature, and the model's own distribution."""


@dataclass(frozen=True)
class PromptChange:
    """One change that applies to a task."""

    name: str
    """Behind the task's name and a plus in the changed task's."""
    label: str
    changed: Mapping[str, Any]
    """The task's fields that are different."""
    dose: float | None = None
    """How many worked examples are left, or the temperature; None where neither is what changes."""


def prompt_changes(task: TaskSpec, temperature: float = 0.0) -> Iterator[PromptChange]:
    """Yield what can be changed of a task's prompt, and of how its answer is decoded; ``temperature`` is the settings'."""
    if task.prompt is None:
        return
    if task.system:
        yield PromptChange("no-system", "without the system prompt", {"system": None})
    for count in range(len(task.few_shot)):
        label = f"{count} of {len(task.few_shot)} worked examples" if count else "without worked examples"
        yield PromptChange(f"shots-{count}", label, {"few_shot": task.few_shot[:count]}, float(count))
    if not task.is_plain:
        bare = {"template": "none", "template_variables": {}, "tools": None}
        yield PromptChange("no-template", "without the chat template", bare)
    now = temperature if task.temperature is None else task.temperature
    for other in (one for one in _TEMPERATURES if task.generates and one != now):
        yield PromptChange(f"temperature-{other:g}", f"temperature {other:g}", {"temperature": other}, other)


def prompt_tasks(tasks: Mapping[str, TaskSpec], temperature: float = 0.0) -> dict[str, TaskSpec]:
    """Return the changed tasks, twins of their clean ones that share its examples; none of them is in a family of p-values.

    ``temperature`` is the one of the run's settings.

    Raises:
        InputError: a changed task's name is taken or too long.
    """
    twins: dict[str, TaskSpec] = {}
    for name, task in tasks.items():
        for change in prompt_changes(task, temperature):
            twin = f"{name}+{change.name}"
            if twin in tasks or not regex.fullmatch(NAME_PATTERN, twin):
                raise InputError(
                    f"task {name!r}: with a changed prompt its name is {twin!r}, which is taken or longer than 80 letters. "
                    "Give the task another name."
                )
            ref = PerturbationRef(of=name, name=change.name)
            update = {**change.changed, "primary": (), "robustness": (), "perturbation": ref}
            twins[twin] = task.model_copy(update=update)
    return twins


def prompt_trials(adapter: str, tasks: Mapping[str, TaskSpec], temperature: float = 0.0) -> tuple[Trial, ...]:
    """Return one trial for each change that applies to any of the tasks, in the order in which they come."""
    changes = {change.name: change for task in tasks.values() for change in prompt_changes(task, temperature)}
    return tuple(
        Trial(part="prompt", change="prompt", variant=adapter, label=one.label, dose=one.dose, prompt=one.name)
        for one in changes.values()
    )
