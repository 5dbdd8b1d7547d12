"""Whether the examples of several runs are the same ones, and which of them all runs have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from core.store import Run

_ASKED = ("prompt", "reference", "options")
_WORDS = {"prompt": "another prompt", "reference": "another reference", "options": "other options"}


@dataclass(frozen=True)
class CommonExamples:
    """The examples of one task that all runs have."""

    ids: tuple[str, ...]
    """In the order of the first run."""
    n_first: int
    """How many the first run has."""


def common_examples(runs: Sequence[Run], task: str) -> CommonExamples | tuple[str, str]:
    """Return the examples that all runs have of a task; or which run does not agree on one of them, and why.

    An example is the same where its id, the prompt that the model saw, its reference and its options are. Of imported
    predictions a file need not hold the prompts: there an empty one agrees with any.
    """
    found = [_read(run, task) for run in runs]
    first, ids = found[0], list(found[0])
    for run, examples in zip(runs[1:], found[1:], strict=True):
        ids = [name for name in ids if name in examples]
        for name in ids:
            for key, mine, theirs in zip(_ASKED, first[name], examples[name], strict=True):
                if mine != theirs and not (key == "prompt" and run.spec.models.imported and not (mine and theirs)):
                    return run.id, f"example {name} has {_WORDS[key]} in {run.id} than in {runs[0].id}"
        if not ids:
            return run.id, f"no example of {run.id} is one of {runs[0].id}"
    return CommonExamples(tuple(ids), len(first))


def _read(run: Run, task: str) -> dict[str, tuple[Any, ...]]:
    """Return what was asked in each example by its id; of an id that is there twice the first."""
    table = pq.read_table(run.folder / "examples.parquet", columns=["id", *_ASKED], filters=[("task", "=", task)])
    columns = [table[name].to_pylist() for name in _ASKED]
    found: dict[str, tuple[Any, ...]] = {}
    for name, *asked in zip(table["id"].to_pylist(), *columns, strict=True):
        found.setdefault(name, tuple(asked))
    return found
