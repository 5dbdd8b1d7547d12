"""Runs of one task and its perturbed twins, for tests of the drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.records import BASELINE, Evidence, Example
from core.spec import PerturbationRef, TaskSpec
from tests.core import mini

VARIANTS = (BASELINE, "lora")
LABELS = mini.LABELS


def twin(clean: TaskSpec, name: str = "typos", copy_number: int = 0, of: str = "t") -> TaskSpec:
    ref = PerturbationRef(of=of, name=name, copy_number=copy_number)
    return clean.model_copy(update={"primary": (), "perturbation": ref})


def examples(task: str, references: Sequence[str], text: str = "x", groups: int = 0) -> list[Example]:
    return [
        replace(
            mini.example(task, k, reference, group=f"g{k % groups}" if groups else None),
            fields={"text": f"{text}{k}"},
            tags=("half=first",) if k < len(references) // 2 else (),
        )
        for k, reference in enumerate(references)
    ]


def labelled(answers: Mapping[tuple[str, str], Sequence[str | None]]) -> list[Evidence]:
    """Evidence of (task, variant): the label that was chosen, None where it failed."""
    return [
        mini.failed(task, variant, k) if answer is None else mini.chosen(task, variant, k, answer)
        for (task, variant), given in answers.items()
        for k, answer in enumerate(given)
    ]
