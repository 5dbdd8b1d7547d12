"""Compare's sections in a real browser: what unfolds, what a click on a slice opens, and what a reload keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from core.feedback import read_feedback
from core.slices import slice_table
from core.store import Run
from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, served, settled
from tests.robust import TWIN, make_robust_run
from tests.synthetic import make_workspace

pytestmark = pytest.mark.browser
SECTIONS = ("metrics", "slices", "robustness", "forgetting", "composite", "feedback")


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a run with perturbed inputs, a composite and two tasks to tell forgetting by."""
    folder = make_workspace(tmp_path_factory.mktemp("robust") / "workspace", n=8, runs=False)
    make_robust_run(
        folder / "runs" / "robust", family=("category/accuracy", "reply/rouge_l", "general/bits_per_byte"),
        forgetting={"general": "general", "domain": "reply"},
        composites={"desk": {"weights": {"category/accuracy": 2, "reply/rouge_l": 1}}},
    )  # fmt: skip
    with served(folder) as server:
        yield server


def _open(page: Any, address: str, sign: str) -> Any:
    page.goto(address)
    page.locator(sign).first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def _asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_task_unfolds_its_other_metrics_and_a_reload_keeps_them(robust: Server, page: Any) -> None:
    _open(page, f"{robust.address}/compare", "tr.fold")
    expect(page.locator("tr[data-key='category/f1_macro']")).to_have_count(0)
    page.locator("tr.fold a", has_text="more metric").first.click()
    page.locator("tr[data-key='category/f1_macro']").wait_for()
    page.wait_for_function("new URLSearchParams(location.search).get('more') === 'category'")
    page.reload()
    page.locator("tr[data-key='category/f1_macro']").wait_for()
    page.locator("tr.fold a", has_text="The primary metrics alone").click()
    page.locator("tr[data-key='category/f1_macro']").wait_for(state="detached")


def test_a_click_on_a_slice_moves_the_bar_and_opens_it(robust: Server, page: Any) -> None:
    run = Run(robust.workspace / "runs" / "robust")
    first = slice_table(run).of("reply/rouge_l", "qv-r8")[0].slice
    _open(page, f"{robust.address}/compare?section=slices&metric=reply/rouge_l&variant=qv-r8", "table.slices")
    page.locator("table.slices tbody a").first.click()
    page.locator("tr[data-key='reply/rouge_l']").wait_for()
    page.get_by_text(f"slice {first.name}").wait_for()
    asked = _asked(page)
    assert asked["slice"] == [first.name] and "section" not in asked and asked["metric"] == ["reply/rouge_l"]
    expect(page.locator(".st-key-slice input")).to_have_value(first.name)


def test_a_click_on_a_slice_in_the_picture_opens_it_too(robust: Server, page: Any) -> None:
    _open(
        page,
        f"{robust.address}/compare?section=slices&metric=reply/rouge_l&variant=qv-r8",
        ".st-key-figure-slices .main-svg",
    )
    page.locator(".st-key-figure-slices .scatterlayer .trace path.point").last.click(force=True)
    page.locator("tr[data-key='reply/rouge_l']").wait_for()
    page.wait_for_function("location.search.includes('slice=')")


def test_overview_leads_to_robustness_and_that_to_the_examples(robust: Server, page: Any) -> None:
    _open(page, robust.address, ".line")
    page.locator(".line", has_text="Robustness").click()
    page.locator(".st-key-figure-drops .point").first.wait_for(state="attached")
    page.get_by_role("link", name=f"Examples of {TWIN}").click()
    page.get_by_text("Perturbed: Typos").wait_for()
    expect(page.locator(".st-key-card-perturbed ins").first).to_contain_text("Tikcet:", use_inner_text=True)


def test_an_imported_file_becomes_a_row(robust: Server, page: Any, tmp_path: Path) -> None:
    run = Run(robust.workspace / "runs" / "robust")
    ids = [example.id for example in run.examples if example.task == "reply"][:20]
    lines = [f"{one},{variant},{thumb}" for one in ids for variant, thumb in (("baseline", "down"), ("qv-r8", "up"))]
    path = tmp_path / "thumbs.csv"
    path.write_text("\n".join(["id,variant,thumb", *lines]))
    _open(page, f"{robust.address}/compare?section=feedback", "[data-testid=stFileUploader]")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Add it to this run").click()
    page.get_by_text("40 rows of thumbs.csv added").wait_for()
    page.locator(".st-key-chart-feedback-reply table.numbers").wait_for()
    assert len(read_feedback(run).latest) == 40


@pytest.mark.parametrize("width", [1280, 1440])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_the_page(robust: Server, page: Any, section: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1400})
    name = quote("category=" + Run(robust.workspace / "runs" / "robust").examples[0].tags[0].partition("=")[2])
    for extra in ("", f"&slice={name}") if width == 1280 else ("",):
        _open(page, f"{robust.address}/compare?section={section}{extra}", "[data-testid=stButtonGroup]")
        assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.locator(".ls-holder").evaluate_all(CUT_OFF) == []
        keep_picture(page, f"section-{section}-{width}{'-slice' if extra else ''}.png")
