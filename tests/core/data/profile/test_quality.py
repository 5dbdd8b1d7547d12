from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.profile import patterns
from core.data.profile.progress import Cancelled
from core.data.profile.quality import FINDINGS, find_outliers
from tests.core.data.profile.made import chat, views

GOOD = "A sentence of ordinary words that nobody would look at twice."


def _codes(row: dict[str, Any]) -> dict[str, str]:
    found = find_outliers(views([row, *([chat("What is the way?", GOOD)] * 3)]))
    return {one.code: one.examples[0].excerpt for one in found.findings}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (chat("q?", " \n"), "empty-answer"),
        (chat("q?", "ok"), "short-answer"),
        (chat("q?", "I'm sorry, but I can't help with that."), "refusal"),
        (chat("q?", "As an AI language model, I do not eat."), "refusal"),
        (chat("q?", "抱歉，我无法提供这方面的信息。"), "refusal"),
        (chat("q?", "Es tut mir leid, aber ich kann das nicht."), "refusal"),
        (chat("q?", "Lo siento, pero no puedo ayudarte."), "refusal"),
        (chat("q?", "申し訳ありませんが、お答えできません。"), "refusal"),
        (chat("Say this  again", "say this again"), "answer-equals-prompt"),
        (chat("q?", "we will do it now " * 12), "repetition"),
        (chat("q?", "ha" + "a" * 60), "repetition"),
        (chat("q?", "今天很好啊" * 10), "repetition"),
        (chat("q?", "Le cafÃ© est fermÃ©."), "mojibake"),
        (chat("q?", "It\u00e2\u20ac\u2122s fine by me."), "mojibake"),
        (chat("q?", "ä½\u00a0å¥½，朋友们"), "mojibake"),
        (chat("q?", "broken \ufffd character"), "mojibake"),
        (chat("q?", "a bell \x07 rings"), "control-characters"),
        (chat("q?", "turned \u202e round, é"), "control-characters"),
        (chat("q?", "write to jane.doe@example.com now"), "email"),
        (chat("q?", "call +49 30 1234567 today"), "phone"),
        (chat("q?", "call (415) 555-0132 today"), "phone"),
        (chat("q?", "请打 13812345678 联系"), "phone"),
        (chat("q?", "export AWS_KEY=AKIAIOSFODNN7EXAMPLE"), "secret"),
        (chat("q?", "token ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"), "secret"),
        (chat("q?", "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"), "secret"),
        (chat("q?", "use sk-proj-" + "a1B2c3D4e5F6g7H8i9J0k1L2"), "secret"),
        (chat("q?", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"), "secret"),
        (chat("q?", 'password = "xK9#mQ2$vL8@pR5!"'), "secret"),
        (chat("q?", "postgresql://admin:hunter22@db.internal/x"), "secret"),
    ],
)  # fmt: skip
def test_each_peculiarity_is_found_alone(row: dict[str, Any], code: str) -> None:
    assert set(_codes(row)) == {code}


@pytest.mark.parametrize(
    "text",
    [
        GOOD, "On 2024-01-02 at 10:30 we paid 1,234,567.89 for 12345678 units (version 1.2.3).", "Straße, naïve, CAFÉ, «MAÇû, 10 °C",
        "ÀÉÎÕÜ à é î õ ü ß Ã Â", "Привет, как дела? Добрый день!", "今天天气很好", "if (x == 10) { return y[3]; }\n\tindent\r\n",
        "The password is not written here; the token bucket algorithm is.", "api_key = your_api_key_goes_here", "@mention and a@b",
        "----------------------------------------------------------------", "I can't believe it!", "skill sk-ip hf_ AKIA",
    ],
)  # fmt: skip
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert _codes(chat("What about it?", text)) == {}


def test_what_is_personal_or_secret_is_masked() -> None:
    key = "AKIAIOSFODNN7EXAMPLE"
    codes = _codes(chat(f"mail bob@secret-company.org or +44 20 7946 0958, key {key}", GOOD))
    shown = " ".join(codes.values())
    assert set(codes) == {"email", "phone", "secret"}
    assert not any(piece in shown for piece in ("bob", "secret-company", "7946", key[4:]))
    assert "AKIA\u2026 (20 characters)" in codes["secret"]
    assert patterns.masked("short12") == "s\u2026 (7 characters)"


def test_counts_shares_and_lines() -> None:
    rows = [chat("why?", ""), chat("why?", GOOD), {"text": "to a@b.example"}, chat("why?", "")]
    found = find_outliers(views(rows))
    assert (found.rows, found.answers) == (4, 3)
    empty, mail = found.findings
    assert (empty.code, empty.rows, empty.share, empty.lines) == ("empty-answer", 2, pytest.approx(2 / 3), (1, 4))
    assert (mail.code, mail.rows, mail.share, mail.examples[0].role) == ("email", 1, 0.25, "text")
    assert mail.message == FINDINGS["email"]


def test_short_answers_that_many_rows_share_are_labels() -> None:
    rows = [chat("Which letter?", letter) for letter in "ABABABABABABXB"]
    found = find_outliers(views(rows)).findings
    assert [(one.code, one.rows, one.lines, one.examples[0].excerpt) for one in found] == [
        ("short-answer", 1, (13,), "X")
    ]


def test_lists_are_bounded() -> None:
    found = find_outliers(views([chat("why?", "")] * 1500)).findings[0]
    assert (found.rows, len(found.lines), len(found.examples)) == (1500, 1000, 20)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        " ",
        "a.",
        "a@",
        "+1 ",
        "0",
        "(1) ",
        "-",
        "eyJ",
        "eyJa.",
        "://",
        "a://b:",
        "password=",
        "Ã",
        "â€",
        "抱歉",
        "a1_",
        "@a.",
    ],
)
def test_hostile_texts_are_read_to_their_end(piece: str) -> None:
    """A pattern that is quadratic in the text would not come back from these in minutes."""
    assert "control-characters" in _codes(chat("why?", piece * 200_000 + " \x07"))


@pytest.mark.parametrize(("hints", "phrase"), patterns.REFUSALS)
def test_every_refusal_holds_one_of_its_pieces(hints: tuple[str, ...], phrase: re.Pattern[str]) -> None:
    @given(st.from_regex(phrase, fullmatch=True))
    @settings(max_examples=30, deadline=None, database=None)
    def holds(text: str) -> None:
        assert any(hint in text for hint in hints)
        assert patterns.is_refusal(text) or text.casefold() != text  # which may grow by it

    holds()


def test_entropy_is_shannons() -> None:
    assert patterns.entropy("") == 0
    assert patterns.entropy("aaaa") == 0
    assert patterns.entropy("abcd") == pytest.approx(2)
    assert patterns.entropy("aab") == pytest.approx(-(2 / 3) * math.log2(2 / 3) - (1 / 3) * math.log2(1 / 3))


def test_stopping() -> None:
    with pytest.raises(Cancelled, match="quality"):
        find_outliers(views([chat("a", "b")] * 10_000), progress=lambda step, rows: False)
