"""Whether a model that several runs hold answered alike in all of them: the one check of a joining that its results allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.joined.results import JoinedVariant
from core.store import Run

_COLUMNS = ["task", "example_id", "item", "kind", "text", "option_logprob_sums"]


def repeated_sentences(
    runs: Sequence[Run], variants: Sequence[JoinedVariant], ids: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return a sentence for each variant whose answers in a further run are not those that its column shows.

    An answer is the generated text, or the likeliest option. Imported answers are one column only where they are all the same.

    Args:
        runs: that are joined.
        variants: their columns.
        ids: the examples of each task that all runs have.
    """
    by_id = {run.id: run for run in runs}
    told = []
    for variant in variants:
        for run_id, original in () if runs[0].spec.models.imported else variant.same_as:
            shown, again = (
                _answers(by_id[name], of, ids) for name, of in ((variant.run_id, variant.original), (run_id, original))
            )
            both = shown.keys() & again.keys()
            if other := sum(shown[key] != again[key] for key in both):
                n = f"{other:,} of {len(both):,} questions"
                told.append(f"{variant.name} answered {n} otherwise in {run_id}; its column shows {variant.run_id}.")
    return tuple(told)


def _answers(run: Run, variant: str, ids: Mapping[str, Sequence[str]]) -> dict[tuple[str, str, str], Any]:
    """Return what a variant answered by task, example and item."""
    found: dict[tuple[str, str, str], Any] = {}
    for task, some in ids.items():
        wanted = set(some)
        table = run.evidence(columns=_COLUMNS, task=task, variant=variant)
        for _, example, item, kind, text, sums in zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True):
            if example in wanted and kind == "generation":
                found[task, example, item or ""] = text
            elif example in wanted and kind == "options" and sums:
                found[task, example, item or ""] = sums.index(max(sums))
    return found
