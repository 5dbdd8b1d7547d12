from __future__ import annotations

import pytest
from scipy.stats import entropy

from core.data.profile.labels import evenness, find_labels
from core.data.profile.turns import count_turns
from tests.core.data.profile.made import chat, views


def test_fields_with_few_values_are_labels() -> None:
    rows = [{"id": k, "text": f"t{k}", "label": "ab"[k % 3 > 0], "score": k / 7, "source": f"s{k}", "flag": k > 4}
            for k in range(9)]  # fmt: skip
    found = {one.field: one for one in find_labels(views(rows))}
    assert set(found) == {"label", "flag"}
    assert [(one.value, one.rows, one.share) for one in found["label"].values] == [
        ("b", 6, pytest.approx(2 / 3)), ("a", 3, pytest.approx(1 / 3)),
    ]  # fmt: skip
    assert found["label"].values[1].lines == (1, 4, 7)
    assert found["label"].evenness == pytest.approx(entropy([6, 3], base=2))
    assert {one.value for one in found["flag"].values} == {"true", "false"}


def test_answers_that_are_labels_are_counted() -> None:
    found = find_labels(views([chat(f"Which {k}?", "yes" if k % 2 else "no ") for k in range(8)]))
    assert [(one.field, one.rows) for one in found] == [("(answer)", 8)]
    assert find_labels(views([chat("q", f"answer {k}") for k in range(60)])) == ()


def test_long_values_and_many_values_are_no_labels() -> None:
    rows = [{"text": str(k), "note": "x" * 81, "place": str(k % 51)} for k in range(200)]
    assert find_labels(views(rows)) == ()


def test_evenness() -> None:
    assert evenness({"a": 5}) == 1 and evenness({}) == 1
    assert evenness({"a": 4, "b": 4}) == pytest.approx(1)
    assert evenness({"a": 9, "b": 1}) == pytest.approx(entropy([9, 1], base=2))


def test_turns_and_system_prompts() -> None:
    rows = [chat("a", "b", system="kind"), chat("a", "b", "c", "d", system="kind"), chat("a", "b"), {"text": "t"},
            chat("a", "b", system="x" * 900)]  # fmt: skip
    found = count_turns(views(rows))
    assert found.conversations == 4
    assert found.histogram == ((2, 3), (4, 1)) and found.mean == 2.5
    assert (found.without_system_prompt, found.distinct_system_prompts) == (1, 2)
    first, second = found.system_prompts
    assert (first.text, first.rows, first.share, first.first_line) == ("kind", 2, 0.5, 1)
    assert len(second.text) == 500


def test_no_conversations() -> None:
    found = count_turns(views([{"text": "t"}]))
    assert (found.conversations, found.mean, found.system_prompts) == (0, None, ())


def test_very_long_conversations_share_the_last_bin() -> None:
    assert count_turns(views([chat(*"x" * 80)])).histogram == ((50, 1),)
