"""A Ray cluster of this machine, started as its owner would, for tests that join it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.paths import import_path


@pytest.fixture(scope="session")
def cluster_address() -> Iterator[str]:
    """Start a cluster of two processors and yield its HOST:PORT."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: Unix sockets lie in it
    environment = os.environ | {
        "PYTHONPATH": import_path(), "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=2", "--num-gpus=0",
        "--include-dashboard=false", "--disable-usage-stats", "--node-ip-address=127.0.0.1", "--object-store-memory=80000000",
        f"--temp-dir={folder}",
    ]  # fmt: skip
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        _wait_until_started(process, folder / "out")
        yield f"127.0.0.1:{port}"
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        psutil.wait_procs([psutil.Process(process.pid)] if process.poll() is None else [], timeout=10)
        for one in family:
            if one.is_running():
                one.kill()
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_started(process: subprocess.Popen[bytes], out: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if "Ray runtime started" in out.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(out.read_text())
