"""The Agreement page over studies that were really rated: what it says first, each section, and its faces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.ratings import Study, actions
from core.ratings.analysis import analyse
from core.wording.ratings import e_text, share_texts
from tests.dashboard.pages import opened, shown
from tests.rated_workspaces import HOSTILE_NAME, HOSTILE_TITLE, rated_workspace
from tests.synthetic import make_workspace

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Study]]:
    folder = tmp_path_factory.mktemp("agreement") / "workspace"
    return folder, rated_workspace(folder, n=24)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, rated: tuple[Path, dict[str, Study]]) -> Open:
    folder, studies = rated
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    return lambda kind, **query: opened(monkeypatch, folder, "agreement", study=studies[kind].id, **query)


def tables(app: Any) -> str:
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in found)


def test_two_variants_say_who_is_preferred_and_how_sure(page: Open, rated: tuple[Path, dict[str, Study]]) -> None:
    app, analysis = page("two"), analyse(rated[1]["two"])
    pair = analysis.preferences[0].pairs[0]
    text = shown(app)
    assert analysis.headline.replace("<", "&lt;").replace(">", "&gt;") in text
    table = tables(app)
    assert "<br><small>".join(share_texts(pair.decisive)) in table and f"<td>{e_text(pair.e_value)}</td>" in table
    assert "The study is open" in text and "the sign test's p holds only at an end that was planned" in text.replace(
        "&#x27;", "'"
    )
    assert f"study {rated[1]['two'].id}" in text and "swapped repeats" in text
    assert [tab for tab in app.get("button_group")[0].options] == [
        "Preference", "Agreement", "Raters", "To discuss", "Metrics against people", "Export and close",
    ]  # fmt: skip


def test_three_variants_have_ranks_and_a_closed_study_says_nothing_of_being_open(page: Open) -> None:
    app = page("three")
    assert "Elo scale" in tables(app) and "The study is open" not in shown(app)
    assert len(app.get("plotly_chart")) == 5
    chosen = page("three", pair="all-r8 against qv-r8")
    assert [box.value for box in chosen.selectbox if box.label == "Pair"] == ["all-r8 against qv-r8"]


def test_scores_are_shown_by_criterion_and_never_averaged_over_them(page: Open) -> None:
    app = page("scores", criterion="accuracy")
    assert [box.value for box in app.selectbox if box.label == "Criterion"] == ["accuracy"]
    assert "Overall satisfaction" in tables(app) and "Different criteria are not averaged" in shown(app)
    assert app.get("button_group")[0].options[0] == "Scores"


@pytest.mark.parametrize("kind", ["graded", "ranks", "alone"])
def test_other_studies_open(page: Open, kind: str) -> None:
    assert "items rated" in shown(page(kind))


def test_an_empty_study_says_so_on_every_section(page: Open) -> None:
    for section in ("preference", "agreement", "raters", "disagreements", "metrics", "export"):
        text = shown(page("empty", section=section))
        assert "0 of 24 items rated" in text and "NaN" not in text and "nan %" not in text
    assert "No verdict to show yet" in shown(page("empty"))
    assert "Nobody has rated an item of this study yet" in shown(page("empty", section="raters"))
    assert HOSTILE_TITLE in page("empty").selectbox[0].options[0]


def test_one_rater_has_no_agreement_and_the_reason_is_said(page: Open) -> None:
    text = shown(page("alone", section="agreement"))
    assert "How far the raters agree cannot be said: undefined" in text
    assert "Ask for an overlap of two and more" in shown(page("alone", section="disagreements"))


def test_what_is_off_with_a_rater_stands_in_the_sentence_and_the_table(page: Open) -> None:
    app = page("two", section="raters")
    assert "Something is off with 1 of 3 raters: &lt;b&gt;Zoé&lt;/b&gt; $x^2$ **b** :red[x]." in shown(app)
    table = tables(app)
    assert "leans to the left: " in table and "sooner than the outputs can be skimmed" in table
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in table and "<b>Zoé" not in table.replace(
        json.dumps(HOSTILE_NAME, ensure_ascii=False), ""
    )
    assert "prompt is unclear" in table and "names its maker" in table


def test_columns_without_anything_are_left_out(page: Open) -> None:
    assert ">Gold<" in tables(page("two", section="raters")) and ">Flipped<" in tables(page("two", section="raters"))
    without = tables(page("three", section="raters"))
    assert ">Gold<" not in without and ">Flipped<" not in without
    assert ">Left<" not in tables(page("scores", section="raters"))


def test_agreement_has_alpha_and_its_scale(page: Open) -> None:
    app = page("two", section="agreement")
    assert "The raters " in shown(app) and "(alpha " in shown(app) and "from 0.667 on fit for tentative" in shown(app)


def test_a_disagreement_opens_with_its_texts_and_what_everybody_said(
    page: Open, rated: tuple[Path, dict[str, Study]]
) -> None:
    study = rated[1]["two"]
    item = analyse(study).disagreements[-1]
    app = page("two", section="disagreements", item=f"{item.item_id}/{item.criterion}")
    table = tables(app)
    mine = actions(study, current_only=True)
    for rater in mine[(mine["item_id"] == item.item_id) & ~mine["repeat"].astype(bool)]["rater"]:
        assert json.dumps(rater, ensure_ascii=False) in table
    assert item.example_id in shown(app) and "output of qv-r8" in table and "output of baseline" in table
    assert "output of" in tables(page("two", section="disagreements", item="nonsense"))


def test_metrics_are_ordered_by_how_they_agree_with_people(page: Open) -> None:
    app = page("two", section="metrics")
    assert "answers as the raters do" in shown(app) and "ROUGE-L" in tables(app)


def test_metrics_of_a_run_that_is_gone_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    study = rated_workspace(tmp_path / "w", ("alone",), n=12)["alone"]
    (tmp_path / "w" / "runs" / study.runs[0]).rename(tmp_path / "moved")
    text = shown(opened(monkeypatch, tmp_path / "w", "agreement", section="metrics"))
    assert "No metric to compare with people" in text and f"The run {study.runs[0]} was deleted or moved" in text


def test_every_format_can_be_taken_along_and_what_does_not_fit_says_why(page: Open) -> None:
    assert len(page("two", section="export").get("download_button")) == 6
    scores = page("scores", section="export")
    disabled = [button.proto.label for button in scores.get("download_button") if button.proto.disabled]
    assert disabled == ["DPO pairs", "LLM Comparator"] and "this study is of mode score" in shown(scores)
    assert [box.label for box in page("three", section="export").selectbox][-1] == "Pair for LLM Comparator"


def test_a_study_is_closed_from_its_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rated_workspace(tmp_path / "w", ("alone",), n=12)
    app = opened(monkeypatch, tmp_path / "w", "agreement", section="export")
    (button,) = [one for one in app.button if one.label == "Close it for good"]
    button.click().run()
    assert "The study is closed: nothing more is asked" in shown(app)


def test_without_a_study_the_next_step_is_said_and_no_database_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    folder = make_workspace(tmp_path / "w", n=6, runs=False)
    assert "Nobody was asked yet" in shown(opened(monkeypatch, folder, "agreement"))
    assert not (folder / "studies").exists()


def test_a_broken_database_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    folder = make_workspace(tmp_path / "w", n=6, runs=False)
    (folder / "studies").mkdir()
    (folder / "studies" / "ratings.sqlite").write_bytes(b"no database" * 200)
    assert "this is not a sound SQLite database" in shown(opened(monkeypatch, folder, "agreement"))


def test_no_workspace_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "This cannot be opened" in shown(opened(monkeypatch, tmp_path, "agreement"))
