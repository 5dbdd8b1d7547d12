"""A table of texts shown exactly as they are, whose rows can be clicked: no Markdown, HTML or LaTeX in a cell means anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2 import component

from dashboard.parts.word_diff import EXACT_CSS, EXACT_JS, sendable

CELL_CHARACTERS = 600
"""Of a longer text so much is sent; a cell shows three lines of it."""


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    width: str
    """A CSS length, or ``auto`` for a share of what is left."""
    kind: Literal["text", "number"] = "text"


def exact_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], key: str, *, name: str, ids: Sequence[str] = (),
    selected: str | None = None, on_pick: Callable[[str], None] | None = None, tall: bool = False,
) -> None:  # fmt: skip
    """Draw a table.

    Args:
        columns: of each row.
        rows: texts, one a column.
        key: of the element, unique on the page.
        name: what it shows, for screen readers and tests.
        ids: one a row, if rows can be clicked.
        selected: the id of the row that is open.
        on_pick: called with the id of a row that was clicked, before the page is drawn again.
        tall: whether it may take most of the screen before it scrolls.
    """
    head = [[column.name, column.width, column.kind] for column in columns]
    body = [[sendable(cell[:CELL_CHARACTERS]) for cell in row] for row in rows]

    def picked() -> None:
        if on_pick is not None and (found := st.session_state[key].picked) is not None:
            on_pick(str(found))

    _exact_table(
        data={"head": head, "rows": body, "ids": list(ids), "selected": selected, "name": name, "tall": tall}, key=key,
        on_picked_change=picked,
    )  # fmt: skip


_CSS = (
    EXACT_CSS
    + """
.frame { font-family: var(--st-font); color: var(--st-text-color); font-size: .84rem; line-height: 1.4; max-height: 26rem;
  overflow: auto; border: 1px solid var(--st-border-color); border-radius: .4rem; }
.frame.tall { max-height: 44rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .3rem .55rem; border-bottom: 1px solid var(--st-border-color); }
tbody tr:last-child td { border-bottom: 0; }
th { position: sticky; top: 0; background: var(--st-secondary-background-color); font-weight: 600; font-size: .78rem; z-index: 1; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.cell { display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; overflow: hidden; white-space: pre-wrap;
  overflow-wrap: anywhere; unicode-bidi: plaintext; }
.number .cell { white-space: nowrap; }
tr.pick { cursor: pointer; }
tr.pick:hover { background: var(--st-secondary-background-color); }
tr.pick:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
tr[aria-current=true] { background: color-mix(in srgb, var(--st-primary-color) 10%, transparent);
  box-shadow: inset 3px 0 var(--st-primary-color); }
"""
)

_JS = (
    EXACT_JS
    + """
export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame");
  const signature = JSON.stringify([data.ids, data.rows.length]);
  const top = frame.dataset.signature === signature ? frame.scrollTop : 0;
  frame.dataset.signature = signature;
  frame.classList.toggle("tall", data.tall);
  const table = document.createElement("table");
  table.setAttribute("aria-label", data.name);
  const columns = table.appendChild(document.createElement("colgroup"));
  const head = table.appendChild(document.createElement("thead")).appendChild(document.createElement("tr"));
  for (const [name, width, kind] of data.head) {
    columns.appendChild(document.createElement("col")).style.width = width;
    const cell = head.appendChild(document.createElement("th"));
    cell.className = kind;
    cell.scope = "col";
    cell.textContent = name;
  }
  const body = table.appendChild(document.createElement("tbody"));
  data.rows.forEach((texts, place) => {
    const row = body.appendChild(document.createElement("tr"));
    const id = data.ids[place];
    if (id !== undefined) {
      row.className = "pick";
      row.tabIndex = 0;
      row.dataset.id = id;
      if (id === data.selected) row.setAttribute("aria-current", "true");
      row.onclick = () => { if (!String(getSelection())) setTriggerValue("picked", id); };
      row.onkeydown = (event) => { if (event.key === "Enter") setTriggerValue("picked", id); };
    }
    texts.forEach((text, column) => {
      const cell = row.appendChild(document.createElement("td"));
      cell.className = data.head[column][2];
      const inner = cell.appendChild(document.createElement("div"));
      inner.className = "cell";
      appendExact(inner, text);
      if (text.length > 60) inner.title = text;
    });
  });
  frame.replaceChildren(table);
  frame.scrollTop = top;
}
"""
)

_exact_table: Any = component(
    "lorascope_exact_table", html='<div class="frame" role="region" tabindex="-1">\n</div>', css=_CSS, js=_JS
)
