"""The Data page: what each of its segments says about made-up files, and how findings lead to their rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.data.profile.made import MARKED
from tests.dashboard.data_pages import (
    EVALUATION,
    HOSTILE,
    LONG,
    TRAIN,
    asked,
    chat,
    data_page,
    data_workspace,
    headline,
    table,
    text,
    tokens,
)
from tests.dashboard.pages import shown


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return data_workspace(tmp_path / "workspace", TRAIN, EVALUATION)


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
    assert [row[1] for row in table(app, "faults")] == ["invalid-json"] and asked(app, "code") == "invalid-json"
    app.button(key="data-fault-rows").click().run()
    assert asked(app, "show") == "rows" and [row[0] for row in table(app, "rows")] == ["8"]
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
    assert asked(app, "max_length") == "96" and "1 of 7 rows is longer and cut off (14.3 %)" in shown(app)
    assert "cut off at 96 tokens" in headline(app)
    app.button(key="data-cut-rows").click().run()
    assert [row[0] for row in table(app, "rows")] == ["2"] and asked(app, "over") == "96"
    app.button(key="data-not-over").click().run()
    assert len(table(app, "rows")) == 8


def test_a_value_leads_to_its_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [chat("a lamp", "on", topic="light"), chat("a table", "under", topic="wood"), chat("a bulb", "off", topic="light"),
            chat("a chair", "over", topic="wood")]  # fmt: skip
    app = data_page(monkeypatch, data_workspace(tmp_path / "w", rows, EVALUATION), show="shape")
    app.selectbox(key="data-rows-of-labels-0").set_value("wood").run()
    assert [row[0] for row in table(app, "rows")] == ["2", "4"] and asked(app, "lines") == "2,4"


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
    assert asked(app, "line") == "2"
    app.number_input(key="data-jump").set_value(8).run()
    assert asked(app, "line") == "8" and text(app, "row") == "{not json" and app.button(key="data-Next").disabled


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
    assert asked(app, "show") == "rows" and text(app, "turn 1") == LONG


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
    assert [row[0] for row in table(app, "rows")] == ["1", "3", "6"] and asked(app, "find") == "LAMP"
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


def test_a_row_is_shown_to_the_last_character(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = "x" * 200_000
    workspace = data_workspace(tmp_path / "w", [chat(HOSTILE[0], "".join(HOSTILE)), chat("q", long)], EVALUATION)
    app = data_page(monkeypatch, workspace, show="rows", line="1")
    assert text(app, "turn 1") == HOSTILE[0] and text(app, "turn 2") == "".join(HOSTILE)
    assert text(data_page(monkeypatch, workspace, show="rows", line="2"), "turn 2") == long
