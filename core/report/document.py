"""What a report consists of, whatever it is written as: sections of sentences, tables, charts and examples. Plain frozen data.

A format reads nothing else. All texts are plain: each format escapes them for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

import pandas as pd
import plotly.graph_objects as go

from core.charts.theme import Mode
from core.results import Verdict

SECTIONS: dict[str, str] = {
    "verdict": "Verdict",
    "metrics": "Metric by metric",
    "pictures": "Behind the primary metrics",
    "slices": "Where the variants differ most",
    "robustness": "Robustness",
    "forgetting": "Forgetting",
    "composites": "Composites",
    "feedback": "User feedback",
    "preference": "Human preference",
    "examples": "Examples",
    "data": "Data",
    "method": "Method",
    "repeat": "How to repeat it",
}
"""Name and heading of every section, in the order of a report. One that a run has nothing to say in is left out."""


@dataclass(frozen=True)
class Cell:
    """One cell as people read it."""

    text: str
    small: str = ""
    """In lighter type behind it: an interval."""
    tone: Verdict | None = None
    """Colours the cell: better and worse."""


@dataclass(frozen=True)
class Table:
    """A table, rounded for people and with the numbers themselves."""

    name: str
    """Unique in a report; letters, digits and hyphens, so that it can name a file or a sheet."""
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    data: pd.DataFrame
    """The same as plain unrounded numbers, often with more columns."""
    note: str = ""
    """How to read it: one line under it."""
    n_text: int = 1
    """How many columns from the left are text; the others are set as numbers."""
    folded: bool = False
    """Whether a page shows it on request alone."""


@dataclass(frozen=True)
class Chart:
    """A picture that is drawn when it is asked for."""

    name: str
    """Unique in a report, as `Table.name`."""
    title: str
    alt: str
    """What it shows, for who cannot see it."""
    draw: Callable[[Mode], go.Figure]
    extra: bool = False
    """Whether it is in the collection of all charts alone, not in the report itself."""
    half: bool = False
    """Whether two of them stand beside each other where the page is wide enough."""

    @cached_property
    def figures(self) -> dict[Mode, str]:
        """The figure in each mode as JSON, drawn when it is asked for first."""
        return {mode: str(self.draw(mode).to_json()) for mode in get_args(Mode)}


@dataclass(frozen=True)
class Text:
    """A text of a prompt, a reference or a model: it is hostile, and shown as it is."""

    heading: str
    text: str
    note: str = ""
    """A score, or why there is no text."""
    variant: str | None = None
    """Whose it is; decides its colour."""


@dataclass(frozen=True)
class ExampleCard:
    """One example with what was asked, what was expected and what the variants made of it."""

    id: str
    task: str
    outcome: str
    """``fixed, +1``: what became of it under the variant."""
    tone: Verdict | None
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Section:
    """One part of a report."""

    name: str
    """One of `SECTIONS`."""
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    """A list, under the paragraphs."""
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    examples: tuple[ExampleCard, ...] = ()
    blocks: tuple[tuple[str, str], ...] = ()
    """Titles and texts to copy: commands, files."""

    @property
    def title(self) -> str:
        """The section's heading."""
        return SECTIONS[self.name]


@dataclass(frozen=True)
class Wishes:
    """What the author of a report asks for."""

    title: str = ""
    """By default the run's id with what was compared."""
    author: str = ""
    remarks: str = ""
    """Plain text; an empty line parts paragraphs."""
    sections: tuple[str, ...] = tuple(SECTIONS)
    """Which to have; their order is that of `SECTIONS`."""
    variant: str | None = None
    """Whose examples and pictures are shown; by default those of the first in the order of the verdicts."""
    n_examples: int = 2
    """How many of the biggest gains, and of the biggest losses, are shown of each task."""


@dataclass(frozen=True)
class Report:
    """All that a report says."""

    run_id: str
    title: str
    author: str
    remarks: tuple[str, ...]
    """Paragraphs."""
    created: str
    """When it was written: ISO 8601 with seconds, UTC."""
    lead: str
    """The answer in a sentence."""
    sections: tuple[Section, ...]
    footnote: str
    variants: tuple[str, ...]
    """In workspace order, for their colours."""
    reference: str = field(default="baseline")

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in the report's order."""
        return tuple(table for section in self.sections for table in section.tables)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the report's order, the extra ones too."""
        return tuple(chart for section in self.sections for chart in section.charts)
