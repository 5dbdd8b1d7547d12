"""An adapter of the sample taken apart live in a real browser: asked in the form, watched, and looked at part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.experiment.results import experiment_results
from core.jobs.status import read_status
from core.sample import fetch_base
from core.store import Run
from core.wording.experiment import headline, part_sentence
from core.workspace import load_workspace
from tests.browser.conftest import ROOT, Server, expect, keep_picture, served, settled

pytestmark = [pytest.mark.browser, pytest.mark.model]

SAMPLE = ROOT / "sample_data"
N = 8
LETTERS = 60
"""Of each reply: so many are enough for an adapter that learned the style of the house."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over the sample's model and two of its adapters, with a few short texts to score."""
    fetch_base()
    folder = tmp_path_factory.mktemp("live") / "workspace"
    folder.mkdir()
    (folder / "adapters").symlink_to(SAMPLE / "adapters")
    with (SAMPLE / "data" / "tickets.eval.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(next(lines)) for _ in range(N)]
    short = [{"id": row["id"], "text": row["reply"][:LETTERS]} for row in rows]
    (folder / "short.jsonl").write_text("".join(json.dumps(row) + "\n" for row in short), encoding="utf-8")
    (folder / "workspace.yaml").write_text(
        """models:
  base: {path: "cache:smollm2-135m"}
  adapters:
    qv-r2: {path: adapters/qv-r2}
    qv-r8: {path: adapters/qv-r8}
datasets:
  short: {path: short.jsonl}
tasks:
  house: {dataset: short, kind: likelihood, template: none, reference: text, metrics: [perplexity, bits_per_byte]}
settings: {seed: 0, dtype: float32, device: cpu, probe: false}
"""
    )
    with served(folder) as server:
        yield server


def _opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.locator(".ls-lead").first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def _run(folder: Path) -> Run:
    (run,) = load_workspace(folder).runs()
    return run


def test_an_adapter_is_taken_apart_live_and_leads_to_its_examples(server: Server, page: Any) -> None:
    _opened(page, f"{server.address}/ablations?section=experiment")
    form = page.locator(".st-key-ablation-form")
    expect(form).to_contain_text("How long it takes is not known")
    # Three parts are enough here: the depth is left out.
    without = form.get_by_role("button", name="Remove Depth")
    without.click()
    expect(without).to_have_count(0)
    expect(form).to_contain_text("10 variants, the baseline and the whole adapter included.")
    settled(page)
    page.get_by_role("button", name="Start", exact=True).click()
    card = page.locator("[class*=st-key-run-ablation-]").first
    card.wait_for()
    # It is the workspace's first run: when it has finished, what came of it takes the place of its progress.
    card.wait_for(state="detached", timeout=240_000)
    run = _run(server.workspace)
    assert read_status(run).state == "finished"
    page.locator(".js-plotly-plot").nth(2).wait_for()
    settled(page)
    found = experiment_results(run)
    key = found.metrics[0].key
    expect(page.locator(".ls-lead").first).to_have_text(headline(found, key), use_inner_text=True)
    for place, part in enumerate(("modules", "strength", "rank"), start=1):
        expect(page.locator(".ls-lead").nth(place)).to_have_text(part_sentence(found, key, part), use_inner_text=True)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    keep_picture(page, "ablation-parts.png")
    # What the house style is, the adapter learned: without half of it the texts are less likely, on any machine.
    values = found.metric("house/perplexity").row.values
    half, whole, base = (values[name].value for name in ("qv-r2.x0.5", "qv-r2", "baseline"))
    assert half is not None and whole is not None and base is not None and whole < half < base

    page.get_by_role("button", name="Open in Examples").click()
    page.wait_for_url("**/examples?**variant=qv-r2.**")
    page.wait_for_function("() => new URLSearchParams(location.search).get('reference') === 'qv-r2'")
    page.locator(".row").first.wait_for()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
