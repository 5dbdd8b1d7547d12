"""The four pages over the shipped workspace: the numbers that its run really has, and pictures for people to look at."""

from __future__ import annotations

from typing import Any

import pytest

from core.compare import compare
from core.jobs.status import read_status
from core.notation import difference_texts, value_texts
from core.results import Comparison
from core.store import Run
from core.wording.verdicts import verdict_sentence
from dashboard.parts.overview_data import cards
from tests.browser.conftest import Server, expect, keep_picture, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(sample: Server) -> Run:
    return Run(sample.workspace / "runs" / "sample")


@pytest.fixture(scope="module")
def comparison(run: Run) -> Comparison:
    return compare(run)


@pytest.fixture(params=[1440, 1280])
def sized(page: Any, request: pytest.FixtureRequest) -> Any:
    """A tab of a laptop's width."""
    page.set_viewport_size({"width": request.param, "height": 1000})
    return page


def _opened(page: Any, address: str, sign: str) -> Any:
    page.goto(address)
    page.locator(sign).first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
    return page


def _keep(page: Any, name: str) -> None:
    keep_picture(page, f"sample-{name}-{page.viewport_size['width']}.png")


def test_overview_says_how_every_adapter_did(sample: Server, run: Run, comparison: Comparison, sized: Any) -> None:
    page = _opened(sized, f"{sample.address}/?run=sample", ".card")
    page.locator(".js-plotly-plot").first.wait_for()
    _keep(page, "overview")
    said = " ".join(page.locator(".card").all_inner_texts()).replace("\u00a0", " ")
    for card in cards(run, comparison):
        assert f"{card.variant} {verdict_sentence(card, comparison.reference)}".replace("\u00a0", " ") in " ".join(
            said.split()
        )


def test_compare_shows_every_value_and_every_interval_of_a_difference(
    sample: Server, comparison: Comparison, sized: Any
) -> None:
    page = _opened(sized, f"{sample.address}/compare?run=sample", "table.wide")
    page.locator(".js-plotly-plot").first.wait_for()
    _keep(page, "compare")
    cells = (
        page.locator("table.wide")
        .first.locator("tbody tr[data-key]")
        .evaluate_all(
            "lines => lines.map(line => [line.dataset.key, ...[...line.querySelectorAll('td')].map(cell => cell.innerText)])"
        )
    )
    shown = {line[0]: line[1:] for line in cells}
    rows = [row for row in comparison.rows if row.primary and not row.is_detail]
    assert {row.key for row in rows} <= set(shown)
    names = [comparison.reference, *(name for name in comparison.variants if name != comparison.reference)]
    for row in rows:
        for name, cell in zip(names, shown[row.key], strict=True):
            assert cell.startswith(value_texts(row.values[name], row.unit)[0]), (row.key, name)
            difference = row.differences.get(name)
            for text in (
                difference_texts(difference, row.unit) if difference and difference.difference is not None else ()
            ):
                assert text in cell, (row.key, name)
    if page.viewport_size["width"] == 1440:
        assert page.locator(".ls-holder").first.evaluate("e => e.scrollWidth <= e.clientWidth"), "no column is hidden"


def test_examples_shows_what_the_models_said(sample: Server, run: Run, sized: Any) -> None:
    example = next(each for each in run.examples if each.task == "reply")
    page = _opened(sized, f"{sample.address}/examples?run=sample&task=reply&example={example.id}", ".row")
    for name in (run.spec.reference, next(iter(run.spec.models.adapters))):
        stored = run.evidence(columns=["text"], task="reply", variant=name, example_id=example.id, kind="generation")
        text = page.locator(f".st-key-output-{name} .text")
        text.wait_for()
        shown = text.evaluate(
            "e => [...e.childNodes].filter(n => n.nodeName !== 'DEL').map(n => n.textContent).join('')"
        )
        assert shown == stored["text"][0].as_py()
    _keep(page, "examples")


def test_run_names_the_shipped_run_as_finished(sample: Server, run: Run, sized: Any) -> None:
    page = _opened(sized, f"{sample.address}/run", ".ls-run")
    card = page.locator(".st-key-run-sample")
    assert read_status(run).state == "finished"
    expect(card.locator(".ls-chip")).to_have_text("Finished", use_inner_text=True)
    expect(card.locator(".ls-run-what")).to_contain_text(", ".join(run.spec.models.adapters), use_inner_text=True)
    _keep(page, "run")
