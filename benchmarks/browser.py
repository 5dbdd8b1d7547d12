"""The dashboard over 100,000 examples and 5 variants, in a real browser: ``python -m benchmarks.browser [--peer]``.

The run is made up (`benchmarks.large`), with texts, and with what ``derived/`` holds after everything was looked at once. Timed is
each step from the click to its effect on the page, on a fresh server for the first visits. Beside the seconds stand the processor
time that the server spent on the step, and its memory. ``--peer`` times Inspect's viewer (``inspect view``) on a log of as many
samples, if inspect-ai is installed; ``--peer-python`` names the interpreter of an environment that has it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.browser_peer import measure_peer
from benchmarks.browser_watch import PATIENCE, Step, Watch, print_table, resident_bytes, rest
from benchmarks.dashboard import FLAGS, dashboard_of, served
from benchmarks.large import made_run
from core.compare import compare
from core.store import Run
from core.text_features import KINDS, RULES

REPEATS = 5
_LISTED = ".ls-rail-head b"
_FIRST_ROW = ".st-key-examples-body .row"


def first_visits(watch: Watch) -> None:
    """Open every page that reads the run, for the first time and again."""
    page = watch.page
    landmarks = {
        "Overview": lambda: page.locator(".st-key-chart-matrix h4").wait_for(),
        "Compare": lambda: page.get_by_text("Every metric, every variant").first.wait_for(),
        "Examples": lambda: page.locator(_FIRST_ROW).first.wait_for(),
    }
    watch.time("Overview, fresh server", lambda: page.goto(watch.server.address), landmarks["Overview"])
    for turn in ("the first time", "again"):
        for name in ("Compare", "Examples", "Overview"):
            link = page.get_by_test_id("stSidebarNav").get_by_text(name, exact=True)
            watch.time(f"to {name}, {turn}", link.click, landmarks[name])


def choose(page: Any, label: str, option: str) -> Callable[[], Any]:
    """Open a list of choices and return what clicks one of them."""
    box = page.get_by_role("combobox", name=label).first
    box.click()
    box.fill(option)  # a long list shows its first options alone
    return page.get_by_role("option", name=option).first.click


def example_steps(watch: Watch) -> None:
    """Filter, page, sort, search and ask on the Examples page."""
    page = watch.page
    address = f"{watch.server.address}/examples?task=reply&metric=rouge_l"
    watch.time(
        "Examples by its link, a new session", lambda: page.goto(address), page.locator(_FIRST_ROW).first.wait_for
    )
    for variant in ("b", "c"):
        watch.time(f"another variant ({variant})", choose(page, "Variant", variant), watch.becomes(".ls-lead"))
    for order in ("Biggest loss first", "As in the dataset"):
        watch.time(f"sort: {order}", choose(page, "Order", order), watch.becomes(_FIRST_ROW, "data-id"))
    for number in (2, 3):
        button = page.get_by_role("button", name="Next page")
        watch.time(f"page {number}", button.click, watch.becomes(_FIRST_ROW, "data-id"))
    for number in (4, 7):
        row = page.locator(_FIRST_ROW).nth(number)
        watch.time(f"open example {number}", row.click, watch.becomes(".ls-opened b"))
    watch.time("next example (j)", lambda: page.keyboard.press("j"), watch.becomes(".ls-opened b"))
    for outcome in ("gained", "lost"):
        pill = page.get_by_text(outcome, exact=False).and_(page.locator("[data-testid=stPills] *, button *")).first
        watch.time(f"filter: {outcome}", pill.click, watch.becomes(_LISTED))
    for tag in ("field=3", "language=zh"):
        page.goto(f"{address}&")
        rest(page)
        watch.time(f"filter: {tag}", choose(page, "Tags", tag), watch.becomes(_LISTED))
    page.goto(address)
    rest(page)
    for part in ("field=4", "channel=chat"):
        watch.time(f"slice: {part}", choose(page, "Slice", part), watch.becomes(_LISTED))
    page.goto(address)
    rest(page)
    for text in ("two", "refund"):
        box = page.get_by_placeholder("Search prompt, reference, outputs")
        box.fill(text)
        watch.time(f"search: {text}", lambda: page.keyboard.press("Enter"), watch.becomes(_LISTED))


def feature_steps(watch: Watch, turn: str) -> None:
    """Ask for every text feature that needs nothing typed, and for a word."""
    page = watch.page
    page.goto(f"{watch.server.address}/examples?task=reply&metric=rouge_l")
    page.locator(_FIRST_ROW).first.wait_for()
    rest(page)
    for kind in ("list", "heading", "refusal", "length", "language"):
        told = page.get_by_text(RULES[kind]).first
        watch.time(f"text feature: {KINDS[kind]}, {turn}", choose(page, "Text feature", KINDS[kind]), told.wait_for)
    listed = page.get_by_text("only b", exact=False).first
    watch.time(f"list where only one has it, {turn}", listed.click, watch.becomes(_LISTED))


def measure(browser: Any, folder: Path) -> tuple[list[Step], int, int]:
    """Return the steps on a fresh server, and its memory at the end and at its peak."""
    with served(dashboard_of(folder)) as server:
        page = browser.new_context(viewport={"width": 1440, "height": 2200}).new_page()
        page.set_default_timeout(PATIENCE)
        watch = Watch(page, server)
        first_visits(watch)
        example_steps(watch)
        for turn in ("the first time", "again"):
            feature_steps(watch, turn)
        page.context.close()
        return watch.steps, resident_bytes(server.pid), resident_bytes(server.pid, "VmHWM")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--keep", type=Path, help="where the made-up run lies, or is put, to be used again")
    parser.add_argument("--peer", action="store_true", help="time Inspect's viewer too")
    parser.add_argument("--peer-python", default=sys.executable, help="the interpreter that has inspect-ai")
    options = parser.parse_args()
    chromium = os.environ.get("LORASCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "large"
        if not (folder / "spec.json").is_file():
            made_run(folder, options.examples, texts=True)
            compare(Run(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        measure(browser, folder)  # what a first look leaves in derived/ is then there
        found = [measure(browser, folder) for _ in range(options.repeats)]
        print_table([steps for steps, _, _ in found])
        memory, peak = max(memory for _, memory, _ in found), max(peak for _, _, peak in found)
        print(f"\nThe server's memory {memory / 1e9:.2f} GB, at its peak {peak / 1e9:.2f} GB.")
        if options.peer:
            print_table([measure_peer(browser, Path(scratch), options.peer_python, options.examples)])
        browser.close()


if __name__ == "__main__":
    main()
