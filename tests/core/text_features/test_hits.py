"""Which answers have a feature: texts written by hand, one for each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.example_texts import read_table
from core.records import BASELINE
from core.store import Run
from core.text_features import answer_languages, answer_rows, feature_from, feature_hits, median_length
from tests.core.mini import example, failed, said, spec, task, write

REPLY = {"reply": task("generation")}


def run_of(folder: Path, answers: Mapping[str, Sequence[str | None]]) -> Run:
    """Write a run in which each variant gave these answers; None is a failure."""
    n = len(next(iter(answers.values())))
    evidence = [
        failed("reply", variant, number) if text is None else said("reply", variant, number, text)
        for variant, texts in answers.items()
        for number, text in enumerate(texts)
    ]
    return write(folder, spec(REPLY), [example("reply", number, "reference") for number in range(n)], evidence)


def has(folder: Path, texts: Sequence[str], kind: str, argument: str = "") -> list[bool]:
    """Return which of some texts have a feature."""
    run = run_of(folder / "run", {BASELINE: texts, "lora": texts})
    hits = feature_hits(
        run, "reply", feature_from(kind, argument), answer_rows(run, "reply", read_table(run, "reply").ids)
    )
    assert hits[BASELINE].tolist() == hits["lora"].tolist()
    return [bool(hit) for hit in hits["lora"]]


def test_words_are_found_as_typed_whatever_their_case(tmp_path: Path) -> None:
    texts = ["I am SORRY.", "sorrow", "100 % [sorry]", "", "Äpfel", "对不起"]
    assert has(tmp_path / "a", texts, "contains", "Sorry") == [True, False, True, False, False, False]
    assert has(tmp_path / "b", texts, "contains", "% [") == [False, False, True, False, False, False]
    assert has(tmp_path / "c", texts, "contains", "äPFEL") == [False, False, False, False, True, False]
    assert has(tmp_path / "d", texts, "contains", "不") == [False, False, False, False, False, True]


def test_a_pattern_sees_lines_case_and_scripts(tmp_path: Path) -> None:
    texts = ["Order 12", "order twelve", "a\nOrder 3", "订单"]
    assert has(tmp_path / "a", texts, "regex", r"\d+") == [True, False, True, False]
    assert has(tmp_path / "b", texts, "regex", r"^Order") == [True, False, False, False]
    assert has(tmp_path / "c", texts, "regex", r"(?mi)^order\b") == [True, True, True, False]
    assert has(tmp_path / "d", texts, "regex", r"\p{Han}") == [False, False, False, True]


def test_a_pattern_that_would_backtrack_without_end_is_simply_searched(tmp_path: Path) -> None:
    assert has(tmp_path, ["a" * 5_000 + "b", "aaaa"], "regex", r"^(a|a)*$") == [False, True]
    assert has(tmp_path / "again", ["x" * 5_000, "xxy"], "regex", r"(x+x+)+y") == [False, True]


def test_a_pattern_is_given_up_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.text_features.hits.PATTERN_SECONDS", 0.0)
    with pytest.raises(InputError, match=r"'fine' takes more than 0 s on the answers of this task\. Simplify it"):
        has(tmp_path, ["fine"], "regex", "fine")


def test_every_answer_is_searched_however_many_there_are(tmp_path: Path) -> None:
    texts = [f"answer {number}" for number in range(300)]
    assert has(tmp_path, texts, "regex", r"[05]$") == [number % 5 == 0 for number in range(300)]


def test_length_counts_characters_and_not_bytes(tmp_path: Path) -> None:
    assert has(tmp_path, ["四个字了", "three", "abc", ""], "length", "4") == [True, True, False, False]


def test_a_list_has_two_items(tmp_path: Path) -> None:
    texts = [
        "- one\n- two",
        "1. one\n2) two",
        "* one\nnothing",
        "one - two - three",
        "• a\n\n  • b",
        "2024. A year\n-5 degrees",
    ]
    assert has(tmp_path, texts, "list") == [True, True, False, False, True, False]


def test_a_heading_is_a_line_of_its_own(tmp_path: Path) -> None:
    texts = [
        "# Title\ntext",
        "text\n### Deep",
        "#hashtag",
        "**Bold line:**\ntext",
        "some **bold** words",
        "**a** and **b**",
    ]
    assert has(tmp_path, texts, "heading") == [True, True, False, True, False, False]


def test_a_refusal_stands_at_the_beginning_in_several_languages(tmp_path: Path) -> None:
    texts = [
        "I'm sorry, but I can't help with that.", "I cannot assist you.", "As an AI, I have no opinion.", "抱歉,我无法回答。",
        "Ich kann dir dabei leider nicht helfen.", "Je ne peux pas répondre.", "Lo siento, no puedo ayudar.",
        "I'm sorry for the delay; your parcel is on its way.", "You cannot miss it.", "x" * 200 + " I cannot assist you.",
    ]  # fmt: skip
    assert has(tmp_path, texts, "refusal") == [True] * 7 + [False] * 3


def test_languages_are_detected_and_short_texts_left_open(tmp_path: Path) -> None:
    texts = [
        "Where is my parcel? It should have come on Monday.",
        "我的包裹在哪里?星期一就应该到了,请帮我查一下。",
        "OK",
        "",
    ]
    run = run_of(tmp_path / "run", {BASELINE: texts, "lora": texts})
    found = answer_languages(run, "reply")
    assert [found.names[code] for code in found.codes[-4:]] == ["en", "zh", "undetermined", "undetermined"]
    assert found.counts() == {"undetermined": 4, "en": 2, "zh": 2}
    assert has(tmp_path / "again", texts, "language", "zh") == [False, True, False, False]


def test_who_gave_no_answer_has_no_value(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {BASELINE: ["sorry", None, "no"], "lora": [None, None, "sorry"]})
    hits = feature_hits(
        run, "reply", feature_from("contains", "sorry"), answer_rows(run, "reply", read_table(run, "reply").ids)
    )
    expected = pd.DataFrame({BASELINE: [1.0, np.nan, 0.0], "lora": [np.nan, np.nan, 1.0]}, index=hits.index)
    pd.testing.assert_frame_equal(hits, expected)


def test_the_middle_length_of_the_answers(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {BASELINE: ["a", "abc", "abcde"], "lora": [None, None, None]})
    assert median_length(run, "reply") == 3
    silent = run_of(tmp_path / "silent", {BASELINE: [None], "lora": [None]})
    assert median_length(silent, "reply") == 1
    assert answer_languages(silent, "reply").counts() == {}
