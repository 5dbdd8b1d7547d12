"""The page Rate without a browser: what the owner sees, what a rater does, and what is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.ratings import (
    CreatedStudy,
    RatingStore,
    close_study,
    create_study,
    join,
    list_raters,
    list_studies,
    open_store,
)
from core.ratings.study import open_by_link, open_study
from tests.core.ratings.studies import Clock, plan, rate_all, write_run
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_workspace

NASTY = "<b>Ana</b> & <script>alert(1)</script> 🦊"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace", n=4, runs=False)
    write_run(folder / "runs" / "first", 8, ("zq-hidden", "wide"))
    return folder


@pytest.fixture
def store(workspace: Path) -> RatingStore:
    return open_store(workspace)


def made(store: RatingStore, workspace: Path, **more: Any) -> CreatedStudy:
    from core.store import Run

    return create_study(
        store, [Run(workspace / "runs" / "first")], plan(**({"variants": ("baseline", "zq-hidden")} | more))
    )


def rating(monkeypatch: pytest.MonkeyPatch, workspace: Path, **query: str) -> AppTest:
    return opened(monkeypatch, workspace, "rate", **query)


def form_of(app: AppTest) -> str:
    """All that the form's element was sent."""
    assert not app.exception, app.exception
    return "\n".join(str(one.proto) for one in app.get("bidi_component"))


def test_the_owner_makes_a_study_and_is_told_its_secret_once(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = rating(monkeypatch, workspace)
    assert "Nobody was asked yet" in shown(app)
    assert not (workspace / "studies").exists(), "looking makes no database"
    app.text_input(key="rate-new-title").set_value("Replies <i>").run()
    app.button(key="rate-new-look").click().run()
    assert "<b>8 items</b> of 8 examples" in shown(app) and "practice takes others" in shown(app)
    app.button(key="rate-new-make").click().run()
    page = shown(app)
    assert "Replies &lt;i&gt;" in page and "The study is made. This is shown only now" in page
    secret, command = (one.value for one in app.code)
    (study,) = list_studies(open_store(workspace))
    assert open_by_link(open_store(workspace), study.id, secret).role == "rater"
    assert f"--study {study.id} --key {secret} --host ADDRESS" in command
    app.button(key=f"link-{study.id}").click().run()
    assert "opens nothing any more" in shown(app) and app.code[0].value != secret
    app.button(key=f"close-{study.id}").click().run()
    assert "The study is closed." in shown(app) and list_studies(open_store(workspace))[0].closed


def test_outputs_that_name_a_model_are_listed_before_anybody_rates(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    write_run(workspace / "runs" / "telling", 8, ("zq-hidden", "wide"), said=("I am ChatGPT, hello",))
    app = rating(monkeypatch, workspace)
    app.multiselect(key="rate-new-runs").set_value(["telling"]).run()
    app.text_input(key="rate-new-title").set_value("Replies").run()
    app.button(key="rate-new-look").click().run()
    assert "1 output: raters can tell who wrote it" in shown(app)
    assert "I am ChatGPT, hello" in form_of(app)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda app: app.multiselect(key="rate-new-variants-pair").set_value(["zq-hidden"]), "expected at least two variants"),
        (lambda app: app.number_input(key="rate-new-raters").set_value(500), "found 500 raters for 8 items"),
        (lambda app: app.number_input(key="rate-new-overlap").set_value(3), "overlap of 3 with 1 expected raters"),
        (lambda app: app.text_area(key="rate-new-guidelines").set_value("a\n<script>x</script>"), "Guidelines, line 2: found"),
        (lambda app: app.text_area(key="rate-new-gold").set_value("{}"), "Gold items, line 1"),
        (lambda app: app.text_input(key="rate-new-title").set_value("  "), "a title of 0 characters"),
        (lambda app: app.multiselect(key="rate-new-runs").set_value([]), "Found no run"),
    ],
)  # fmt: skip
def test_what_makes_no_study_is_said(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, change: Any, sentence: str
) -> None:
    app = rating(monkeypatch, workspace)
    app.text_input(key="rate-new-title").set_value("Replies").run()
    change(app).run()
    app.button(key="rate-new-look").click().run()
    page = shown(app)
    assert sentence in page.replace("&#x27;", "'") and "Make the study" not in [one.label for one in app.button]


