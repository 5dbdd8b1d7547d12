from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.profile import leakage, runs
from core.data.profile.leakage import Leakage, find_leakage, leakage_json
from core.data.profile.passage import longest_passage
from core.data.profile.progress import Cancelled
from tests.core.data.profile.made import chat, views

LONG = "the committee of seven met on a cold tuesday morning and decided after long debate to plant forty new trees"


def _find(evaluation: list[dict], train: list[dict], **more: object) -> Leakage:
    return find_leakage(lambda: views(evaluation), lambda: views(train), **more)  # type: ignore[arg-type]


def test_each_kind_with_its_passage_and_id() -> None:
    evaluation = [
        {"id": "same", "text": "What is it?", "label": "x"},
        {"id": "case", "text": "WHAT  was it?", "label": "x"},
        {"id": "inside", "text": LONG, "label": "x"},
        {"text": "nothing like that stands over there in any of those rows at all", "label": "x"},
    ]
    train = [
        chat("no", "no"),
        chat("What is it?", "y"),
        chat("what was it?", "y"),
        chat(f"Rate this: {LONG.upper()}!", "y"),
    ]
    found = _find(evaluation, train)
    assert [(row.id, row.line, row.kind, row.train_line) for row in found.rows] == [
        ("same", 1, "exact", 2), ("case", 2, "normalised", 3), ("inside", 3, "overlap", 4),
    ]  # fmt: skip
    assert found.leave_out == ("same", "case", "inside")
    assert found.share == 0.75 and found.counts == {"exact": 1, "normalised": 1, "overlap": 1}
    passage = found.rows[2].passage
    assert passage is not None and passage.text == LONG and passage.words == len(LONG.split())
    assert (passage.start, passage.end, passage.train_start) == (0, len(LONG), len("Rate this: "))


def test_a_row_without_an_id_is_left_out_by_its_line() -> None:
    assert _find([{"text": "a b"}, {"text": "c d"}], [{"text": "c d"}]).leave_out == ("2",)


def test_the_share_of_runs_decides() -> None:
    words = LONG.split()
    half = [*words[:16], *(f"other{k}" for k in range(20))]
    evaluation = [{"text": " ".join(half)}]
    found = _find(evaluation, [{"text": LONG}])
    assert found.rows == () and found.touched == 1
    share = 4 / (36 - 13 + 1)  # 16 words hold 4 runs of 13
    leaked = _find(evaluation, [{"text": LONG}], least_share=share)
    assert leaked.rows[0].share == pytest.approx(share)


def test_shares_are_those_of_a_slow_count() -> None:
    rng = np.random.default_rng(1)
    train = [[f"w{k}" for k in rng.integers(0, 4, 30)] for _ in range(20)]
    evaluation = [[f"w{k}" for k in rng.integers(0, 4, rng.integers(6, 20))] for _ in range(19)]
    seen = {n: {tuple(row[k : k + n]) for row in train for k in range(len(row) - n + 1)} for n in (5,)}
    found = _find([{"text": " ".join(row)} for row in evaluation], [{"text": " ".join(row)} for row in train],
                  words_a_run=5, least_share=1e-9)  # fmt: skip
    shares = {row.line: row.share for row in found.rows}
    for line, row in enumerate(evaluation, start=1):
        runs = [tuple(row[k : k + 5]) for k in range(len(row) - 4)]
        expected = sum(run in seen[5] for run in runs) / len(runs)
        assert shares.get(line, 0) == pytest.approx(expected)
    assert 0 < len(shares) < 20


def test_short_rows_are_compared_as_a_whole() -> None:
    evaluation = [{"text": "seven words that stand inside a row"}, {"text": "only five words stand here"}]
    found = _find(
        evaluation, [{"text": "see: seven words that stand inside a row, and only five words stand here too"}]
    )
    assert [row.line for row in found.rows] == [1]


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "今天天气很好我们一起去公园散步然后回家吃饭再看一部电影"
    found = _find([{"text": text}, {"text": text[:9]}], [chat(f"请翻译：{text}。", "ok")])
    assert [(row.line, row.kind) for row in found.rows] == [(1, "overlap")]
    passage = found.rows[0].passage
    assert passage is not None and passage.text == text and passage.train_start == 4


