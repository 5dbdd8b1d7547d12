"""Escaped HTML whose links lead to other pages at once, without loading the dashboard anew.

Every link is a real one, so that it can be opened in a new tab or copied; a plain click is taken over by Streamlit.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.components.v2 import component

from dashboard import state
from dashboard.parts.url_choices import UrlChoices

_SCRIPT = """
export default function(component) {
  const { data, parentElement, setTriggerValue } = component;
  let holder = parentElement.querySelector('.ls-holder');
  if (!holder) {
    holder = document.createElement('div');
    holder.className = 'ls-holder';
    parentElement.appendChild(holder);
  }
  if (holder.dataset.shown !== data) { holder.innerHTML = data; holder.dataset.shown = data; }
  holder.onclick = (event) => {
    const link = event.target.closest('a[href]');
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue('link', link.getAttribute('href'));
  };
}
"""
_SHEET = """
.ls-holder { font-family: var(--st-font); color: var(--ls-text); font-size: .92rem; line-height: 1.45; overflow-x: auto; }
a { color: inherit; text-decoration: none; }
a:focus-visible { outline: 2px solid var(--ls-better); outline-offset: 1px; border-radius: 4px; }
.card { display: grid; grid-template-columns: 1fr auto; gap: .1rem .9rem; padding: .5rem .8rem .55rem .85rem;
  margin-bottom: .45rem; border: 1px solid var(--ls-grid); border-left: 5px solid var(--variant); border-radius: 6px; }
.card:hover { background: var(--ls-neutral-fill); }
.card p { margin: 0; } .card b { font-weight: 650; }
.strip { letter-spacing: .12em; font-size: .95rem; white-space: nowrap; align-self: center; }
.strip i { font-style: normal; }
.warn { grid-column: 1 / -1; color: var(--ls-worse); font-size: .84rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .26rem .6rem; text-align: right; border-bottom: 1px solid var(--ls-grid); vertical-align: top;
  white-space: nowrap; }
th { font-weight: 600; font-size: .86rem; } tbody th { font-weight: 500; text-align: left; font-size: .92rem; }
table.wide th:first-child { position: sticky; left: 0; background: var(--ls-paper); z-index: 1; }
thead th { border-bottom: 1.5px solid var(--ls-muted); vertical-align: bottom; }
thead th:first-child { text-align: left; }
.swatch { display: inline-block; width: .62rem; height: .62rem; border-radius: 50%; margin-right: .35rem;
  background: var(--variant); }
tr.task th { font-weight: 650; color: var(--ls-text); padding-top: .65rem; text-align: left; }
tr.language th { padding-left: 1.5rem; color: var(--ls-muted); } tr.language td { color: var(--ls-muted); }
small, .muted { color: var(--ls-muted); font-size: .8rem; font-weight: 400; }
.better { color: var(--ls-better); } .worse { color: var(--ls-worse); }
.unclear, .same, .none { color: var(--ls-muted); }
.bg-better { background: var(--ls-better-fill); } .bg-worse { background: var(--ls-worse-fill); }
td.mark { text-align: center; padding: .1rem .25rem; border-bottom: 2px solid var(--ls-paper); }
td.mark a { display: block; padding: .06rem .5rem; border-radius: 4px; font-weight: 650; line-height: 1.3; }
.matrices { display: flex; flex-wrap: wrap; gap: 0 2.4rem; align-items: flex-start; }
table.matrix { width: auto; flex: 0 1 auto; } table.matrix th { text-align: center; }
table.matrix tbody th { text-align: left; }
table.matrix tbody th, table.matrix td { border-bottom: 0; }
table.matrix tbody th { padding: .06rem .6rem .06rem 0; font-size: .88rem; }
table.matrix thead th { max-width: 5.4rem; padding: .1rem .25rem; font-size: .8rem; white-space: normal; overflow-wrap: anywhere; }
tr.family th { font-size: .78rem; font-weight: 400; color: var(--ls-muted); text-align: left; padding-top: .45rem; }
tr.fold th { font-size: .84rem; font-weight: 400; color: var(--ls-better); }
tr.fold a:hover, td.labels a:hover { text-decoration: underline; }
table.dense thead th.left { text-align: left; white-space: nowrap; }
td.labels { text-align: left; font-size: .84rem; color: var(--ls-better); }
td.reason { text-align: left; white-space: normal; color: var(--ls-muted); font-size: .86rem; }
small.why { display: inline-block; white-space: normal; min-width: 7rem; max-width: 13rem; line-height: 1.3; overflow-wrap: anywhere; }
table.numbers { width: auto; } table.numbers td, table.numbers th { padding-right: 1.1rem; }
table.numbers td.text { text-align: left; white-space: normal; }
table.numbers thead th { white-space: normal; max-width: 9rem; }
table.numbers tr.chosen td, table.numbers tr.chosen th { background: var(--ls-neutral-fill); }
.line { display: grid; grid-template-columns: 8.5rem 1fr auto; gap: .2rem 1rem; padding: .42rem .2rem;
  border-bottom: 1px solid var(--ls-grid); }
