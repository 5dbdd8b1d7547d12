"""Settings of all tests."""

from __future__ import annotations

import os

# Tests run side by side: torch's threads would wait for one another. Set before anything imports it; workers inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
