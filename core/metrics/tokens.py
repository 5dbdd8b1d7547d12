"""Which tokens the metrics of texts count: words of every script, and sacrebleu's tokenizer for a dataset."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

_BY_CHARACTER = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_WORDS = regex.compile(rf"{_BY_CHARACTER}|[[\p{{L}}\p{{M}}\p{{N}}]--{_BY_CHARACTER}]+", regex.V1)
_LETTERS = regex.compile(r"\p{L}")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_CHINESE_OR_JAPANESE = regex.compile(_BY_CHARACTER)

CHINESE = frozenset({"zh", "yue", "wuu", "lzh", "cmn"})
UNSPACED = frozenset({"ja", "th", "lo", "km", "my"})
"""Languages written without spaces whose words only a dictionary finds."""
MIN_SHARE = 0.1
"""The share of the examples without a stated language that makes a script count as one of the dataset's."""


class EveryScriptTokenizer:
    """Lower-cased runs of letters, marks and numbers of any script; Chinese and Japanese characters one by one.

    rouge_score's own tokenizer drops every letter that is not ASCII. On ASCII texts the two agree. It has the interface
    of ``rouge_score.tokenizers.Tokenizer`` without importing it.
    """

    signature = "every-script"

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text, composed (NFC) and lower-cased."""
        return _WORDS.findall(unicodedata.normalize("NFC", text).lower())


def split_characters(word: str) -> list[str]:
    """Return a word with each Chinese or Japanese character on its own and the runs between them whole."""
    if word.isascii():
        return [word]
    spaced = _CHINESE_OR_JAPANESE.sub(lambda found: f" {found.group()} ", word)
    return spaced.split()


def base_language(language: str | None) -> str | None:
    """Return the language of a tag without script and region: ``zh`` of ``zh-Hant_TW``; None of none."""
    return language.lower().replace("_", "-").split("-")[0] if language else None


def bleu_tokenizer(languages: Sequence[str | None], references: Sequence[Sequence[str]] = ()) -> str:
    """Return the name of sacrebleu's tokenizer for a dataset; every example is then counted in the same tokens.

    ``char`` where any example is in a language without spaces other than Chinese: ``intl`` leaves a Japanese sentence
    nearly whole, ``zh`` leaves kana in runs, and ``ja-mecab`` needs a dictionary that is not installed. ``zh`` (Chinese
    characters one by one, the rest as 13a) where any is Chinese; ``13a`` where all are English or state no language;
    ``intl`` otherwise, Korean included, which is written with spaces. The script of the references speaks for examples
    that state no language, once a tenth of those are Chinese or Japanese.

    Args:
        languages: Of each example, as codes such as ``en`` or ``zh-CN``; empty where the dataset states none.
        references: The reference texts of each example, length n; empty to judge by the stated languages alone.
    """
    codes = {base_language(language) for language in languages if language}
    stated = languages if len(languages) else [None] * len(references)
    written = [
        _language_of_script("".join(texts))
        for language, texts in zip(stated, references, strict=False)
        if not language and texts
    ]
    codes |= {code for code in ("ja", "zh") if written and written.count(code) >= MIN_SHARE * len(written)}
    if codes & UNSPACED:
        return "char"
    if codes & CHINESE:
        return "zh"
    return "13a" if codes <= {"en"} else "intl"


def _language_of_script(text: str) -> str | None:
    """Return ``ja`` or ``zh`` where at least half of the letters are Chinese characters or kana."""
    if text.isascii():
        return None
    n_letters, n_own = len(_LETTERS.findall(text)), len(_CHINESE_OR_JAPANESE.findall(text))
    if not n_letters or 2 * n_own < n_letters:
        return None
    return "ja" if _KANA.search(text) else "zh"
