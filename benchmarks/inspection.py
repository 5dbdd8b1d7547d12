"""Rows a second and peak memory of an inspection, beside readers that check nothing: ``python -m benchmarks.inspection [MB]``.

The file is a seeded ``messages`` file of the size given (1,000 MB by default). Each subject runs in a process of its own, in turn, so
that all see the same file in the same run; memory is that of the process and of those that it starts, sampled. The scans for
secrets, mojibake, repetition and the rest, which the rates above leave out, have a line of their own, over a smaller file.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

REPEATS = 3
SEED = 7
_WORDS = 5000


def make_file(path: Path, megabytes: int) -> int:
    """Write the file and return the number of its rows: one to three turns, every other row with a system message."""
    drawn = random.Random(SEED)
    words = ["".join(drawn.choices("abcdefghijklmnop", k=drawn.randint(2, 9))) for _ in range(_WORDS)]
    system = {
        "role": "system",
        "content": "You are a helpful assistant. Answer briefly, and say so if you do not know.",
    }
    rows, size = 0, 0
    with path.open("wb") as out:
        while size < megabytes * 1_000_000:
            messages = [system] if rows % 2 else []
            for _ in range(1 + rows % 3):
                messages.append({"role": "user", "content": " ".join(drawn.choices(words, k=20)) + "?"})
                answer = " ".join(drawn.choices(words, k=50)) + ' \n"quoted", 你好.'
                messages.append({"role": "assistant", "content": answer})
            size += out.write(json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n")
            rows += 1
    return rows


def _pandas(path: Path) -> int:
    import pandas as pd

    return len(pd.read_json(path, lines=True))


def _pandas_pyarrow(path: Path) -> int:
    import pandas as pd

    return len(pd.read_json(path, lines=True, engine="pyarrow"))


def _inspection(path: Path) -> int:
    from core.data.inspect.scan import scan

    return scan(path).rows


def _inspection_alone(path: Path) -> int:
    from core.data.inspect.scan import scan

    return scan(path, workers=1).rows


def _scans(path: Path) -> int:
    from core.data.profile import rows_of
    from core.data.profile.quality import find_outliers

    return find_outliers(rows_of(path)).rows


SUBJECTS: dict[str, Callable[[Path], int]] = {
    "pandas.read_json(lines=True)": _pandas,
    'pandas.read_json(lines=True, engine="pyarrow")': _pandas_pyarrow,
    "lorascope, one process": _inspection_alone,
    "lorascope, a process for each core": _inspection,
}
SCANS = "lorascope, scans for secrets, mojibake and repetition, one process"
_SCANNED_MB = 100


def main() -> None:
    """Print the table."""
    if len(sys.argv) == 4 and sys.argv[1] == "--one":
        _run_one(sys.argv[2], Path(sys.argv[3]))
        return
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messages.jsonl"
        rows = make_file(path, megabytes)
        print(f"{megabytes:,} MB, {rows:,} rows, best and worst of {REPEATS}\n")
        print("| reader | rows/s, best | rows/s, worst | peak memory, MB |\n|---|---|---|---|")
        measured = {name: [] for name in SUBJECTS}
        for _ in range(REPEATS):
            for name in SUBJECTS:
                measured[name].append(_measure(name, path, rows))
        for name, runs in measured.items():
            rates = sorted(rows / seconds for seconds, _ in runs)
            print(f"| {name} | {rates[-1]:,.0f} | {rates[0]:,.0f} | {max(peak for _, peak in runs) / 1e6:,.0f} |")
        rows = make_file(path, min(megabytes, _SCANNED_MB))
        runs = [_measure(SCANS, path, rows) for _ in range(REPEATS)]
        rates = sorted(rows / seconds for seconds, _ in runs)
        print(f"\n{SCANS}: {rates[-1]:,.0f} rows/s, {max(peak for _, peak in runs) / 1e6:,.0f} MB ({rows:,} rows)")


def _run_one(name: str, path: Path) -> None:
    import msgspec  # noqa: F401 - what is imported is not timed
    import pandas  # noqa: F401
    import pyarrow.json  # noqa: F401

    import core.data.inspect.scan  # noqa: F401

    started = time.perf_counter()
    rows = (SUBJECTS | {SCANS: _scans})[name](path)
    print(json.dumps({"seconds": time.perf_counter() - started, "rows": rows}))


def _measure(name: str, path: Path, rows: int) -> tuple[float, int]:
    """Return seconds, and the peak of memory in bytes, that of the imports included."""
    command = [sys.executable, "-m", "benchmarks.inspection", "--one", name, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.01)
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    if told["rows"] != rows:
        raise RuntimeError(f"{name} read {told['rows']} rows of {rows}")
    return told["seconds"], peak


def _memory(pid: int) -> int:
    """Return the resident bytes of a process and of all that it started."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


if __name__ == "__main__":
    main()
