"""What one drawing of the Ablations page is about, handed to each of its parts; and the names of its choices in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from core.ablation.records import Analysis, BaseTable, Outcome
from core.charts.theme import variant_colours
from core.notation import percent
from core.store import Run
from dashboard import state
from dashboard.parts.url_choices import UrlChoices

SECTION, PART, AGAINST, FACTOR, COST, CURVE, AXIS, PAIR = (
    "section",
    "part",
    "against",
    "factor",
    "cost",
    "curve",
    "axis",
    "pair",
)
CHOICES = (SECTION, PART, state.METRIC, AGAINST, FACTOR, COST, CURVE, AXIS, PAIR)


@dataclass(frozen=True)
class AblationScene:
    """One drawing of the page's first half, for the adapters of one base."""

    chosen: state.Selection
    run: Run
    analysis: Analysis
    table: BaseTable
    choices: UrlChoices

    @property
    def outcome(self) -> Outcome:
        """The metric that is looked at."""
        return self.analysis.outcome

    @property
    def suffix(self) -> str:
        """What sets the elements of one base apart from those of another: nothing where there is one."""
        return f"-{self.analysis.tables.index(self.table) + 1}" if len(self.analysis.tables) > 1 else ""

    @property
    def colours(self) -> dict[str, str]:
        """Each variant's colour, the same as on every other page."""
        return variant_colours(self.analysis.variants, state.mode())

    @property
    def reading(self) -> str:
        """What stands under every chart's title: n and the interval's level."""
        return f"n = {self.analysis.n}; {percent(self.analysis.level)} intervals"

    def pick(self, name: str, known: Sequence[str]) -> str:
        """Return a choice in the URL if it is one of those known, else the first of them."""
        return self.choices.one(name, known) or known[0]

    def widget(self, name: str, value: str) -> dict[str, Any]:
        """Return ``key`` and ``on_change`` of the widget for a choice, its own for each base."""
        key = f"{self.choices.page}-{name}{self.suffix}"
        if st.session_state.get(key) != value:
            st.session_state[key] = value
        return {"key": key, "on_change": lambda: self.choices.put(name, st.session_state[key])}


def grey(*texts: str) -> None:
    """Draw a grey line for each text that is not empty."""
    shown = [text for text in texts if text]
    if shown:
        st.html("".join(f'<p class="ls-foot">{escape(text)}</p>' for text in shown))