def test_the_evaluation_files_own_template_is_no_leak() -> None:
    template = "Please read the following review with care and then say whether it is positive or negative in one word:"
    evaluation = [{"text": f"{template} item{k}"} for k in range(40)]
    found = _find(evaluation, [chat(f"{template} something else", "positive")])
    assert found.rows == () and found.touched == 0
    assert found.common_runs == len(template.split()) - 13 + 1


def test_system_prompts_are_not_compared() -> None:
    found = _find([chat("short", "a", system=LONG)], [chat("other", "b", system=LONG)])
    assert found.rows == ()


def test_the_training_line_with_most_of_the_row_is_named() -> None:
    train = [{"text": " ".join(LONG.split()[:14])}, {"text": "x"}, {"text": f"{LONG} again"}]
    assert _find([{"text": f"{LONG} tomorrow"}], train).rows[0].train_line == 3


def test_the_first_training_line_of_several_equal_ones_is_named() -> None:
    train = [{"text": "x"}, *([{"text": f"{LONG} again"}] * 3), {"text": LONG}]
    assert _find([{"text": f"{LONG} tomorrow"}], train).rows[0].train_line == 2
    assert [(row.kind, row.train_line) for row in _find([{"text": LONG}], train).rows] == [("exact", 5)]


def test_empty_files_and_rows() -> None:
    nothing = _find([], [{"text": "a"}])
    assert nothing.share is None and nothing.rows == ()
    assert _find([{"text": ""}, {"text": "  "}, {}], [{"text": ""}, {}]).rows == ()
    assert _find([{"text": LONG}], []).train_rows == 0


def test_lists_are_bounded_and_counts_are_of_all() -> None:
    rows = [{"id": str(k), "text": f"question number {k}"} for k in range(300)]
    found = _find(rows, rows)
    content = leakage_json(found, most_ids=10)
    assert len(found.rows) == 200 and found.counts["exact"] == 300
    assert len(content["leave_out"]) == 10 and content["n_leave_out"] == 300


def test_stopping() -> None:
    with pytest.raises(Cancelled, match="leakage, after 1000"):
        _find([{"text": "a"}], [{"text": "b"}] * 1500, progress=lambda step, rows: False)


def test_runs_of_one_word_are_refused() -> None:
    with pytest.raises(ValueError, match="words_a_run is at least 2; found 1"):
        _find([{"text": "a"}], [], words_a_run=1)


@given(st.lists(st.sampled_from("abc"), max_size=14), st.lists(st.sampled_from("abC"), max_size=14))
def test_the_longest_passage_is_that_of_a_slow_search(one: list[str], other: list[str]) -> None:
    text, train = " ".join(one), "  ".join(other)
    folded = [word.casefold() for word in other]
    best = max(
        (n for n in range(len(one) + 1) for k in range(len(one) - n + 1)
         for j in range(len(other) - n + 1) if one[k : k + n] == folded[j : j + n]), default=0,
    )  # fmt: skip
    found = longest_passage(text, train)
    assert (found.words if found else 0) == best
    if found:
        assert text[found.start : found.end].split() == train[found.train_start : found.train_end].casefold().split()


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    train = [{"text": " ".join(f"w{k}" for k in rng.integers(0, 50, 30))} for _ in range(40)]
    evaluation = [{"text": f"{row['text']} more"} for row in train[::3]]
    whole = _find(evaluation, train)
    monkeypatch.setattr(leakage, "WORDS_A_BATCH", 50)
    monkeypatch.setattr(runs, "_ROWS_A_BATCH", 2)
    assert _find(evaluation, train) == whole
    assert whole.counts["overlap"] == len(evaluation)
    assert [row.train_line for row in whole.rows] == list(range(1, 41, 3))
