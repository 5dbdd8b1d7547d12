"""The Examples page: its states, its filters, what it writes into the URL, and what it keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.feedback import Feedback, give_feedback, read_feedback
from core.workspace import load_workspace
from tests.synthetic import make_run, make_workspace

SCRIPT = "from dashboard.views.examples import show\nshow()"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("examples") / "workspace", n=60)


def _app(monkeypatch: pytest.MonkeyPatch, folder: Path, **query: str | list[str]) -> AppTest:
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(folder))
    app = AppTest.from_string(SCRIPT, default_timeout=20)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def _html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def _url(app: AppTest, name: str) -> str | None:
    values = app.query_params.get(name)
    return values[0] if isinstance(values, list) else values


def _fine(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def test_it_opens_on_the_biggest_change_and_says_what_happened_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _fine(_app(monkeypatch, workspace))
    assert "of 60 examples against baseline (Accuracy)." in _html(app)
    assert _url(app, "example") is not None
    assert f"<b>{_url(app, 'example')}</b><span>1 of 60</span>" in _html(app)


@pytest.mark.parametrize("task", ["category", "urgency", "tags", "help", "reply", "general"])
def test_every_kind_of_task_has_a_page(monkeypatch: pytest.MonkeyPatch, workspace: Path, task: str) -> None:
    app = _fine(_app(monkeypatch, workspace, task=task))
    for variant in ("baseline", "qv-r8", "all-r8", "qv-r2"):
        assert f"<b>{variant}</b>" in _html(app)


def test_a_link_opens_its_example_metric_and_variant(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _fine(_app(monkeypatch, workspace, task="reply", metric="rouge_l", variant="qv-r2", example="eval-033"))
    assert app.selectbox(key="examples-metric").value == "rouge_l"
    assert app.selectbox(key="examples-variant").value == "qv-r2"
    assert "<b>eval-033</b>" in _html(app)
    assert (_url(app, "example"), _url(app, "variant")) == ("eval-033", "qv-r2")


def test_a_link_from_a_comparison_may_name_the_row(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _fine(_app(monkeypatch, workspace, task="reply", metric="reply/chrf[zh]"))
    assert app.selectbox(key="examples-metric").value == "chrf"


def test_names_that_do_not_exist_are_replaced_and_an_unknown_example_is_said(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _fine(
        _app(monkeypatch, workspace, task="nothing", metric="none", variant="nobody", outcome="odd", example="<b>x</b>")
    )
    assert app.selectbox(key="examples-task").value == "category"
    assert "has no example &#x27;&lt;b&gt;x&lt;/b&gt;&#x27;" in _html(app)


def test_a_filter_narrows_opens_its_first_example_and_stands_in_the_url(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _fine(_app(monkeypatch, workspace))
    first = _url(app, "example")
    wanted = "broken" if "▲ fixed" in _html(app) else "fixed"
    app.button_group(key="examples-outcome").set_value(wanted).run()
    _fine(app)
    assert _url(app, "outcome") == wanted
    assert _url(app, "example") != first
    assert "<span>1 of 60</span>" not in _html(app)


def test_a_metric_of_the_whole_set_says_what_single_examples_are_judged_by(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _fine(_app(monkeypatch, workspace, task="category", metric="f1_macro"))
    assert "Macro F1 is a number of all examples together; single examples are judged by Accuracy." in _html(app)


def test_a_search_that_finds_nothing_says_so_and_keeps_the_open_example(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _fine(_app(monkeypatch, workspace, example="eval-007"))
    app.text_input(key="examples-search").set_value("no such words anywhere").run()
    _fine(app)
    assert "No example is left by these filters." in _html(app)
    app.text_input(key="examples-search").set_value("").run()
    assert "<span>" in _html(_fine(app))
    assert _url(app, "search") is None


def test_next_and_previous_walk_the_list(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _fine(_app(monkeypatch, workspace, sort="dataset"))
    assert _url(app, "example") == "eval-001"
    assert app.button(key="examples-Previous").disabled
    _fine(app.button(key="examples-Next").click().run())
    assert _url(app, "example") == "eval-002"
    _fine(app.button(key="examples-Previous").click().run())
    assert _url(app, "example") == "eval-001"


def test_thumb_and_note_are_on_disk_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=6)
    run = load_workspace(folder).runs()[0]
    app = _fine(_app(monkeypatch, folder, task="reply", example="eval-001"))
    name = json.dumps([run.id, "reply", "eval-001", "qv-r8"])
    app.feedback(key=f"thumb-{name}").set_value(0).run()
    assert read_feedback(run).of("reply", "eval-001", "qv-r8").thumb == "down"
    app.text_input(key=f"note-{name}").set_value("too short").run()
    _fine(app)
    note = read_feedback(run).of("reply", "eval-001", "qv-r8")
    assert (note.thumb, note.note) == ("down", "too short")
    again = _fine(_app(monkeypatch, folder, task="reply", example="eval-001"))
    assert again.text_input(key=f"note-{name}").value == "too short"
    assert again.feedback(key=f"thumb-{name}").value == 0
    assert read_feedback(run).of("reply", "eval-001", "baseline").empty


def test_a_note_that_cannot_be_saved_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4)
    run = load_workspace(folder).runs()[0]
    app = _fine(_app(monkeypatch, folder, task="reply", example="eval-001"))
    (run.folder / "feedback.jsonl").mkdir()
    monkeypatch.setattr("dashboard.result_cache.feedback", lambda run: Feedback(()))
    monkeypatch.setattr("dashboard.result_cache.satisfaction", lambda *_: ())
    name = json.dumps([run.id, "reply", "eval-001", "qv-r8"])
    app.text_input(key=f"note-{name}").set_value("lost?").run()
    assert "could not be saved" in _html(_fine(app))


def test_feedback_that_cannot_be_read_is_mentioned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4)
    run = load_workspace(folder).runs()[0]
    give_feedback(run, "reply", "eval-001", "qv-r8", "up", "good")
    with (run.folder / "feedback.jsonl").open("a") as file:
        file.write("torn\n")
    app = _fine(_app(monkeypatch, folder, task="reply", example="eval-001"))
    assert "feedback.jsonl, line 2: found no feedback" in _html(app)


def test_with_many_variants_the_chosen_pair_is_shown_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4, runs=False)
    make_run(folder / "runs" / "many", n=4, variants=("baseline", "a", "b", "c", "d", "e"), tasks=("reply",))
    app = _fine(_app(monkeypatch, folder, variant="d"))
    shown = app.button_group(key="examples-shown")
    assert shown.value == ["baseline", "d"]
    shown.set_value(["baseline", "d", "a"]).run()
    assert "<b>a</b>" in _html(_fine(app))


def test_a_slice_limits_everything(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _fine(_app(monkeypatch, workspace, task="reply", slice="language=zh"))
    assert "The 6 examples listed" in _html(app)


def test_another_reference_is_what_all_is_compared_with(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = _fine(_app(monkeypatch, workspace, reference="all-r8"))
    assert "against all-r8" in _html(app)
    assert "all-r8" not in app.selectbox(key="examples-variant").options


def test_a_run_that_goes_on_shows_what_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=20, runs=False)
    make_run(folder / "runs" / "live", n=20, state="running", parts_done=0.4)
    app = _fine(_app(monkeypatch, folder, task="reply"))
    assert "No answer: not evaluated yet." in _html(app)
    app = _fine(_app(monkeypatch, folder, task="category"))
    assert "of 20 examples against baseline" in _html(app)


def test_a_run_without_evidence_says_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4, runs=False)
    make_run(folder / "runs" / "young", n=4, state="queued", parts_done=0.0)
    app = _fine(_app(monkeypatch, folder))
    assert "No answer: not evaluated yet." in _html(app)
    (folder / "runs" / "young" / "examples.parquet").unlink()
    assert "No result yet" in _html(_fine(_app(monkeypatch, folder)))


def test_without_a_run_there_is_one_sentence_and_a_way_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", runs=False)
    assert "No run yet" in _html(_fine(_app(monkeypatch, folder)))


def test_a_failed_run_says_why_and_shows_what_it_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=6, runs=False)
    make_run(folder / "runs" / "failed", n=6, state="failed", parts_done=1.0)
    app = _fine(_app(monkeypatch, folder, task="category"))
    assert "The run failed" in _html(app)
    assert "examples against baseline (Accuracy)." in _html(app)


def test_no_workspace_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "This cannot be opened" in _html(_fine(_app(monkeypatch, tmp_path / "nowhere")))


def test_texts_of_others_are_escaped_wherever_html_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4, runs=False)
    run = make_run(folder / "runs" / "one", n=4, tasks=("help",))
    (run.folder / "examples.parquet").unlink()
    hostile = "<img src=x onerror=alert(1)>"
    examples = [
        type(e)(**{**vars(e), "options": (hostile, *e.options[1:]), "tags": (f"c={hostile}",)}) for e in run.examples
    ]
    run.write_examples(examples)
    page = _html(_fine(_app(monkeypatch, folder)))
    assert "<img" not in page


def _downloads(app: AppTest) -> list[str]:
    return [button.proto.label for button in _fine(app).get("download_button")]


def test_the_list_the_averages_and_the_gain_can_be_taken_away(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    tables = ["CSV of the list", "CSV of the averages"]
    assert _downloads(_app(monkeypatch, workspace, task="category")) == tables
    app = _app(monkeypatch, workspace, task="general")
    assert _downloads(app) == [*tables, "PNG 1×", "PNG 2×", "PNG 4×", "SVG", "PDF", "HTML", "CSV of the gain"]


def test_a_picture_is_drawn_when_it_is_asked_for_and_not_with_the_page(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("drawn with the page")

    monkeypatch.setattr("dashboard.parts.example_export.gain_heatmap", fail)
    assert "HTML" in _downloads(_app(monkeypatch, workspace, task="general"))


def test_the_line_under_the_list_says_what_it_is_of(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = _html(_fine(_app(monkeypatch, workspace, task="reply", metric="rouge_l", slice="language=zh")))
    assert (
        "n = 6 of 60 examples · single examples judged by ROUGE-L, without an interval · seed 0 · slice language=zh"
        in page
    )
    assert "run 20261122-160000" in page
