from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.answers import MAX_CHARACTERS, Answer, read_answer, read_number
from core.errors import InputError
from core.spec import AnswerRule

OPTIONS = ("return", "return label", "Billing", "退货", "10", "1")


def read(rule: str, text: str, options: tuple[str, ...] = OPTIONS, **more: str) -> Answer:
    return read_answer(AnswerRule.model_validate({"rule": rule, **more}), text, options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("billing", "Billing"),
        ("  **Billing**.\n", "Billing"),
        ("It is about billing, I think.", "Billing"),
        ("The customer wants a return label.", "return label"),  # the longer option, not both
        ("Return Label", "return label"),
        ("我要退货，谢谢", "退货"),
        ("About 10 of them", "10"),
        ("returns", None),  # not a whole word
        ("rebilling", None),
        ("1.5", None),
        ("2,10", None),
        ("billing or return", None),
        ("", None),
        ("I do not know", None),
    ],
)
def test_option(text: str, expected: str | None) -> None:
    answer = read("option", text)
    assert answer.value == expected
    assert (answer.reason is None) == (expected is not None)


def test_option_tells_which_options_compete() -> None:
    assert read("option", "billing or return").reason == "the text names 2 options: Billing, return"


def test_contains_looks_within_words() -> None:
    assert read("contains", "returns").value == "return"
    assert read("contains", "xxBILLINGxx").value == "Billing"
    assert read("contains", "billing return").value is None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"answer: (\w+)", "The answer: billing!", "Billing"),
        (r"billing", "so billing it is", "Billing"),
        (r"a=(\w+)|b=(\w+)", "b=return", "return"),
        (r"answer: (\w+)", "answer: lunch", None),  # none of the options
        (r"answer: (\w+)", "nothing", None),
    ],
)
def test_regex(pattern: str, text: str, expected: str | None) -> None:
    assert read("regex", text, pattern=pattern).value == expected


def test_regex_without_options_gives_what_it_found() -> None:
    assert read("regex", "total 42 euros", (), pattern=r"\d+").value == "42"


def test_a_pattern_that_backtracks_for_ever_is_stopped_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.answers.PATTERN_SECONDS", 0.05)
    with pytest.raises(InputError, match="backtracks"):
        read("regex", "a" * 60 + "b", (), pattern=r"^(a|aa)+$")


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(ValidationError, match=r"pattern '\(' is not a regular expression"):
        read("regex", "x", (), pattern="(")


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("label", 'Sure: {"label": "billing", "why": "x"} ok', "Billing"),
        ("a.b", '{"a": {"b": "return"}}', "return"),
        ("n", '{broken {"n": 10}', "10"),
        ("label", '{"other": 1}', None),
        ("label", '{"label": ["billing"]}', None),
        ("label", "no json", None),
        ("label", "{" * 5000, None),
        ("label", '{"label":' * 2000, None),
    ],
)
def test_json(field: str, text: str, expected: str | None) -> None:
    answer = read("json", text, field=field)
    assert answer.value == expected
    assert (answer.reason is None) == (expected is not None)


def test_json_true_is_true() -> None:
    assert read("json", '{"ok": true}', (), field="ok").value == "true"


def test_only_so_much_of_a_text_is_read() -> None:
    assert read("option", " " * (MAX_CHARACTERS - 8) + " billing").value == "Billing"
    assert read("option", "." * MAX_CHARACTERS + " billing").value is None


def test_option_without_options_is_unreadable() -> None:
    assert "has none" in (read("option", "yes", ()).reason or "")


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7.0), (" 7.5. ", 7.5), ("-2", -2.0), ("seven", None), ("nan", None)]
)
def test_numbers(text: str, number: float | None) -> None:
    value, reason = read_number(Answer(text))
    assert value == number
    assert (reason is None) == (number is not None)
