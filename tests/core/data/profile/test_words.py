from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.data.profile.words import (
    ngram_hashes,
    normalised,
    run_hashes,
    text_hash,
    word_hashes,
    words,
    writes_without_spaces,
)

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


def test_words_are_runs_of_letters_and_characters_of_scripts_without_spaces() -> None:
    assert words("Don't stop_me 42!") == [b"don", b"t", b"stop_me", b"42"]
    assert [word.decode() for word in words("今天 GPT4 很好")] == ["今", "天", "gpt4", "很", "好"]
    assert words(" \n!?") == []


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_the_fast_way_for_ascii_says_the_same_as_the_pattern(text: str) -> None:
    slow = [word.decode() for word in words(text + " é")][:-1]
    assert [word.decode() for word in words(text)] == slow


@given(st.lists(st.lists(st.integers(0, 5), max_size=9), max_size=6), st.integers(1, 5))
def test_runs_have_equal_hashes_exactly_where_their_words_are_equal(rows: list[list[int]], n: int) -> None:
    hashes, offsets = ngram_hashes([np.array(row, dtype=np.uint64) * 7919 + 1 for row in rows], n)
    seen: dict[int, tuple[int, ...]] = {}
    assert len(offsets) == len(rows) + 1 and offsets[-1] == len(hashes)
    for row, start, end in zip(rows, offsets, offsets[1:], strict=False):
        runs = [tuple(row[k : k + n]) for k in range(max(1, len(row) - n + 1))]
        assert end - start == len(runs)
        for run, value in zip(runs, hashes[start:end].tolist(), strict=True):
            assert seen.setdefault(value, run) == run
    assert len(seen) == len({run for run in seen.values()})


def test_a_runs_hash_does_not_depend_on_where_it_stands() -> None:
    values = np.array([5, 6, 7, 1, 5, 6, 7], dtype=np.uint64)
    hashes = run_hashes(values, 3)
    assert hashes[0] == hashes[4]
    assert len(set(hashes.tolist())) == 4


def test_hashes_are_the_same_in_another_process() -> None:
    code = (
        "from core.data.profile.words import text_hash, word_hashes; print(text_hash('é'), word_hashes('a b').tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{text_hash('é')} {word_hashes('a b').tolist()}"


def test_normalised_texts() -> None:
    assert normalised("  Ｆｕｌｌ\u00a0 Width\n") == "full width"
    assert normalised("STRASSE") == normalised("Straße")


@given(TEXT)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert " ".join(once.split()) == once
    assert 0 <= text_hash(text) < 2**63


def test_scripts_without_spaces() -> None:
    assert writes_without_spaces("今天天气很好")
    assert writes_without_spaces("สวัสดีครับ")
    assert not writes_without_spaces("한국어 문장입니다")
    assert not writes_without_spaces("the word 中 alone")
