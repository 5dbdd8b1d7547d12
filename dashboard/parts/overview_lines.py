"""What Overview says below its matrix: forgetting, robustness, user feedback, human preference, choices; each line leads on."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from core.forgetting import forgetting
from core.notation import MARKS, value_texts
from core.results import Comparison, MetricRow
from core.store import Run
from core.wording import forgetting as forgetting_words
from core.wording import robustness as robustness_words
from core.wording.human_preference import study_lines
from dashboard import result_cache, state, study_cache
from dashboard.parts.linked_html import link

_LISTED = 4


@dataclass(frozen=True)
class Line:
    """One line."""

    title: str
    text: str
    section: str
    """Of the page."""
    page: str = "compare"


def overview_lines(chosen: state.Selection, run: Run, comparison: Comparison) -> list[Line]:
    """Return the lines that a run has something to say in."""
    found = []
    if (report := forgetting(run, comparison)) is not None:
        found.append(Line("Forgetting", forgetting_words.sentence(report), "forgetting"))
    if (told := robustness_words.sentence(comparison)) is not None:
        found.append(Line("Robustness", told, "robustness"))
    rows = result_cache.satisfaction(run, chosen.reference, chosen.slice)
    found += [Line("User feedback", _satisfaction(comparison, row), "feedback") for row in rows]
    people = study_lines(study_cache.human_preference(chosen.workspace, run))
    found += [Line("Human preference", sentence, "people") for _, sentence in people]
    if (count := len(run.spec.models.adapters)) > 1 and run.spec.ablation is None:
        told = (
            f"{count} adapters: which of the choices behind them made the difference, and what their files say of them."
        )
        found.append(Line("Choices", told, "observed", "ablations"))
    return found


def lines_html(lines: list[Line], chosen: state.Selection) -> str:
    """Return lines as escaped HTML, each a link to its section."""
    return "".join(
        f'<a class="line" href="{link(line.page, chosen.link(section=line.section))}"><b>{escape(line.title)}</b>'
        f'<span>{escape(line.text)}</span><span class="to">Open ›</span></a>'
        for line in lines
    )


def _satisfaction(comparison: Comparison, row: MetricRow) -> str:
    names = [name for name in comparison.variants if name in row.values and row.values[name].value is not None]
    parts = []
    for name in sorted(names, key=lambda name: -(row.values[name].value or 0.0))[:_LISTED]:
        number, interval = value_texts(row.values[name], row.unit)
        difference = row.differences.get(name)
        mark = f" {MARKS[difference.verdict]}" if difference and difference.verdict != "none" else ""
        parts.append(f"{name}{mark} {number} % {interval} of {row.values[name].n:,}")
    rest = f"; {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"Thumbs up on {row.task}: {', '.join(parts)}{rest}."
