"""The report in a real browser: from disk with the network off, on paper, and the page that makes it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.report.document import Wishes
from core.report.gather import gather
from core.report.html import to_html
from tests.browser.conftest import PATIENCE, Server, expect, keep_picture, served, settled
from tests.core.report.made import HOSTILE, make_hostile_run, make_report
from tests.synthetic import make_run, make_workspace

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(to_html(make_report()).encode("utf-8", "replace"))
    return path


@pytest.fixture
def offline(browser: Any) -> Iterator[Any]:
    """A tab without a network that remembers what it asked for, and every word that went wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    tab.asked, tab.wrong = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
    tab.on("console", lambda message: tab.wrong.append(message.text) if message.type == "error" else None)
    tab.on("dialog", lambda dialog: (tab.wrong.append(dialog.message), dialog.dismiss()))
    yield tab
    context.close()


def test_it_opens_from_disk_and_shows_every_hostile_text_as_it_is(offline: Any, file: Path) -> None:
    offline.goto(file.as_uri())
    offline.locator(".plot .main-svg").first.wait_for()
    texts = offline.locator(".pane").evaluate_all(
        "all => all.map(pane => [...pane.querySelectorAll('.exact')].map(one => one.textContent).join(''))"
    )
    assert dict(zip(HOSTILE, texts, strict=True)) == HOSTILE
    expect(offline.locator("h1")).to_have_text(HOSTILE["closing"], use_inner_text=True)
    assert offline.evaluate("window.hit") is None
    assert offline.asked == [file.as_uri()] and offline.wrong == []


def test_a_chart_is_drawn_as_text_and_in_the_readers_mode(offline: Any, file: Path) -> None:
    offline.goto(file.as_uri())
    offline.locator(".plot .main-svg").first.wait_for()
    title = offline.locator(".plot .gtitle").text_content()
    assert HOSTILE["script"] in title and "$x$ $$y$$" in title
    light = offline.evaluate("getComputedStyle(document.body).backgroundColor")
    offline.get_by_role("button", name="Dark").click()
    offline.get_by_role("button", name="Light").wait_for()
    assert offline.evaluate("getComputedStyle(document.body).backgroundColor") != light
    offline.wait_for_function("document.querySelector('.plot .main-svg').style.background === 'rgb(17, 22, 28)'")
    assert offline.wrong == []


def test_nothing_is_cut_off_or_wider_than_the_page(offline: Any, file: Path) -> None:
    offline.set_viewport_size({"width": 420, "height": 900})
    offline.goto(file.as_uri())
    offline.locator(".plot .main-svg").first.wait_for()
    assert offline.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_paper_every_chart_is_there_light_and_whole(offline: Any, file: Path) -> None:
    offline.emulate_media(color_scheme="dark")
    offline.goto(file.as_uri())
    offline.locator("header").wait_for()
    offline.emulate_media(media="print", color_scheme="dark")
    offline.evaluate("dispatchEvent(new Event('beforeprint'))")
    offline.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 0")
    charts = offline.locator(".plot").evaluate_all(
        "all => all.map(one => one.querySelector('.main-svg').style.background)"
    )
    assert charts == ["rgb(255, 255, 255)"]
    assert offline.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    fits = "all => all.every(one => one.getBoundingClientRect().right <= document.documentElement.clientWidth)"
    assert offline.locator("figure .main-svg").evaluate_all(fits)
    assert offline.pdf(format="A4").startswith(b"%PDF")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    run = make_run(folder / "runs" / "made", n=24, tasks=("category", "reply"), variants=("baseline", "qv-r8", "qv-r2"))
    path = folder / "pictures.html"
    path.write_text(to_html(gather(run, wishes=Wishes(sections=("pictures",)))), encoding="utf-8")
    return path


_LEFT_AND_RIGHT = """all => {
  const [left, right] = all.map(one => one.getBoundingClientRect());
  return left.top === right.top && left.right <= right.left && right.right <= document.documentElement.clientWidth;
}"""


