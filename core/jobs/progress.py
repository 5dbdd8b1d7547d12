"""The worker's heartbeat: status.json is written every two seconds, whatever the worker is busy with."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.jobs.status import HEARTBEAT_SECONDS, RunStatus, write_status

_WINDOW_SECONDS = 60.0


class Progress:
    """Keeps a run's status on disk; used by one worker, from its own thread, while a second thread beats."""

    def __init__(self, folder: Path, total: int, warnings: tuple[str, ...] = ()) -> None:
        """Start the heartbeat at once."""
        self.folder = folder
        self._lock = threading.Lock()
        self._status = RunStatus("loading", total=total, started=time.time(), warnings=warnings, pid=os.getpid())
        self._rate: deque[tuple[float, int]] = deque()
        self._tokens_left = 0
        self._stop = threading.Event()
        self._write()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @property
    def status(self) -> RunStatus:
        """What was written last."""
        return self._status

    def set(self, **changes: Any) -> None:
        """Change fields of the status and write it at once."""
        with self._lock:
            self._status = replace(self._status, **changes)
        self._write()

    def expect(self, tokens: int) -> None:
        """Say how many planned tokens are still to be computed: time left is reckoned from them."""
        self._tokens_left = tokens

    def advance(self, done: int, *, reused: int = 0, tokens: int = 0) -> None:
        """Count pieces of evidence as done; ``tokens`` is what was computed for them (0 if it was found)."""
        now = time.monotonic()  # a clock that is set back must not turn a rate or the time left around
        if tokens:
            self._tokens_left = max(0, self._tokens_left - tokens)
            self._rate.append((now, tokens))
            while len(self._rate) > 2 and now - self._rate[0][0] > _WINDOW_SECONDS:
                self._rate.popleft()
        rate = self._tokens_per_second(now)
        with self._lock:
            self._status = replace(
                self._status, done=self._status.done + done, reused=self._status.reused + reused, tokens_per_second=rate,
                seconds_left=self._tokens_left / rate if rate else None,
            )  # fmt: skip
        self._write()

    def _tokens_per_second(self, now: float) -> float | None:
        if len(self._rate) < 2:
            return None
        # The first entry opens the window: its tokens were computed before it.
        return sum(tokens for _, tokens in list(self._rate)[1:]) / max(now - self._rate[0][0], 1e-6)

    def warn(self, sentence: str) -> None:
        """Add a warning that pages show beside the progress, and log it."""
        print(sentence, flush=True)
        self.set(warnings=(*self._status.warnings, sentence))

    def finish(self, **changes: Any) -> None:
        """Stop the heartbeat and write the last status."""
        self.stop()
        self.set(seconds_left=None, variant=None, **changes)

    def stop(self) -> None:
        """Stop the heartbeat."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                self._write()
            except OSError:  # a full disk: the worker itself meets it and says so
                continue

    def _write(self) -> None:
        with self._lock:
            write_status(self.folder, self._status)
