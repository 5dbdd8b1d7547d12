"""Seeded perturbations of inputs: noise, outliers and adversarial texts, each drawn from (seed, perturbation, example).

A task names them under ``robustness``. Each makes a twin of the task (see `core.data.perturb.twins`), whose examples have the
same ids, references and tags and a changed input; references are never touched.
"""

from __future__ import annotations

import regex

from core.data.perturb.adversarial import ADVERSARIAL, MOST_COPIES, worst_of
from core.data.perturb.noise import NOISE
from core.data.perturb.option_order import OPTION_ORDER, why_no_order
from core.data.perturb.outliers import OUTLIERS
from core.data.perturb.perturbation import Family, Perturbation
from core.data.placeholders import named_fields
from core.errors import InputError, nearest
from core.spec import IMPORTED_KINDS, TaskSpec

__all__ = [
    "Family",
    "Perturbation",
    "catalogue",
    "find_perturbation",
    "get_perturbation",
    "perturbed_fields",
    "why_not",
]


def catalogue() -> tuple[Perturbation, ...]:
    """Return every perturbation by family; of those with a number in their name the usual one."""
    return (*NOISE, *OUTLIERS, *ADVERSARIAL[:-1], OPTION_ORDER, ADVERSARIAL[-1])


def find_perturbation(name: str) -> Perturbation | None:
    """Return the perturbation of a name, or None; ``character_edits_K`` takes any K from 2 to 20."""
    numbered = regex.fullmatch(r"character_edits_([1-9]\d?)", name)
    if numbered:
        copies = int(numbered.group(1))
        return worst_of(copies) if 2 <= copies <= MOST_COPIES else None
    return next((one for one in catalogue() if one.name == name), None)


def get_perturbation(name: str) -> Perturbation:
    """Return the perturbation of a name.

    Raises:
        InputError: there is none of this name; the message has the nearest one and all others.
    """
    found = find_perturbation(name)
    if found is None:
        raise InputError(f"there is no perturbation {name!r}{expected_names(name)}")
    return found


def expected_names(name: str) -> str:
    """Return the end of a sentence about an unknown perturbation: the nearest name, and what there is."""
    known = [one.name for one in catalogue()]
    return f"{nearest(name, known)}, expected one of: {', '.join(known)} (any number from 2 to {MOST_COPIES} of copies)"


def perturbed_fields(task: TaskSpec) -> tuple[str, ...]:
    """Return the fields whose texts are perturbed: those that the prompt names, without reference and options."""
    options = task.options.strip("{}") if isinstance(task.options, str) else None
    apart = {task.reference, options, "option" if task.kind == "multilabel" else None}
    return tuple(name for name in named_fields(task.prompt) if name not in apart)


def why_not(perturbation: Perturbation, task: TaskSpec) -> str | None:
    """Return why a perturbation does not apply to a task, as the end of a sentence; None where it does."""
    if task.kind in IMPORTED_KINDS:
        return f"predictions of a {task.kind} task come from elsewhere: no model can be asked again"
    if task.kind not in perturbation.kinds:
        return f"it is for {' and '.join(sorted(perturbation.kinds))} and not for {task.kind}"
    if perturbation.scope == "options":
        return why_no_order(task)
    if task.messages is not None:
        return "its prompts are conversations of the dataset, and perturbations change the fields that a prompt names"
    if task.prompt is None:
        return "the task has no prompt, and so no input beside its reference"
    if not perturbed_fields(task):
        return "the prompt names no field in {braces} beside the reference and the options, and so there is no input to change"
    return None
