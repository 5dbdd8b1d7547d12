"""Parts joined into one file: the same table as if all were sorted at once, whatever is held at a time and wherever it was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import compaction
from core.compaction import SORTED_BY, join_parts
from core.records import Evidence, Generation, OptionScores
from core.store import EVIDENCE_SCHEMA, ROWS_A_GROUP, Run, evidence_table, write_table
from tests.core import mini

TASKS = ("réply", "category", "Zulu", "reply")
VARIANTS = ("baseline", "qv-r8", "Other")


def drawn_parts(folder: Path, seed: int, rows: int = 45) -> list[Path]:
    """Write parts of one to three tasks each, in an order of no meaning, some rows of them equal in every key."""
    drawn = np.random.default_rng(seed)
    paths = []
    for variant in VARIANTS:
        pieces = [drawn_piece(drawn, variant) for _ in range(rows)]
        for number, some in enumerate(np.array_split(np.arange(rows), 3)):
            path = folder / "parts" / variant / f"{number:05d}.parquet"
            write_table(path, evidence_table(pieces[i] for i in some))
            paths.append(path)
    return sorted(paths)


def drawn_piece(drawn: np.random.Generator, variant: str) -> Evidence:
    task = TASKS[drawn.integers(len(TASKS))]
    example_id = f"{drawn.choice(['e', 'é', 'E', '中'])}{drawn.integers(25)}"
    item = drawn.choice(["", "reference", "tag"])
    kind = drawn.integers(3)
    if kind == 0:
        return Evidence(task, variant, example_id, item, reason=f"no memory {drawn.integers(9)}")
    if kind == 1:
        logprobs = tuple(-drawn.random(drawn.integers(4)).astype(np.float32).astype(float))
        return Evidence(
            task, variant, example_id, item,
            generation=Generation("a\u2028b" * drawn.integers(40), "eos", 5, tuple(range(len(logprobs))), logprobs),
        )  # fmt: skip
    sums = (float(-drawn.random()), float("-inf"))
    return Evidence(task, variant, example_id, item, option_scores=OptionScores(("yes", "no"), sums, (1, 2), (3, 2)))


def sorted_at_once(paths: Sequence[Path]) -> pa.Table:
    """Return what everything in memory, sorted by one call, gives."""
    whole = pa.concat_tables([pq.ParquetFile(path).read() for path in paths])
    return whole.sort_by([(key, "ascending") for key in SORTED_BY])


@pytest.mark.parametrize(("seed", "most_bytes"), [(0, 1 << 30), (1, 1 << 30), (2, 2_000), (3, 2_000), (4, 1)])
def test_the_table_is_the_one_that_is_sorted_at_once(tmp_path: Path, seed: int, most_bytes: int) -> None:
    paths, target = drawn_parts(tmp_path, seed), tmp_path / "evidence.parquet"
    join_parts(paths, target, tmp_path / "s", EVIDENCE_SCHEMA, rows_a_group=16, most_bytes=most_bytes)
    expected = sorted_at_once(paths)
    assert pq.read_table(target).equals(expected)
    assert not (tmp_path / "s").exists()
    joined = pq.ParquetFile(target)
    sizes = [joined.metadata.row_group(i).num_rows for i in range(joined.metadata.num_row_groups)]
    assert sizes[:-1] == [16] * (len(sizes) - 1)
    assert sum(sizes) == len(expected)


def test_the_file_is_the_same_to_the_last_byte_whatever_is_held_at_once(tmp_path: Path) -> None:
    paths, expected = drawn_parts(tmp_path, 1), tmp_path / "once.parquet"
    write_table(expected, sorted_at_once(paths).cast(EVIDENCE_SCHEMA).combine_chunks())
    for most_bytes in (1 << 30, 2_000):
        target = tmp_path / f"{most_bytes}.parquet"
        join_parts(paths, target, tmp_path / "s", EVIDENCE_SCHEMA, rows_a_group=ROWS_A_GROUP, most_bytes=most_bytes)
        assert target.read_bytes() == expected.read_bytes()


def test_about_as_much_is_sorted_at_once_as_the_bound_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, seen = drawn_parts(tmp_path, 2, rows=120), []
    bound = 2_000

    def watched(held: list[pa.Table], sort: Any = compaction._sorted) -> pa.Table:
        seen.append(sum(table.nbytes for table in held))
        return sort(held)

    monkeypatch.setattr(compaction, "_sorted", watched)
    join_parts(paths, tmp_path / "e", tmp_path / "s", EVIDENCE_SCHEMA, rows_a_group=16, most_bytes=bound)
    assert len(seen) > len(TASKS) * len(VARIANTS)
    assert sum(seen) > 20 * bound
    assert max(seen) < 2 * bound
    assert pq.read_table(tmp_path / "e").equals(sorted_at_once(paths))


def test_a_column_that_an_older_part_has_not_is_null(tmp_path: Path) -> None:
    path = drawn_parts(tmp_path, 3)[0]
    write_table(path, pq.ParquetFile(path).read().drop_columns(["finish"]))
    join_parts([path], tmp_path / "e", tmp_path / "s", EVIDENCE_SCHEMA, rows_a_group=16)
    assert pq.read_table(tmp_path / "e").schema == EVIDENCE_SCHEMA
    assert pq.read_table(tmp_path / "e")["finish"].null_count == pq.ParquetFile(path).metadata.num_rows


def a_run(folder: Path) -> tuple[Run, pa.Table]:
    run = mini.write(folder, mini.spec({"reply": mini.task("generation")}), [], [], finished=False)
    paths = drawn_parts(folder, 4)
    return run, sorted_at_once(paths)


def test_a_run_without_any_evidence_is_joined_into_an_empty_file(tmp_path: Path) -> None:
    run = mini.write(tmp_path / "run", mini.spec({"reply": mini.task("generation")}), [], [], finished=False)
    run.compact()
    assert run.evidence().equals(EVIDENCE_SCHEMA.empty_table())
    assert not (run.folder / "parts").exists()


def test_a_full_disk_leaves_the_parts_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, expected = a_run(tmp_path / "run")
    before = sorted(run.folder.rglob("*"))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(pq.ParquetWriter, "write_table", full)
        run.compact()
    assert sorted(run.folder.rglob("*")) == before
    run.compact()
    assert run.evidence().equals(expected)


_KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet as pq
import core.compaction as compaction
from core.store import Run
folder, at = sys.argv[1], int(sys.argv[2])
compaction.MOST_BYTES = 2_000
compaction.join_parts.__kwdefaults__["most_bytes"] = 2_000
calls = 0
def counted(step):
    def wrapped(*given, **named):
        global calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*given, **named)
    return wrapped
pq.ParquetWriter.write_table = counted(pq.ParquetWriter.write_table)
compaction._sorted = counted(compaction._sorted)
os.replace = counted(os.replace)
Run(Path(folder)).compact()
print(calls)
"""


def test_killed_anywhere_it_is_done_again_to_the_same_end(tmp_path: Path) -> None:
    run, expected = a_run(tmp_path / "run")
    for at in (1, 9, 10_000):
        told = subprocess.run(
            [sys.executable, "-c", _KILLED, str(run.folder), str(at)], capture_output=True, text=True, check=False
        )
        if at < 10_000:
            assert told.returncode == -9, told.stderr
            assert run.evidence().num_rows == len(expected)
            assert not (run.folder / "evidence.parquet").exists()
            assert (run.folder / "parts" / ".joining").is_dir()
        else:
            assert told.returncode == 0, told.stderr
            assert int(told.stdout) > 9
    assert run.evidence().equals(expected)
    assert not (run.folder / "parts").exists()
