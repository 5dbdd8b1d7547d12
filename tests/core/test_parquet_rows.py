"""Rows by their values, read without pandas, are those that Arrow's own filter finds; columns made of bytes are those of Arrow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.parquet_rows import rows_where
from core.paths import import_path
from core.text_columns import text_column, text_list_column

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAMES = st.sampled_from(["a", "b", "é", "", "aa"])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows") / "rows.parquet"


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(NAMES, st.none() | NAMES, st.integers(0, 9)), max_size=30),
    task=NAMES, kind=NAMES, a_group=st.integers(1, 9), columns=st.sampled_from([None, ["n"], ["kind", "n"]]),
)  # fmt: skip
def test_the_rows_are_those_of_arrows_own_filter(
    path: Path, rows: list[tuple[str, str | None, int]], task: str, kind: str, a_group: int, columns: list[str] | None
) -> None:
    schema = pa.schema([("task", pa.string()), ("kind", pa.string()), ("n", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    pq.write_table(table, path, row_group_size=a_group)
    expected = pq.read_table(path, columns=columns, filters=[("task", "=", task), ("kind", "=", kind)])
    found = rows_where(path, columns, {"task": task, "kind": kind})
    assert found.schema == expected.schema
    assert found.to_pylist() == expected.to_pylist()
    assert rows_where(path, columns, {}).equals(pq.read_table(path, columns=columns))


def test_only_the_row_groups_that_can_hold_the_rows_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"id": [f"{n:03d}" for n in range(100)]}), path, row_group_size=10)
    read: list[list[int]] = []
    whole = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_groups",
        lambda self, groups, **options: read.append(groups) or whole(self, groups, **options),
    )
    assert rows_where(path, ["id"], {"id": "042"}).to_pylist() == [{"id": "042"}]
    assert rows_where(path, ["id"], {"id": "none"}).num_rows == 0
    assert read == [[4], []]


@settings(deadline=None)
@given(texts=st.lists(st.none() | TEXTS, max_size=20), lists=st.lists(st.lists(TEXTS, max_size=4), max_size=20))
def test_columns_of_texts_equal_arrows(texts: list[str | None], lists: list[list[str]]) -> None:
    column, nested = text_column(texts), text_list_column(lists)
    column.validate(full=True)
    nested.validate(full=True)
    assert column.equals(pa.array(texts, pa.string()))
    assert nested.equals(pa.array(lists, pa.list_(pa.string())))


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_column(["\ud800"])


def test_a_column_that_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.text_columns._MOST_BYTES", 5)
    assert text_column(["abc", "de"]).to_pylist() == ["abc", "de"]
    with pytest.raises(OverflowError, match="6 bytes of text do not fit into one column; expected at most 5"):
        text_column(["abc", "def"])


def test_none_of_it_loads_pandas(path: Path) -> None:
    pq.write_table(pa.table({"task": ["a", "b"], "n": [1, 2]}), path)
    script = f"""
import sys
from pathlib import Path
from core.parquet_rows import rows_where
from core.text_columns import text_list_column
assert rows_where(Path({str(path)!r}), ["n"], {{"task": "b"}})["n"].to_pylist() == [2]
assert text_list_column([["x"]]).to_pylist() == [["x"]]
print("pandas" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": import_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
