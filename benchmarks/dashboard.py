"""How fast the dashboard is on the sample run, in a real browser: ``python -m benchmarks.dashboard [--workspace DIR]``.

Needs playwright and a Chromium (LORASCOPE_CHROMIUM, or found on the path). First pages are timed from the request to the moment
when their text stands, in a browser session without a cache: on a fresh server, then in a second session. An empty Streamlit
page is timed beside them in the same way: what it takes, the framework takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
OVERVIEW = "Metric by metric"
REPEATS = 3


@dataclass(frozen=True)
class Server:
    """A server that listens."""

    address: str
    pid: int


def dashboard_of(workspace: Path) -> list[str]:
    """Return the command that serves a workspace, but for the port."""
    return [sys.executable, "-m", "core.cli.main", "dashboard", "--workspace", str(workspace), "--port"]


def empty_page(folder: Path) -> list[str]:
    """Return the command that serves a page of one word, but for the port."""
    (folder / "empty.py").write_text("import streamlit as st\nst.write('nothing')\n")
    flags = ["--server.headless=true", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    return [sys.executable, "-m", "streamlit", "run", str(folder / "empty.py"), *flags, "--server.port"]


@contextmanager
def served(serve: list[str], health: str = "/_stcore/health") -> Iterator[Server]:
    """Start a server and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*serve, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{address}{health}", timeout=1):
                    break
            except OSError:
                time.sleep(0.05)
        yield Server(address, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def seconds(action: Callable[[], Any]) -> float:
    """Return how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def opened(browser: Any, address: str, landmark: str) -> tuple[Any, float]:
    """Return a page of a new session, and the seconds until its text stood."""
    page = browser.new_context(viewport={"width": 1440, "height": 2200}).new_page()

    def go() -> None:
        page.goto(address)
        page.get_by_text(landmark).first.wait_for()

    return page, seconds(go)


def measure(browser: Any, workspace: Path, scratch: Path) -> dict[str, float]:
    """Return the seconds of each step, on fresh servers."""
    found = {}
    with served(empty_page(scratch)) as server:
        found["an empty Streamlit page, fresh server"] = opened(browser, server.address, "nothing")[1]
        found["an empty Streamlit page, second session"] = opened(browser, server.address, "nothing")[1]
    with served(dashboard_of(workspace)) as server:
        page, found["first page, fresh server"] = opened(browser, server.address, OVERVIEW)
        page.wait_for_selector(SETTLED)

        def switched(name: str, landmark: str) -> float:
            def go() -> None:
                page.get_by_test_id("stSidebarNav").get_by_text(name, exact=True).click()
                page.get_by_text(landmark).first.wait_for()

            taken = seconds(go)
            page.wait_for_selector(SETTLED)
            return taken

        for turn in ("the first time", "again"):
            found[f"to Compare, {turn}"] = switched("Compare", "Every metric, every variant")
            found[f"to Examples, {turn}"] = switched("Examples", "Judged by")
            found[f"to Overview, {turn}"] = switched("Overview", OVERVIEW)
        found["first page, second session"] = opened(browser, server.address, OVERVIEW)[1]
    return found


def main() -> None:
    """Print the median of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=ROOT / "sample_data")
    workspace = parser.parse_args().workspace
    chromium = os.environ.get("LORASCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        rounds = [measure(browser, workspace, Path(scratch)) for _ in range(REPEATS)]
    print(f"| step | seconds (median of {REPEATS}) |\n|---|---|")
    for step in rounds[0]:
        print(f"| {step} | {statistics.median(one[step] for one in rounds):.2f} |")


if __name__ == "__main__":
    main()
