"""The Data page in a browser: opening it, dropping files on it, reading its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.conftest import Server, expect, settled


def opened(page: Any, server: Server, query: str = "") -> Any:
    """Open the Data page and wait for its first sentence."""
    page.goto(f"{server.address}/data?{query}")
    page.locator("[data-name=headline], .ls-face").first.wait_for()
    settled(page)
    return page


def fine(page: Any) -> None:
    """Nothing went wrong, and nothing sticks out at the side."""
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")


def asked(page: Any, name: str) -> str | None:
    """Return a query parameter."""
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def drop(page: Any, *files: Path | dict[str, Any]) -> None:
    """Drop files on the page and wait until one of them is looked at."""
    settled(page)  # while the page is drawn anew, the place to drop may be another in a moment
    before = asked(page, "file")
    page.locator("input[type=file]").set_input_files(list(files))
    page.wait_for_function(
        "old => { const now = new URLSearchParams(location.search).get('file'); return now && now !== old }", arg=before
    )
    settled(page)


def segment(page: Any, name: str) -> None:
    """Turn to another segment."""
    page.locator(".st-key-data-show").get_by_role("radio", name=name, exact=True).click()


def cells(page: Any, table: str) -> list[list[str]]:
    """Return the texts of a table, exactly."""
    page.locator(f'table[aria-label="{table}"]').wait_for()
    return page.locator(f'table[aria-label="{table}"] tbody tr').evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('.cell')].map(cell => cell.textContent))"
    )


SEGMENT_KEYS = {
    "Faults": "faults", "Shape": "shape", "Look": "look", "Duplicates and leakage": "overlap", "Quality": "quality",
    "Compare": "compare", "Rows": "rows",
}  # fmt: skip
