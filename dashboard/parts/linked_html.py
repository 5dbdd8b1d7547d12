"""Escaped HTML whose links lead to other pages at once, without loading the dashboard anew.

Every link is a real one, so that it can be opened in a new tab or copied; a plain click is taken over by Streamlit.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from streamlit.components.v2 import component

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
thead th { border-bottom: 1.5px solid var(--ls-muted); vertical-align: bottom; } thead th:first-child { text-align: left; }
.swatch { display: inline-block; width: .62rem; height: .62rem; border-radius: 50%; margin-right: .35rem;
  background: var(--variant); }
tr.task th { font-weight: 650; color: var(--ls-text); padding-top: .65rem; text-align: left; }
tr.language th { padding-left: 1.5rem; color: var(--ls-muted); } tr.language td { color: var(--ls-muted); }
small, .muted { color: var(--ls-muted); font-size: .8rem; font-weight: 400; }
.better { color: var(--ls-better); } .worse { color: var(--ls-worse); } .unclear, .same, .none { color: var(--ls-muted); }
.bg-better { background: var(--ls-better-fill); } .bg-worse { background: var(--ls-worse-fill); }
td.mark { text-align: center; padding: .1rem .25rem; border-bottom: 2px solid var(--ls-paper); }
td.mark a { display: block; padding: .12rem .5rem; border-radius: 4px; font-weight: 650; }
table.matrix { width: auto; min-width: 60%; } table.matrix th { text-align: center; } table.matrix tbody th { text-align: left; }
table.matrix tbody th, table.matrix td { border-bottom: 0; }
td a.cell { display: block; margin: -.26rem -.6rem; padding: .26rem .6rem; } td a.cell:hover, td.mark a:hover,
tbody th a:hover { background: var(--ls-neutral-fill); }
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


def linked_html(content: str, key: str) -> tuple[str, dict[str, str]] | None:
    """Show HTML and return the page and parameters of the link that was clicked, once.

    Args:
        content: everything that is not ours in it must be escaped already.
        key: names the element on its page.
    """
    result = _COMPONENT(data=content, key=key, on_link_change=lambda: None)
    clicked = result.get("link")
    if not clicked:
        return None
    page, _, query = str(clicked).partition("?")
    return page.strip("/"), dict(parse_qsl(query))
