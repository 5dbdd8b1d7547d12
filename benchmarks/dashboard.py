"""How fast the dashboard is on the sample run, in a real browser: ``python -m benchmarks.dashboard [--workspace DIR]``.

Needs playwright and a Chromium (LORASCOPE_CHROMIUM, or found on the path). First pages are timed from the request to the moment
when the page's script has run and its content stands; a fresh server each time, then a second session on the warm server.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
REPEATS = 3


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """Start the dashboard as a user does and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "core.cli.main", "dashboard", "--workspace", str(workspace), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def seconds(action: Callable[[], Any]) -> float:
    """Return how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure(browser: Any, workspace: Path) -> dict[str, float]:
    """Return the seconds of each step, on a fresh server."""
    found = {}
    with served(workspace) as address:
        page = browser.new_context(viewport={"width": 1440, "height": 2200}).new_page()

        def opened() -> None:
            page.goto(address)
            page.get_by_text("Metric by metric").wait_for()
            page.wait_for_selector(SETTLED)

        def switched(name: str, landmark: str) -> Callable[[], None]:
            def go() -> None:
                page.get_by_test_id("stSidebarNav").get_by_text(name, exact=True).click()
                page.get_by_text(landmark).first.wait_for()

            return go

        found["first page, fresh server"] = seconds(opened)
        found["to Compare, the first time"] = seconds(switched("Compare", "Every metric, every variant"))
        found["to Examples, the first time"] = seconds(switched("Examples", "Judged by"))
        found["to Overview, again"] = seconds(switched("Overview", "Metric by metric"))
        found["to Compare, again"] = seconds(switched("Compare", "Every metric, every variant"))
        found["to Examples, again"] = seconds(switched("Examples", "Judged by"))
        page = browser.new_context(viewport={"width": 1440, "height": 2200}).new_page()
        found["first page, second session"] = seconds(opened)
    return found


def main() -> None:
    """Print the median of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=ROOT / "sample_data")
    workspace = parser.parse_args().workspace
    chromium = os.environ.get("LORASCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        rounds = [measure(browser, workspace) for _ in range(REPEATS)]
    print(f"| step | seconds (median of {REPEATS}) |\n|---|---|")
    for step in rounds[0]:
        print(f"| {step} | {statistics.median(one[step] for one in rounds):.2f} |")


if __name__ == "__main__":
    main()
