"""Answers read by the other model, live: the button on Examples, its worker, the strips, and what a reload finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.cross.kept import example_readings
from core.gains import Gain, gain_strip
from core.jobs import worker
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.browser.conftest import Server, expect, keep_picture, served, settled
from tests.tiny import make_workspace

pytestmark = [pytest.mark.browser, pytest.mark.model]
BUTTON = "Read each answer with the other model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a workspace with a tiny model that answered one task."""
    folder = make_workspace(tmp_path_factory.mktemp("cross") / "workspace", n=4, adapters=1)
    run = prepare_run(load_workspace(folder), Choice(name="one", tasks=("reply",)))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    with served(folder) as server:
        yield server


def _opened(page: Any, server: Server, example: str) -> Any:
    page.goto(f"{server.address}/examples?task=reply&example={example}")
    page.get_by_text(example, exact=True).first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page.locator(".st-key-chart-examples-cross")


def _pieces(server: Server, example: str) -> dict[str, tuple[Gain, ...]]:
    """Return the pieces of both answers with their gains, from what was kept."""
    run = Run(server.workspace / "runs" / "one")
    (folder,) = (run.folder / "derived" / "cross").iterdir()
    readings = example_readings(folder, example, ("baseline", "lora-0"))
    found = {}
    for writer in ("lora-0", "baseline"):
        ours, theirs = (readings[writer, reader].likelihood for reader in ("lora-0", "baseline"))
        assert ours is not None and theirs is not None
        rows = run.evidence(task="reply", variant=writer, example_id=example, kind="generation")
        found[writer] = gain_strip(rows["text"][0].as_py(), ours, theirs).gains
    return found


def test_each_answer_is_read_at_the_press_of_a_button_and_kept(tiny: Server, page: Any) -> None:
    section = _opened(page, tiny, "e01")
    page.get_by_role("button", name=BUTTON, exact=True).click()
    section.get_by_text("lora-0 finds its own answer").wait_for(timeout=120_000)
    section.get_by_text("lora-0 finds baseline's answer").wait_for()
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
    for writer, pieces in _pieces(tiny, "e01").items():
        strip = page.locator(f'.text[data-name="gain of lora-0 on {writer}\'s answer"]')
        expect(strip.locator(".piece")).to_have_count(len(pieces))
        expect(strip.locator(".piece").first).to_have_attribute("data-nats", f"{pieces[0].nats:.4f}")
    first = page.locator('.text[data-name="gain of lora-0 on lora-0\'s answer"] .piece').first
    first.hover()
    expect(page.locator(".tip:visible").first).to_contain_text("nats")
    keep_picture(page, "examples-cross.png")
    page.reload()
    section.get_by_text("lora-0 finds its own answer").wait_for()
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)


def test_models_that_are_gone_are_named_on_the_page(tiny: Server, page: Any) -> None:
    section = _opened(page, tiny, "e02")
    adapter = tiny.workspace / "adapters" / "lora-0"
    adapter.rename(adapter.with_name("elsewhere"))
    try:
        page.get_by_role("button", name=BUTTON, exact=True).click()
        expect(section.get_by_role("alert")).to_contain_text(
            "models.adapters.lora-0.path: found no folder", timeout=120_000
        )
        page.get_by_role("button", name=BUTTON, exact=True).wait_for()
    finally:
        adapter.with_name("elsewhere").rename(adapter)