.line:hover { background: var(--ls-neutral-fill); } .line b { font-weight: 600; }
.line .to { color: var(--ls-better); white-space: nowrap; }
td a.cell { display: block; margin: -.26rem -.6rem; padding: .26rem .6rem; } td a.cell:hover, td.mark a:hover,
tbody th a:hover { background: var(--ls-neutral-fill); }
.bar { display: block; height: 3px; margin: .12rem 0 0 auto; width: calc(var(--share) * 5rem); background: var(--ls-muted); opacity: .55;
  border-radius: 1px; } table.dense .bar { width: calc(var(--share) * 3.2rem); }
table.dense th, table.dense td { padding: .26rem .38rem; } table.dense small { font-size: .72rem; }
table.dense td a.cell { margin: -.26rem -.38rem; padding: .26rem .38rem; }
table.dense thead th { white-space: normal; overflow-wrap: anywhere; min-width: 4rem; }
table.dense thead th:nth-child(2) { white-space: nowrap; }
table.wide tr.chosen th, tr.chosen td { background: var(--ls-neutral-fill); }
"""

# Registered once, when the module is imported: a second registration of the name would replace the first in every session.
_COMPONENT: Any = component("lorascope_linked_html", css=_SHEET, js=_SCRIPT)


def link(page: str, parameters: Mapping[str, str]) -> str:
    """Return the address of a page as an attribute's value, escaped; pages are named by their path, Overview by ``""``."""
    return html.escape(f"{page}?{urlencode(parameters)}" if parameters else page or "/", quote=True)


def linked_html(content: str, key: str, here: UrlChoices | None = None) -> tuple[str, dict[str, str]] | None:
    """Show HTML and return the page and parameters of the link that was clicked, once.

    Args:
        content: everything that is not ours in it must be escaped already.
        key: names the element on its page. A link to another slice moves the bar at the top.
        here: the choices of this page; a link to the page itself sets them, and is not returned.
    """

    def followed() -> None:
        page, parameters = _parted(st.session_state[key].get("link"))
        # The bar's own choices can be set only before the bar is drawn.
        state.choose_slice(parameters.get(state.SLICE))
        if here is not None and page == here.page:
            # Leaving a page for itself would not change the address that the browser shows.
            for name in here.names:
                here.put(name, parameters.get(name))

    result = _COMPONENT(data=content, key=key, on_link_change=followed)
    clicked = result.get("link")
    if not clicked or (here is not None and _parted(clicked)[0] == here.page):
        return None
    return _parted(clicked)


def _parted(address: object) -> tuple[str, dict[str, str]]:
    """Return an address of `link` as page and parameters."""
    page, _, query = str(address or "").partition("?")
    return page.strip("/"), dict(parse_qsl(query))
