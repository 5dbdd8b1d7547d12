"""The Data page: its faces, its first sentence, and what each of its segments says about made-up files."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.data.inspect.scan import scan
from core.data.uploads import find_upload, keep_upload
from dashboard.parts import data_results
from dashboard.state import Drop
from tests.core.data.profile.made import MARKED
from tests.dashboard.data_pages import (
    HOSTILE,
    chat,
    data_page,
    data_workspace,
    headline,
    table,
    text,
    tokens,
    write_rows,
)
from tests.dashboard.pages import opened, shown

SEGMENTS = ["faults", "shape", "look", "overlap", "quality", "compare", "rows"]
LONG = "The quick brown fox jumps over the lazy dog while the old clock strikes twelve times tonight"
TRAIN = [
    chat("What does a lamp cost?", "Nine."), chat(LONG, "Yes, it does."), chat("What does a lamp cost?", "Ten."),
    chat("Write to ann@example.org", "I will."), chat("Is this a question?", ""), chat("  What DOES a lamp cost?", "Nine."),
    {"messages": [{"role": "user", "content": "x"}, {"role": "assisiant", "content": "y"}]}, "{not json",
]  # fmt: skip
EVALUATION = [
    {"id": "e-1", "ticket": LONG, "category": "yes"},
    {"id": "e-2", "ticket": "Something else entirely is asked in here?", "category": "no"},
]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return data_workspace(tmp_path / "workspace", TRAIN, EVALUATION)


def _url(app: Any, name: str) -> str | None:
    values = app.query_params.get(name)
    return values[0] if isinstance(values, list) else values


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
    assert "it need not have a trainer&#x27;s form" in shown(app)


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("name", ["train:d", "eval:d"])
def test_every_segment_draws_over_every_file(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, segment: str, name: str
) -> None:
    app = data_page(monkeypatch, workspace, file=name, show=segment)
    assert app.button_group(key="data-show").value == segment


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    asked: list[str] = []
    for name in ("duplicates", "quality", "shape", "table", "compared"):
        original = getattr(data_results, name)
        monkeypatch.setattr(data_results, name, lambda *a, _o=original, _n=name: (asked.append(_n), _o(*a))[1])
    data_page(monkeypatch, workspace, show="faults")
    assert asked == []
    data_page(monkeypatch, workspace, show="quality")
    assert asked == ["quality"]


def test_a_file_with_faults_opens_on_them_and_a_sound_one_on_its_shape(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    assert data_page(monkeypatch, workspace).button_group(key="data-show").value == "faults"
    write_rows(workspace / "data" / "d.train.jsonl", TRAIN[:4])
    app = data_page(monkeypatch, workspace)
    assert app.button_group(key="data-show").value == "shape" and "no faults" in headline(app)
    assert data_page(monkeypatch, workspace, file="eval:d").button_group(key="data-show").value == "shape"


def test_faults_stand_by_line_with_what_was_found_expected_and_its_repair(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = data_page(monkeypatch, workspace, show="faults")
    rows = table(app, "faults")
    assert [row[:2] for row in rows] == [["7", "unknown-role"], ["8:2", "invalid-json"]]
    assert "'assisiant'" in rows[0][2] and rows[0][4] == "write 'assistant'" and rows[1][4] == ""
    assert table(app, "repairs") == [["7", "unknown-role", "'assisiant'\n\u2192 'assistant'"]]
    assert "Faults without a safe repair, left as they are: 1." in shown(app)
    app.button_group(key="data-code").set_value("invalid-json").run()
    assert [row[1] for row in table(app, "faults")] == ["invalid-json"] and _url(app, "code") == "invalid-json"
    app.button(key="data-fault-rows").click().run()
    assert _url(app, "show") == "rows" and [row[0] for row in table(app, "rows")] == ["8"]
    assert text(app, "row") == "{not json"


def test_strict_holds_rows_to_the_contract_to_the_letter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = {
        "messages": [
            *chat("q", "a")["messages"],
            {"role": "tool", "content": "t"},
            {"role": "assistant", "content": "b"},
        ]
    }
    workspace = data_workspace(tmp_path / "w", [tool], EVALUATION)
    assert "no faults" in headline(data_page(monkeypatch, workspace))
    app = data_page(monkeypatch, workspace, rules="strict")
    assert "1 fault on 1 line" in headline(app) or "2 faults on 1 line" in headline(app)
    assert "judged by the contract to the letter" in shown(app)


def test_a_conversion_that_would_lose_something_is_refused_with_the_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_rounds = {"messages": [*chat("q", "a")["messages"], *chat("r", "b")["messages"]]}
    app = data_page(
        monkeypatch, data_workspace(tmp_path / "w", [chat("q", "a"), two_rounds], EVALUATION), show="faults"
    )
    pills = next(group for group in app.button_group if group.key and group.key.startswith("data-convert"))
    assert "messages" not in pills.options and "alpaca" in pills.options
    pills.set_value("alpaca").run()
    assert "line 2" in shown(app) and "would lose" in shown(app)
    pills = next(group for group in app.button_group if group.key and group.key.startswith("data-convert"))
    pills.set_value("sharegpt").run()
    assert "would lose" not in shown(app) and [
        one for one in app.get("download_button") if one.proto.label == "Download as sharegpt"
    ]


def test_the_slider_decides_what_is_cut_off_and_leads_to_those_rows(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = data_page(monkeypatch, workspace, show="shape")
    assert "No row is longer than 1,024 tokens: nothing is cut off." in shown(app)
    app.select_slider(key="data-max_length").set_value("96").run()
    assert _url(app, "max_length") == "96" and "1 of 7 rows is longer and cut off (14.3 %)" in shown(app)
    assert "cut off at 96 tokens" in headline(app)
    app.button(key="data-cut-rows").click().run()
    assert [row[0] for row in table(app, "rows")] == ["2"] and _url(app, "over") == "96"
    app.button(key="data-not-over").click().run()
    assert len(table(app, "rows")) == 8


def test_a_value_leads_to_its_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [chat("a lamp", "on", topic="light"), chat("a table", "under", topic="wood"), chat("a bulb", "off", topic="light"),
            chat("a chair", "over", topic="wood")]  # fmt: skip
    app = data_page(monkeypatch, data_workspace(tmp_path / "w", rows, EVALUATION), show="shape")
    app.selectbox(key="data-rows-of-labels-0").set_value("wood").run()
    assert [row[0] for row in table(app, "rows")] == ["2", "4"] and _url(app, "lines") == "2,4"


def test_without_a_tokenizer_lengths_are_in_characters_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = data_page(monkeypatch, data_workspace(tmp_path / "w", TRAIN[:2], EVALUATION, tokenizer=False), show="shape")
    assert "found no tokenizer.json" in shown(app) and "Characters that so many of the rows do not pass" in shown(app)
    assert "cut off" not in headline(app)
    app = data_page(monkeypatch, tmp_path / "w", show="look")
    assert text(app, "turn 1") == "What does a lamp cost?"


def test_look_shows_the_tokens_the_mask_and_the_cut(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="look", line="2", max_length="30")
    strip = tokens(app)
    said = "".join(piece for piece, *_ in strip["pieces"])
    assert said == f"<|im_start|>user\n{LONG}<|im_end|>\n<|im_start|>assistant\nYes, it does.<|im_end|>\n"
    assert strip["cut"] == 30 and set(strip["mask"]) == {"1"}
    assert [piece for piece, _, _, special in strip["pieces"] if special] == ["<|im_start|>", "<|im_end|>"] * 2
    assert "30 of them before the cut at 30" in shown(app)
    app.button_group(key="data-loss").set_value("completion-only").run()
    assert "completion_only_loss does nothing on <code>messages</code> rows" in shown(app)
    app.button_group(key="data-loss").set_value("assistant-only").run()
    assert "Assistant-only mask not defined by this template." in shown(app) and tokens(app)["mask"] is None


def test_a_template_with_the_tag_colours_the_assistants_words_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = data_workspace(tmp_path / "w", TRAIN[:2], EVALUATION, template=MARKED)
    strip = tokens(data_page(monkeypatch, workspace, show="look", loss="assistant-only"))
    trained = "".join(piece[0] for piece, one in zip(strip["pieces"], strip["mask"], strict=True) if one == "1")
    assert trained == "Nine.<|im_end|>"


def test_look_steps_from_row_to_row_and_jumps_to_a_line(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="look")
    assert app.button(key="data-Previous").disabled
    app.button(key="data-Next").click().run()
    assert _url(app, "line") == "2"
    app.number_input(key="data-jump").set_value(8).run()
    assert _url(app, "line") == "8" and text(app, "row") == "{not json" and app.button(key="data-Next").disabled


def test_look_says_what_the_trainer_will_make_of_it(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = shown(data_page(monkeypatch, workspace, show="look"))
    assert "completion_only_loss=True does nothing on <code>messages</code> rows" in page
    assert "this chat template has no {% generation %} tag" in page


def test_duplicates_conflicts_and_leakage_lead_to_their_rows(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="overlap")
    page = shown(app)
    assert "1 of 7 rows could go" in page and "0 letter for letter, 1 but for case and white space" in page
    assert "3 rows share 1 input." in page
    assert "1 of 2 rows of d.eval.jsonl (50.0 %) stands in d.train.jsonl: 1 the question word for word" in page
    assert table(app, "leaked rows") == [["1", "2", "the question word for word", LONG]]
    assert text(app, "training row").startswith(LONG) and text(app, "evaluation row") == LONG
    app.button(key="data-leaked-rows").click().run()
    assert _url(app, "show") == "rows" and text(app, "turn 1") == LONG


def test_quality_leads_to_its_rows(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="quality")
    page = shown(app)
    assert "<b>email</b>" in page and "<b>empty-answer</b>" in page and "ann@example.org" not in page
    assert table(app, "email")[0][0] == "4"
    app.button(key="data-odd-email").click().run()
    assert [row[0] for row in table(app, "rows")] == ["4"]


def test_compare_says_what_was_tested(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="compare")
    rows = table(app, "what differs")
    assert [row[0] for row in rows][:3] == ["Length in tokens, middle row", "Language", "Script"]
    assert "Cliff's delta" in rows[0][3] and rows[-1][0] == "Vocabulary"
    assert "can be told by" in shown(app) or "things tested" in shown(app)


def test_rows_are_filtered_by_words_lines_and_faults(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="rows")
    assert "8 of 8 rows" in shown(app)
    app.text_input(key="data-find").set_value("LAMP").run()
    assert [row[0] for row in table(app, "rows")] == ["1", "3", "6"] and _url(app, "find") == "LAMP"
    app.text_input(key="data-lines").set_value("3-7").run()
    assert [row[0] for row in table(app, "rows")] == ["3", "6"]
    app.text_input(key="data-lines").set_value("3-x").run()
    assert "expected numbers and ranges such as 3, 17, 20-25." in shown(app)
    app.text_input(key="data-lines").set_value("5").run()
    assert "No row is left by these filters." in shown(app)
    app = data_page(monkeypatch, workspace, show="rows", code="unknown-role")
    assert [row[0] for row in table(app, "rows")] == [
        "7"
    ] and "A repaired copy would write &#x27;assistant&#x27;." in shown(app)


def test_rows_page_on_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    workspace = data_workspace(tmp_path / "w", [chat(f"question {n}", "a") for n in range(1, 131)], EVALUATION)
    app = data_page(monkeypatch, workspace, show="rows", line="77")
    assert [row[0] for row in table(app, "rows")] == [str(n) for n in range(51, 101)]
    assert text(app, "turn 1") == "question 77"


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


def test_a_row_is_shown_to_the_last_character(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = "x" * 200_000
    workspace = data_workspace(tmp_path / "w", [chat(HOSTILE[0], "".join(HOSTILE)), chat("q", long)], EVALUATION)
    app = data_page(monkeypatch, workspace, show="rows", line="1")
    assert text(app, "turn 1") == HOSTILE[0] and text(app, "turn 2") == "".join(HOSTILE)
    assert text(data_page(monkeypatch, workspace, show="rows", line="2"), "turn 2") == long


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
    upload = find_upload(str(_url(app, "file")).removeprefix("dropped:"))
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
    assert "were dropped at once" not in shown(app) and app.selectbox(key="data-against").value == _url(app, "against")
    app.button_group(key="data-as").set_value("eval").run()
    assert "of 1 row of one.jsonl" in shown(app) and _url(app, "as") == "eval"


def test_a_dropped_file_that_cannot_be_read_is_named_without_its_place_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = data_page(monkeypatch, workspace)
    app.file_uploader[0].set_value(("e <b>.jsonl", b"", "")).run()
    assert "e &lt;b&gt;.jsonl: the file is empty" in shown(app) and "uploads" not in shown(app)


def test_another_file_forgets_the_filters_of_the_last_one(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = data_page(monkeypatch, workspace, show="rows", find="lamp", lines="1-5", line="3")
    app.selectbox(key="data-file").set_value("eval:d").run()
    assert [_url(app, name) for name in ("find", "lines", "line", "file", "show")] == [
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


@pytest.mark.parametrize("asked", ["dropped:../../../etc", "dropped:" + "0" * 24, "nothing:<b>"])
def test_a_file_that_is_no_longer_there_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path, asked: str) -> None:
    page = shown(data_page(monkeypatch, workspace, file=asked))
    assert f"There is no data file {html.escape(repr(asked))} any more" in page and "7 rows" in page


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
        assert "dropped at once" not in shown(app) and app.selectbox(key="data-file").value == _url(app, "file")
    assert app.selectbox(key="data-file").options[-2:] == ["dropped: a.jsonl", "dropped: b.jsonl"]
