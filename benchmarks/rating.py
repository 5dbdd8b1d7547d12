"""How long a rater waits from a key to the next item, in a real browser: ``python -m benchmarks.rating [--workspace DIR] [--items N]``.

A study of the sample run is made in a copy of its workspace and served as raters get it. Each item is answered by its key half a
second after it came; the clock of the page itself goes from the key to the first frame that shows another item, so that the
driver's own slowness is not in it. The store (SQLite, synchronous FULL) is on disk before the next item is asked for.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.dashboard import FLAGS, ROOT, served
from core.ratings import StudyPlan, create_study, open_store
from core.workspace import load_workspace

LIMIT_MS = 300
READING_MS = 500
_TIMER = """
() => new Promise(done => {
  const form = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.form[data-item]')).find(Boolean)
    ?? document.querySelector('.form[data-item]');
  const before = form.dataset.item, began = performance.now();
  const watch = () => form.dataset.item === before ? requestAnimationFrame(watch) : done(performance.now() - began);
  document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', code: 'Digit1', bubbles: true, composed: true}));
  watch();
})
"""


def measure(page: Any, link: str, items: int) -> list[float]:
    """Return the milliseconds from each key to the next item; three items of practice before them are not among them."""
    page.goto(link)
    page.get_by_label("Your name or initials").fill("Benchmark")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector(".form[data-item]")
    waited = []
    for _ in range(items + 3):
        page.wait_for_timeout(READING_MS)
        waited.append(float(page.evaluate(_TIMER)))
    return waited[3:]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=ROOT / "sample_data")
    parser.add_argument("--items", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "workspace"
        shutil.copytree(options.workspace, copy, ignore=shutil.ignore_patterns(".lorascope", "studies"))
        run = load_workspace(copy).runs()[0]
        plan = StudyPlan(
            title="Benchmark", mode="pair", variants=run.spec.models.variants[:2], examples=options.items + 10
        )
        made = create_study(open_store(copy), [run], plan)
        serve = [sys.executable, "-m", "core.cli.main", "dashboard", "--workspace", str(copy), "--study", made.study.id]
        path = os.environ.get("LORASCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        with served([*serve, "--key", made.key, "--port"]) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            waited = measure(page, f"{server.address}/?study={made.study.id}&key={made.key}", options.items)
            browser.close()
    p95 = statistics.quantiles(waited, n=20, method="inclusive")[-1]
    print(f"| items | median ms | p95 ms | longest ms | limit ms |\n|---|---|---|---|---|\n"
          f"| {len(waited)} | {statistics.median(waited):.0f} | {p95:.0f} | {max(waited):.0f} | {LIMIT_MS} |")  # fmt: skip


if __name__ == "__main__":
    main()
