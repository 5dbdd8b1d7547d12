"""What tests of pages in a browser open, and wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.browser.conftest import PATIENCE, settled


def open_page(page: Any, address: str) -> None:
    page.goto(address)
    settled(page)


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never came about: {what}")
        time.sleep(0.1)


def shows(locator: Any, text: str) -> None:
    """Wait until an element holds exactly this text."""
    try:
        until(lambda: locator.count() == 1 and locator.text_content() == text, "the text")
    except AssertionError:
        assert locator.text_content() == text
        raise


def output_of(page: Any, variant: str) -> Any:
    return page.locator(f".st-key-output-{variant} .text")
