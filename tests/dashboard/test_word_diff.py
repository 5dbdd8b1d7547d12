"""Word diffs: the text itself is never changed, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.parts import word_diff as module
from dashboard.parts.word_diff import Piece, sendable, word_diff


def _own(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != "del")


def _other(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != "ins")


_WORDS = st.lists(st.sampled_from(["we ", "go", " ", "\n", "好", "home  ", "\u200b", "<b>", "\r"]), max_size=25).map(
    "".join
)


@given(st.one_of(_WORDS, st.text(max_size=40)), st.one_of(_WORDS, st.text(max_size=40)))
def test_both_texts_can_be_read_off_the_pieces(text: str, other: str) -> None:
    pieces = word_diff(text, other).pieces
    assert _own(pieces) == text
    assert _other(pieces) == other


def test_words_that_differ_are_marked_and_the_rest_is_not() -> None:
    assert word_diff("we go home today", "we stay home today").pieces == (
        Piece("same", "we "), Piece("del", "stay "), Piece("ins", "go "), Piece("same", "home today"),
    )  # fmt: skip


def test_texts_without_spaces_are_compared_character_by_character() -> None:
    assert word_diff("我们回家", "我们上班").pieces == (
        Piece("same", "我们"),
        Piece("del", "上班"),
        Piece("ins", "回家"),
    )


def test_the_same_text_has_no_marks() -> None:
    assert word_diff("as it was", "as it was").pieces == (Piece("same", "as it was"),)
    assert word_diff("", "").pieces == ()


def test_texts_too_long_to_compare_are_marked_between_their_common_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPARED_AT_MOST", 3)
    diff = word_diff("start a b c end", "start x y z end")
    assert not diff.complete
    assert diff.pieces == (
        Piece("same", "start "),
        Piece("del", "x y z "),
        Piece("ins", "a b c "),
        Piece("same", "end"),
    )


def test_a_lone_surrogate_can_be_sent() -> None:
    assert sendable("a\ud83db").encode() == "a\ufffdb".encode()
    assert sendable("👩 stays") == "👩 stays"
