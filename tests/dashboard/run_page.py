"""The Run page over a workspace, and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

SCRIPT = "from dashboard.views.run import show\nshow()"


def run_page(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AppTest:
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(folder))
    return AppTest.from_string(SCRIPT, default_timeout=20).run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]
