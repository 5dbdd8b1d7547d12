from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.profile.lengths import Lengths, Unrendered
from core.data.profile.progress import Cancelled
from core.data.profile.tokenise import token_lengths
from tests.core.data.profile.made import chat, renderer, views


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _made(totals: list[int], prompts: list[int] | None = None) -> Lengths:
    return Lengths(
        np.arange(1, len(totals) + 1, dtype=np.int32), np.array(totals, dtype=np.int32),
        np.array(prompts if prompts is not None else [-1] * len(totals), dtype=np.int32),
        (), Unrendered(0, "", ()), (), "t",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=30), st.integers(1, 31))
def test_a_cut_counts_what_a_loop_counts(rows: list[tuple[int, int]], size: int) -> None:
    totals = [prompt + answer for prompt, answer in rows]
    cut = _made(totals, [prompt for prompt, _ in rows]).cut(size)
    assert cut.rows == sum(total > size for total in totals)
    assert cut.tokens_lost == sum(max(0, total - size) for total in totals)
    assert cut.answers_lost == sum(prompt >= size and answer > 0 for prompt, answer in rows)
    assert set(cut.lines) == {line for line, total in enumerate(totals, start=1) if total > size}


@given(st.lists(st.integers(0, 500), min_size=1, max_size=50), st.integers(1, 60))
def test_percentiles_are_numpys_and_histograms_hold_every_row(totals: list[int], bins: int) -> None:
    made = _made(totals)
    for name, value in made.percentiles().items():
        assert value == np.percentile(totals, int(name[1:]), method="inverted_cdf")
    edges, counts = made.histogram(bins)
    assert sum(counts) == len(totals)
    assert edges[0] == min(totals) and edges[-1] == max(totals) + 1


def test_a_file_without_rows_has_no_shares() -> None:
    empty = _made([])
    assert empty.cut(8).share is None and empty.cut(8).share_of_tokens is None
    assert empty.percentiles() == {} and empty.histogram() == ((), ())
    assert empty.to_json(8)["rows"] == 0


def test_a_cut_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1; found 0"):
        _made([1]).cut(0)


def test_a_conversation_is_as_long_as_the_template_makes_it(tmp_path: Path) -> None:
    one = renderer(tmp_path / "t")
    rows = [chat("hello", "你好 😀", system="user"), chat("a", "b", "c", "d")]
    found = token_lengths(views(rows), one)
    texts = [one.render(row["messages"], add_generation_prompt=False) for row in rows]
    assert found.totals.tolist() == [len(one.encode(text).ids) for text in texts]
    assert found.lines.tolist() == [1, 2]
    roles = {role.role: (role.tokens, role.turns) for role in found.roles}
    assert roles["system"] == (4, 1)  # "user", which also stands in a header
    assert roles["user"] == (5 + 1 + 1, 3)
    assert roles["assistant"] == (len("你好 😀".encode()) + 2, 3)
    assert sum(tokens for tokens, _ in roles.values()) == found.tokens
    before = [one.render(row["messages"][:-1]) for row in rows]
    assert found.prompts.tolist() == [len(one.encode(text).ids) for text in before]


def test_plain_texts_get_their_end_and_what_the_tokenizer_puts_before_them(tmp_path: Path) -> None:
    rows = [{"text": "abc"}, {"text": "abc<|im_end|>"}, {"prompt": "ab", "completion": "cd"}]
    found = token_lengths(views(rows), renderer(tmp_path / "t", bos=True))
    assert found.totals.tolist() == [5, 5, 6]
    assert found.prompts.tolist() == [-1, -1, 3]


def test_a_template_that_alters_the_words_still_gives_each_role_its_tokens(tmp_path: Path) -> None:
    template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] | trim }}{% endfor %}"
    found = token_lengths(views([chat("  user ", "yes")]), renderer(tmp_path / "t", template))
    assert {role.role: role.tokens for role in found.roles} == {"user": 4, "assistant": 3, "template": 17}


def test_rows_that_the_template_refuses_are_counted_with_the_reason(tmp_path: Path) -> None:
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}x"
    rows = [chat("q", "a"), chat("q", "a", system="s"), {"messages": [{"role": "user", "content": "q"}, {"role": "x"}]}]
    found = token_lengths(views(rows), renderer(tmp_path / "t", template))
    assert found.lines.tolist() == [1, 3]
    assert found.unrendered.count == 1 and found.unrendered.lines == (2,)
    assert "no system role" in found.unrendered.reason


def test_a_template_that_cannot_take_a_null_content_refuses_that_row_alone(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m['role'] + m['content'] }}{% endfor %}"
    rows = [chat("q", "a"), {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None}]}]
    found = token_lengths(views(rows), renderer(tmp_path / "t", template))
    assert found.lines.tolist() == [1] and found.unrendered.lines == (2,)


def test_without_a_template_the_words_are_counted_and_it_is_said(tmp_path: Path) -> None:
    found = token_lengths(views([chat("ab", "cd")]), renderer(tmp_path / "t", None))
    assert found.totals.tolist() == [5]
    assert "no chat template" in found.notes[0]


def test_lengths_are_kept_for_the_file_and_the_tokenizer(tmp_path: Path) -> None:
    one = renderer(tmp_path / "t")
    rows = views([chat("q", "a"), chat("q", "long answer")])
    first = token_lengths(rows, one, file_hash="f")

    def unread() -> object:
        raise AssertionError("the file was read again")
        yield

    kept = token_lengths(unread(), one, file_hash="f")  # type: ignore[arg-type]
    assert kept.to_json(8) == first.to_json(8)
    other = token_lengths(rows[:1], renderer(tmp_path / "u", PLAIN_WITH_MORE), file_hash="f")
    assert len(other.totals) == 1
    next((tmp_path / "cache" / "lengths").glob("*.npz")).write_bytes(b"broken")
    assert token_lengths(rows, one, file_hash="f").totals.tolist() == first.totals.tolist()


PLAIN_WITH_MORE = "{% for m in messages %}{{ m['content'] }}!{% endfor %}"


def test_progress_is_told_and_can_stop_the_work_and_nothing_is_kept(tmp_path: Path) -> None:
    one, seen = renderer(tmp_path / "t"), []

    def stop(step: str, rows: int) -> bool:
        seen.append((step, rows))
        return False

    with pytest.raises(Cancelled, match="token lengths, after 256 rows"):
        token_lengths(views([chat("q", "a")] * 600), one, file_hash="f", progress=stop)
    assert seen == [("token lengths", 256)]
    assert not list((tmp_path / "cache").rglob("*.npz"))
