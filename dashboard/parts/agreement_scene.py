"""What one drawing of Agreement is about, handed to each of its sections; and the names of its choices in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from core.charts.theme import variant_colours
from core.ratings import Study
from core.ratings.analysis import StudyAnalysis
from core.ratings.analysis.estimate import Estimate
from core.records import BASELINE
from core.store import Run
from dashboard import state
from dashboard.parts.url_choices import UrlChoices

STUDY, SECTION, CRITERION, PAIR, ITEM = "study", "section", "criterion", "pair", "item"
AGREEMENT_CSS = """
.ls-label { font-size: .8rem; font-weight: 600; color: var(--ls-muted); }
.ls-label .swatch { display: inline-block; width: .62rem; height: .62rem; border-radius: 50%; margin-right: .35rem;
  background: var(--variant); }
"""
CHOICES = (STUDY, SECTION, CRITERION, PAIR, ITEM)


@dataclass(frozen=True)
class AgreementScene:
    """One drawing of the page."""

    study: Study
    analysis: StudyAnalysis
    runs: tuple[Run, ...]
    """Those of the study's runs that are still there."""
    colours: Mapping[str, str]
    """Of the study's variants: those that they have on every other page."""
    choices: UrlChoices

    @property
    def stem(self) -> str:
        """How the files that are exported begin."""
        return f"study-{self.study.id}"

    def criterion(self, names: Sequence[str]) -> str:
        """Draw the picker of the criterion, where there are several, and return the chosen one."""
        labels: dict[str, str] = {one.name: one.label for one in self.study.plan.asked_criteria}
        chosen = self.choices.one(CRITERION, names) or names[0]
        if len(names) > 1:
            left, _ = st.columns([3, 2])
            left.selectbox(
                "Criterion", names, format_func=lambda name: labels.get(name) or str(name),
                **self.choices.widget(CRITERION, chosen),
            )  # fmt: skip
        return chosen


def study_colours(variants: Sequence[str], runs: Sequence[Run]) -> dict[str, str]:
    """Return each variant's colour: that of the run it is from, where one run has them all."""
    orders = [run.spec.models.variants for run in runs if set(variants) <= set(run.spec.models.variants)]
    order = orders[0] if orders else [BASELINE, *(name for name in variants if name != BASELINE)]
    colours = variant_colours(order, state.mode())
    return {name: colours[name] for name in variants}


def swatch(name: str, colours: Mapping[str, str]) -> str:
    """Return a variant's name with its colour in front, as HTML."""
    colour = f'<span class="swatch" style="--variant: {colours[name]}"></span>' if name in colours else ""
    return colour + escape(name)


def against(variant: str, other: str, colours: Mapping[str, str]) -> str:
    """Return two variants' names as HTML, the first against the second."""
    return f"{swatch(variant, colours)}&ensp;<small>against</small>&ensp;{swatch(other, colours)}"


def cell(texts: tuple[str, str], estimate: Estimate, tip: str = "", stacked: bool = False) -> str:
    """Return a table's cell with a value and its interval, below it where ``stacked``; or the reason why there is none."""
    lines = [tip, f"n = {estimate.n:,}", estimate.method, "" if estimate.value is None else estimate.reason or ""]
    told = escape("\n".join(line for line in lines if line), quote=True)
    if estimate.value is None:
        return f'<td title="{told}"><small class="why">{escape(estimate.reason or "not known")}</small></td>'
    value, interval = texts
    return f'<td title="{told}">{escape(value)}{"<br>" if stacked else " "}<small>{escape(interval)}</small></td>'


def name_cell(name: str) -> str:
    """Return a table's cell with what people wrote, which may be long, as HTML."""
    return f'<td class="text" style="overflow-wrap: anywhere; min-width: 6rem; max-width: 16rem">{escape(name)}</td>'


def table(titles: Sequence[tuple[str, str]], rows: Sequence[str], dense: bool = False) -> str:
    """Return a table as HTML; titles with their tooltips, rows as escaped cells; ``dense`` for many columns."""
    head = "".join(f'<th title="{escape(tip, quote=True)}">{escape(title)}</th>' for title, tip in titles)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<table class="numbers{" dense" if dense else ""}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def foot(*sentences: str) -> None:
    """Draw one grey line of plain text."""
    st.html(f'<p class="ls-foot">{escape(" ".join(sentence for sentence in sentences if sentence))}</p>')


def lead(text: str) -> None:
    """Draw a section's finding, plain text."""
    st.html(f'<div class="ls-lead">{escape(text)}</div>')
