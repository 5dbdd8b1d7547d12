from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu
from scipy.stats.contingency import association

from core.data.profile.compare_files import compare_files
from core.data.profile.vocabulary import VocabularySample, divergence_parts, vocabulary_shift
from core.stats.multiple import holm
from tests.core.data.profile.made import chat, renderer, view, views


def _rows(rng: np.random.Generator, n: int, words: str, labels: str, size: int) -> list[dict]:
    return [
        {"text": " ".join(rng.choice(words.split(), rng.integers(3, size))), "label": str(rng.choice(list(labels)))}
        for _ in range(n)
    ]


def test_each_shift_has_the_referees_test_and_effect_size() -> None:
    rng = np.random.default_rng(0)
    one = _rows(rng, 80, "the cat sat on a mat with some tea", "aab", 12)
    other = _rows(rng, 60, "the dog ran in a park with some tea", "abbc", 20)
    found = compare_files(views(one), views(other))
    lengths = [np.array([len(f"{row['text']}\n{row['label']}") for row in rows]) for rows in (one, other)]
    more = np.sign(lengths[1][:, None] - lengths[0][None, :]).mean()
    assert found.length.p == pytest.approx(mannwhitneyu(lengths[0], lengths[1], method="asymptotic")[1])
    assert found.length.cliffs_delta == pytest.approx(more)
    assert found.length.ks_statistic == pytest.approx(ks_2samp(lengths[0], lengths[1])[0])
    assert (found.length.unit, found.length.rows) == ("characters", (80, 60))
    table = next(one for one in found.tables if one.field == "label")
    counts = np.array([row[1:] for row in table.values])
    test = chi2_contingency(counts, correction=False)
    assert (table.chi_squared, table.p) == (pytest.approx(test[0]), pytest.approx(test[1]))
    assert table.cramers_v == pytest.approx(association(counts, method="cramer"))
    assert dict((value, (a, b)) for value, a, b in table.values)["c"] == (0, sum(row["label"] == "c" for row in other))
    raw = [found.length.p, *(one.p for one in found.tables), found.vocabulary.p]
    adjusted = [found.length.p_adjusted, *(one.p_adjusted for one in found.tables), found.vocabulary.p_adjusted]
    expected = holm([np.nan if p is None else p for p in raw])
    assert [np.nan if p is None else p for p in adjusted] == pytest.approx(expected.tolist(), nan_ok=True)
    assert {word.word for word in found.vocabulary.more_in_first[:3]} <= {"cat", "sat", "on", "mat"}
    assert {word.word for word in found.vocabulary.more_in_second[:3]} <= {"dog", "ran", "in", "park"}
    assert found.vocabulary.p == pytest.approx(1 / 500)


def test_a_file_against_itself_has_not_shifted() -> None:
    rows = _rows(np.random.default_rng(1), 50, "one two three four five six", "ab", 9)
    found = compare_files(views(rows), views(rows))
    assert found.length.cliffs_delta == 0 and found.length.p == pytest.approx(1)
    assert found.vocabulary.divergence_bits == pytest.approx(0, abs=1e-12)
    assert found.vocabulary.p == pytest.approx(1)
    assert all(one.p is None or one.p == pytest.approx(1) for one in found.tables)


def test_two_halves_of_one_source_are_rarely_told_apart() -> None:
    rejected = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        samples = []
        for part in (0, 1):
            sample = VocabularySample(part)
            for row in _rows(rng, 30, "one two three four five six seven", "ab", 9):
                sample.add(view(row))
            samples.append(sample)
        p = vocabulary_shift(*samples, seed=seed).p
        rejected += p is not None and p <= 0.05
    assert rejected <= 4  # 20 tests at 5 %: more than 4 rejections have a probability of 0.3 %


def test_swapping_the_files_turns_the_signs_and_keeps_the_p_values() -> None:
    rng = np.random.default_rng(2)
    one, other = _rows(rng, 40, "red green blue", "ab", 6), _rows(rng, 30, "red green pink", "abc", 9)
    there, back = compare_files(views(one), views(other)), compare_files(views(other), views(one))
    assert there.length.cliffs_delta == pytest.approx(-(back.length.cliffs_delta or 0))
    assert there.length.p == pytest.approx(back.length.p)
    assert there.vocabulary.divergence_bits == pytest.approx(back.vocabulary.divergence_bits)
    assert [word.word for word in there.vocabulary.more_in_first] == [
        word.word for word in back.vocabulary.more_in_second
    ]


def test_the_divergence_is_scipys() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 9, (2, 5, 12)).astype(float)
    found = divergence_parts(first, second).sum(axis=1)
    expected = [jensenshannon(p, q, base=2) ** 2 for p, q in zip(first, second, strict=True)]
    assert found == pytest.approx(expected)


def test_empty_files_have_no_p_values() -> None:
    found = compare_files([], views([{"text": "a b c"}]))
    assert (found.length.p, found.length.cliffs_delta, found.vocabulary.p, found.vocabulary.divergence_bits) == (
        None,
    ) * 4
    assert all(one.p is None for one in found.tables)


def test_values_that_do_not_vary_have_no_test() -> None:
    rows = views([{"text": "hello there my good friend of old"}] * 4)
    found = {one.field: one for one in compare_files(rows, rows).tables}
    assert found["script"].p is None and "one value only" in str(found["script"].note)


def test_few_expected_counts_are_said() -> None:
    one, other = ([{"text": "x", "label": label} for label in labels] for labels in ("aabb", "aaab"))
    label = next(table for table in compare_files(views(one), views(other)).tables if table.field == "label")
    assert label.note == "4 of 4 expected counts are below 5: the p-value is rough."


def test_chinese_and_lengths_in_tokens(tmp_path: Path) -> None:
    one, other = (
        [chat("你好吗朋友", "我很好谢谢你")] * 5,
        [chat("hello my dear friend", "fine, thank you very much")] * 5,
    )
    found = compare_files(views(one), views(other), renderer=renderer(tmp_path))
    assert found.length.unit == "tokens" and found.length.cliffs_delta == 1
    assert {table.field for table in found.tables} == {"language", "script"}
    assert found.vocabulary.divergence_bits == pytest.approx(1)
    assert "好" in {word.word for word in found.vocabulary.more_in_first}
