from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core.data.profile import near
from core.data.profile.duplicates import DuplicateFinder, find_duplicates
from core.data.profile.near import candidate_pairs
from core.data.profile.progress import Cancelled
from tests.core.data.profile.made import chat, view, views


def _words(rng: np.random.Generator, n: int) -> list[str]:
    return [f"w{number}" for number in rng.integers(0, 5000, n)]


def _jaccard(one: list[str], other: list[str]) -> float:
    a, b = (set(zip(x, x[1:], x[2:], strict=False)) for x in (one, other))
    return len(a & b) / len(a | b)


def test_groups_are_the_connected_pairs_of_at_least_the_threshold() -> None:
    """The referee compares every pair."""
    rng = np.random.default_rng(3)
    texts = [_words(rng, 60) for _ in range(60)]
    for _ in range(90):
        copy = list(texts[rng.integers(len(texts))])
        for place in rng.integers(0, len(copy), rng.integers(1, 6)):
            copy[place] = f"new{rng.integers(1000)}"
        texts.append(copy)
    group = list(range(len(texts)))
    clear = True
    for i, j in combinations(range(len(texts)), 2):
        similarity = _jaccard(texts[i], texts[j])
        clear = clear and not 0.78 < similarity < 0.8
        if similarity >= 0.8:
            old, new = group[i], group[j]
            group = [new if one == old else one for one in group]
    expected = {
        tuple(line for line, one in enumerate(group, start=1) if one == label)
        for label in set(group) if group.count(label) > 1
    }  # fmt: skip
    found = find_duplicates(views([{"text": " ".join(text)} for text in texts]))
    assert {one.lines for one in found.groups} == expected
    assert len(expected) > 10
    assert found.n_groups == len(expected)
    assert found.near_rows == sum(len(lines) - 1 for lines in expected)
    assert all(one.similarity is not None and 0.8 <= one.similarity < 1 for one in found.groups if one.kind == "near")


def test_kinds_of_groups() -> None:
    base = "the quick brown fox jumps over the lazy dog and sleeps until noon every single day of the week"
    rows = [{"text": base}, {"text": base}, {"text": "Another  TEXT here"}, {"text": "another text\nhere"},
            {"text": "alone"}, {"text": base.replace("week", "year")}]  # fmt: skip
    found = find_duplicates(views(rows))
    assert {(one.kind, one.lines) for one in found.groups} == {("near", (1, 2, 6)), ("normalised", (3, 4))}
    assert (found.rows, found.exact_rows, found.normalised_rows, found.near_rows) == (6, 1, 2, 3)
    exact = find_duplicates(views([chat("a", "b"), chat("c", "d"), chat("a", "b")]))
    assert [(one.kind, one.lines, one.similarity) for one in exact.groups] == [("exact", (1, 3), None)]


def test_the_same_words_in_other_roles_are_not_letter_for_letter_the_same() -> None:
    found = find_duplicates(views([chat("a", "b"), {"prompt": "a", "completion": "b"}]))
    assert [one.kind for one in found.groups] == ["normalised"]


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "今天天气很好我们一起去公园散步然后回家吃饭再看一部电影最后早点睡觉明天还要上班请不要忘记带伞因为可能会下雨所以大家都要小心"
    found = find_duplicates(views([{"text": text}, {"text": text.replace("明", "后")}, {"text": text[::-1]}]))
    assert [(one.kind, one.lines) for one in found.groups] == [("near", (1, 2))]


def test_rows_without_words_are_not_duplicates_of_each_other() -> None:
    found = find_duplicates(views([{"text": " "}, {"text": ""}, {"text": "\n"}, {}, {"text": "!!!"}, {"text": "???"}]))
    assert (found.rows, found.groups, found.near_rows) == (2, (), 0)


def test_no_rows() -> None:
    found = find_duplicates([])
    assert (found.rows, found.groups, found.conflicts) == (0, (), ())


def test_conflicting_answers_for_the_same_input() -> None:
    rows = [{"text": "Good film", "label": "pos"}, {"text": "good  film", "label": "neg"}, {"text": "bad", "label": "neg"},
            {"text": "bad", "label": "neg"}, {"text": "good film", "label": "pos"}]  # fmt: skip
    found = find_duplicates(views(rows))
    assert [(one.count, one.answers, one.lines) for one in found.conflicts] == [(3, 2, (1, 2, 5))]
    assert (found.n_conflicts, found.conflicting_rows) == (1, 3)


def test_a_system_prompt_makes_another_input() -> None:
    rows = [chat("q", "yes", system="be kind"), chat("q", "no", system="be harsh")]
    assert find_duplicates(views(rows)).conflicts == ()


def test_large_groups_are_cut_and_counted() -> None:
    found = find_duplicates(views([{"text": "the same words here"}] * 500))
    assert found.groups[0].count == 500 and len(found.groups[0].lines) == 50


def test_many_nearly_equal_rows_become_one_group() -> None:
    base = [f"word{k}" for k in range(100)]
    rows = [{"text": " ".join([*base, str(k)])} for k in range(300)]
    found = find_duplicates(views(rows))
    assert [one.count for one in found.groups] == [300]


def test_the_answer_does_not_depend_on_chance() -> None:
    rng = np.random.default_rng(0)
    rows = [{"text": " ".join(_words(rng, 12))} for _ in range(50)] * 2
    assert find_duplicates(views(rows)) == find_duplicates(views(rows))


def test_candidates_share_a_key() -> None:
    keys = np.array([5, 1, 5, 2, 1, 5] + [9] * 30)
    pairs = {tuple(pair) for pair in candidate_pairs(keys).tolist()}
    assert {(0, 2), (0, 5), (2, 5), (1, 4)} <= pairs
    assert all(one < other and keys[one] == keys[other] for one, other in pairs)
    assert {one for pair in pairs for one in pair if keys[one] == 9} == set(range(6, 36))
    assert len(pairs) == 4 + 29 + 28


def test_stopping() -> None:
    finder = DuplicateFinder()
    for line in range(1, 4):
        finder.add(view({"text": f"a b c {line}"}, line))
    with pytest.raises(Cancelled, match="near duplicates"):
        finder.result(lambda step, rows: False)


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    texts = [_words(rng, 40) for _ in range(40)]
    rows = [{"text": " ".join(text)} for text in [*texts, *([*text[:-1], "end"] for text in texts)]]
    whole = find_duplicates(views(rows))
    monkeypatch.setattr(near, "WORDS_A_BATCH", 100)
    assert find_duplicates(views(rows)) == whole
    assert whole.n_groups == 40
