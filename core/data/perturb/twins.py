"""The twins of a task: the same task once more for each of its perturbations, with examples of the same ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import regex

from core.data.perturb import get_perturbation, perturbed_fields, why_not
from core.data.perturb.option_order import reordered, with_places
from core.data.perturb.perturbation import Asked, Perturbation, seeded
from core.errors import InputError
from core.records import Example
from core.spec import NAME_PATTERN, PerturbationRef, TaskSpec


def twin_name(task: str, perturbation: str, copy_number: int | None = None) -> str:
    """Return the name of a twin: ``TASK+PERTURBATION``, and ``.0``, ``.1`` and so on where there are copies."""
    return f"{task}+{perturbation}" + ("" if copy_number is None else f".{copy_number}")


def twin_tasks(name: str, task: TaskSpec, seed: int) -> dict[str, TaskSpec]:
    """Return the twins of a task, in the order of its ``robustness``; none of them is in any family of p-values.

    Raises:
        InputError: a perturbation is unknown or does not apply, or the task's name is too long to have a twin's behind it.
    """
    twins: dict[str, TaskSpec] = {}
    for perturbation in map(get_perturbation, task.robustness):
        if reason := why_not(perturbation, task):
            raise InputError(
                f"task {name!r}: {perturbation.name!r} does not apply: {reason}. Leave it out of `robustness`."
            )
        base = with_places(task) if perturbation.scope == "options" else task
        for copy_number in range(perturbation.copies):
            twin = twin_name(name, perturbation.name, copy_number if perturbation.copies > 1 else None)
            if not regex.fullmatch(NAME_PATTERN, twin):
                raise InputError(
                    f"task {name!r}: with its perturbation the name is {twin!r} ({len(twin)} letters); expected 80 at most. "
                    "Give the task a shorter name."
                )
            ref = PerturbationRef(of=name, name=perturbation.name, seed=seed, copy_number=copy_number)
            twins[twin] = base.model_copy(update={"primary": (), "robustness": (), "perturbation": ref})
    return twins


def perturbed_examples(name: str, ref: PerturbationRef, task: TaskSpec, examples: Iterable[Example]) -> list[Example]:
    """Return the examples of a twin.

    Args:
        name: The twin's.
        ref: Which perturbation, and from which seed.
        task: The clean task.
        examples: Of the clean task.

    Raises:
        InputError: the perturbation is unknown.
    """
    perturbation = get_perturbation(ref.name)
    return [replace(_perturbed(example, ref, perturbation, task), task=name) for example in examples]


def _perturbed(example: Example, ref: PerturbationRef, perturbation: Perturbation, task: TaskSpec) -> Example:
    if perturbation.scope == "options":
        return reordered(example, task, seeded(ref.seed, ref.name, example.id, ref.copy_number, ""))
    asked = Asked.of(example, task.kind)
    texts = {
        name: text for name in perturbed_fields(task) if isinstance(text := example.fields.get(name), str) and text
    }
    if perturbation.scope == "longest field" and texts:
        longest = max(texts, key=lambda name: len(texts[name]))
        texts = {longest: texts[longest]}
    changed = {
        name: perturbation.apply(text, asked, seeded(ref.seed, ref.name, example.id, ref.copy_number, name))
        for name, text in texts.items()
    }
    return replace(example, fields={**example.fields, **changed})
