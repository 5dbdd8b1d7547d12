"""Times what a person does on a page, from the click to its effect, beside what the server spends on it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.dashboard import Server

PATIENCE = 120_000
"""Milliseconds until an effect counts as missing."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Step:
    """One timed step."""

    name: str
    seconds: float
    processor_seconds: float
    """Of the server, all threads."""


class Watch:
    """Times steps of one page against one server."""

    def __init__(self, page: Any, server: Server, *, rests: bool = True) -> None:
        """Take the page of a browser and the server behind it.

        Args:
            page: of playwright.
            server: what answers it.
            rests: whether the page says when its script has run, as Streamlit's do.
        """
        self.page, self.server, self.rests = page, server, rests
        self.steps: list[Step] = []

    def time(self, name: str, act: Callable[[], Any], effect: Callable[[], Any]) -> None:
        """Do something and wait for its effect; then, untimed, until the page rests."""
        spent, started = processor_seconds(self.server.pid), time.perf_counter()
        act()
        effect()
        taken = time.perf_counter() - started
        if self.rests:
            rest(self.page)
        self.steps.append(Step(name, taken, processor_seconds(self.server.pid) - spent))

    def becomes(self, selector: str, attribute: str = "") -> Callable[[], Any]:
        """Return what waits until the first element's text (or an attribute) is another than it is now."""
        read = f"element => {f'element.getAttribute({attribute!r})' if attribute else 'element.textContent'}"
        before = self.page.locator(selector).first.evaluate(read)

        def wait() -> None:
            end = time.perf_counter() + PATIENCE / 1000
            while True:
                found = self.page.locator(selector)
                if found.count() and found.first.evaluate(read) != before:
                    return
                if time.perf_counter() > end:
                    raise TimeoutError(f"{selector} stayed {before!r}")
                time.sleep(0.005)

        return wait


def processor_seconds(pid: int) -> float:
    """Return what a process has spent so far, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int, which: str = "VmRSS") -> int:
    """Return a process's memory; ``VmHWM`` is the peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/status has no {which}")


def rest(page: Any) -> None:
    """Wait until the page's script has run and stays so."""
    for _ in range(2):
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_timeout(150)


def print_table(rounds: list[list[Step]]) -> None:
    """Print the median of each step."""
    print(f"| step | seconds (median of {len(rounds)}) | server's processor time, s |\n|---|---|---|")
    for steps in zip(*rounds, strict=True):
        wall = statistics.median(step.seconds for step in steps)
        spent = statistics.median(step.processor_seconds for step in steps)
        print(f"| {steps[0].name} | {wall:.2f} | {spent:.2f} |")
