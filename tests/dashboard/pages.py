"""Whole pages without a browser: the real entry, opened at one of its pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

ENTRY = Path(__file__).parents[2] / "dashboard" / "app.py"


def opened(monkeypatch: pytest.MonkeyPatch, workspace: Path, name: str, **query: str) -> AppTest:
    """Open a page of the dashboard over a workspace."""
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(workspace))
    app = AppTest.from_file(str(ENTRY), default_timeout=30)
    app._page_hash = calc_hash(name)  # AppTest.switch_page knows pages that are files, and no others
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def shown(app: AppTest) -> str:
    """Return all HTML of a page on which nothing went wrong."""
    assert not app.exception, app.exception
    return "\n".join(element.proto.body for element in app.get("html"))
