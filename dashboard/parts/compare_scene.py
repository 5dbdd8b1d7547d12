"""What one drawing of Compare is about, handed to each of its sections; and the names of its choices in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.results import Comparison, MetricRow
from core.store import Run
from dashboard import state
from dashboard.parts.metric_rows import Unfolded
from dashboard.parts.url_choices import UrlChoices

SECTION, MORE, LANGUAGES, LABELS = "section", "more", "languages", "labels"
CHOICES = (SECTION, state.METRIC, state.VARIANT, MORE, LANGUAGES, LABELS)


@dataclass(frozen=True)
class CompareScene:
    """One drawing of the page."""

    chosen: state.Selection
    run: Run
    comparison: Comparison
    """With the rows of what users said, where they said something."""
    choices: UrlChoices

    @property
    def others(self) -> list[str]:
        """The variants beside the reference."""
        return [name for name in self.comparison.variants if name != self.comparison.reference]

    @property
    def variant(self) -> str | None:
        """The chosen variant, or else the first; None where there is only the reference."""
        others = self.others
        return self.choices.one(state.VARIANT, others) or (others[0] if others else None)

    def key(self, known: Sequence[str]) -> str:
        """Return the chosen metric (`MetricRow.key`) if it is one of those known, else the first of them."""
        return self.choices.one(state.METRIC, known) or known[0]

    def unfolded(self, chosen: str | None) -> Unfolded:
        """Return what the URL says is to be shown beside the primary metrics."""
        tasks = (self.choices.one(MORE) or "").split(",")
        return Unfolded(tasks, self.choices.flag(LANGUAGES), self.choices.flag(LABELS), chosen)

    def link(self, **changes: str | None) -> Mapping[str, str]:
        """Return the query parameters of a link to this page that keeps every choice but those changed."""
        return self.chosen.link(**self.choices.parameters(**changes))

    def row_link(self, row: MetricRow, variant: str | None) -> Mapping[str, str]:
        """Return the query parameters that choose a metric and, where one was clicked, a variant."""
        return self.link(**{state.METRIC: row.key} | ({state.VARIANT: variant} if variant else {}))

    def fold_link(self, task: str | None) -> Mapping[str, str]:
        """Return the query parameters that show or hide a task's other metrics; with None the labels apart."""
        if task is None:
            return self.link(**{LABELS: None if self.choices.flag(LABELS) else "true"})
        opened = [name for name in (self.choices.one(MORE) or "").split(",") if name]
        changed = [name for name in opened if name != task] if task in opened else [*opened, task]
        return self.link(**{MORE: ",".join(changed) or None})
