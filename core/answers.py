"""Reads a label or number out of a generated text, by the rule that the task states.

A text that the rule cannot read is the model's fault and never guessed at: it comes back with the reason.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from core.errors import InputError
from core.spec import AnswerRule

MAX_CHARACTERS = 20_000
"""Only so much of a text is read, so that no text makes a pattern or a search take for ever."""
PATTERN_SECONDS = 2.0
"""A pattern that takes longer on one text backtracks without end; the task's author has to mend it."""
MAX_OBJECTS = 100
"""How many opening braces are tried as the start of a JSON object."""

_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_WORD = rf"[\w--{_SPACELESS}]"
_EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$")


@dataclass(frozen=True)
class Answer:
    """What was read: the text of the answer, or None with the reason."""

    value: str | None
    reason: str | None = None


def read_answer(rule: AnswerRule, text: str, options: Sequence[str] = ()) -> Answer:
    """Return what a rule reads out of a generated text.

    Args:
        rule: ``option``: the text is one option, case and outer punctuation aside, or exactly one option occurs in it as
            whole words; ``contains``: exactly one option occurs in it anywhere; ``regex`` and ``json``: what the pattern or
            the field holds, which has to be one of the options where there are any. An option within a longer one that
            was found does not count.
        text: The generated text; its first `MAX_CHARACTERS` characters are read.
        options: The labels to choose from; the answer is spelt as here.

    Raises:
        InputError: the rule's pattern is not a regular expression, or it backtracks without end.
    """
    text = text[:MAX_CHARACTERS]
    if rule.rule == "regex":
        return _as_option(_by_pattern(str(rule.pattern), text), options)
    if rule.rule == "json":
        return _as_option(_by_field(str(rule.field), text), options)
    if not options:
        return Answer(None, f"the rule {rule.rule!r} looks for options, and the task has none")
    whole = _as_option(Answer(text), options)
    return whole if whole.value is not None else _occurring(text, tuple(options), rule.rule == "option")


def read_number(answer: Answer) -> tuple[float | None, str | None]:
    """Return an answer as a finite number, or None with the reason."""
    if answer.value is None:
        return None, answer.reason
    try:
        number = float(answer.value.strip().rstrip("."))
    except ValueError:
        number = math.nan
    return (number, None) if math.isfinite(number) else (None, f"the answer {_short(answer.value)} is not a number")


def _bare(text: str) -> str:
    """Return a text without case, outer punctuation and repeated spaces; a text of punctuation alone as it is."""
    folded = " ".join(text.casefold().split())
    return _EDGES.sub("", folded) or folded


def _as_option(answer: Answer, options: Sequence[str]) -> Answer:
    if answer.value is None or not options:
        return answer
    value = answer.value.strip()
    if value in options:
        return Answer(value)
    alike = [option for option in options if _bare(option) == _bare(value)]
    if len(alike) == 1:
        return Answer(alike[0])
    return Answer(None, f"the answer {_short(value)} is none of the options")


def _occurring(text: str, options: tuple[str, ...], whole_words: bool) -> Answer:
    pattern, by_fold = _option_pattern(options, whole_words)
    found = list(dict.fromkeys(by_fold[match.group()] for match in pattern.finditer(" ".join(text.casefold().split()))))
    if len(found) == 1:
        return Answer(found[0])
    if found:
        return Answer(None, f"the text names {len(found)} options: {', '.join(found[:5])}")
    return Answer(None, "the text names none of the options")


@lru_cache(maxsize=256)
def _option_pattern(options: tuple[str, ...], whole_words: bool) -> tuple[Any, dict[str, str]]:
    folded = [(" ".join(option.casefold().split()), option) for option in options if option.strip()]
    counts = Counter(fold for fold, _ in folded)
    by_fold = {fold: option for fold, option in folded if counts[fold] == 1}  # "US" and "us": nothing is guessed
    longest_first = sorted(by_fold, key=len, reverse=True)
    alternatives = [_bounded(option) if whole_words else regex.escape(option) for option in longest_first]
    return regex.compile("|".join(alternatives) or r"(?!)", regex.V1), by_fold


def _bounded(option: str) -> str:
    # Scripts without spaces have no word boundaries; a digit's neighbours may belong to the same number.
    def open_edge(character: str) -> bool:
        return not regex.match(_WORD, character, flags=regex.V1)

    before = "" if open_edge(option[0]) else rf"(?<!{_WORD})"
    after = "" if open_edge(option[-1]) else rf"(?!{_WORD})"
    before += r"(?<!\d[.,])" if option[0].isdigit() else ""
    after += r"(?![.,]\d)" if option[-1].isdigit() else ""
    return before + regex.escape(option) + after


def _by_pattern(pattern: str, text: str) -> Answer:
    try:
        match = regex.search(pattern, text, timeout=PATTERN_SECONDS)
    except TimeoutError:
        raise InputError(
            f"answer.pattern: {pattern!r} took more than {PATTERN_SECONDS:g} s on one text, because it backtracks. "
            "Simplify it: no repetition inside a repetition."
        ) from None
    if match is None:
        return Answer(None, "the pattern does not match the text")
    groups = [group for group in match.groups() if group is not None]
    return Answer(groups[0] if groups else match.group())


def _by_field(field: str, text: str) -> Answer:
    found: Any = _first_object(text)
    if found is None:
        return Answer(None, "there is no JSON object in the text")
    for key in field.split("."):
        if not isinstance(found, dict) or key not in found:
            return Answer(None, f"the JSON object has no field {field!r}")
        found = found[key]
    if isinstance(found, bool):
        return Answer(str(found).lower())
    if isinstance(found, str | int | float):
        return Answer(str(found))
    return Answer(None, f"the field {field!r} holds neither a text nor a number")


def _first_object(text: str) -> dict[str, Any] | None:
    decoder, start = json.JSONDecoder(), -1
    for _ in range(MAX_OBJECTS):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            return decoder.raw_decode(text, start)[0]
        except (ValueError, RecursionError):
            continue
    return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
