"""What one drawing of Compare is about, handed to each of its sections; and the names of its choices in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.judging import metric_of
from core.metrics.metric import Metric
from core.results import Comparison, MetricRow
from core.store import Run
from dashboard import state
from dashboard.parts.metric_rows import Unfolded, metric_key
from dashboard.parts.url_choices import UrlChoices

SECTION, MORE, LANGUAGES, LABELS = "section", "more", "languages", "labels"
PICTURE, LABEL, PICK, COLUMNS, BOX = "picture", "label", state.PICK, "columns", "box"
ROWS, FOLDED = "rows", "folded"
CHOICES = (
    SECTION, state.METRIC, state.VARIANT, MORE, LANGUAGES, LABELS, PICTURE, LABEL, PICK, COLUMNS, BOX, ROWS, FOLDED,
)  # fmt: skip


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

    @property
    def columns(self) -> list[str]:
        """The variants beside the reference that have a column in the table; all unless some were chosen."""
        asked = (self.choices.one(COLUMNS) or "").split(",")
        return [name for name in self.others if name in asked] or self.others

    def choose_columns(self, names: Sequence[str]) -> None:
        """Keep which variants have a column; all and none are both all."""
        some = [name for name in self.others if name in names]
        self.choices.put(COLUMNS, None if len(some) in (0, len(self.others)) else ",".join(some))

    @property
    def metrics(self) -> list[str]:
        """The metrics (``task/metric``) that alone have a row in the table; none where nobody chose."""
        asked = (self.choices.one(ROWS) or "").split(",")
        return list(dict.fromkeys(key for row in self.comparison.rows if (key := metric_key(row)) in asked))

    def choose_metrics(self, keys: Sequence[str]) -> None:
        """Keep which metrics have a row; none is the primary ones, with those that are unfolded."""
        self.choices.put(ROWS, ",".join(keys))

    def key(self, known: Sequence[str]) -> str:
        """Return the chosen metric (`MetricRow.key`) if it is one of those known, else the first of them."""
        return self.choices.one(state.METRIC, known) or known[0]

    def unfolded(self, chosen: str | None) -> Unfolded:
        """Return what the URL says is to be shown beside the primary metrics."""
        tasks, folded = ((self.choices.one(name) or "").split(",") for name in (MORE, FOLDED))
        apart = self.choices.flag(LANGUAGES), self.choices.flag(LABELS)
        return Unfolded(tasks, *apart, chosen, self.metrics, folded)

    def link(self, **changes: str | None) -> Mapping[str, str]:
        """Return the query parameters of a link to this page that keeps every choice but those changed."""
        return self.chosen.link(**self.choices.parameters(**changes))

    def row_link(self, row: MetricRow, variant: str | None) -> Mapping[str, str]:
        """Return the query parameters that choose a metric and, where one was clicked, a variant."""
        return self.link(**{state.METRIC: row.key} | ({state.VARIANT: variant} if variant else {}))

    def metric(self, row: MetricRow) -> Metric | None:
        """Return the metric of a row; None where this version does not know it, or nothing is stored of one of the user's own."""
        return metric_of(self.run, row.task, row.metric)

    def examples_link(self, row: MetricRow, variant: str) -> dict[str, str]:
        """Return the query parameters that open Examples on what a row was computed from, see `examples_link`."""
        return examples_link(self.chosen, row, variant)

    def fold_link(self, what: str | None) -> Mapping[str, str]:
        """Return the query parameters that show or hide something.

        Args:
            what: a task, for its other metrics; ``task/family``, for the metrics of a family; None for the labels apart.
        """
        if what is None:
            return self.link(**{LABELS: None if self.choices.flag(LABELS) else "true"})
        name = FOLDED if "/" in what else MORE
        listed = [one for one in (self.choices.one(name) or "").split(",") if one]
        changed = [one for one in listed if one != what] if what in listed else [*listed, what]
        return self.link(**{name: ",".join(changed) or None})


def examples_link(chosen: state.Selection, row: MetricRow, variant: str) -> dict[str, str]:
    """Return the query parameters that open Examples on what a row was computed from: of one language, that language."""
    tags = None if row.language is None else f"language={row.language}"
    return chosen.link(**{state.TASK: row.task, state.METRIC: row.metric, state.VARIANT: variant, state.TAGS: tags})
