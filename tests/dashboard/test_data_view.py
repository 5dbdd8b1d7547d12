"""The Data page: its faces, its first sentence, what is dropped on it, and links with nonsense in them."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path

import pytest

from core.data.inspect.scan import scan
from core.data.uploads import find_upload, keep_upload
from dashboard.parts import data_results
from dashboard.state import Drop
from tests.dashboard.data_pages import (
    EVALUATION,
    HOSTILE,
    TRAIN,
    asked,
    chat,
    data_page,
    data_workspace,
    headline,
    table,
    write_rows,
)
from tests.dashboard.pages import opened, shown

SEGMENTS = ["faults", "shape", "look", "overlap", "quality", "compare", "rows"]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return data_workspace(tmp_path / "workspace", TRAIN, EVALUATION)


def test_the_first_sentence_says_what_is_wrong_what_is_cut_off_and_what_leaked(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = data_page(monkeypatch, workspace, max_length="70")
    assert headline(app) == (
        "7 rows of conversational SFT (messages), 2 faults on 2 lines, 14 % cut off at 70 tokens, "
        "1 of 2 rows of d.eval.jsonl leaked into it."
    )
    app = data_page(monkeypatch, workspace, file="eval:d")
    assert headline(app).endswith("1 leaked into d.train.jsonl.")


def test_the_fields_of_an_evaluation_file_are_no_faults(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, file="eval:d", show="faults")
    assert headline(app).startswith("2 rows with fields of their own, for evaluation, no faults")
    assert "it need not have a form that a trainer reads" in shown(app)
    assert "their fields are their own" in shown(app) and "Its faults say" not in shown(app)
    strict = data_page(monkeypatch, workspace, file="eval:d", rules="strict")
    assert "2 faults on 2 lines" in headline(strict)
    assert "Its faults say only that nobody can train on it as it is." in shown(strict)


def test_a_dropped_file_is_for_evaluation_beside_a_training_file(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    upload = keep_upload("own.jsonl", io.BytesIO("".join(f"{json.dumps(row)}\n" for row in EVALUATION).encode()))
    alone = {"file": f"dropped:{upload.id}"}
    assert headline(data_page(monkeypatch, workspace, **alone)).startswith(
        "2 rows of a form that no trainer reads, 2 faults on 2 lines"
    )
    beside = alone | {"against": "train:d"}
    assert headline(data_page(monkeypatch, workspace, **beside)).startswith(
        "2 rows with fields of their own, for evaluation, no faults"
    )
    other_way = beside | {"as": "train"}
    assert "2 faults on 2 lines" in headline(data_page(monkeypatch, workspace, **other_way))


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("name", ["train:d", "eval:d"])
def test_every_segment_draws_over_every_file(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, segment: str, name: str
) -> None:
    app = data_page(monkeypatch, workspace, file=name, show=segment)
    assert app.button_group(key="data-show").value == segment


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    computed: list[str] = []
    for name in ("duplicates", "quality", "shape", "table", "compared"):
        original = getattr(data_results, name)
        monkeypatch.setattr(data_results, name, lambda *a, _o=original, _n=name: (computed.append(_n), _o(*a))[1])
    data_page(monkeypatch, workspace, show="faults")
    assert computed == []
    data_page(monkeypatch, workspace, show="quality")
    assert computed == ["quality"]


def test_a_file_with_faults_opens_on_them_and_a_sound_one_on_its_shape(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    assert data_page(monkeypatch, workspace).button_group(key="data-show").value == "faults"
    write_rows(workspace / "data" / "d.train.jsonl", TRAIN[:4])
    app = data_page(monkeypatch, workspace)
    assert app.button_group(key="data-show").value == "shape" and "no faults" in headline(app)
    assert data_page(monkeypatch, workspace, file="eval:d").button_group(key="data-show").value == "shape"


@pytest.mark.parametrize("segment", SEGMENTS)
def test_nothing_of_a_file_is_markup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, segment: str) -> None:
    rows = [chat(f"{one} again and again", one, **{one: one}) for one in HOSTILE for _ in range(2)]
    rows += [{"messages": [{"role": one, "content": one}]} for one in HOSTILE] + [f'{{"{one}"' for one in HOSTILE]
    workspace = data_workspace(
        tmp_path / "w", rows, [{"id": one, "question": one * 5, "answer": one} for one in HOSTILE]
    )
    content = (workspace / "data" / "d.train.jsonl").read_bytes()
    upload = keep_upload("<script> :red[x] $x^2$.jsonl", io.BytesIO(content))
    app = data_page(monkeypatch, workspace, show=segment, file=f"dropped:{upload.id}", against="eval:d")
    page = shown(app)
    assert (
        "12 rows" in headline(app)
        and "<script>" not in page
        and "![i]" not in "".join(element.value for element in app.markdown)
    )
    for element in (*app.button, *app.button_group, *app.selectbox, *app.expander, *app.text_input):
        assert not any(one in element.label for one in (":red[", "<script>", "$x^2$"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty (0 bytes); expected at least one row."),
        (b"\xff\xfe{\x00}\x00", "found UTF-16"),
        (b'[{"text": "a"}', "the file ends before the list is closed"),
    ],
)
def test_what_cannot_be_read_is_a_face_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, content: bytes, words: str
) -> None:
    (workspace / "data" / "d.train.jsonl").write_bytes(content)
    if content.startswith(b"["):
        (workspace / "data" / "d.train.jsonl").rename(workspace / "data" / "d.train.json")
        written = (workspace / "workspace.yaml").read_text().replace("d.train.jsonl", "d.train.json")
        (workspace / "workspace.yaml").write_text(written)
    page = shown(data_page(monkeypatch, workspace, file="train:d"))
    assert "<h2>This file cannot be read</h2>" in page and words in page
    assert data_page(monkeypatch, workspace, file="train:d").selectbox(key="data-file").value == "train:d"


def test_a_file_that_is_not_there_is_said_and_the_other_still_opens(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    (workspace / "data" / "d.train.jsonl").unlink()
    assert "This file cannot be read" in shown(data_page(monkeypatch, workspace))
    assert headline(data_page(monkeypatch, workspace, file="eval:d")).startswith("2 rows")


def test_a_file_that_was_mended_is_read_again(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    assert "2 faults on 2 lines" in headline(data_page(monkeypatch, workspace))
    write_rows(workspace / "data" / "d.train.jsonl", TRAIN[:2])
    assert headline(data_page(monkeypatch, workspace)).startswith("2 rows of conversational SFT (messages), no faults")


def test_without_a_workspace_files_can_still_be_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    app = data_page(monkeypatch, folder)
    assert "<h2>No data file yet</h2>" in shown(
        app
    ) and " MB can be dropped; a larger file is named in workspace.yaml" in shown(app)
    app.file_uploader[0].set_value(("a.jsonl", json.dumps(TRAIN[0]).encode(), "application/jsonl")).run()
    assert headline(app) == "1 row of conversational SFT (messages), no faults."
    upload = find_upload(str(asked(app, "file")).removeprefix("dropped:"))
    assert upload is not None and upload.name == "a.jsonl"
    assert headline(data_page(monkeypatch, folder, file=f"dropped:{upload.id}")) == headline(app), (
        "the link shows it again"
    )
    assert "lengths in tokens need a base" in shown(
        data_page(monkeypatch, folder, file=f"dropped:{upload.id}", show="shape")
    )


def test_two_files_dropped_at_once_are_told_apart(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace)
    one, other = (json.dumps(chat(name, name)).encode() for name in ("one", "other"))
    app.file_uploader[0].set_value([("one.jsonl", one, ""), ("other.jsonl", other, ""), ("third.jsonl", one, "")]).run()
    page = shown(app)
    assert (
        "3 files were dropped at once, and one is looked at at a time: one.jsonl is shown; other.jsonl stands beside it"
        in page
    )
    assert "The others (1) can be chosen above." in page
    assert app.selectbox(key="data-file").options[-3:] == [
        "dropped: one.jsonl",
        "dropped: other.jsonl",
        "dropped: third.jsonl",
    ]
    app.button_group(key="data-show").set_value("overlap").run()
    assert "were dropped at once" not in shown(app) and app.selectbox(key="data-against").value == asked(app, "against")
    app.button_group(key="data-as").set_value("eval").run()
    assert "of 1 row of one.jsonl" in shown(app) and asked(app, "as") == "eval"


def test_a_dropped_file_that_cannot_be_read_is_named_without_its_place_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = data_page(monkeypatch, workspace)
    app.file_uploader[0].set_value(("e <b>.jsonl", b"", "")).run()
    assert "e &lt;b&gt;.jsonl: the file is empty" in shown(app) and "uploads" not in shown(app)


def test_another_file_forgets_the_filters_of_the_last_one(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="rows", find="lamp", lines="1-5", line="3")
    app.selectbox(key="data-file").set_value("eval:d").run()
    assert [asked(app, name) for name in ("find", "lines", "line", "file", "show")] == [
        None,
        None,
        None,
        "eval:d",
        "rows",
    ]
    assert len(table(app, "rows")) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"max_length": "x", "line": "zz", "show": "nope", "rules": "none", "code": "<b>"}, {"max_length": "0"},
        {"line": "-1", "show": "look"}, {"max_length": "9" * 30}, {"line": "9" * 11, "show": "look"},
        {"line": "9" * 30, "show": "rows"}, {"over": "x", "show": "rows"},
        {"against": "train:none", "show": "overlap"}, {"loss": "q", "show": "look"},
    ],
)  # fmt: skip
def test_a_link_with_nonsense_in_it_opens_the_page(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, query: dict[str, str]
) -> None:
    assert "7 rows" in headline(data_page(monkeypatch, workspace, **query))


@pytest.mark.parametrize("wanted", ["dropped:../../../etc", "dropped:" + "0" * 24, "nothing:<b>"])
def test_a_file_that_is_no_longer_there_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path, wanted: str) -> None:
    page = shown(data_page(monkeypatch, workspace, file=wanted))
    assert f"There is no data file {html.escape(repr(wanted))} any more" in page and "7 rows" in page


def test_work_that_was_stopped_is_not_done_until_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = opened(monkeypatch, workspace, "data", show="quality")
    write_rows(workspace / "data" / "d.train.jsonl", [*TRAIN, chat("new", "row")])
    key = ("quality", scan(workspace / "data" / "d.train.jsonl").sha256)
    app.session_state["stopped-Looking for odd rows"] = key
    app.run()
    assert "Looking for odd rows was stopped; nothing of it is kept." in shown(app) and "<b>email</b>" not in shown(app)
    app.button(key="go-on-Looking for odd rows").click().run()
    assert "<b>email</b>" in shown(app)


def test_no_run_is_chosen_here(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace)
    assert "run" not in {box.key for box in app.selectbox}


def test_a_drop_that_another_click_interrupted_is_taken_up(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace)
    upload = keep_upload("a.jsonl", io.BytesIO(json.dumps(TRAIN[0]).encode()))
    app.session_state["data-last-drop"] = Drop(
        {"file": f"dropped:{upload.id}", "against": None}, "Something was dropped."
    )
    app.run()
    assert headline(app).startswith("1 row") and "Something was dropped." in shown(app)
    app.selectbox(key="data-file").set_value("train:d").run()
    assert headline(app).startswith("7 rows") and "Something was dropped." not in shown(app)


def test_the_same_file_can_be_dropped_twice(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace)
    for name in ("a.jsonl", "a.jsonl", "b.jsonl"):
        app.file_uploader[0].set_value((name, json.dumps(TRAIN[0]).encode(), "")).run()
        assert "dropped at once" not in shown(app) and app.selectbox(key="data-file").value == asked(app, "file")
    assert app.selectbox(key="data-file").options[-2:] == ["dropped: a.jsonl", "dropped: b.jsonl"]
