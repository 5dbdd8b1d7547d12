"""Sentences on what a joined run is made of: which runs, what they agree on, and what a reader has to know."""

from __future__ import annotations

from collections.abc import Sequence

from core.joined.results import Joined, JoinedTask, JoinedVariant
from core.store import Run


def headline(joined: Joined) -> str:
    """Return which runs are joined and on what: ``a and b are joined by example: category, reply (n = 40 of 60).``."""
    by_n: dict[str, list[str]] = {}
    for task in joined.tasks:
        if not task.perturbed:
            by_n.setdefault(_n(task), []).append(task.name)
    told = "; ".join(f"{', '.join(names)} ({n})" for n, names in by_n.items())
    perturbed = sum(task.perturbed for task in joined.tasks)
    also = "" if not perturbed else f", and {perturbed} perturbed form{'' if perturbed == 1 else 's'} of them"
    return f"{_listed(joined.runs)} are joined by example: {told}{also}."


def sentences(joined: Joined) -> tuple[str, ...]:
    """Return what else a reader has to know, the tasks that are left out first."""
    return (*(f"{one.task} is left out: {one.reason}." for one in joined.left_out), *joined.notes)


def notes(runs: Sequence[Run], variants: Sequence[JoinedVariant]) -> tuple[str, ...]:
    """Return what is to be said of the variants of several runs, and of how the runs were made."""
    first = runs[0]
    told = [sentence for variant in variants for sentence in _of_variant(variant)]
    if first.spec.models.imported:
        return (*told, "Examples are matched by id and reference: a file of predictions has no dataset's hash.")
    told += [sentence for key, words in _MADE_WITH.items() if (sentence := _made_with(runs, key, words))]
    if first.read_json("probe") is not None:
        told.append(f"Speed and memory are those of {first.id} alone: they are compared within one run only.")
    return tuple(told)


_MADE_WITH = {"device": "was computed on", "batch_tokens": "was computed in batches of so many tokens:"}
"""Of environment.json: what moves the last bits of a number, and no more."""


def _of_variant(variant: JoinedVariant) -> list[str]:
    told = []
    if variant.same_as:
        elsewhere = [run_id if name == variant.original else f"{run_id} ({name})" for run_id, name in variant.same_as]
        told.append(f"{variant.name} is one column: the same weights are in {_listed(elsewhere)}.")
    if variant.name != variant.original:
        of = f"{variant.original} of {variant.run_id}"
        told.append(f"{variant.name} is {of}, another model than {variant.original} here.")
    return told


def _made_with(runs: Sequence[Run], key: str, words: str) -> str | None:
    """Return that runs were computed in another way than the first; None where they were not."""
    mine, *theirs = [(run.id, (run.read_json("environment") or {}).get(key)) for run in runs]
    others = [f"{name} {words} {found}" for name, found in theirs if found != mine[1]]
    if not others:
        return None
    told = ", ".join([*others, f"{mine[0]} {words} {mine[1]}"])
    return f"{told}: the last digits of log-likelihoods may differ for that alone."


def _n(task: JoinedTask) -> str:
    return f"n = {task.n:,}" + ("" if task.n == task.n_first else f" of {task.n_first:,}")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
