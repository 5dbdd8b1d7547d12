"""What adapters' files said when a run was made, kept in the run's folder: on another machine that folder is all there is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.ablation.factors import Cell
from core.errors import InputError
from core.store import Run, write_json

NAME = "adapters"
"""Of the file in the run's folder, without its suffix."""


@dataclass(frozen=True)
class Known:
    """One adapter and what is known of it."""

    variant: str
    base: str
    """Short name."""
    cells: Mapping[str, Cell]
    """By setting, see `core.ablation.choices.cells_of`."""
    parameters: int | None
    n_bytes: int | None
    training_seconds: float | None
    warnings: tuple[str, ...]
    tensors: str | None
    """The hash of its tensors, where the run noted it: two names of one adapter are no two seeds."""


def keep(run: Run, known: list[Known]) -> None:
    """Write down what is known of a run's adapters; a folder that cannot be written costs nothing but that."""
    with suppress(OSError):
        write_json(run.folder / f"{NAME}.json", {one.variant: asdict(one) for one in known})


def kept(run: Run) -> dict[str, Known]:
    """Return what was known of a run's adapters when it was made, by variant; nothing where the file is missing or damaged."""
    try:
        content: Any = run.read_json(NAME)
        return {} if content is None else _shape().validate_python(content)
    except (InputError, ValidationError, OSError):
        return {}


@cache
def _shape() -> TypeAdapter[dict[str, Known]]:
    return TypeAdapter(dict[str, Known])
