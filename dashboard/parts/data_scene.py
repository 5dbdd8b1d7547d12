"""What the Data page is looking at: a file as it was inspected, the model whose tokens count, and the page's choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.charts.theme import Mode
from core.data.inspect.records import Scan
from core.data.profile.view import RowView
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.workspace import Workspace
from dashboard import cache
from dashboard.parts.data_files import DataFile, is_evaluation
from dashboard.parts.url_choices import UrlChoices

SHOW, LINE, LINES, FIND, CODE, OVER, CUT, RULES = "show", "line", "lines", "find", "code", "over", "max_length", "rules"
DEFAULT_CUT = 1024
"""TRL's default of ``max_length``."""
SMALL_BYTES = 16 << 20
"""Up to this size everything about a file is found out at once; of larger ones, what its segment asks for."""


@dataclass(frozen=True)
class Model:
    """Whose tokenizer and chat template count."""

    renderer: PromptRenderer | None
    name: str
    reason: str
    """Why there is none, and what to do; empty where there is one."""


@dataclass(frozen=True)
class Scene:
    """What this drawing of the page is about."""

    choices: UrlChoices
    file: DataFile
    files: tuple[DataFile, ...]
    partner: DataFile | None
    scan: Scan
    model: Model
    max_length: int
    mode: Mode

    @property
    def is_evaluation(self) -> bool:
        """Whether the file is looked at as an evaluation file: fields of its own are then no fault."""
        return is_evaluation(self.file, self.partner, self.choices)

    @property
    def stem(self) -> str:
        """How names of exported files begin."""
        return self.file.name.partition(".")[0] or "data"

    @property
    def is_small(self) -> bool:
        """Whether everything about the file can be found out without being asked for."""
        return self.scan.n_bytes <= SMALL_BYTES

    def rows(self) -> Callable[[], Iterator[RowView]]:
        """Return what opens the rows afresh."""
        return rows_of_file(self.file.path)


def rows_of_file(path: Path) -> Callable[[], Iterator[RowView]]:
    """Return what opens the rows of a file afresh each time it is called."""

    def opened() -> Iterator[RowView]:
        from core.data.profile import rows_of

        return rows_of(path)

    return opened


def model_of(workspace: Workspace | None) -> Model:
    """Return the workspace's base as the model whose tokens count, or why there is none."""
    if workspace is None:
        return Model(
            None, "", "There is no workspace here, and so no model: lengths in tokens need a base in workspace.yaml."
        )
    base = workspace.spec.models.base
    place = workspace.model_location(base)
    if isinstance(place, str):
        return Model(
            None, place, f"The base {place} is on the Hub: lengths in tokens need its tokenizer.json in a folder on this machine.",
        )  # fmt: skip
    try:
        return Model(cache.renderer(place), place.name, "")
    except (InputError, OSError) as error:
        return Model(None, place.name, f"Lengths in tokens are not known. {error}")


def show_rows(
    choices: UrlChoices, *, lines: str | None = None, code: str | None = None, over: int | None = None, line: int | None = None,
) -> None:  # fmt: skip
    """Turn to the rows that a finding is about; to be called as a widget's callback."""
    choices.put(SHOW, "rows")
    choices.put(LINES, lines)
    choices.put(CODE, code)
    choices.put(OVER, None if over is None else str(over))
    choices.put(FIND, None)
    choices.put(LINE, None if line is None else str(line))
