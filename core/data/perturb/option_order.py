"""Option order: the same options, shown in another order, where a prompt shows them at all.

A prompt shows them in a field of the row (``options: "{choices}"``), or spells them out as a list of words; such a list becomes
places that each example fills in its own order. Options are known by their text, so that every result maps back by label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import regex

from core.data.perturb.perturbation import Perturbation
from core.data.perturb.scripts import UNSPACED
from core.data.placeholders import named_fields
from core.records import Example
from core.spec import FewShot, TaskSpec

NAME = "option_order"
_PLACE = "shuffled_option_"
_BETWEEN = regex.compile(
    r"(?:[\s,;/|、，；\"'“”‘’「」`*•\-]|\b(?:or|and|oder|und|ou|et|o|y|e)\b|或者|还是|或|和|と|や|\(?\b[0-9A-Za-z]{1,2}[.):])+"
)
"""What stands between two options of a list: commas, a word for or, bullets, numbers."""
_T = TypeVar("_T")

OPTION_ORDER = Perturbation(
    NAME, "adversarial", "Option order", "The options that the prompt shows, in another order.",
    lambda text, asked, rng: text, kinds=frozenset({"classification", "ranking"}), scope="options",
)  # fmt: skip


def why_no_order(task: TaskSpec) -> str | None:
    """Return why the order of a task's options cannot be changed; None where it can."""
    if not task.options:
        return "the task has no options"
    if _shown_field(task) is None and not _spelt_out(task):
        return "the prompt does not show the options as a list, and each is scored by itself: their order cannot matter"
    if isinstance(task.options, tuple) and len(task.options) < 2:
        return "there is only one option"
    return None


def with_places(task: TaskSpec) -> TaskSpec:
    """Return the task with places in its prompt where it spells out its options; as it is where a field shows them."""
    spans = _spelt_out(task)
    if _shown_field(task) is not None or not spans or task.prompt is None:
        return task
    prompt = task.prompt
    for number, (start, end) in reversed(list(enumerate(spans))):
        prompt = f"{prompt[:start]}{{{_PLACE}{number}}}{prompt[end:]}"
    original = {f"{_PLACE}{number}": task.prompt[start:end] for number, (start, end) in enumerate(spans)}
    shots = tuple(FewShot(fields={**shot.fields, **original}, answer=shot.answer) for shot in task.few_shot)
    return task.model_copy(update={"prompt": prompt, "few_shot": shots})


def reordered(example: Example, task: TaskSpec, rng: Random) -> Example:
    """Return an example with its options in another order.

    Args:
        example: Of the clean task.
        task: The clean task, for which `why_no_order` is None.
        rng: Where the order comes from; with two options or more it is never the one there was.
    """
    field = _shown_field(task)
    if field is None:
        shown = [(task.prompt or "")[start:end] for start, end in _spelt_out(task)]
        places = {f"{_PLACE}{number}": shown[chosen] for number, chosen in enumerate(_order(len(shown), rng))}
        return replace(example, fields={**example.fields, **places})
    order = _order(len(example.options), rng)
    reference: Any = _permuted(example.reference, order) if task.kind == "ranking" else example.reference
    return replace(
        example, options=tuple(_permuted(example.options, order)), reference=reference,
        fields={**example.fields, field: _permuted(example.fields[field], order)},
    )  # fmt: skip


def _order(count: int, rng: Random) -> list[int]:
    order = list(range(count))
    while count > 1 and order == sorted(order):
        rng.shuffle(order)
    return order


def _permuted(values: Sequence[_T], order: Sequence[int]) -> list[_T]:
    return [values[place] for place in order]


def _shown_field(task: TaskSpec) -> str | None:
    """Return the field that lists the options, where the prompt shows it."""
    name = task.options.strip("{}") if isinstance(task.options, str) else None
    return name if name in named_fields(task.prompt) else None


def _spelt_out(task: TaskSpec) -> list[tuple[int, int]]:
    """Return where the prompt lists the options, each once and one after the other; empty where it does not."""
    if not isinstance(task.options, tuple) or not task.prompt:
        return []
    options = sorted(map(str, task.options), key=len, reverse=True)
    word = rf"[\w--[{UNSPACED}]]"
    listed = "|".join(regex.escape(option, special_only=True, literal_spaces=True) for option in options)
    found = list(regex.finditer(rf"(?V1)(?<!{word})(?:{listed})(?!{word})", task.prompt))
    for first in range(len(found) - len(options) + 1):
        run = found[first : first + len(options)]
        gaps = [task.prompt[a.end() : b.start()] for a, b in zip(run, run[1:], strict=False)]
        if {match.group() for match in run} == set(options) and all(_BETWEEN.fullmatch(gap) for gap in gaps):
            return [match.span() for match in run]
    return []