def test_a_rater_gives_a_name_and_sees_no_name_of_a_model(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: RatingStore
) -> None:
    study = made(store, workspace, title="Replies <i>").study
    app = rating(monkeypatch, workspace, study=study.id, run="first", variant="zq-hidden", slice="x")
    assert "Replies &lt;i&gt;" in shown(app) and not app.get("bidi_component")
    assert {"run", "variant", "slice"}.isdisjoint(app.query_params)
    app.text_input(key="rate-name").set_value("").run()
    app.button[0].click().run()
    assert "Found no name" in shown(app)
    app.text_input(key="rate-name").set_value("x" * 5000)
    app.button[0].click().run()
    assert "Found a name of 5,000 characters, expected at most 80" in shown(app) and "rater" not in app.query_params
    app.text_input(key="rate-name").set_value(NASTY)
    app.button[0].click().run()
    sent = form_of(app)
    assert [one.name for one in list_raters(study)] == [NASTY] and app.query_params["rater"] == NASTY
    assert "in way 0" in sent and "in way 1" in sent
    for name in ("zq-hidden", "baseline", str(workspace), '"first"'):
        assert name not in sent and name not in shown(app).replace("align-items: baseline", "")


def test_by_link_only_with_the_whole_link_and_ones_own_key(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: RatingStore
) -> None:
    one = made(store, workspace)
    ana = join(open_by_link(store, one.study.id, one.key), "Ana")
    monkeypatch.setenv("LORASCOPE_STUDY", one.study.id)
    assert "A link is needed" in shown(rating(monkeypatch, workspace))
    assert "does not open a study" in shown(rating(monkeypatch, workspace, key="wrong"))
    other = made(store, workspace)
    refused = rating(monkeypatch, workspace, study=other.study.id, key=other.key)
    assert "This server is for another study" in shown(refused)
    taken = rating(monkeypatch, workspace, key=one.key, rater="ana")
    assert "rates in this study already" in shown(taken) and not taken.get("bidi_component")
    assert ana.key is not None
    back = rating(monkeypatch, workspace, key=one.key, rater="Ana", own=ana.key)
    assert "in way 0" in form_of(back) and "All studies" not in [button.label for button in back.button]
    assert len(list_raters(open_study(store, one.study.id))) == 1


def test_at_the_end_one_is_told_how_consistent_one_was(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: RatingStore
) -> None:
    study = made(store, workspace, repeat_share=0.5).study
    fast = open_study(RatingStore(f"sqlite:///{store.path}", clock=Clock()), study.id)
    rate_all(fast, join(fast, "Ana"), value="tie")
    app = rating(monkeypatch, workspace, study=study.id, rater="Ana")
    page = shown(app)
    assert "Thank you" in page and "times your verdict was the same" in page
    app.button(key="rate-back").click().run()
    assert "This is your last answer" in form_of(app)
    close_study(study)
    assert "This study is closed" in shown(rating(monkeypatch, workspace, study=study.id, rater="Ana"))


def test_a_run_that_is_gone_and_a_store_of_a_newer_version_are_said(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: RatingStore
) -> None:
    import shutil

    study = made(store, workspace).study
    shutil.rmtree(workspace / "runs" / "first")
    page = shown(rating(monkeypatch, workspace))
    assert "first was deleted or moved" in page and "No texts to rate yet" in page
    assert "in way 0" in form_of(rating(monkeypatch, workspace, study=study.id, rater="Ana"))
    with sqlite3.connect(workspace / "studies" / "ratings.sqlite") as raw:
        raw.execute("UPDATE ratings_schema SET version = 999")
    for query in ({}, {"study": study.id, "rater": "Ana"}):
        page = shown(rating(monkeypatch, workspace, **query))
        assert "the rating store has version 999" in page and "ratings.sqlite" in page, "the owner is told where"
    page = shown(rating(monkeypatch, workspace, study=study.id, key="x"))
    assert "The store of ratings: the rating store has version 999" in page and "ratings.sqlite" not in page


def test_an_unknown_study_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path, store: RatingStore) -> None:
    made(store, workspace)
    assert "there is no study" in shown(rating(monkeypatch, workspace, study="nowhere"))
