"""A whole page inside a page: in a frame with no origin of its own, so that nothing in it can reach the dashboard."""

from __future__ import annotations

from typing import Any

from streamlit.components.v2 import component

_SHEET = """
iframe { display: block; width: 100%; border: 0; background: var(--st-background-color); }
"""
_SCRIPT = """
export default function ({ data, parentElement }) {
  let frame = parentElement.querySelector("iframe");
  if (!frame) {
    frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-downloads allow-modals");
    frame.referrerPolicy = "no-referrer";
    parentElement.appendChild(frame);
  }
  frame.title = data.name;
  frame.style.height = `${data.height}px`;
  if (frame.srcdoc !== data.page) frame.srcdoc = data.page;
}
"""
# Registered once, when the module is imported: a second registration of the name would replace the first in every session.
_COMPONENT: Any = component("lorascope_sandboxed_page", css=_SHEET, js=_SCRIPT)


def sandboxed_page(page: str, key: str, *, name: str, height: int) -> None:
    """Show a page.

    Args:
        page: a whole HTML document.
        key: names the element on its page.
        name: what it is, for screen readers.
        height: pixels; what is longer scrolls.
    """
    _COMPONENT(data={"page": page, "name": name, "height": height}, key=key)
