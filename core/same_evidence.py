"""Takes over what is kept of the statistics of other runs beside a run, where their evidence is the very same.

A run of which everything was found in the evidence cache ends with the evidence of the run that was computed, to the last byte. The
names of kept statistics hold the hash of all that they depend on (`core.derived.StatisticsReader.path`): the same name is the same content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from core.store import Run, write_atomically


def take_over_statistics(run: Run, wanted: Iterable[Path]) -> int:
    """Copy kept statistics from the runs beside a run, and return how many there were.

    Args:
        run: finished.
        wanted: where its own would be kept and are not.
    """
    names = {path.name: path for path in wanted}
    done = 0
    for folder in _folders_beside(run):
        if not names:
            break
        for name in names.keys() & set(_listed(folder)):
            with suppress(OSError):  # it is made then, as if it had not been there
                write_atomically(names[name], (folder / name).read_bytes())
                del names[name]
                done += 1
    return done


def _folders_beside(run: Run) -> Iterator[Path]:
    here = run.folder.resolve()
    for name in sorted(_listed(here.parent)):
        if name != here.name:
            yield here.parent / name / "derived" / "statistics"


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
