"""What a data set is like: lengths, duplicates, leakage, languages, labels, quality, and what the trainer will make of it.

Everything here is a warning, never a fault of format. Nothing in a data set is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.data.inspect.records import Scan
from core.data.profile.duplicates import DuplicateFinder, Duplicates
from core.data.profile.labels import LabelBalance, LabelScan
from core.data.profile.languages import Languages, LanguageScan
from core.data.profile.leakage import Leakage, find_leakage, leakage_json
from core.data.profile.lengths import Lengths
from core.data.profile.progress import Progress, report
from core.data.profile.quality import Quality, QualityScan
from core.data.profile.tokenise import token_lengths
from core.data.profile.trainer import Advice, TrainerScan
from core.data.profile.turns import Turns, TurnScan
from core.data.profile.view import RowView, view_row
from core.data.prompt import PromptRenderer

GROUPS_IN_JSON = 100
LINES_IN_JSON = 100


@dataclass(frozen=True)
class Profile:
    """What one file is like."""

    max_length: int
    duplicates: Duplicates
    languages: Languages
    labels: tuple[LabelBalance, ...]
    quality: Quality
    turns: Turns
    trainer: tuple[Advice, ...]
    lengths: Lengths | None
    """None without a tokenizer."""
    leakage: Leakage | None
    """None without a training file."""

    def to_json(self) -> dict[str, Any]:
        """Return the profile as plain values of bounded size; numbers of all stand beside lists that are cut."""
        duplicates = asdict(self.duplicates)
        for name in ("groups", "conflicts"):
            duplicates[name] = duplicates[name][:GROUPS_IN_JSON]
        quality = asdict(self.quality)
        for finding in quality["findings"]:
            finding["lines"] = finding["lines"][:LINES_IN_JSON]
        return {
            "lengths": self.lengths.to_json(self.max_length) if self.lengths else None,
            "duplicates": duplicates,
            "leakage": leakage_json(self.leakage) if self.leakage else None,
            "languages": asdict(self.languages),
            "labels": [asdict(label) for label in self.labels],
            "quality": quality,
            "trainer": [asdict(advice) for advice in self.trainer],
            "turns": asdict(self.turns),
        }  # fmt: skip


def rows_of(path: Path) -> Iterator[RowView]:
    """Yield the rows of a data file as the profile reads them; what is no object is left out.

    Raises:
        InputError: the file cannot be read.
    """
    from core.data.inspect.read import iter_rows

    for line, row in iter_rows(path):
        view = view_row(line, row)
        if view is not None:
            yield view


def profile(
    path: Path,
    scan: Scan,
    *,
    train: Path | None = None,
    tokenizer: Path | None = None,
    max_length: int = 1024,
    progress: Progress | None = None,
) -> Profile:
    """Return what a data file is like.

    Args:
        path: the file.
        scan: what its inspection found.
        train: a training file: then ``path`` is an evaluation file, looked for in it.
        tokenizer: a model's folder with tokenizer.json: lengths and the trainer's advice need it.
        max_length: the trainer's option, at least 1.
        progress: told each step's name and the rows done; returning False stops the work.

    Raises:
        InputError: a file or the tokenizer cannot be read.
        Cancelled: ``progress`` asked to stop.
    """
    renderer = PromptRenderer(tokenizer) if tokenizer is not None else None
    return profile_rows(
        lambda: rows_of(path), train=None if train is None else lambda: rows_of(train), renderer=renderer,
        file_hash=scan.sha256, max_length=max_length, progress=progress,
    )  # fmt: skip


def profile_rows(
    rows: Callable[[], Iterable[RowView]],
    *,
    train: Callable[[], Iterable[RowView]] | None = None,
    renderer: PromptRenderer | None = None,
    file_hash: str | None = None,
    max_length: int = 1024,
    progress: Progress | None = None,
) -> Profile:
    """Return what rows are like; as `profile`, with functions that open the rows afresh each time they are called."""
    lengths = None
    if renderer is not None:
        lengths = token_lengths(rows(), renderer, file_hash=file_hash, progress=progress)
    duplicates, languages, labels, quality = DuplicateFinder(), LanguageScan(), LabelScan(), QualityScan()
    turns, trainer = TurnScan(), TrainerScan()
    for number, row in enumerate(rows(), start=1):
        for scan in (duplicates, languages, labels, quality, turns, trainer):
            scan.add(row)
        if number % 5_000 == 0:
            report(progress, "profile", number)
    found = duplicates.result(progress)
    leakage = find_leakage(rows, train, progress=progress) if train is not None else None
    return Profile(
        max_length, found, languages.result(), labels.result(), quality.result(), turns.result(),
        trainer.result(renderer, lengths, max_length), lengths, leakage,
    )  # fmt: skip
