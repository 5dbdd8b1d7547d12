"""The page: all of it inside, nothing fetched, and every hostile text as it is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from core.report.document import Section
from core.report.html import SHOWN_AT_FIRST, exact, script_json, to_html
from tests.core.report.made import HOSTILE, draw, make_report


class _Page(HTMLParser):
    """Collects elements, attributes, and the text of each script and each exact text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.exact: list[str] = []
        self.text = ""
        self._open: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "script":
            self.scripts.append((given, ""))
        if tag == "div":
            self._open.append("exact" in (given.get("class") or "").split())
            if self._open[-1]:
                self.exact.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script":
            given, text = self.scripts[-1]
            self.scripts[-1] = (given, text + data)
            return
        if self._open and self._open[-1]:
            self.exact[-1] += data
        self.text += data


@pytest.fixture(scope="module")
def page() -> str:
    return to_html(make_report())


@pytest.fixture(scope="module")
def parsed(page: str) -> _Page:
    return _Page(page)


def test_every_text_of_an_example_is_there_to_the_last_character(parsed: _Page) -> None:
    shown = iter(parsed.exact)
    for name, text in HOSTILE.items():
        found = next(shown)
        if len(text) > SHOWN_AT_FIRST * 1.2:
            found += next(shown)
        assert found == text, name


def test_no_hostile_text_becomes_an_element(parsed: _Page) -> None:
    tags = [tag for tag, _ in parsed.tags]
    assert "img" not in tags and "iframe" not in tags and "link" not in tags
    assert tags.count("script") == 3, "one chart's data, the library, our own script"
    assert not [name for _, given in parsed.tags for name in given if name.startswith("on")]
    assert "49" not in re.findall(r"\d+", parsed.text.split("a file")[1].split("{%")[0]), "no template is evaluated"


def test_nothing_is_fetched(parsed: _Page) -> None:
    assert not [given for _, given in parsed.tags if given.get("src")]
    assert {given.get("href", "#")[:1] for _, given in parsed.tags} == {"#"}


def test_the_policy_allows_exactly_the_scripts_of_the_page(parsed: _Page) -> None:
    policy = next(given["content"] for tag, given in parsed.tags if given.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'")
    executed = [text for given, text in parsed.scripts if given.get("type") is None]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in executed}
    assert len(executed) == 2 and hashes == set(re.findall(r"'sha256-[^']+'", policy))
    assert "unsafe-eval" not in policy


def test_a_charts_data_cannot_end_its_script_and_are_the_figure(parsed: _Page) -> None:
    ((_, text),) = [one for one in parsed.scripts if one[0].get("type") == "application/json"]
    assert "<" not in text and "\u2028" not in text
    figures = json.loads(text)
    assert set(figures) == {"light", "dark"}
    for mode in ("light", "dark"):
        assert figures[mode] == json.loads(str(draw(mode).to_json()))


def test_extra_charts_are_left_to_the_collection(page: str) -> None:
    assert 'data-chart="made"' in page and 'data-chart="extra"' not in page


def test_without_a_chart_the_library_is_left_out() -> None:
    report = make_report()
    slim = to_html(replace(report, sections=(Section("method", ("plain",)),)))
    assert len(slim) < 40_000 and "Plotly.react" in slim


def test_the_same_report_makes_the_same_page(page: str) -> None:
    assert to_html(make_report()) == page


@pytest.mark.parametrize("text", ["a\rb", "a\0b", "\ud800"])
def test_what_html_would_change_or_refuse_is_written_otherwise(text: str) -> None:
    assert {"a\rb": "a&#13;b", "a\0b": "a\u2400b", "\ud800": "?"}[text] == exact(text)


def test_json_in_a_script_reads_back_as_it_was() -> None:
    content = json.dumps(HOSTILE["closing"] + HOSTILE["separators"] + "&", ensure_ascii=False)
    assert json.loads(script_json(content)) == json.loads(content)
