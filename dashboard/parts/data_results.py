"""What is found out about a data file, each thing once for all sessions and only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from core.data.browse import RowTable, row_table
from core.data.inspect.records import Scan
from core.data.inspect.scan import scan
from core.data.inspect.source import open_source
from core.data.profile.compare_files import FileComparison, compare_files
from core.data.profile.duplicates import DuplicateFinder, Duplicates
from core.data.profile.labels import LabelBalance, LabelScan
from core.data.profile.languages import Languages, LanguageScan
from core.data.profile.leakage import Leakage, find_leakage
from core.data.profile.lengths import Lengths
from core.data.profile.quality import Quality, QualityScan
from core.data.profile.tokenise import token_lengths
from core.data.profile.trainer import Advice, TrainerScan
from core.data.profile.turns import Turns, TurnScan
from core.data.profile.view import RowView
from dashboard.parts.data_files import DataFile
from dashboard.parts.data_scene import Scene, rows_of_file
from dashboard.parts.data_work import Reporter, is_kept, worked

_ROWS_A_STEP = 500
Told = Callable[[str, int], bool]


@dataclass(frozen=True)
class Shape:
    """What a file is made of, lengths aside."""

    turns: Turns
    labels: tuple[LabelBalance, ...]
    languages: Languages


def scanned(file: DataFile, *, strict: bool, evaluation: bool) -> Scan | None:
    """Return what the inspection of a file found; None where it was stopped.

    Args:
        file: what is inspected.
        strict: hold rows to the contracts to the letter.
        evaluation: the file is looked at as an evaluation file, whose own fields are no fault.

    Raises:
        InputError: the file cannot be read.
    """
    key = ("scan", *_state(file), strict, evaluation)
    return worked(key, "Reading the file", lambda report: scan(
        file.path, strict=strict, progress=report.share, evaluation=evaluation))  # fmt: skip


def lengths(scene: Scene) -> Lengths | None:
    """Return the file's lengths in tokens; None without a tokenizer, or where the work was stopped."""
    renderer = scene.model.renderer
    if renderer is None:
        return None
    return worked(_lengths_key(scene), "Counting tokens", lambda report: token_lengths(
        scene.rows()(), renderer, file_hash=scene.scan.sha256, progress=report.rows(scene.scan.rows)))  # fmt: skip


def knows_lengths(scene: Scene) -> bool:
    """Tell whether the lengths are known already."""
    return scene.model.renderer is not None and is_kept(_lengths_key(scene))


def _lengths_key(scene: Scene) -> tuple[Hashable, ...]:
    return ("lengths", scene.scan.sha256, scene.model.renderer.fingerprint if scene.model.renderer else "")


def shape(scene: Scene) -> Shape | None:
    """Return turns, labels and languages."""

    def make(report: Reporter) -> Shape:
        turns, labels, languages = TurnScan(), LabelScan(), LanguageScan()
        _each(scene, report, (turns, labels, languages))
        return Shape(turns.result(), labels.result(), languages.result())

    return worked(("shape", scene.scan.sha256), "Looking at turns and languages", make)


def advice(scene: Scene, known: Lengths | None) -> tuple[Advice, ...]:
    """Return what the trainer will make of the file; nothing where the work was stopped."""

    def make(report: Reporter) -> TrainerScan:
        found = TrainerScan()
        _each(scene, report, (found,))
        return found

    found = worked(("trainer", scene.scan.sha256), "Looking at what the trainer reads", make)
    return () if found is None else found.result(scene.model.renderer, known, scene.max_length)


def quality(scene: Scene) -> Quality | None:
    """Return the rows that are worth a look."""

    def make(report: Reporter) -> Quality:
        found = QualityScan()
        _each(scene, report, (found,))
        return found.result()

    return worked(("quality", scene.scan.sha256), "Looking for odd rows", make)


