"""What joining found: which tasks agree, which do not and why, and whose answers each column holds. Plain data, no arithmetic."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from core.store import Run, write_json

FILE_NAME = "joined.json"


@dataclass(frozen=True)
class LeftOut:
    """A task of the first run that a further run cannot be joined on."""

    run_id: str
    task: str
    reason: str
    """A clause that says what was found in both."""


@dataclass(frozen=True)
class Candidate:
    """Whether a run can be joined with the first one, as far as spec and environment tell."""

    run_id: str
    tasks: tuple[str, ...]
    """Those of the first run that agree; empty where nothing can be joined."""
    left_out: tuple[LeftOut, ...]
    reason: str | None
    """Why nothing can be joined; None where something can."""


@dataclass(frozen=True)
class JoinedTask:
    """A task that all runs agree on."""

    name: str
    n: int
    """Examples that all runs have."""
    n_first: int
    """Examples of the first run."""
    perturbed: bool = False
    """Whether it is another task with its inputs disturbed."""


@dataclass(frozen=True)
class JoinedVariant:
    """One column: a variant of one of the runs."""

    name: str
    """In the joined run; the variant's own unless another model has it already."""
    run_id: str
    original: str
    """Its name in that run."""
    same_as: tuple[tuple[str, str], ...] = ()
    """The same weights in further runs, as (run, variant there); they have no column of their own."""


@dataclass(frozen=True)
class Joined:
    """What a joined run is made of."""

    runs: tuple[str, ...]
    """Their names, the first one first."""
    tasks: tuple[JoinedTask, ...]
    variants: tuple[JoinedVariant, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    """Sentences on what else a reader has to know."""

    def renamed(self, run_id: str) -> dict[str, str]:
        """Return the variants that a run gave, by their names in it, with those in the joined run."""
        return {variant.original: variant.name for variant in self.variants if variant.run_id == run_id}


def write_facts(run: Run, joined: Joined) -> None:
    """Keep what a joined run is made of in its folder."""
    write_json(run.folder / FILE_NAME, asdict(joined))


def joined_facts(run: Run) -> Joined | None:
    """Return what a run is joined of; None for an ordinary run, or where the file is damaged."""
    try:
        content = json.loads((run.folder / FILE_NAME).read_text(encoding="utf-8"))
        return TypeAdapter(Joined).validate_python(content)
    except (OSError, ValueError, ValidationError, RecursionError):
        return None
