"""Names, guidelines and comments as people write them."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.ratings.texts import check_comment, check_guidelines, check_name, clean, name_key


@pytest.mark.parametrize(
    "name", ["Ana", "<script>alert(1)</script>", "王小明", "🦊 fox", "=cmd()", 'O\'Neil "q"', "a" * 80]
)
def test_names_are_kept_as_written(name: str) -> None:
    assert check_name(f"  {name} ") == name


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "found no name"), ("  \t ", "found no name"), ("x" * 5000, "5,000 characters, expected at most 80"),
     ("a\nb", "line break"), ("a\x07b", "control character")],
)  # fmt: skip
def test_names_that_cannot_be(name: str, said: str) -> None:
    with pytest.raises(InputError, match=f"(?i){said}"):
        check_name(name)


def test_one_person_has_one_key() -> None:
    assert name_key("Ana  Maria") == name_key("ana maria") == name_key("ＡＮＡ maria") != name_key("Anna Maria")


def test_a_store_can_hold_every_text() -> None:
    assert clean("a\x00b\ud800c\r\n  d") == "a\ufffdb\ufffdc\r\n  d"


@pytest.mark.parametrize(
    "text",
    ["ok\n<script>alert(1)</script>", "a\n<img src=x onerror=alert(1)>", "x\n[y](javascript:alert(1))", "q\n<IFRAME src=/>",
     "1\n< script >", "z\n[a](data:text/html;base64,AAAA)"],
)  # fmt: skip
def test_guidelines_with_a_script_are_refused_by_line(text: str) -> None:
    with pytest.raises(InputError, match="Guidelines, line 2: found"):
        check_guidelines(text)


def test_guidelines_are_markdown() -> None:
    text = "# Rules\n\n- *short* is < long\n- see [this](https://example.org)\n- `if x > 3:` 好"
    assert check_guidelines(text + "\n") == text
    with pytest.raises(InputError, match="100,001 characters"):
        check_guidelines("a" * 100_001)


def test_comments_have_an_end() -> None:
    assert check_comment(None) == "" and check_comment(" 好 ") == "好"
    with pytest.raises(InputError, match="reason of 10,001 characters"):
        check_comment("a" * 10_001, "reason")
