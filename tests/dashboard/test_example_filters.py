"""Text features and likes on the Examples page: what is asked, what is counted, what is listed, and what the URL keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.example_texts import read_table
from core.feedback import give_feedback
from core.flags import read_flags
from core.store import Run
from core.text_features import answer_rows, cell_counts, feature_from, feature_hits, feature_rows
from core.workspace import load_workspace
from tests.synthetic import make_workspace

SCRIPT = "from dashboard.views.examples import show\nshow()"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("features") / "workspace", n=60)


def _app(monkeypatch: pytest.MonkeyPatch, folder: Path, **query: str) -> AppTest:
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(folder))
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return _fine(app.run())


def _fine(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def _html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def _url(app: AppTest, name: str) -> str | None:
    values = app.query_params.get(name)
    return values[0] if isinstance(values, list) else values


def _run(folder: Path) -> Run:
    return load_workspace(folder).runs()[0]


def _counts(folder: Path, kind: str, argument: str = "") -> dict[str, int]:
    run = _run(folder)
    ids = read_table(run, "reply").ids
    hits = feature_hits(run, "reply", feature_from(kind, argument), answer_rows(run, "reply", ids))
    return {str(cell): count for cell, count in cell_counts(hits, np.arange(len(ids)), "qv-r8", "baseline").items()}


def test_nothing_is_asked_at_first_and_tasks_without_texts_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace, task="reply")
    assert app.selectbox(key="examples-feature").value is None
    assert "the reference</div>" not in _html(app)
    without = _app(monkeypatch, workspace, task="category", feature="list")
    assert not [one for one in without.selectbox if one.key == "examples-feature"]


def test_a_feature_is_asked_counted_for_every_variant_and_stands_in_the_url(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace, task="reply")
    app.selectbox(key="examples-feature").set_value("contains").run()
    assert "the reference</div>" not in _html(_fine(app)), "nothing was typed yet"
    app.text_input(key="examples-feature-text").set_value("you").run()
    page = _html(_fine(app))
    assert (_url(app, "feature"), _url(app, "feature-text")) == ("contains", "you")
    for variant in ("baseline", "qv-r8", "all-r8", "qv-r2"):
        assert f'data-variant="{variant}"' in page
    assert "mid-p McNemar, Tango interval; p adjusted over the variants" in page


def test_the_parts_have_counts_and_list_what_they_count(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    counts = _counts(workspace, "contains", "sorry")
    assert counts["variant"] > 0
    app = _app(monkeypatch, workspace, task="reply", feature="contains", **{"feature-text": "sorry"})
    parts = app.button_group(key="examples-feature-in")
    assert f"only qv-r8 {counts['variant']}" in parts.options
    parts.set_value("variant").run()
    page = _html(_fine(app))
    assert _url(app, "feature-in") == "variant"
    assert f"The {counts['variant']} example" in page
    assert "over 60 examples" in page, "the part is listed, and all are counted"


def test_another_feature_begins_anew(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _app(
        monkeypatch, workspace, task="reply", feature="contains", **{"feature-text": "you", "feature-in": "neither"}
    )
    app.selectbox(key="examples-feature").set_value("length").run()
    assert (_url(_fine(app), "feature-text"), _url(app, "feature-in")) == (None, None)
    assert (app.text_input(key="examples-feature-text").value or "").isdigit(), "the usual length is a beginning"


def test_a_filter_by_outcome_describes_and_does_not_test(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = _html(_app(monkeypatch, workspace, task="reply", metric="rouge_l", feature="list", outcome="gained"))
    assert "described, not tested" in page
    assert "McNemar" not in page.partition("described, not tested")[0].rpartition("Two or more lines")[2]
    assert "p adjusted over the variants" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            {"feature": "regex", "feature-text": "(<b>"},
            "&#x27;(&lt;b&gt;&#x27; is not a regular expression that can be searched",
        ),
        ({"feature": "length", "feature-text": "long"}, "found &#x27;long&#x27;, expected a whole number"),
        ({"like": "<i>nobody"}, "has no example &#x27;&lt;i&gt;nobody&#x27; to be like"),
    ],
)
def test_what_cannot_be_asked_is_said_and_the_list_stays(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, query: dict[str, str], said: str
) -> None:
    page = _html(_app(monkeypatch, workspace, task="reply", **query))
    assert said in page
    assert "The 60 examples listed" in page


def test_a_pattern_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    monkeypatch.setattr("core.text_features.hits.PATTERN_SECONDS", 0.0)
    page = _html(_app(monkeypatch, workspace, task="reply", feature="regex", **{"feature-text": "never"}))
    assert "&#x27;never&#x27; takes more than 0 s" in page


def test_languages_are_offered_with_how_often_they_occur(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _app(monkeypatch, workspace, task="reply", feature="language")
    offered = app.selectbox(key="examples-feature-text")
    assert any(option.startswith("en (") and option.endswith("answers)") for option in offered.options)
    assert 'data-variant="qv-r8"' in _html(app)


def test_more_like_this_lists_the_nearest_and_can_be_taken_back(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace, task="reply", example="eval-007")
    app.button(key="examples-more-like").click().run()
    page = _html(_fine(app))
    assert (_url(app, "like"), _url(app, "example")) == ("eval-007", "eval-007")
    assert "Like eval-007, by shared words: the nearest first." in page
    assert "<b>eval-007</b><span>1 of " in page
    assert app.button(key="examples-more-like").disabled
    app.button(key="examples-unlike").click().run()
    assert "The 60 examples listed" in _html(_fine(app))


def test_a_flag_is_on_disk_at_once_can_be_listed_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = make_workspace(tmp_path / "workspace", n=6)
    app = _app(monkeypatch, folder, task="reply", example="eval-003")
    assert not [one for one in app.get("button_group") if one.key == "examples-marked"]
    app.button(key="examples-flag").click().run()
    assert read_flags(_run(folder)).of("reply") == {"eval-003"}
    give_feedback(_run(folder), "reply", "eval-001", "qv-r8", "up")
    app.button_group(key="examples-marked").set_value("flagged").run()
    assert _url(_fine(app), "marked") == "flagged"
    assert "The 1 example listed" in _html(app)
    app.button_group(key="examples-marked").set_value("rated").run()
    assert "<b>eval-001</b><span>1 of 1</span>" in _html(_fine(app))
    again = _app(monkeypatch, folder, task="reply", example="eval-003")
    again.button(key="examples-flag").click().run()
    assert read_flags(_run(folder)).of("reply") == frozenset()


def test_a_flag_that_cannot_be_saved_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4)
    app = _app(monkeypatch, folder, task="reply", example="eval-001")
    (_run(folder).folder / "flags.jsonl").mkdir()
    app.button(key="examples-flag").click().run()
    assert "the flag could not be saved" in _html(_fine(app))


def test_features_beside_each_other_are_counted_for_every_variant_and_corrected_together(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace, task="reply", feature="contains", **{"feature-text": "sorry"})
    toggle = next(one for one in app.toggle if one.key == "examples-features")
    assert not toggle.value and "p adjusted over all variants and features" not in _html(app)
    _fine(toggle.set_value(True).run())
    assert _url(app, "features") == "true"
    assert "p adjusted over all variants and features of this table" in _html(app)
    run, ids = _run(workspace), read_table(_run(workspace), "reply").ids
    kinds = (("contains", "sorry"), ("refusal", ""), ("list", ""), ("heading", ""))
    asked = {
        feature_from(*kind): feature_hits(run, "reply", feature_from(*kind), answer_rows(run, "reply", ids))
        for kind in kinds
    }
    rows = feature_rows(run, "reply", asked, "baseline", np.arange(len(ids)))
    alone = feature_rows(
        run, "reply", {feature_from("contains", "sorry"): next(iter(asked.values()))}, "baseline", np.arange(len(ids))
    )
    together, single = rows[0].differences["qv-r8"], alone[0].differences["qv-r8"]
    assert together.p == single.p and together.difference == single.difference
    assert together.p_adjusted != single.p_adjusted, "the family is larger"


def test_a_task_without_texts_has_no_table_of_features(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _app(monkeypatch, workspace, task="category", features="true")
    assert not [one for one in app.toggle if one.key == "examples-features"]
    assert "p adjusted over all variants and features" not in _html(app)


def test_a_feature_is_offered_as_a_slice_where_a_variant_has_it(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace, task="reply", feature="contains", **{"feature-text": "sorry"})
    assert not app.button(key="examples-slice-qv-r8").disabled
    none = _app(monkeypatch, workspace, task="reply", feature="contains", **{"feature-text": "no answer has this"})
    assert none.button(key="examples-slice-qv-r8").disabled and none.button(key="examples-slice-baseline").disabled
