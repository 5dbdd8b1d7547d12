"""Makes all statistics of a finished run beforehand, with all cores where it is worth it, and keeps them in ``derived/``.

The work is handed to processes of our own kind (``python -m core.statistics_worker``) rather than to multiprocessing, whose
children would run the program's main file again: within the dashboard that is a page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from core.derived import StatisticsReader
from core.diagnostics.kept import kept_answers
from core.metrics.registry import find_metric, get_metric
from core.paths import import_path
from core.predict import MANY_EXAMPLES
from core.same_evidence import take_over_statistics
from core.store import Run

WORTH_PROCESSES = 50_000
"""Examples x metrics below which one process is faster than starting several."""

MOST_BYTES = 4_000_000_000
"""Of all processes together, as long as one of them needs no more."""
EXAMPLE_BYTES = 1_800
"""What a process holds for each example of a task while it makes statistics (measured, short texts)."""
_BEAT_SECONDS = 0.5
Progress = Callable[[int, int], None]
"""Called with how many statistics are done, and of how many."""


@dataclass(frozen=True)
class Share:
    """Metrics of one task and variant, made together, since they read the same predictions."""

    task: str
    variant: str
    metrics: tuple[str, ...]


def prepare_statistics(
    run: Run, progress: Progress | None = None, workers: int | None = None, reader: StatisticsReader | None = None
) -> int:
    """Make every statistic of a run that is not kept yet, and keep it.

    Nothing is done for a run that is not finished, or whose folder cannot be written: there its statistics are made when
    they are read. Those of a run beside it with the very same evidence are taken over.
    One that fails is left out here, and fails with its reason where it is read.

    Args:
        run: the run.
        progress: called whenever some are made, and twice a second while processes are at work; what it raises ends the work,
            of which all that was made is kept.
        workers: processes; by default as many as there are cores, and one where the work is small.
        reader: of this run, where one is at hand.

    Returns:
        How many were made.
    """
    reader = StatisticsReader(run) if reader is None else reader
    shares = missing_shares(reader)
    if shares and _writable(run) and take_over_statistics(run, _missing_paths(reader, shares)):
        shares = missing_shares(reader)
    total = sum(len(share.metrics) for share in shares)
    if not total or not _writable(run):
        return 0
    size = sum(len(share.metrics) * len(reader.index(share.task).ids) for share in shares)
    if workers is None:
        workers = (os.cpu_count() or 1) if size >= WORTH_PROCESSES else 1
    done = 0
    # Closed at once where the caller's progress raises: a page that was left must not keep processes at work.
    with closing(_made(reader, shares, workers)) as made:
        for share in made:
            done += 0 if share is None else len(share.metrics)
            if progress is not None:
                progress(done, total)
    return done


def work_left(reader: StatisticsReader) -> int:
    """Return how many values of single examples (examples x metrics x variants) are not kept yet; 0 where nothing will be kept."""
    if not _writable(reader.run):
        return 0
    return sum(len(share.metrics) * len(reader.index(share.task).ids) for share in missing_shares(reader))


def missing_shares(reader: StatisticsReader) -> list[Share]:
    """Return what is not kept yet, task by task and variant by variant."""
    spec, shares = reader.run.spec, []
    for task, task_spec in spec.tasks.items():
        metrics = [metric for name in task_spec.metrics if (metric := find_metric(name)) is not None]
        for variant in spec.models.variants:
            paths = {metric.name: reader.path(task, metric, variant) for metric in metrics}
            missing = tuple(name for name, path in paths.items() if path is not None and not path.is_file())
            if missing:
                shares.append(Share(task, variant, missing))
    return shares


def _missing_paths(reader: StatisticsReader, shares: Sequence[Share]) -> Iterator[Path]:
    for share in shares:
        paths = (reader.path(share.task, get_metric(name), share.variant) for name in share.metrics)
        yield from filter(None, paths)


def make_share(reader: StatisticsReader, share: Share) -> None:
    """Make and keep the statistics of a share; one that fails does not keep the others from being made.

    Of many examples the answers that pages show are kept too: what they are read out of is in memory now, and takes minutes to read.
    """
    for name in share.metrics:
        with suppress(Exception):  # read again where it is shown, and raised there
            reader.read(share.task, get_metric(name), share.variant)
    if reader.run.spec.tasks[share.task].kind != "classification" or len(reader.index(share.task).ids) <= MANY_EXAMPLES:
        return
    task, variant = share.task, share.variant
    with suppress(Exception):
        kept_answers(reader.run, task, variant, reader.evidence_hash, lambda: reader.observed(task, variant))


def _made(reader: StatisticsReader, shares: Sequence[Share], workers: int) -> Generator[Share | None]:
    """Yield each share once it is made, and None now and then while processes are at it."""
    if workers <= 1:
        for share in shares:
            make_share(reader, share)
            yield share
        return
    waiting: SimpleQueue[Share] = SimpleQueue()
    pieces = _cut(shares, workers)
    for share in pieces:
        waiting.put(share)
    finished: SimpleQueue[Share] = SimpleQueue()
    largest = max(len(reader.index(share.task).ids) for share in shares)
    affordable = max(1, MOST_BYTES // (EXAMPLE_BYTES * max(1, largest)))
    children = [_child(reader.run) for _ in range(min(workers, len(pieces), affordable))]
    try:
        for child in children:
            Thread(target=_feed, args=(child, waiting, finished), daemon=True).start()
        left = len(pieces)
        while left:
            try:
                share = finished.get(timeout=_BEAT_SECONDS)
            except Empty:
                yield None
            else:
                left -= 1
                yield share
    finally:
        for child in children:
            child.kill()
            child.wait()


def _cut(shares: Sequence[Share], workers: int) -> list[Share]:
    """Return shares cut by metric, so that there is one for each worker where there are fewer."""
    pieces = -(-workers // len(shares))
    return [
        Share(share.task, share.variant, some)
        for share in shares
        for start in range(pieces)
        if (some := share.metrics[start::pieces])
    ]


def _feed(child: subprocess.Popen[str], waiting: SimpleQueue[Share], finished: SimpleQueue[Share]) -> None:
    """Give a child one share after the other; a child that died finishes its share unmade."""
    assert child.stdin is not None
    assert child.stdout is not None
    while True:
        try:
            share = waiting.get_nowait()
        except Empty:
            return
        with suppress(OSError, ValueError):
            child.stdin.write(json.dumps([share.task, share.variant, share.metrics]) + "\n")
            child.stdin.flush()
            child.stdout.readline()
        finished.put(share)


def _child(run: Run) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # -P: the folder that the user stands in is no place to import from.
        [sys.executable, "-P", "-m", "core.statistics_worker", str(run.folder.resolve())],
        env=os.environ | {"PYTHONPATH": import_path()}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip


def _writable(run: Run) -> bool:
    derived = run.folder / "derived"
    return os.access(derived if derived.is_dir() else run.folder, os.W_OK)
