"""The texts of two rows of two files, as the search for leakage compares them."""

from __future__ import annotations

from collections.abc import Callable

from core.data.profile.leakage import evaluation_text, train_text
from core.data.profile.view import RowView, view_row
from dashboard.parts import data_results
from dashboard.parts.data_files import DataFile
from dashboard.parts.data_scene import Scene, rows_of_file


def compared_texts(scene: Scene, evaluation: DataFile, line: int, train: DataFile, train_line: int) -> tuple[str, str]:
    """Return the compared text of a line of the evaluation file and of a line of the training file; empty where it is gone."""
    return _text(scene, evaluation, line, evaluation_text), _text(scene, train, train_line, train_text)


def _text(scene: Scene, file: DataFile, line: int, read: Callable[[RowView], str]) -> str:
    if file is scene.file:
        table = data_results.table(scene)
        position = table.position(line) if table is not None else None
        row = table.open(position) if table is not None and position is not None else None
        view = view_row(line, row.fields) if row is not None and row.fields is not None else None
    else:
        view = next((row for row in rows_of_file(file.path)() if row.line >= line), None)
    return read(view) if view is not None else ""
