"""What commands share: the workspace option, JSON output, plain tables, and an example in the help."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def workspace_option(function: _Command) -> _Command:
    """Add ``--workspace DIR``, handed over as the argument ``workspace``: a path, by default this folder."""
    option = click.option(
        "--workspace", type=click.Path(path_type=Path), default=Path("."), show_default="this folder", metavar="DIR",
        help="The folder with workspace.yaml.",
    )  # fmt: skip
    return option(function)


def json_option(function: _Command) -> _Command:
    """Add ``--json``, handed over as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(function)


def examples(*lines: str) -> str:
    """Return a command's epilog: example lines that click leaves as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def print_json(content: Any) -> None:
    """Print JSON; a number that JSON does not have raises ValueError rather than being printed."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def say(text: str) -> None:
    """Print a message for people: to standard error, so that standard output stays for results."""
    print(text, file=sys.stderr)
