"""What a perturbation is: a change of an example's input that should not change the right answer, drawn from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from core.records import Example, Kind

Family = Literal["noise", "outliers", "adversarial"]
Scope = Literal["every field", "longest field", "options"]
"""What is changed: every text that the prompt names, the longest of them, or the order of the options."""

ASKED_KINDS: frozenset[Kind] = frozenset(
    {"generation", "classification", "regression", "multilabel", "ranking", "likelihood"}
)
"""The kinds of task whose inputs a model is given."""


@dataclass(frozen=True)
class Asked:
    """What a change of a text may look at beside the text."""

    language: str | None
    kind: Kind
    options: tuple[str, ...]
    reference: Any
    """As in `core.records.Example`."""

    @classmethod
    def of(cls, example: Example, kind: Kind) -> Asked:
        """Return what an example asks."""
        return cls(example.language, kind, example.options, example.reference)


Change = Callable[[str, Asked, Random], str]
"""A pure function: the text, what is asked, and where chance comes from; returns the changed text."""


@dataclass(frozen=True)
class Perturbation:
    """One perturbation, as a task's ``robustness`` names it."""

    name: str
    family: Family
    label: str
    """As a page writes it."""
    description: str
    """What it does, in one line."""
    change: Change
    kinds: frozenset[Kind] = ASKED_KINDS
    """The kinds of task that it applies to; see also `core.data.perturb.why_not`."""
    scope: Scope = "every field"
    copies: int = 1
    """Above 1 each example is perturbed so often, and its worst copy counts."""

    def apply(self, text: str, asked: Asked, rng: Random) -> str:
        """Return the changed text; a text that the change would leave without a visible character stays as it was."""
        changed = self.change(text, asked, rng)
        return changed if changed.strip() else text


def seeded(seed: int, name: str, example_id: str, copy_number: int, field: str) -> Random:
    """Return the source of chance of one text: the same whatever the order of the examples, and whichever are chosen."""
    key = "\x1f".join((str(seed), name, example_id, str(copy_number), field))
    return Random(int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16], "big"))


def some_of(places: list[int], rate: float, rng: Random) -> list[int]:
    """Return a share of places, at least one where there is any, in ascending order."""
    return sorted(rng.sample(places, min(len(places), max(1, round(rate * len(places)))))) if places else []
