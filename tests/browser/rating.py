"""A server that lets others rate one study, and a page on which somebody rates: for the tests of the rating form."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from core.ratings import CreatedStudy, RatingStore, create_study, open_store
from tests.browser.conftest import ROOT
from tests.core.ratings.studies import plan, write_run
from tests.synthetic import make_workspace

ADAPTER = "zq-hidden-adapter"
RUN = "run-of-hidden-things"
_CLI = "from core.cli.main import main; main()"


def make_studied(folder: Path, n: int = 30, **more: Any) -> tuple[RatingStore, CreatedStudy]:
    """A workspace with a run and a study of it."""
    make_workspace(folder, n=2, runs=False)
    run = write_run(folder / "runs" / RUN, n, (ADAPTER,))
    store = open_store(folder)
    return store, create_study(store, [run], plan(**more))


class RatingServer:
    """``lorascope dashboard --study``, which can be killed and started again on the same port."""

    def __init__(self, workspace: Path, made: CreatedStudy) -> None:
        self.workspace, self.made = workspace, made
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = workspace.parent / f"rating-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-c",
            _CLI,
            "dashboard",
            "--workspace",
            str(self.workspace),
            "--port",
            str(self.port),
        ]
        command += ["--study", self.made.study.id, "--key", self.made.key]
        paths = os.pathsep.join(path for path in (str(ROOT), os.environ.get("PYTHONPATH", "")) if path)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | {"PYTHONPATH": paths}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for _ in range(300):
            assert self.process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """As the power's loss: nothing is tidied up."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=10)

    def link(self, **more: str) -> str:
        return f"{self.address}/?{urlencode({'study': self.made.study.id, 'key': self.made.key, **more})}"


class RaterPage:
    """A tab on which one rater works."""

    def __init__(self, page: Any, link: str, name: str) -> None:
        self.page = page
        page.goto(link)
        page.get_by_label("Your name or initials").fill(name)
        page.get_by_role("button", name="Begin").click()
        page.wait_for_selector(".form[data-item]")

    @property
    def item(self) -> str:
        form = self.page.query_selector(".form[data-item]")
        return form.get_attribute("data-item") if form is not None else ""

    def text(self, name: str) -> str:
        return self.page.locator(f".text[data-name='{name}']").evaluate("e => e.textContent")

    def ready(self) -> None:
        """Wait until what is shown may be answered."""
        self.page.wait_for_timeout(450)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        for _ in range(int(seconds / 0.03)):
            if holds():
                return
            self.page.wait_for_timeout(30)
        raise AssertionError(self.page.inner_text("body"))

    def moved_on(self, before: str) -> None:
        self.until(lambda: self.item != before)


def close_all(pages: Sequence[RaterPage]) -> None:
    for one in pages:
        one.page.context.close()
