"""Stream rows out of CSV, Parquet and Arrow files; what lies about itself is refused before its rows are believed."""

from __future__ import annotations

import csv
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.data.inspect.flaws import BLANK_LINE, BYTE_ORDER_MARK, Flaw, flaw, not_utf8, quoted
from core.data.inspect.lines import numbered_lines
from core.data.inspect.marks import BOM, without_marks
from core.data.inspect.source import Source, open_bytes
from core.data.inspect.stream import MAX_RATIO, RATIO_FREE_BYTES, Readable
from core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Row = dict[str, Any]
_BATCH_ROWS = 32
"""Small batches: one row of a column that is stored once for many rows may be large when it is unfolded."""


def csv_rows(stream: Readable, path: Path) -> Iterator[tuple[int, Row | None, list[Flaw]]]:
    """Yield (line on which the row begins, fields, flaws); the fields are None where the row has another number of cells.

    Raises:
        InputError: there is no header, two columns have one name, or a cell is longer than the reader takes.
    """
    lines = _CsvLines(stream)
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    flaws: list[Flaw] = []
    while True:
        start = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if "field limit" in str(error):
                raise InputError(
                    f"{path}, line {start}: a cell of more than {csv.field_size_limit():,} characters, or a quote that is never "
                    "closed. Close the quote; use JSONL for texts as long as this."
                ) from None
            told = "a quote that is never closed" if "end of data" in str(error) else f"a row that is not CSV ({error})"
            yield start, None, [*flaws, *lines.take_flaws(), flaw("invalid-csv", "", told, "CSV")]
            flaws = []
            continue
        flaws += lines.take_flaws()
        if cells is None:
            if flaws:
                yield start, None, flaws
            return
        if header is None and cells:
            header = _header(path, cells)
            if flaws:
                yield 1, None, flaws
            flaws = []
            continue
        if header is None or not cells:
            yield start, None, [*flaws, BLANK_LINE]
        elif len(cells) != len(header):
            found = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
            yield start, None, [*flaws, flaw("ragged-row", "", found, f"{len(header)}, as in the header")]
        else:
            yield start, dict(zip(header, cells, strict=True)), flaws
        flaws = []


class _CsvLines:
    """Lines as the csv module wants them; bytes that are not UTF-8 are noted and replaced."""

    def __init__(self, stream: Readable) -> None:
        self._lines = numbered_lines(stream)
        self._flaws: list[Flaw] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for number, content in self._lines:
            self.number = number
            if content is None:
                self._flaws.append(flaw("line-too-long", "", "a line that is too long to be read", "shorter ones"))
                continue
            if number == 1 and content.startswith(BOM):
                self._flaws.append(BYTE_ORDER_MARK)
                content = without_marks(content)
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                self._flaws.append(not_utf8(content, error))
                text = content.decode("utf-8", "replace")
            if "\0" in text:
                self._flaws.append(flaw("nul-byte", "", "a NUL byte", "text", column=text.index("\0") + 1))
                text = text.replace("\0", "\ufffd")
            yield text + "\n"

    def take_flaws(self) -> list[Flaw]:
        """Return what was noted since the last call."""
        taken, self._flaws = self._flaws, []
        return taken


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if len(names) == 1 and (other := next((sign for sign in ";\t|" if sign in names[0]), None)):
        raise InputError(
            f"{path}, line 1: found one column {quoted(names[0])}, whose cells {other!r} seems to separate; expected commas. "
            "Save the file with commas between the cells."
        )
    if twice or "" in names:
        found = f"the column {quoted(twice)} twice" if twice else "a column without a name"
        raise InputError(f"{path}, line 1: found {found}; expected a header with a different name for each column.")
    return names


