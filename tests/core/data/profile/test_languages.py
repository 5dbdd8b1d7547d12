from __future__ import annotations

import pytest

from core.data.profile import languages
from core.data.profile.languages import find_languages, main_script
from tests.core.data.profile.made import chat, views

TEXTS = {
    "en": "The weather was fine and we walked along the river until evening.",
    "zh": "今天天气很好，我们沿着河边一直走到晚上才回家吃饭。",
    "de": "Das Wetter war schön, und wir gingen bis zum Abend am Fluss entlang.",
    "ru": "Погода была прекрасной, и мы гуляли вдоль реки до самого вечера.",
    "ja": "天気がよかったので、夕方まで川沿いを歩きました。",
}


@pytest.mark.parametrize(
    ("text", "script"),
    [("Hello", "Latin"), ("Привет", "Cyrillic"), ("你好 GPT", "Latin"), ("你好吗 AI", "Han"), ("東京に行きます", "Kana"),
     ("안녕하세요", "Hangul"), ("नमस्ते", "Devanagari"), ("مرحبا", "Arabic"), ("123 !?", None), ("", None), ("😀", None)],
)  # fmt: skip
def test_the_script_of_most_letters(text: str, script: str | None) -> None:
    assert main_script(text) == script


def test_the_mix_of_languages_and_scripts() -> None:
    rows = [{"text": TEXTS["en"]}] * 3 + [{"text": text} for text in TEXTS.values()] + [{"text": "ok"}, {"text": " "}]
    found = find_languages(views(rows))
    assert {part.name: part.rows for part in found.languages} == {
        "en": 4, "zh": 1, "de": 1, "ru": 1, "ja": 1, "undetermined": 1,
    }  # fmt: skip
    assert {part.name: part.rows for part in found.scripts} == {"Latin": 6, "Han": 1, "Cyrillic": 1, "Kana": 1}
    assert found.languages[0].lines == (1, 2, 3, 4) and found.languages[0].share == pytest.approx(4 / 9)
    assert (found.rows, found.sampled) == (9, False)
    assert dict(found.top_words)["the"] == 8


def test_an_empty_file_has_no_language() -> None:
    found = find_languages([])
    assert (found.rows, found.languages, found.scripts, found.top_words) == (0, (), (), ())


def test_a_long_file_is_sampled_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "ROWS_READ", 3)
    found = find_languages(views([chat(TEXTS["en"], "b")] * 5))
    assert (found.rows, found.sampled) == (3, True)