def test_narrow_pictures_stand_beside_each_other_and_under_each_other_on_a_telephone(
    offline: Any, pictures: Path
) -> None:
    offline.goto(pictures.as_uri())
    pair = offline.locator("figure[data-chart=moved-reply-rouge-l], figure[data-chart=outcomes-reply-rouge-l]")
    pair.first.scroll_into_view_if_needed()
    expect(pair.locator(".gtitle")).to_have_count(2)
    assert pair.evaluate_all(_LEFT_AND_RIGHT)
    offline.locator("figure[data-chart=confusion-category]").scroll_into_view_if_needed()
    keep_picture(offline, "report-pictures.png")
    offline.set_viewport_size({"width": 420, "height": 900})
    assert not pair.evaluate_all(_LEFT_AND_RIGHT)
    offline.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    assert offline.asked == [pictures.as_uri()] and offline.wrong == []


def test_a_picture_that_comes_into_view_on_paper_is_light(offline: Any, pictures: Path) -> None:
    offline.emulate_media(media="print", color_scheme="dark")
    offline.goto(pictures.as_uri())
    figures = offline.locator("figure")
    for number in range(figures.count()):  # nothing is added once the page is there
        figures.nth(number).scroll_into_view_if_needed()
        figures.nth(number).locator(".main-svg").first.wait_for()
    papers = figures.locator(".main-svg:first-child").evaluate_all(
        "all => [...new Set(all.map(one => one.style.background))]"
    )
    assert papers == ["rgb(255, 255, 255)"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    workspace = make_workspace(tmp_path_factory.mktemp("hostile") / "workspace", n=12, runs=False)
    make_hostile_run(workspace / "runs" / "hostile")
    with served(workspace) as server:
        yield server


def _preview(page: Any) -> Any:
    frame = page.frame_locator(".st-key-report-preview iframe")
    frame.locator("h1").wait_for()
    return frame


def test_the_preview_is_the_page_and_reaches_nothing(hostile: Server, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{hostile.address}/report")
    settled(page)
    frame = _preview(page)
    texts = frame.locator(".exact").evaluate_all("all => all.map(one => one.textContent)")
    assert len(set(texts) & set(HOSTILE.values())) >= 2
    assert frame.locator("h1").evaluate("() => window.hit") is None
    assert page.locator(".st-key-report-preview iframe").get_attribute("sandbox").split()[0] == "allow-scripts"
    assert "allow-same-origin" not in page.locator(".st-key-report-preview iframe").get_attribute("sandbox")
    assert not [url for url in asked if not url.startswith((hostile.address, "data:", "blob:", "about:"))]
    keep_picture(page, "report.png")


def test_title_and_sections_are_in_the_preview_and_in_what_is_taken_away(hostile: Server, page: Any) -> None:
    page.goto(f"{hostile.address}/report?without=data,method")
    settled(page)
    frame = _preview(page)
    expect(frame.locator("#data")).to_have_count(0)
    expect(frame.locator("#verdict")).to_have_count(1)
    page.get_by_label("Title").fill("My <b>report</b> :red[x]")
    page.get_by_label("Title").press("Enter")
    frame.locator("h1", has_text="My <b>report</b> :red[x]").wait_for()
    page.locator(".st-key-report-sections").get_by_text("Verdict").click()
    frame.locator("nav a", has_text="Verdict").wait_for(state="detached")
    page.wait_for_url("**without=verdict*")
    with page.expect_download() as found:
        page.get_by_role("button", name="HTML page").click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert (
        "<h1>My &lt;b&gt;report&lt;/b&gt; :red[x]</h1>" in text and 'id="verdict"' not in text and 'id="repeat"' in text
    )
    assert found.value.suggested_filename == "hostile-report.html"


def test_every_format_is_given(hostile: Server, page: Any) -> None:
    page.goto(f"{hostile.address}/report?without=metrics,slices,pictures")
    settled(page)
    _preview(page)
    starts = {"Markdown": b"# qv-r8", "LaTeX tables": b"% Tables", "XLSX": b"PK", "All charts (zip)": b"PK"}
    for label, start in starts.items():
        with page.expect_download() as found:
            page.get_by_role("button", name=label).click()
        assert Path(found.value.path()).read_bytes().startswith(start), label
    with zipfile.ZipFile(found.value.path()) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"svg", "pdf", "png"}
