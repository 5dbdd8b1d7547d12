"""The real dashboard over made-up workspaces, driven by a real browser.

Needs playwright and a Chromium (LORASCOPE_CHROMIUM, or found on the path); without either these tests are skipped, and
fail where CI or LORASCOPE_REQUIRE_BROWSER is set: there a skipped test would look like a passed one.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest

from tests.synthetic import make_workspace

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--process-per-site",
)  # fmt: skip
PATIENCE = 60_000
"""Milliseconds until something that should be on the page counts as missing."""

TALL = {"width": 1440, "height": 2200}

CUT_OFF = "found => found.filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.innerText)"
"""Of many elements, the texts of those that are narrower than their text."""


@dataclass(frozen=True)
class Server:
    """A dashboard that listens."""

    address: str
    workspace: Path


@contextmanager
def served(workspace: Path) -> Iterator[Server]:
    """Start the dashboard over a workspace on a free port, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = os.pathsep.join(path for path in (str(ROOT), os.environ.get("PYTHONPATH", "")) if path)
    environment = os.environ | {"LORASCOPE_WORKSPACE": str(workspace), "PYTHONPATH": paths}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py"), "--server.port", str(port)]
    log_path = workspace.parent / f"server-{port}.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_healthy(port, process, log_path)
        yield Server(f"http://127.0.0.1:{port}", workspace)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard ended:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the dashboard did not answer:\n{log.read_text()}")


def give_up(reason: str) -> NoReturn:
    """Skip a test that cannot be driven here; fail it where a browser is required."""
    if os.environ.get("CI") or os.environ.get("LORASCOPE_REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    try:
        playwright_api = importlib.import_module("playwright.sync_api")
    except ImportError:
        give_up("playwright is not installed")
    path = os.environ.get("LORASCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        give_up("no Chromium found; set LORASCOPE_CHROMIUM")
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser: Any) -> Iterator[Any]:
    """The window whose tabs the tests use one after the other.

    A tab that stays open on an empty page of the servers' site keeps its process: the dashboard's scripts, four seconds of
    work for a process that sees them for the first time, stay compiled there.
    """
    context = browser.new_context(viewport=TALL, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    kept = context.new_page()
    kept.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
    kept.goto("http://127.0.0.1/")
    yield context
    context.close()


@contextmanager
def fresh_tab(window: Any) -> Iterator[Any]:
    """Open a tab that knows nothing of those before it, and close it afterwards with those that it opened."""
    kept = list(window.pages)
    page = window.new_page()
    try:
        yield page
    finally:
        origins = set()
        for opened in window.pages:
            if opened not in kept:
                origins.add("{0.scheme}://{0.netloc}".format(urlsplit(opened.url)))
                opened.close()
        _forget(window, origins)


def _forget(window: Any, origins: set[str]) -> None:
    """Take away what pages of these addresses stored in the browser."""
    window.clear_cookies()
    session = window.new_cdp_session(window.pages[0])
    for origin in origins:
        if origin.startswith("http"):
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.detach()


@pytest.fixture
def page(window: Any) -> Iterator[Any]:
    """A fresh tab, tall enough that nothing has to be scrolled to."""
    with fresh_tab(window) as tab:
        yield tab


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a workspace with one finished run."""
    with served(make_workspace(tmp_path_factory.mktemp("full") / "workspace", n=60)) as server:
        yield server


@pytest.fixture(scope="session")
def without_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a workspace that has no run yet."""
    with served(make_workspace(tmp_path_factory.mktemp("without-runs") / "workspace", runs=False)) as server:
        yield server


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a copy of the shipped workspace with its finished run."""
    copy = tmp_path_factory.mktemp("sample") / "workspace"
    shutil.copytree(ROOT / "sample_data", copy, ignore=shutil.ignore_patterns(".lorascope", "__pycache__", "demo-*"))
    assert (copy / "runs" / "sample" / "spec.json").is_file(), "sample_data/runs/sample is shipped"
    with served(copy) as server:
        yield server


def keep_picture(page: Any, name: str) -> None:
    """Store a screenshot where LORASCOPE_SCREENSHOTS says, for people to look at."""
    if folder := os.environ.get("LORASCOPE_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / name))


def expect(locator: Any) -> Any:
    """Return what waits until something holds of an element, and fails where it does not in time."""
    waiting = importlib.import_module("playwright.sync_api").expect
    waiting.set_options(timeout=PATIENCE)
    return waiting(locator)


def settled(page: Any) -> None:
    """Wait until the page's script has run and what it sent stands on the page.

    Streamlit says that a script has ended before its last elements are drawn, on a busy machine long before. So nothing may
    have been added, taken away or written for a moment, and no placeholder of a part that is still fetched may be left.
    """
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function(_QUIET, arg=QUIET_MS)


QUIET_MS = 250
_QUIET = """quiet => {
  if (!window.lsChanged) {
    window.lsChanged = performance.now();
    new MutationObserver(() => { window.lsChanged = performance.now(); })
      .observe(document.body, {childList: true, characterData: true, subtree: true});
  }
  return performance.now() - window.lsChanged > quiet
    && document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning"
    && !document.querySelector("[data-testid=stSkeleton]");
}"""
