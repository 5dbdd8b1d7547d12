"""Files of predictions for tests, and ``lorascope score`` called on them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cli.main import run

Row = dict[str, Any]
Score = Callable[..., dict[str, Any]]


def write(path: Path, rows: list[Row]) -> Path:
    """Write rows as the file's ending says; in CSV lists and maps are JSON."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        names = list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            for row in rows:
                writer.writerow(
                    {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in row.items()}
                )
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def scorer(folder: Path, capsys: pytest.CaptureFixture[str]) -> Score:
    """Return a function that writes rows into a file of ``folder``, scores it, and returns what ``--json`` printed."""

    def call(kind: str, rows: list[Row], *options: str, name: str = "p.jsonl") -> dict[str, Any]:
        code = run(["score", "--task", kind, "--predictions", str(write(folder / name, rows)), *options, "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return call


def metrics_of(content: dict[str, Any], variant: str = "predictions") -> dict[str, Any]:
    """Return the metrics of one variant."""
    return content["variants"][variant]["metrics"]
