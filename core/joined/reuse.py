"""Takes over what is kept of the statistics of joined runs, so that nothing is computed twice where their examples are the very same."""

from __future__ import annotations

import shutil
from contextlib import suppress

from core.derived import StatisticsReader
from core.joined.results import Joined
from core.metrics.registry import find_metric
from core.store import Run

_SAME_DATA = ("language", "group", "tags")
"""Of a dataset's declaration what a run's examples were made with, beside its file."""


def take_over_statistics(joined: Run, facts: Joined, runs: tuple[Run, ...]) -> None:
    """Copy the kept statistics of each variant of ``runs`` into the joined run's ``derived/``.

    A task is passed over where the joined run has fewer examples than the run itself, or has them in another order: its statistics
    are then made when they are read.
    """
    target = StatisticsReader(joined)
    for run in runs:
        source = StatisticsReader(run)
        names = facts.renamed(run.id)
        for task, spec in joined.spec.tasks.items():
            if not _same_data(joined, run, task) or source.index(task) != target.index(task):
                continue
            for metric in filter(None, map(find_metric, spec.metrics)):
                for original, name in names.items():
                    kept, place = source.path(task, metric, original), target.path(task, metric, name)
                    if kept is not None and place is not None and kept.is_file():
                        place.parent.mkdir(parents=True, exist_ok=True)
                        with suppress(OSError):  # made again where it is read
                            shutil.copyfile(kept, place)


def _same_data(joined: Run, run: Run, task: str) -> bool:
    mine, theirs = (one.spec.datasets[one.spec.tasks[task].dataset] for one in (joined, run))
    return all(getattr(mine, key) == getattr(theirs, key) for key in _SAME_DATA)