def duplicates(scene: Scene) -> Duplicates | None:
    """Return the rows that repeat each other."""

    def make(report: Reporter) -> Duplicates:
        found = DuplicateFinder()
        _each(scene, report, (found,))
        return found.result(report.rows(scene.scan.rows))

    return worked(("duplicates", scene.scan.sha256), "Looking for duplicates", make)


def leakage(evaluation: DataFile, train: DataFile, train_rows: int) -> Leakage | None:
    """Return which rows of an evaluation file stand in a training file.

    Args:
        evaluation: the evaluation file.
        train: the training file.
        train_rows: how many rows it has, as far as that is known; for the progress alone.

    Raises:
        InputError: one of them cannot be read.
    """
    return worked(_leakage_key(evaluation, train), "Looking for leakage", lambda report: find_leakage(
        rows_of_file(evaluation.path), rows_of_file(train.path), progress=report.rows(train_rows)))  # fmt: skip


def knows_leakage(evaluation: DataFile, train: DataFile) -> bool:
    """Tell whether the leakage between two files is known already."""
    return is_kept(_leakage_key(evaluation, train))


def _leakage_key(evaluation: DataFile, train: DataFile) -> tuple[Hashable, ...]:
    return ("leakage", *_state(evaluation), *_state(train))


def table(scene: Scene) -> RowTable | None:
    """Return the file's rows as a table that pages."""
    total = max(scene.scan.rows, scene.scan.lines)
    return worked(("table", scene.scan.sha256), "Making the table of rows", lambda report: row_table(
        scene.file.path, scene.scan.sha256, report.rows(total)))  # fmt: skip


@dataclass(frozen=True)
class SideBySide:
    """Two files compared, with the lengths that the comparison is about."""

    found: FileComparison
    lengths: tuple[np.ndarray, np.ndarray]


def compared(scene: Scene, other: DataFile, other_rows: int) -> SideBySide | None:
    """Return what differs between the file and another one.

    Raises:
        InputError: the other file cannot be read.
    """
    renderer = scene.model.renderer
    key = ("compared", scene.scan.sha256, *_state(other), renderer.fingerprint if renderer else "")

    def make(report: Reporter) -> SideBySide:
        told = report.rows(scene.scan.rows + other_rows)
        first, second = _Passing(scene.rows()(), told, 0), _Passing(rows_of_file(other.path)(), told, scene.scan.rows)
        found = compare_files(first, second, renderer=renderer)
        return SideBySide(found, (_lengths_of(scene, first, told), _lengths_of(scene, second, told, other)))

    return worked(key, "Comparing the files", make)


class _Passing:
    """Rows on their way, counted and measured in characters."""

    def __init__(self, rows: Iterable[RowView], told: Told, before: int) -> None:
        self.characters: list[int] = []
        self._rows, self._told, self._before = rows, told, before

    def __iter__(self) -> Iterator[RowView]:
        for row in self._rows:
            self.characters.append(len(row.text))
            if len(self.characters) % _ROWS_A_STEP == 0:
                self._told("rows", self._before + len(self.characters))
            yield row


def _lengths_of(scene: Scene, passed: _Passing, told: Told, other: DataFile | None = None) -> np.ndarray:
    if scene.model.renderer is None:
        return np.array(passed.characters, dtype=np.int64)
    rows, file_hash = (
        (scene.rows(), scene.scan.sha256) if other is None else (rows_of_file(other.path), None)
    )  # fmt: skip
    return token_lengths(rows(), scene.model.renderer, file_hash=file_hash, progress=told).totals


def _each(scene: Scene, report: Reporter, scans: tuple[Any, ...]) -> None:
    """Let several scans look at every row."""
    told = report.rows(scene.scan.rows)
    for number, row in enumerate(scene.rows()(), start=1):
        for one in scans:
            one.add(row)
        if number % _ROWS_A_STEP == 0:
            told("rows", number)


def _state(file: DataFile) -> tuple[Hashable, ...]:
    """Return what changes whenever the file does.

    Raises:
        InputError: the file cannot be opened.
    """
    return (str(file.path), cast(Hashable, open_source(file.path).stamps))
