"""How long near duplicates and the scan for outliers take: ``python -m benchmarks.near_duplicates [--rows 100000]``.

Texts of 80 words are drawn (seeded); each tenth is a copy of an earlier one with one word changed. rensa's own deduplicator,
which estimates similarity and verifies nothing, runs beside ours on the same file. Each in a process of its own, reading included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

WORDS_A_TEXT = 80
COPIES = 0.1


def texts(rows: int, seed: int = 0) -> list[str]:
    """Return texts with words as frequent as in a language: the k-th word's share falls as 1 / (k + 10)."""
    random = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(random.choice(letters, size)) for size in random.integers(2, 10, 20_000)])
    share = 1 / (np.arange(len(vocabulary)) + 10)
    drawn = vocabulary[random.choice(len(vocabulary), (rows, WORDS_A_TEXT), p=share / share.sum())]
    for row in np.flatnonzero(random.random(rows) < COPIES):
        if row:
            drawn[row] = drawn[random.integers(row)]
            drawn[row, random.integers(WORDS_A_TEXT)] = "changed"
    return [" ".join(words) for words in drawn]


def ours(path: Path) -> str:
    """Find groups of near duplicates, each verified by its true Jaccard similarity."""
    from core.data.profile import rows_of
    from core.data.profile.duplicates import find_duplicates

    found = find_duplicates(rows_of(path))
    return f"{found.near_rows:,} near duplicates in {found.n_groups:,} groups"


def rensas(path: Path) -> str:
    """Let rensa keep the first of each: runs of three words as its tokens, so that both compare the same."""
    from rensa import RMinHashDeduplicator  # type: ignore[attr-defined]

    deduplicator = RMinHashDeduplicator(threshold=0.8, num_perm=120, use_lsh=True)
    with path.open(encoding="utf-8") as file:
        pairs = [(str(row), _runs(json.loads(line)["text"].split())) for row, line in enumerate(file)]
    return f"{sum(not kept for kept in deduplicator.add_pairs(pairs)):,} near duplicates"


def outliers(path: Path) -> str:
    """Scan for secrets, addresses, mojibake, repetition and the rest."""
    from core.data.profile import rows_of
    from core.data.profile.quality import find_outliers

    return f"{len(find_outliers(rows_of(path)).findings)} kinds of findings"


def _runs(words: list[str]) -> list[str]:
    return [" ".join(words[place : place + 3]) for place in range(len(words) - 2)]


KINDS: dict[str, tuple[str, Callable[[Path], str]]] = {
    "ours": ("near duplicates, verified", ours),
    "rensa": ("rensa's deduplicator, not verified", rensas),
    "outliers": ("scan for outliers", outliers),
}


def main() -> None:
    """Print a table of seconds, rows a second and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--read", nargs=2, metavar=("KIND", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        print(_row(given.read[0], Path(given.read[1]), given.rows))
        return
    print(
        f"{given.rows:,} texts of {WORDS_A_TEXT} words\n\n| what | s | rows/s | peak memory, MB | found |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts(given.rows)), encoding="utf-8")
        for kind in KINDS:
            command = [
                sys.executable,
                "-m",
                "benchmarks.near_duplicates",
                "--rows",
                str(given.rows),
                "--read",
                kind,
                str(path),
            ]
            print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def _row(kind: str, path: Path, rows: int) -> str:
    started = time.perf_counter()
    found = KINDS[kind][1](path)
    seconds = time.perf_counter() - started
    return f"| {KINDS[kind][0]} | {seconds:.1f} | {rows / seconds:,.0f} | {_peak_mb():,.0f} | {found} |"


def _peak_mb() -> float:
    """Return this process's peak memory as Linux counts it; getrusage would add that of the parent before the start."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
