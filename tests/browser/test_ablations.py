"""The Ablations page in a real browser, on the shipped run: its first line, its choices in the address, and that everything fits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, settled

pytestmark = pytest.mark.browser
PARTS = ("factors", "levels", "cost", "training", "together")


@pytest.fixture
def wide(page: Any, request: pytest.FixtureRequest) -> Any:
    """A tab of a given width and colour scheme."""
    width, scheme = request.param
    page.set_viewport_size({"width": width, "height": 1900})
    page.emulate_media(color_scheme=scheme)
    return page


def _opened(page: Any, server: Server, **query: str) -> Any:
    asked = {"run": "sample", "metric": "reply/rouge_l"} | query
    page.goto(f"{server.address}/ablations?" + "&".join(f"{key}={value}" for key, value in asked.items()))
    page.locator(".ls-lead").first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def test_the_first_line_names_adapters_and_never_a_choice_alone(sample: Server, page: Any) -> None:
    _opened(page, sample)
    expect(page.locator(".ls-lead").first).to_contain_text("qv-r8-quarter is worse than qv-r8")
    lead = page.locator(".ls-lead").first.bounding_box()
    chart = page.locator(".js-plotly-plot").first
    chart.wait_for()
    assert (
        lead["y"] + lead["height"] < 300 and chart.bounding_box()["y"] < 400
    )  # the answer stands in the first 400 pixels
    rows = page.locator("tr[data-variant]")
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_contain_text("qv-r8", use_inner_text=True)
    expect(rows.nth(0).locator("td").first).to_have_attribute("title", "8\nsaid by adapter_config.json")


def test_parts_and_choices_live_in_the_address_and_a_run_leads_to_its_adapter(sample: Server, page: Any) -> None:
    _opened(page, sample)
    page.get_by_role("button", name="Levels and doses").or_(
        page.get_by_text("Levels and doses", exact=True)
    ).first.click()
    page.wait_for_url("**part=levels**")
    page.get_by_text("reply: ROUGE-L along rank + alpha").first.wait_for()
    page.reload()
    page.get_by_text("reply: ROUGE-L along rank + alpha").first.wait_for()
    _opened(page, sample, against="all-r8")
    expect(page.locator("tr[data-variant]").first).to_contain_text("all-r8", use_inner_text=True)
    page.locator("tr[data-variant=qv-r2] a").click()
    page.wait_for_url("**/adapters?**adapter=qv-r2**")
    page.get_by_text("qv-r2 is a LoRA adapter").or_(page.get_by_text("qv-r2 changes")).first.wait_for()


@pytest.mark.parametrize("wide", [(1440, "light"), (1280, "dark")], indirect=True)
def test_every_part_fits(sample: Server, wide: Any) -> None:
    for part in PARTS if wide.viewport_size["width"] == 1280 else ("factors", "levels"):  # the narrowest is the hardest
        _opened(wide, sample, part=part)
        wide.locator(".js-plotly-plot").first.wait_for()
        keep_picture(wide, f"ablations-{part}-{wide.viewport_size['width']}.png")
        assert wide.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert (
            wide.locator("td .cell, .ls-lead, .ls-foot, .ls-said li, tr[data-variant] td").evaluate_all(CUT_OFF) == []
        )
        assert wide.locator(".ls-holder").evaluate_all("found => found.every(e => e.scrollWidth <= e.clientWidth + 1)")
