"""Measure a large JSONL file in several processes, each with a stretch of its bytes; lines are numbered by counting.

A process is ``python -m core.data.inspect.worker`` with a job in a file: no pickle, and nothing of a page is imported again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec

from core.data.inspect.job import Job, Part
from core.data.inspect.ledger import read_faults
from core.data.inspect.lines import MAX_LINE_BYTES
from core.data.inspect.measure import Measure, Progress, tell
from core.data.inspect.source import Source, sha256
from core.errors import InputError, RunError
from core.paths import import_path

PARALLEL_BYTES = 64 << 20
"""A smaller file is read in this process: starting others would take longer."""
_POLL_SECONDS = 0.02


def measure_in_parallel(measure: Measure, source: Source, job: Job, workers: int, progress: Progress | None) -> str:
    """Measure a file in ``workers`` processes and return its SHA-256, which is computed meanwhile."""
    cuts = _cuts(source.path, source.n_bytes, workers)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(1) as pool:
        digest = pool.submit(sha256, source)
        folder = Path(name)
        started: list[subprocess.Popen[bytes]] = []
        try:
            for number, (start, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
                started.append(_start(folder, number, msgspec.structs.replace(job, start=start, end=end)))
            _wait(started, folder, source.n_bytes, progress)
        finally:
            for process in started:
                process.kill()
                process.wait()
        for number in range(len(started)):
            _take(measure, folder, number)
        return digest.result()


def _cuts(path: Path, n_bytes: int, workers: int) -> list[int]:
    """Return where the stretches begin and end: each after a line end."""
    cuts = [0]
    with path.open("rb") as stream:
        for number in range(1, workers):
            stream.seek(max(n_bytes * number // workers - 1, 0))
            stream.readline(MAX_LINE_BYTES)
            stream.seek(-1, os.SEEK_CUR)
            if stream.read(1) == b"\n" and cuts[-1] < stream.tell() < n_bytes:
                cuts.append(stream.tell())
    return [*cuts, n_bytes]


def _start(folder: Path, number: int, job: Job) -> subprocess.Popen[bytes]:
    (folder / f"{number}.job").write_bytes(msgspec.json.encode(job))
    environment = os.environ | {"PYTHONPATH": import_path()}
    command = [sys.executable, "-P", "-m", "core.data.inspect.worker", str(folder), str(number)]
    with (folder / f"{number}.log").open("wb") as log:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _wait(started: Sequence[subprocess.Popen[bytes]], folder: Path, n_bytes: int, progress: Progress | None) -> None:
    while any(process.poll() is None for process in started):
        if progress:
            marks = (folder / f"{number}.done" for number in range(len(started)))
            done = sum(mark.stat().st_size << 20 for mark in marks if mark.is_file())
            tell(progress, min(done / n_bytes, 0.99))
        time.sleep(_POLL_SECONDS)
    for number, process in enumerate(started):
        if process.returncode:
            told = (folder / f"{number}.log").read_text(encoding="utf-8", errors="replace").strip()
            if process.returncode == 2:
                raise InputError(told)
            raise RunError(
                f"A process that reads a part of the file ended early: {told.splitlines()[-1:] or process.returncode}."
            )


def _take(measure: Measure, folder: Path, number: int) -> None:
    """Add what one process found; the parts are taken in order, so that lines before it are known."""
    part = msgspec.msgpack.decode((folder / f"{number}.part").read_bytes(), type=Part)
    before = measure.tally.lines
    for fault in read_faults(folder / f"{number}.faults") if part.spilled else part.faults:
        measure.ledger.add_fault(replace(fault, line=fault.line + before))
    measure.tally.merge(part.tally)
