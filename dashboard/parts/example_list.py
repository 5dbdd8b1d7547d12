"""The list of examples: what each is about, how every variant did on it, and who gained or lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from core.charts.theme import PALETTES, Mode
from dashboard.parts.word_diff import EXACT_CSS, EXACT_JS, sendable


@dataclass(frozen=True)
class Bar:
    """One variant's score."""

    variant: str
    colour: str
    length: float | None
    """0 to 1; None where there is no value."""
    text: str


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    id: str
    snippet: str
    tags: tuple[str, ...]
    bars: tuple[Bar, ...]
    mark: str
    """▲ ▼ and so on."""
    meaning: str
    """The mark in words."""
    difference: str
    better: bool | None
    noted: bool
    """Whether somebody left a thumb or a note on it."""
    flagged: bool = False


def example_list(
    rows: Sequence[Row], selected: str | None, mode: Mode, key: str, on_pick: Callable[[], None] = lambda: None
) -> str | None:
    """Draw the list and return the id that was just clicked, None if none was.

    Args:
        rows: of one page.
        selected: the id that is open.
        mode: light or dark.
        key: of the element; ``st.session_state[key].picked`` is the id within ``on_pick``.
        on_pick: called before the page is drawn again.
    """
    colours = PALETTES[mode]
    listed = [
        {
            "id": sendable(row.id), "snippet": sendable(row.snippet), "tags": [sendable(tag) for tag in row.tags],
            "bars": [[bar.colour, bar.length, f"{bar.variant}: {bar.text}"] for bar in row.bars],
            "mark": row.mark, "meaning": row.meaning, "difference": row.difference, "noted": row.noted, "flagged": row.flagged,
            "colour": {True: colours.better, False: colours.worse, None: colours.muted}[row.better],
        }
        for row in rows
    ]  # fmt: skip
    result = _example_list(data={"rows": listed, "selected": selected}, key=key, on_picked_change=on_pick)
    return result.picked


def pager(n_pages: int, open_page: int | None, jump: bool, key: str) -> int:
    """Draw the page numbers, if there are several, and return the page to show.

    Args:
        n_pages: how many pages there are.
        open_page: the one with the open example; None if it is on none.
        jump: whether to turn to it: another example was opened, or the list is another one.
        key: of the widget.
    """
    turn, default = st.session_state.get(key, (0, 0))
    if jump or not 1 <= default <= n_pages:
        # A widget cannot be both set and given a default: to turn the page a new one takes the place of the old.
        turn, default = turn + 1, min(open_page or 1, n_pages)
        st.session_state[key] = (turn, default)
    if n_pages == 1:
        return 1
    return int(st.pagination(n_pages, default=default, key=f"{key}-{turn}", max_visible_pages=5, width="stretch"))


_CSS = (
    EXACT_CSS
    + """
.list { font-family: var(--st-font); color: var(--st-text-color); font-size: .8125rem; line-height: 1.35; max-height: 40rem;
  overflow-y: auto; border: 1px solid var(--st-border-color); border-radius: .5rem; }
.row { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .1rem .6rem; padding: .45rem .6rem .5rem .55rem;
  width: 100%; text-align: left; font: inherit; color: inherit; background: none; cursor: pointer;
  border: 0; border-left: 3px solid transparent; border-bottom: 1px solid var(--st-border-color); }
.row:last-child { border-bottom: 0; }
.row:hover { background: var(--st-secondary-background-color); }
.row:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
.row[aria-current=true] { border-left-color: var(--st-primary-color);
  background: color-mix(in srgb, var(--st-primary-color) 10%, transparent); }
.head { font-weight: 600; display: flex; gap: .35rem; min-width: 0; }
.head .id { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.noted { font-weight: 400; font-size: .7rem; border: 1px solid var(--st-border-color); border-radius: .3rem; padding: 0 .25rem;
  align-self: center; }
.difference { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; white-space: nowrap; }
.snippet { overflow: hidden; display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow-wrap: anywhere; }
.tags { opacity: .7; font-size: .72rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars { display: flex; gap: 2px; align-items: flex-end; height: 1.9rem; justify-content: flex-end; align-self: end;
  grid-row: 2 / span 2; grid-column: 2; border-bottom: 1px solid var(--st-border-color); max-width: 8rem; }
.bar { width: 7px; min-width: 1px; min-height: 2px; border-radius: 1.5px 1.5px 0 0; }
.bar.none { height: 3px; background: none; border: 1px dotted; opacity: .5; }
"""
)

_JS = (
    EXACT_JS
    + """
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".list");
  const top = list.scrollTop;
  const signature = JSON.stringify(data.rows.map((row) => row.id));
  const isSame = list.dataset.signature === signature;
  list.dataset.signature = signature;
  list.replaceChildren();
  const put = (parent, name, text) => {
    const element = parent.appendChild(document.createElement("span"));
    element.className = name;
    appendExact(element, text);
    return element;
  };
  let current = null;
  for (const row of data.rows) {
    const button = list.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "row";
    button.dataset.id = row.id;
    if (row.id === data.selected) { button.setAttribute("aria-current", "true"); current = button; }
    button.onclick = () => setTriggerValue("picked", row.id);
    const head = put(button, "head", "");
    const mark = put(head, "mark", row.mark);
    mark.style.color = row.colour;
    mark.title = row.meaning;
    put(head, "id", row.id).title = row.id;
    if (row.flagged) put(head, "noted", "flag");
    if (row.noted) put(head, "noted", "note");
    put(button, "difference", row.difference).style.color = row.colour;
    put(button, "snippet", row.snippet);
    const bars = put(button, "bars", "");
    bars.title = row.bars.map((bar) => bar[2]).join("\\n");
    for (const [colour, length] of row.bars) {
      const bar = bars.appendChild(document.createElement("span"));
      bar.className = length === null ? "bar none" : "bar";
      bar.style.borderColor = colour;
      if (length !== null) { bar.style.background = colour; bar.style.height = Math.round(length * 100) + "%"; }
    }
    put(button, "tags", row.tags.join(" · ")).title = row.tags.join("\\n");
  }
  list.scrollTop = isSame ? top : 0;
  if (current) {
    const box = current.offsetTop - list.offsetTop;
    if (box < list.scrollTop) list.scrollTop = box;
    const under = box + current.offsetHeight - list.clientHeight;
    if (under > list.scrollTop) list.scrollTop = under;
  }
}
"""
)

_example_list: Any = component(
    "lorascope_example_list", html='<nav class="list" aria-label="Examples">\n</nav>', css=_CSS, js=_JS
)
