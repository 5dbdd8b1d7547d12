"""Which slices a run's examples have: by tag, language, label, group, any field, and length."""

from __future__ import annotations

import numpy as np

from core.errors import InputError, nearest
from core.families import MIN_EXAMPLES
from core.lines import Filter, IdFilter
from core.slices.answered import answer_filter, is_answer_slice
from core.slices.kept import kept_partition
from core.slices.partition import Part, Partition
from core.slices.results import Slice
from core.store import Run


def find_slices(run: Run, *, where: Filter | None = None) -> tuple[Slice, ...]:
    """Return every slice with at least `core.families.MIN_EXAMPLES` examples inside and one outside, dataset by dataset.

    Args:
        run: finished or not; only its examples are read.
        where: keeps the examples for which it is true. Quarters stay those of all examples, so that their names do not change.
    """
    found: list[Slice] = []
    for one in partitions(run):
        kept = _kept(run, one, where)
        for part in one.parts:
            n = int(np.count_nonzero(part.inside & kept))
            if not part.repeats and MIN_EXAMPLES <= n < int(kept.sum()):
                found.append(slice_of(one, part, n, int(kept.sum())))
    return tuple(found)


def matcher(run: Run, name: str) -> IdFilter:
    """Return what tells whether an example lies in a slice, for ``where`` of `core.compare.compare`.

    Any ``field=value`` tag and ``language=xx`` is taken, however few examples it has, every name of `find_slices`, and every
    name of `core.slices.answered.answer_slice`.
    An example of a perturbed task lies where its clean one does.

    Raises:
        InputError: the run has no slice of this name; with the nearest.
    """
    if is_answer_slice(name):
        return answer_filter(run, name)
    known = partitions(run)
    inside = {one.dataset: _ids(one, name) for one in known}
    if not any(inside.values()):
        names = dict.fromkeys(part.name for one in known for part in one.parts)
        listed = ", ".join(repr(other) for other in list(names)[:6])
        rest = f" and {len(names) - 6} more" if len(names) > 6 else ""
        raise InputError(
            f"run {run.id}: there is no slice {name!r}{nearest(name, names)}; expected one of {listed}{rest}."
            if names
            else f"run {run.id}: there is no slice {name!r}; nothing parts its examples."
        )
    return IdFilter({task: inside.get(spec.dataset, frozenset()) for task, spec in run.spec.tasks.items()})


def partitions(run: Run) -> list[Partition]:
    """Return how the examples of each dataset can be parted, in the order of the run's clean tasks."""
    return [kept_partition(run, name) for name in dict.fromkeys(task.dataset for task in run.spec.clean_tasks.values())]


def slice_of(one: Partition, part: Part, n: int, of: int) -> Slice:
    """Return a part as it is shown, with ``n`` of ``of`` examples inside."""
    return Slice(part.name, part.dimension, part.kind, one.dataset, n, of)


def _kept(run: Run, one: Partition, where: Filter | None) -> np.ndarray:
    """Return which examples of a dataset are kept in any of its tasks, bool."""
    if where is None:
        return np.ones(len(one.position), dtype=bool)
    kept = np.zeros(len(one.position), dtype=bool)
    tasks = {name for name, task in run.spec.clean_tasks.items() if task.dataset == one.dataset}
    for example in run.examples:
        if example.task in tasks and where(example):
            kept[one.position[example.id]] = True
    return kept


def _ids(one: Partition, name: str) -> frozenset[str]:
    part = next((part for part in one.parts if part.name == name), None)
    if part is None:
        return frozenset()
    return frozenset(key for key, there in zip(one.position, part.inside.tolist(), strict=True) if there)
