"""The pages' own style sheet: the colours of core.charts.theme as CSS variables, and a few classes."""

from __future__ import annotations

import streamlit as st

from core.charts.theme import PALETTES, Mode

_SHEET = """
.stMainBlockContainer { padding: 1.1rem 2rem 3rem 2rem; max-width: 1500px; }
[data-testid=stHeader] { background: transparent; height: 2.6rem; min-height: 2.6rem; pointer-events: none; }
[data-testid=stHeader] * { pointer-events: auto; }
[data-testid=stSidebar] { min-width: 190px; max-width: 230px; }
.st-key-top-bar { border-bottom: 1px solid var(--ls-grid); padding: 0 2.2rem .7rem 0; }
[data-testid=stSidebarContent] { display: flex; flex-direction: column; }
[data-testid=stSidebarUserContent] { order: -1; padding: 1.1rem 1.2rem .9rem 1.55rem; }
[data-testid=stSidebarHeader] { position: absolute; right: 0; height: 2.2rem; z-index: 2; }
[data-testid=stSidebarNavSeparator] { display: none; }
[data-testid=stMain] [data-testid=stVerticalBlock] { gap: .65rem; }
[data-testid=stMain] h4 { padding: .6rem 0 .1rem 0; font-size: 1.12rem; }
[data-testid=stHtml] p { margin: 0; }
[data-testid=stHtml] h4 { margin: 0; font-weight: 600; line-height: 1.3; }
[class*="st-key-chart-"] { position: relative; }
[class*="st-key-menu-"] { position: absolute; top: .45rem; right: .3rem; width: auto !important; z-index: 5; }
[class*="st-key-menu-"] button { color: var(--ls-muted); min-height: 1.6rem; padding: 0 .3rem; }
[class*="st-key-menu-"] button p { font-size: .82rem; }
[data-testid=stMain] [data-testid=stPageLink] a { border: 1px solid var(--ls-better); border-radius: 6px; padding: .3rem .9rem; }
[data-testid=stMain] [data-testid=stPageLink] a * { color: var(--ls-better); }
[data-testid^=stBaseButton-primary] { color: var(--ls-paper); }
[data-testid=stMultiSelect] [data-tag], [data-testid=stMultiSelect] [data-tag] * { color: var(--ls-paper); }
.ls-foot { color: var(--ls-muted); font-size: .8rem; line-height: 1.4; }
.ls-lead { font-size: 1.02rem; line-height: 1.45; max-width: 60rem; }
.st-key-chart-examples-headline .ls-lead { padding-right: 5rem; }
.ls-brand { font-weight: 650; font-size: 1.1rem; letter-spacing: .01em; }
.ls-brand small { display: block; font-weight: 400; font-size: .78rem; color: var(--ls-muted); overflow-wrap: anywhere; }
.ls-face { border: 1px solid var(--ls-grid); border-radius: 8px; padding: 1.1rem 1.3rem; max-width: 46rem; }
.ls-face h2 { font-size: 1.15rem; margin: 0 0 .35rem 0; padding: 0; font-weight: 600; }
.ls-face p { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.ls-note { display: flex; gap: .5rem; align-items: baseline; margin: .1rem 0; font-size: .92rem; }
.ls-note b { font-weight: 600; white-space: nowrap; }
"""


def style_sheet(mode: Mode) -> str:
    """Return the style sheet of a mode, without the element around it."""
    colours = PALETTES[mode]
    names = {
        "paper": colours.paper, "text": colours.text, "muted": colours.muted, "grid": colours.grid, "better": colours.better,
        "worse": colours.worse, "better-fill": colours.better_fill, "worse-fill": colours.worse_fill,
        "neutral-fill": colours.neutral_fill,
    }  # fmt: skip
    variables = " ".join(f"--ls-{name}: {colour};" for name, colour in names.items())
    return f":root {{ {variables} }}{_SHEET}"


def apply_style(mode: Mode) -> None:
    """Put the style sheet on the page."""
    st.html(f"<style>{style_sheet(mode)}</style>")
