"""The Agreement page in a real browser: every section fits, texts stay texts, a disagreement opens, files arrive, a link holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.ratings import Study, closed_at
from core.ratings.analysis import analyse
from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, served, settled
from tests.rated_workspaces import HOSTILE_NAME, HOSTILE_TITLE, rated_workspace

pytestmark = pytest.mark.browser
SECTIONS = ("preference", "agreement", "raters", "disagreements", "metrics", "export")


@dataclass(frozen=True)
class Rated:
    server: Server
    studies: dict[str, Study]

    def address(self, kind: str, section: str = "preference") -> str:
        return f"{self.server.address}/agreement?study={self.studies[kind].id}&section={section}"


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rated]:
    folder = tmp_path_factory.mktemp("agreement") / "workspace"
    studies = rated_workspace(folder, ("two", "three", "scores", "alone", "empty"), n=16)
    with served(folder) as server:
        yield Rated(server, studies)


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.locator(".ls-lead").first.wait_for()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def test_the_answer_stands_first_and_a_reload_keeps_what_was_chosen(rated: Rated, page: Any) -> None:
    opened(page, rated.address("two"))
    lead = page.locator(".ls-lead").first
    expect(lead).to_have_text(analyse(rated.studies["two"]).headline, use_inner_text=True)
    assert lead.bounding_box()["y"] < 200 and page.locator(".st-key-figure-verdicts").bounding_box()["y"] < 400
    page.locator("[data-testid=stButtonGroup]").get_by_text("Raters", exact=True).click()
    page.get_by_text("Rater by rater").wait_for()
    page.wait_for_function("new URLSearchParams(location.search).get('section') === 'raters'")
    page.reload()
    page.get_by_text("Rater by rater").wait_for()
    assert parse_qs(urlsplit(page.url).query)["study"] == [rated.studies["two"].id]


def test_names_and_titles_are_shown_as_they_are(rated: Rated, page: Any) -> None:
    opened(page, rated.address("two", "raters"))
    expect(page.locator(".ls-lead", has_text="Something is off")).to_contain_text(HOSTILE_NAME, use_inner_text=True)
    row = page.locator(".st-key-chart-raters table.numbers tr", has_text="Zoé")
    expect(row.locator("td").first).to_have_text(HOSTILE_NAME, use_inner_text=True)
    expect(row.locator("td b")).to_have_count(0)
    page.locator(".st-key-figure-sides .main-svg").first.wait_for()
    assert any(
        HOSTILE_NAME in text for text in page.locator(".st-key-figure-sides .annotation-text").all_text_contents()
    )
    opened(page, rated.address("empty"))
    assert HOSTILE_TITLE in page.locator("[data-testid=stSelectbox] input").first.input_value()
    expect(page.locator(".ls-face")).to_contain_text("No verdict to show yet", use_inner_text=True)


def test_a_disagreement_opens_in_place_with_its_texts(rated: Rated, page: Any) -> None:
    found = analyse(rated.studies["two"]).disagreements
    opened(page, rated.address("two", "disagreements"))
    rows = page.locator(".st-key-disagreements-table tbody tr")
    expect(rows).to_have_count(len(found))
    rows.nth(1).click()
    page.locator(".st-key-disagreement-open h4", has_text=found[1].example_id).wait_for()
    said = page.locator(".st-key-disagreement-verdicts tbody tr")
    assert [row.split("\n")[0] for row in said.all_inner_texts()] != []
    expect(said).to_have_count(len(found[1].verdicts))
    page.wait_for_function("new URLSearchParams(location.search).get('item') !== null")


def test_the_files_have_pseudonyms_unless_names_are_asked_for(rated: Rated, page: Any) -> None:
    opened(page, rated.address("two", "export"))
    with page.expect_download() as hidden:
        page.locator(".st-key-agreement-export-jsonl button").click()
    assert "Ana" not in hidden.value.path().read_text()
    page.locator("label", has_text="Pseudonyms instead").click()
    page.wait_for_timeout(500)
    settled(page)
    with page.expect_download() as named:
        page.locator(".st-key-agreement-export-jsonl button").click()
    raters = {json.loads(line)["rater"] for line in named.value.path().read_text().splitlines()}
    assert raters == {"Ana", "Ben", HOSTILE_NAME}
    with page.expect_download() as dpo:
        page.locator(".st-key-agreement-export-dpo button").click()
    assert set(json.loads(dpo.value.path().read_text().splitlines()[0])) == {"prompt", "chosen", "rejected"}


def test_a_study_is_closed_after_a_second_word(rated: Rated, page: Any) -> None:
    opened(page, rated.address("alone", "export"))
    page.get_by_role("button", name="Close the study").click()
    assert closed_at(rated.studies["alone"]) is None
    page.get_by_role("button", name="Close it for good").click()
    page.get_by_text("The study is closed: nothing more is asked").wait_for()
    assert closed_at(rated.studies["alone"]) is not None


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1280, "dark")])
@pytest.mark.parametrize(
    ("kind", "sections"),
    [("two", SECTIONS), ("three", ("preference",)), ("scores", ("scores", "raters")), ("alone", ("agreement",))],
)  # fmt: skip
def test_every_section_fits_the_page(
    rated: Rated, page: Any, kind: str, sections: tuple[str, ...], width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 1600})
    page.emulate_media(color_scheme=scheme)
    for section in sections:
        opened(page, rated.address(kind, section))
        assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.locator(".ls-holder").evaluate_all(CUT_OFF) == []
        keep_picture(page, f"agreement-{kind}-{section}-{scheme}.png")
