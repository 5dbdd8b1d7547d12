"""Settings of all tests."""

from __future__ import annotations

import gc
import os
import sys

import pytest

# Tests run side by side: torch's threads would wait for one another. Set before anything imports it; workers inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.hookimpl(tryfirst=True)  # before hypothesis's own, which reads them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, so that no worker starts on it when the others are done.

    And let hypothesis draw without the constants of this project: each worker would parse every module of it for them.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if providers := sys.modules.get("hypothesis.internal.conjecture.providers"):
        providers.is_local_module_file = lambda path: False  # type: ignore[attr-defined]


def pytest_collection_finish() -> None:
    """Leave what was imported until now out of collections of garbage: Streamlit and statsmodels ask for one at each call."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let what was left out be collected as ever when the process ends."""
    gc.unfreeze()
