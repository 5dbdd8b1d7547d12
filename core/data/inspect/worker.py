"""One process of `parallel`: ``python -m core.data.inspect.worker FOLDER NUMBER`` measures one stretch of a file.

It reads ``NUMBER.job`` and writes ``NUMBER.part``; a byte is added to ``NUMBER.done`` for each MiB, which tells progress.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from core.data.inspect.fast import FastLines
from core.data.inspect.forms import check_for
from core.data.inspect.job import Job, Part
from core.data.inspect.measure import Measure, measure_lines
from core.data.inspect.stream import stretch
from core.errors import InputError


def work(folder: Path, number: int) -> None:
    """Do one job and write what was found."""
    job = msgspec.json.decode((folder / f"{number}.job").read_bytes(), type=Job)
    check = check_for(job.name, strict=job.strict, evaluation=job.evaluation)
    measure = Measure(check, job.name, conversational=job.conversational, spill=folder / f"{number}.faults")
    fast = None if job.extras is None else FastLines(job.name, job.extras)
    size = job.end - job.start
    with Path(job.path).open("rb") as raw, (folder / f"{number}.done").open("ab", buffering=0) as done:
        raw.seek(job.start)
        told = 0

        def progress(share: float) -> None:
            nonlocal told
            mebibytes = int(share * size) >> 20
            done.write(b"." * (mebibytes - told))
            told = mebibytes

        measure_lines(measure, stretch(raw, Path(job.path), size), fast, size, progress)
    measure.ledger.close()
    spilled = measure.ledger.spilled
    part = Part(measure.tally, [] if spilled else measure.ledger.kept, spilled)
    (folder / f"{number}.part").write_bytes(msgspec.msgpack.encode(part))


def main() -> int:
    """Run the job that the command line names."""
    try:
        work(Path(sys.argv[1]), int(sys.argv[2]))
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
