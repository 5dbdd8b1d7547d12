"""``--join``: several runs as one, for the commands that look at a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from core.joined.results import joined_facts
from core.joined.words import headline, sentences
from core.store import Run

_Command = TypeVar("_Command", bound=Callable[..., Any])
Opener = Callable[[str | None, Path], Run]


def join_option(function: _Command) -> _Command:
    """Add ``--join``."""
    return click.option(
        "--join", "joins", multiple=True, metavar="RUN",
        help="Join this run's variants by example, where it asked the same; give it once for each.",
    )(function)  # fmt: skip


def open_joined(open_run: Opener, name: str | None, joins: tuple[str, ...], workspace: Path) -> Run:
    """Return a run, joined with others where some are named.

    Raises:
        InputError: there is no such run, or two cannot be joined, with the reason.
    """
    from core.joined.build import join_runs

    first = open_run(name, workspace)
    return join_runs(first, [open_run(other, workspace) for other in joins]) if joins else first


def joined_sentences(run: Run) -> tuple[str, ...]:
    """Return what a joined run is made of, a sentence each; nothing for an ordinary run."""
    facts = joined_facts(run)
    return () if facts is None else (headline(facts), *sentences(facts))


def joined_json(run: Run) -> dict[str, Any]:
    """Return the same as JSON."""
    facts = joined_facts(run)
    return {} if facts is None else {"joined": asdict(facts)}