def parquet_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a Parquet file, after its footer was held against the file.

    Raises:
        InputError: it is no Parquet, its footer promises what is not there, or it unfolds without bound.
    """
    import pyarrow.parquet as pq

    with _seekable(source) as stream, _arrow_errors(source.path, "Parquet"):
        size = stream.seek(0, 2)
        stream.seek(0)
        opened = pq.ParquetFile(stream, thrift_string_size_limit=64 << 20, thrift_container_size_limit=10_000_000)
        _check_footer(source.path, opened.metadata, size)
        given = unfolded = 0
        for batch in opened.iter_batches(batch_size=_BATCH_ROWS):
            batch.validate(full=True)
            given += batch.num_rows
            batch = _without_dictionaries(batch)
            unfolded += batch.nbytes
            _check_ratio(source.path, size, unfolded)
            yield from _rows(batch)
        if given != opened.metadata.num_rows:
            raise InputError(
                f"{source.path}: the footer promises {opened.metadata.num_rows:,} rows, the file holds {given:,}. "
                "It is damaged: make it or copy it again."
            )


def _check_footer(path: Path, metadata: pq.FileMetaData, size: int) -> None:
    unfolded, promised = 0, 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        promised += group.num_rows
        for place in range(group.num_columns):
            column = group.column(place)
            start = column.dictionary_page_offset or column.data_page_offset
            unfolded += column.total_uncompressed_size
            if start < 0 or column.total_compressed_size < 0 or start + column.total_compressed_size > size:
                raise InputError(
                    f"{path}: the footer puts the column {quoted(column.path_in_schema)} at bytes {start:,} to "
                    f"{start + column.total_compressed_size:,}, but the file has {size:,}. It is damaged: make it or copy it again."
                )
    if promised != metadata.num_rows:
        raise InputError(
            f"{path}: the footer promises {metadata.num_rows:,} rows and its row groups {promised:,}. "
            "It is damaged: make it or copy it again."
        )
    _check_ratio(path, size, unfolded)


def _check_ratio(path: Path, size: int, unfolded: int) -> None:
    if unfolded > max(RATIO_FREE_BYTES, MAX_RATIO * size):
        raise InputError(
            f"{path}: {size:,} bytes unfold to {unfolded:,} and more, over {MAX_RATIO} times their size, which is taken for a "
            "decompression bomb. If the file is honest, write its rows as JSON Lines and inspect that."
        )


def arrow_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of the Arrow files that ``datasets`` writes (streams), or of Arrow's file format.

    Raises:
        InputError: a file is not Arrow, or is damaged.
    """
    import pyarrow as pa

    unfolded = 0
    for path in source.files:
        with _arrow_errors(path, "Arrow"), _seekable(source, path) as stream:
            head = stream.read(6)
            stream.seek(0)
            if head == b"ARROW1":
                opened = pa.ipc.open_file(stream)
                batches: Iterator[pa.RecordBatch] = (opened.get_batch(i) for i in range(opened.num_record_batches))
            else:
                batches = iter(pa.ipc.open_stream(stream))
            for batch in batches:
                batch.validate(full=True)
                for start in range(0, batch.num_rows, _BATCH_ROWS):
                    part = _without_dictionaries(batch.slice(start, _BATCH_ROWS))
                    unfolded += part.nbytes
                    _check_ratio(source.path, source.n_bytes, unfolded)
                    yield from _rows(part)


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows whose values stand for themselves, so that their size is known before Python holds them."""
    import pyarrow as pa

    columns = [one.dictionary_decode() if isinstance(one, pa.DictionaryArray) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


@contextmanager
def _seekable(source: Source, path: Path | None = None) -> Iterator[IO[bytes]]:
    """Open a file that has to be read out of order; a compressed one is unfolded into a temporary file first."""
    if source.compression is None:
        with (path or source.path).open("rb") as stream:
            yield stream
        return
    with tempfile.TemporaryFile() as unfolded:
        with open_bytes(source) as stream:
            shutil.copyfileobj(stream, unfolded)
        unfolded.seek(0)
        yield unfolded


@contextmanager
def _arrow_errors(path: Path, kind: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        told = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as {kind} ({told}). It is damaged: make it or copy it again."
        ) from None


def _rows(batch: pa.RecordBatch) -> Iterator[Row]:
    for row in batch.to_pylist():
        yield {str(key): _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: times as ISO texts, bytes by their number, NaN as None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
