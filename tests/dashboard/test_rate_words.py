"""What the rating form is sent, Markdown that runs nothing, who a login says one is, and plans made of a form's fields."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.ratings import STANDARD_CRITERIA, RatingStore, Study, join
from dashboard.parts.rate_desk import Desk
from dashboard.parts.rate_form import form_data
from dashboard.parts.rate_login import identity_name
from dashboard.parts.rate_markdown import TAGS, markdown_html
from dashboard.parts.rate_plan import Written, criteria_of, plan_of
from tests.core.ratings.studies import Clock, make_study, rate_all
from tests.synthetic import HOSTILE

WRITTEN = Written(
    " Replies ", "pair", ("baseline", "lora"), None, (), 60, (), (), "", 2, 2, 50, 10, 3, "", False, 0,
)  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Study:
    store = RatingStore(f"sqlite:///{tmp_path}/ratings.sqlite", clock=Clock()).prepare()
    return make_study(store, tmp_path, n=12, practice=1, examples=11)


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE, "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[a](data:text/html,x)", "![x](http://x/y.png)",
        "<http://x.example>", "[x]: http://y\n\n[x]", "```<script>\nx\n```", "| <b> |\n|--|\n| ![i](u) |", "&lt;script&gt;",
    ],
)  # fmt: skip
def test_markdown_becomes_known_elements_and_nothing_that_loads(text: str) -> None:
    found = re.findall(r"</?([a-zA-Z][^\s/>]*)([^>]*)>", markdown_html(text))
    assert {name for name, _ in found} <= set(TAGS)
    assert all(not re.search(r"\b(src|href|on\w+)\s*=", rest) for _, rest in found)


def test_links_and_images_become_words() -> None:
    html = markdown_html("**see** [here](https://a.example/b) ![a cat](http://x/y.png) <https://c.example>")
    assert (
        html
        == "<p><strong>see</strong> here (https://a.example/b) [image: a cat] (http://x/y.png) https://c.example</p>\n"
    )


def test_practice_is_said_and_the_next_item_is_the_first_that_counts(study: Study) -> None:
    rater = join(study, "Ana")
    desk = Desk(study, rater)
    first = form_data(desk.screen(), rater, rendered=False, marked=False)
    assert first["practice"].startswith("Practice: this answer does not count")
    rate_all(study, rater, most=1)
    second = form_data(desk.screen(), rater, rendered=False, marked=False)
    assert second["practice"] == "" and second["standing"].startswith("0 rated · at most 11 left")


def test_marked_words_leave_each_text_as_it_is(study: Study) -> None:
    rater = join(study, "Ana")
    screen = Desk(study, rater).screen()
    assert screen.item is not None
    panes = form_data(screen, rater, rendered=False, marked=True)["panes"]
    assert ["".join(text for _, text in pane["pieces"]) for pane in panes] == list(screen.item.outputs)
    assert all(kind == "same" or text in ("0", "1") for pane in panes for kind, text in pane["pieces"])


def test_markdown_is_for_all_sides_or_for_none(study: Study) -> None:
    rater = join(study, "Ana")
    screen = Desk(study, rater).screen()
    assert screen.item is not None
    assert all("html" in pane for pane in form_data(screen, rater, rendered=True, marked=True)["panes"])
    long = replace(screen, item=replace(screen.item, outputs=("# short", "x" * 50_000)))
    assert all("pieces" in pane for pane in form_data(long, rater, rendered=True, marked=False)["panes"])


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"is_logged_in": False, "email": "a@b.example"}, None), ({}, None),
        ({"is_logged_in": True, "email": "a@b.example", "name": "Ana"}, "a@b.example"),
        ({"is_logged_in": True, "email": "a@b.example", "email_verified": False, "sub": "17"}, "17"),
        ({"is_logged_in": True, "email": "a@b.example", "email_verified": "false", "sub": "17"}, "17"),
        ({"is_logged_in": True, "name": "Ana", "sub": "17"}, "17"), ({"is_logged_in": True, "name": "Ana"}, None),
    ],
)  # fmt: skip
def test_an_identity_is_what_a_provider_vouches_for(claims: dict[str, object], name: str | None) -> None:
    assert identity_name(claims) == name


def test_a_form_becomes_a_plan() -> None:
    plan = plan_of(WRITTEN)
    assert (plan.title, plan.mode, plan.graded, plan.overlap_share, plan.repeat_share) == (
        "Replies",
        "pair",
        False,
        0.5,
        0.1,
    )
    graded = plan_of(replace(WRITTEN, mode="graded", variants=("a", "b", "c"), against="b"))
    assert (graded.mode, graded.graded, graded.against) == ("pair", True, "b")
    assert plan_of(replace(WRITTEN, mode="score", variants=("a", "b", "c"), against="b")).against is None


def test_rows_of_the_table_become_criteria() -> None:
    rows = [{"label": one.label, "low": one.low, "high": one.high} for one in STANDARD_CRITERIA]
    found = list(criteria_of([*rows, {"label": " Is it kind? ", "low": None, "high": float("nan")}, {"label": None}]))
    assert [one.label for one in found[:4]] == [one.label for one in STANDARD_CRITERIA]
    assert (found[4].name, found[4].label, found[4].low, found[4].high) == ("is_it_kind", "Is it kind?", "", "")
    assert next(iter(criteria_of([{"label": "礼貌"}]))).name == "礼貌"
