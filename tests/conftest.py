"""Settings of all tests."""

from __future__ import annotations

import os
import sys

import pytest

# Tests run side by side: torch's threads would wait for one another. Set before anything imports it; workers inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, so that no worker starts on it when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Let hypothesis draw without the constants of this project: it would parse every module of it, 20 seconds a worker."""
    if providers := sys.modules.get("hypothesis.internal.conjecture.providers"):
        providers.is_local_module_file = lambda path: False  # type: ignore[attr-defined]
