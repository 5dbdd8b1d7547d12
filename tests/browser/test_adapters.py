"""The Adapters page in a real browser: measured live by its own workers, on a tiny model and on the shipped adapters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.jobs import worker
from core.prepare import Choice, prepare_run
from core.workspace import load_workspace
from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, served, settled
from tests.tiny import make_workspace

pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a workspace with a tiny model that was evaluated on one task."""
    folder = make_workspace(tmp_path_factory.mktemp("tiny") / "workspace", n=6)
    run = prepare_run(load_workspace(folder), Choice(name="one", tasks=("reply",)))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    with served(folder) as server:
        yield server


def _opened(page: Any, server: Server, **query: str) -> Any:
    page.goto(f"{server.address}/adapters?" + "&".join(f"{key}={value}" for key, value in query.items()))
    page.locator(".ls-lead").first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def _press(page: Any, label: str) -> None:
    button = page.get_by_role("button", name=label, exact=True)
    button.click()
    button.wait_for(state="detached")


def test_what_an_adapter_changed_is_measured_and_a_module_can_be_picked(tiny: Server, page: Any) -> None:
    _opened(page, tiny, adapter="lora-0")
    expect(page.locator(".ls-lead")).to_contain_text(
        "lora-0 is a LoRA adapter of rank 4 on q_proj and v_proj in all 2 layers.", use_inner_text=True
    )
    _press(page, "Measure what it changed")
    page.get_by_text("of their norm; most in layer").first.wait_for()
    page.locator(".js-plotly-plot").nth(1).wait_for()
    rows = page.locator("table[aria-label='Modules that changed most'] tbody tr")
    rows.nth(3).wait_for()
    expect(rows).to_have_count(4)
    picked = rows.nth(2).get_attribute("data-id")
    rows.nth(2).click()
    page.wait_for_url(f"**module={picked}**")
    layer = str(picked).split(".")[2]
    page.locator(".js-plotly-plot").nth(1).get_by_text(f", layer {layer}").wait_for()
    assert list((tiny.workspace / ".lorascope" / "adapters").glob("anatomy-*/result.json"))
    page.reload()
    page.get_by_text("of their norm; most in layer").first.wait_for()
    expect(page.get_by_role("button", name="Measure what it changed")).to_have_count(0)  # it is measured once


def test_two_adapters_are_compared(tiny: Server, page: Any) -> None:
    _opened(page, tiny, adapter="lora-0", beside="lora-1")
    _press(page, "Compare the two")
    page.get_by_text("lora-0 and lora-1 both change 4 modules").first.wait_for()
    page.get_by_role("button", name="Shared outputs").or_(page.get_by_text("Shared outputs", exact=True)).first.click()
    page.get_by_text("lora-0 and lora-1: shared outputs").wait_for()


def test_merging_is_checked_live(tiny: Server, page: Any) -> None:
    _opened(page, tiny, adapter="lora-0", section="merge")
    _press(page, "Check what merging moves")
    page.get_by_text("Merging lora-0: in float32 logits move by up to").wait_for(timeout=120_000)
    rows = page.locator("table[aria-label='Merged against unmerged'] tbody tr")
    rows.nth(2).wait_for()
    models = rows.locator("td:first-child").all_inner_texts()
    assert models == ["merged, float32", "merged, bfloat16", "unmerged, bfloat16"]
    metrics = page.locator("table[aria-label='Metrics of merged and unmerged'] tbody tr")
    expect(metrics).to_have_count(9)  # BLEU, chrF and perplexity of each pair
    expect(metrics.nth(2).locator("td").first).to_have_text("reply: Perplexity", use_inner_text=True)
    expect(metrics.nth(2).locator("td").last).to_have_text("0 of 6", use_inner_text=True)
    keep_picture(page, "adapters-merge.png")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1280, "dark")])
def test_sections_of_the_shipped_adapters_fit(sample: Server, page: Any, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    page.emulate_media(color_scheme=scheme)
    for section, beside in (("training", ""), ("facts", "qv-r32")):
        _opened(page, sample, run="sample", adapter="qv-r8", section=section, beside=beside)
        page.locator(".js-plotly-plot, table").first.wait_for()
        keep_picture(page, f"adapters-{section}-{width}.png")
        assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.locator("td .cell, .ls-lead, .ls-foot").evaluate_all(CUT_OFF) == []


def test_hostile_words_in_an_adapters_files_are_shown_as_they_are(tiny: Server, page: Any) -> None:
    card = Path(tiny.workspace / "adapters" / "lora-1" / "README.md")
    card.write_text("---\nlicense: '<img src=x onerror=alert(1)> $x$ :red[y]'\n---\n")
    _opened(page, tiny, adapter="lora-1", section="facts")
    cell = page.locator("table[aria-label='Settings of the adapter'] td").filter(has_text="onerror")
    cell.wait_for()
    expect(cell).to_have_text("<img src=x onerror=alert(1)> $x$ :red[y]", use_inner_text=True)
    expect(page.locator("table img")).to_have_count(0)
