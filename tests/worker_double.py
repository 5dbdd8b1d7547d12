"""A process that looks like a worker at work and does nothing: for tests of what watches and stops workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sleeping_worker(run_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process, as if at work on the run of this id, and end it afterwards, if nobody did before."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "core.jobs.worker", run_id])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
