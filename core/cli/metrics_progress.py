"""Says on the command line how far the metrics of a large run are computed; of a small one nothing is said."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_SILENT_SECONDS = 3.0
_PLAIN_SECONDS = 30.0
"""Between two lines where there is no terminal."""


def metrics_progress() -> Callable[[int, int], None]:
    """Return what is told how many statistics are done; it draws one line anew, or plain lines where there is no terminal."""
    terminal = sys.stderr.isatty()
    started = shown_at = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal shown_at
        now = time.monotonic()
        if now - started < _SILENT_SECONDS or (not terminal and now - shown_at < _PLAIN_SECONDS and done < total):
            return
        shown_at = now
        text = f"Computing metrics: {done:,} of {total:,}; kept for the next time"
        print(
            f"\r\x1b[K{text}" if terminal else text,
            end="\n" if done == total or not terminal else "",
            file=sys.stderr,
            flush=True,
        )

    return told
